/**
 * Land and sea: coastlines (Natural Earth, by way of world-atlas) in degrees, filled into a bitmap somewhat larger than
 * the view; while the view moves the bitmap is moved and scaled, and made anew when it stands still or runs out.
 */
import { geoEquirectangular, geoPath } from 'd3-geo';
import type { FeatureCollection, MultiPolygon } from 'geojson';
import { feature } from 'topojson-client';
import type { GeometryObject, Topology } from 'topojson-specification';
import { dx, WIDTH } from '../../geo/world.js';
import type { Camera } from './camera.js';
import { type Ring, RingPen, trace } from './outline.js';

const DEGREE = WIDTH / 360;
/** Of the view on each side. */
const MARGIN = 0.25;
/** Of a pixel: less of a coast is not seen. */
const GRAIN = 0.5;

export class Land {
  /** Each piece of land: its coast, and the shores of seas within it. */
  private pieces: readonly (readonly Ring[])[] = [];
  private readonly bitmap = document.createElement('canvas');
  private x = 0;
  private y = 0;
  private scale = 0;
  private key = '';
  /** Grows with every new bitmap. */
  version = 0;

  /** @param url of the topology */
  async load(url: string): Promise<void> {
    const world = (await (await fetch(url)).json()) as Topology<{ land: GeometryObject }>;
    // Radians to degrees, the plane's own projection; d3 cuts polygons at the antimeridian.
    const projection = geoEquirectangular()
      .scale(180 / Math.PI)
      .translate([0, 0])
      .precision(0);
    const all = feature(world, world.objects.land) as FeatureCollection<MultiPolygon>;
    this.pieces = all.features
      .flatMap(({ geometry }) => geometry.coordinates)
      .map((coordinates) => {
        const pen = new RingPen();
        geoPath(projection, pen as unknown as CanvasRenderingContext2D)({ type: 'Polygon', coordinates });
        return pen.rings;
      });
    this.key = '';
    this.version++;
  }

  /** @param colours sea, land, coast @param isMoving then an older bitmap will do */
  draw(
    context: CanvasRenderingContext2D,
    camera: Camera,
    ratio: number,
    colours: readonly string[],
    isMoving: boolean,
  ): void {
    context.fillStyle = colours[0];
    const top = Math.max(0, camera.screenY(WIDTH / 4));
    context.fillRect(0, top, camera.width, Math.min(camera.height, camera.screenY(-WIDTH / 4)) - top);
    if (this.pieces.length === 0) return;
    const key = `${camera.width} ${camera.height} ${ratio} ${colours.join()}`;
    const covers = this.covers(camera);
    if (key !== this.key || !covers || (!isMoving && this.scale !== camera.scale))
      this.paint(camera, ratio, colours, key);
    const grown = this.scale / camera.scale;
    const width = (this.bitmap.width / ratio) * grown;
    const height = (this.bitmap.height / ratio) * grown;
    // Whole pixels where nothing is scaled: a copy then, sharp and cheap.
    const whole = (px: number) => (grown === 1 ? Math.round(px * ratio) / ratio : px);
    const px = whole(camera.width / 2 + dx(camera.x, this.x) / camera.scale - width / 2);
    const py = whole(camera.screenY(this.y) - height / 2);
    context.drawImage(this.bitmap, px, py, width, height);
  }

  private covers(camera: Camera): boolean {
    const ratio = camera.scale / this.scale;
    if (!(ratio > 1 / 3 && ratio < 1 + 2 * MARGIN)) return false;
    const spareX = ((1 + 2 * MARGIN) * this.scale - camera.scale) * (camera.width / 2);
    const spareY = ((1 + 2 * MARGIN) * this.scale - camera.scale) * (camera.height / 2);
    return Math.abs(dx(camera.x, this.x)) <= spareX && Math.abs(camera.y - this.y) <= spareY;
  }

  private paint(camera: Camera, ratio: number, [, land, coast]: readonly string[], key: string): void {
    const { bitmap } = this;
    this.key = key;
    this.x = camera.x;
    this.y = camera.y;
    this.scale = camera.scale;
    this.version++;
    const width = Math.round(camera.width * (1 + 2 * MARGIN) * ratio);
    const height = Math.round(camera.height * (1 + 2 * MARGIN) * ratio);
    if (bitmap.width !== width) bitmap.width = width;
    if (bitmap.height !== height) bitmap.height = height;
    const context = bitmap.getContext('2d');
    if (context === null) return;
    context.clearRect(0, 0, width, height);
    const pixels = (DEGREE / camera.scale) * ratio; // of a degree
    context.fillStyle = land;
    context.strokeStyle = coast;
    context.lineJoin = 'round';
    context.lineWidth = ratio;
    const y = height / 2 + (camera.y / DEGREE) * pixels;
    for (const turn of [-360, 0, 360]) {
      const x = width / 2 + (turn - camera.x / DEGREE) * pixels;
      if (x + 180 * pixels < 0 || x - 180 * pixels > width) continue;
      // A little more than the bitmap, so that strokes along its edge stay outside.
      const edge = 4 * ratio;
      const box = {
        left: (-edge - x) / pixels,
        top: (-edge - y) / pixels,
        right: (width + edge - x) / pixels,
        bottom: (height + edge - y) / pixels,
      };
      for (const piece of this.pieces) {
        // A path of its own for each: a rasteriser is quicker with many small ones than with all in one.
        let points = 0;
        context.beginPath();
        for (const ring of piece) points += trace(ring, box, GRAIN / pixels, context, pixels, x, y);
        if (points === 0) continue;
        context.fill();
        context.stroke();
      }
    }
  }
}

/**
 * Land and sea: coastlines (Natural Earth, by way of world-atlas) as one path in degrees, filled into a bitmap somewhat
 * larger than the view; while the view moves the bitmap is moved and scaled, and made anew when it stands still or
 * runs out.
 */
import { geoEquirectangular, geoPath, type GeoPermissibleObjects } from 'd3-geo';
import { feature } from 'topojson-client';
import type { GeometryObject, Topology } from 'topojson-specification';
import { dx, WIDTH } from '../../geo/world.js';
import type { Camera } from './camera.js';

const DEGREE = WIDTH / 360;
/** Of the view on each side. */
const MARGIN = 0.25;

export class Land {
  private path: Path2D | null = null;
  private readonly bitmap = document.createElement('canvas');
  private x = 0;
  private y = 0;
  private scale = 0;
  private key = '';

  /** @param url of the topology */
  async load(url: string): Promise<void> {
    const world = (await (await fetch(url)).json()) as Topology<{ land: GeometryObject }>;
    const path = new Path2D();
    // Radians to degrees, the plane's own projection; d3 cuts polygons at the antimeridian.
    const projection = geoEquirectangular()
      .scale(180 / Math.PI)
      .translate([0, 0])
      .precision(0);
    geoPath(
      projection,
      path as unknown as CanvasRenderingContext2D,
    )(feature(world, world.objects.land) as GeoPermissibleObjects);
    this.path = path;
    this.key = '';
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
    if (this.path === null) return;
    const key = `${camera.width} ${camera.height} ${ratio} ${colours.join()}`;
    const covers = this.covers(camera);
    if (key !== this.key || !covers || (!isMoving && this.scale !== camera.scale))
      this.paint(camera, ratio, colours, key);
    const grown = this.scale / camera.scale;
    const width = (this.bitmap.width / ratio) * grown;
    const height = (this.bitmap.height / ratio) * grown;
    const px = camera.width / 2 + dx(camera.x, this.x) / camera.scale;
    context.drawImage(this.bitmap, px - width / 2, camera.screenY(this.y) - height / 2, width, height);
  }

  private covers(camera: Camera): boolean {
    const ratio = camera.scale / this.scale;
    if (!(ratio > 1 / 3 && ratio < 1 + 2 * MARGIN)) return false;
    const spareX = ((1 + 2 * MARGIN) * this.scale - camera.scale) * (camera.width / 2);
    const spareY = ((1 + 2 * MARGIN) * this.scale - camera.scale) * (camera.height / 2);
    return Math.abs(dx(camera.x, this.x)) <= spareX && Math.abs(camera.y - this.y) <= spareY;
  }

  private paint(camera: Camera, ratio: number, [, land, coast]: readonly string[], key: string): void {
    const { bitmap, path } = this;
    this.key = key;
    this.x = camera.x;
    this.y = camera.y;
    this.scale = camera.scale;
    bitmap.width = Math.round(camera.width * (1 + 2 * MARGIN) * ratio);
    bitmap.height = Math.round(camera.height * (1 + 2 * MARGIN) * ratio);
    const context = bitmap.getContext('2d');
    if (context === null || path === null) return;
    const pixels = (DEGREE / camera.scale) * ratio; // of a degree
    context.fillStyle = land;
    context.strokeStyle = coast;
    context.lineJoin = 'round';
    for (const turn of [-360, 0, 360]) {
      const left = bitmap.width / 2 + (turn - camera.x / DEGREE) * pixels;
      if (left + 180 * pixels < 0 || left - 180 * pixels > bitmap.width) continue;
      context.setTransform(pixels, 0, 0, pixels, left, bitmap.height / 2 + (camera.y / DEGREE) * pixels);
      context.lineWidth = ratio / pixels;
      context.fill(path);
      context.stroke(path);
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
  }
}

/** Players seen from afar: a light for each bin of them, larger where more are. Lights are drawn once and stamped. */
import { tileSize } from '../../geo/tile.js';
import { Bins } from './bins.js';
import type { Camera } from './camera.js';
import { DENSITY_LEVEL, type Planet } from './planet.js';

/** Lights are kept by size; a zoom has a few dozen sizes. */
const MOST_STAMPS = 200;
/** Lights further outside of the view than this are not seen in it, CSS pixels. */
const REACH_PX = 90;

export class Glows {
  private readonly bins: Bins;
  private readonly stamps = new Map<number, HTMLCanvasElement>();

  constructor(planet: Planet) {
    this.bins = new Bins(planet);
  }

  /** After a change of theme. */
  forget(): void {
    this.stamps.clear();
  }

  draw(context: CanvasRenderingContext2D, camera: Camera, ratio: number, fill: string): void {
    this.bins.gather(camera.scale);
    const { flat } = this.bins;
    // Nearer lights are larger, in steps so that few stamps do.
    const near = Math.round(2 * Math.min(6, tileSize(DENSITY_LEVEL) / camera.scale / 4)) / 2;
    for (let at = 0; at < flat.length; at += 3) {
      const px = camera.screenX(flat[at]);
      const py = camera.screenY(flat[at + 1]);
      if (px < -REACH_PX || py < -REACH_PX || px > camera.width + REACH_PX || py > camera.height + REACH_PX)
        continue;
      const crowd = Math.round(2 * Math.log2(1 + flat[at + 2])) / 2;
      const stamp = this.stamp(near, crowd, ratio, fill);
      const half = stamp.width / 2;
      // On whole pixels of the device and unscaled: a copy.
      const left = Math.round(px * ratio - half) / ratio;
      const top = Math.round(py * ratio - half) / ratio;
      context.drawImage(stamp, left, top, stamp.width / ratio, stamp.height / ratio);
    }
  }

  private stamp(near: number, crowd: number, ratio: number, fill: string): HTMLCanvasElement {
    const key = (near * 100 + crowd) * 100 + ratio;
    let stamp = this.stamps.get(key);
    if (stamp !== undefined) return stamp;
    if (this.stamps.size >= MOST_STAMPS) this.stamps.clear();
    const radius = (7 + 2 * near + 5 * crowd) * ratio;
    const disc = Math.min(5, 1.2 + near / 3 + 0.35 * crowd) * ratio;
    stamp = stampOf(Math.ceil(radius), disc, fill);
    this.stamps.set(key, stamp);
    return stamp;
  }
}

/** A soft round light with a disc in its middle. */
function stampOf(radius: number, disc: number, fill: string): HTMLCanvasElement {
  const stamp = document.createElement('canvas');
  stamp.width = stamp.height = 2 * radius;
  const pen = stamp.getContext('2d');
  if (pen === null) return stamp;
  const light = pen.createRadialGradient(radius, radius, 0, radius, radius, radius);
  light.addColorStop(0, `${fill}99`);
  light.addColorStop(0.25, `${fill}40`);
  light.addColorStop(1, `${fill}00`);
  pen.fillStyle = light;
  pen.fillRect(0, 0, 2 * radius, 2 * radius);
  pen.fillStyle = fill;
  pen.beginPath();
  pen.arc(radius, radius, disc, 0, 2 * Math.PI);
  pen.fill();
  return stamp;
}

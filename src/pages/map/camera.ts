/**
 * What part of the plane is seen: a centre in metres and metres per pixel. Pure arithmetic; x wraps, y stays between
 * the walls, and the world always fills the width.
 */
import { clampY, dx, HEIGHT, WIDTH, wrapX } from '../../geo/world.js';

/** Nearest view: a pixel is a tenth of a metre. */
const NEAREST = 0.1;

export class Camera {
  x = 0;
  y = 2_200_000; // a little north of the equator: there is more to see
  /** Metres per CSS pixel. */
  scale = WIDTH / 1000;
  width = 1000;
  height = 500;

  /** @param width, height CSS pixels */
  resize(width: number, height: number): void {
    const wasWhole = this.scale >= this.widest * 0.999;
    this.width = Math.max(1, width);
    this.height = Math.max(1, height);
    if (wasWhole) this.scale = this.widest;
    this.settle();
  }

  /** Metres per pixel at which the world just fills the width. */
  get widest(): number {
    return WIDTH / this.width;
  }

  screenX(x: number): number {
    return this.width / 2 + dx(this.x, x) / this.scale;
  }
  screenY(y: number): number {
    return this.height / 2 - (y - this.y) / this.scale;
  }
  worldX(px: number): number {
    return wrapX(this.x + (px - this.width / 2) * this.scale);
  }
  worldY(py: number): number {
    return clampY(this.y - (py - this.height / 2) * this.scale);
  }

  /** Moves the view by pixels. */
  pan(px: number, py: number): void {
    this.x = wrapX(this.x + px * this.scale);
    this.y -= py * this.scale;
    this.settle();
  }

  /** Zooms about a pixel; factor 2 = twice as near. */
  zoom(factor: number, px = this.width / 2, py = this.height / 2): void {
    const before = this.scale;
    this.scale = Math.min(this.widest, Math.max(NEAREST, this.scale / factor));
    const gained = before - this.scale;
    this.x = wrapX(this.x + (px - this.width / 2) * gained);
    this.y -= (py - this.height / 2) * gained;
    this.settle();
  }

  /** Turns to a place. @param metresWide of the view there */
  show(x: number, y: number, metresWide: number): void {
    this.x = wrapX(x);
    this.y = y;
    this.scale = Math.min(this.widest, Math.max(NEAREST, metresWide / this.width));
    this.settle();
  }

  /** Keeps the walls at the edge of the view, or the world in its middle where it is lower than the view. */
  private settle(): void {
    this.scale = Math.min(this.scale, this.widest);
    const half = (this.height * this.scale) / 2;
    const reach = HEIGHT / 2 - half;
    this.y = reach <= 0 ? 0 : Math.min(reach, Math.max(-reach, this.y));
  }
}

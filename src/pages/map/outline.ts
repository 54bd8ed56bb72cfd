/**
 * Coastlines as rings of points, traced with no more points than a picture shows: what lies outside the box is passed by
 * on the outside, and points nearer to the last one than a grain are left out. Pure; any plane, y may go up or down.
 */

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** A closed ring. */
export interface Ring {
  /** x, y of each point. */
  readonly points: Float64Array;
  readonly bounds: Box;
}

/** What draws; a canvas' context does. */
export interface Pen {
  moveTo(x: number, y: number): void;
  lineTo(x: number, y: number): void;
  closePath(): void;
}

/** A pen that keeps what it is told as rings. */
export class RingPen implements Pen {
  readonly rings: Ring[] = [];
  private points: number[] = [];

  moveTo(x: number, y: number): void {
    this.points = [x, y];
  }
  lineTo(x: number, y: number): void {
    this.points.push(x, y);
  }
  closePath(): void {
    if (this.points.length >= 6) this.rings.push(ringOf(this.points));
    this.points = [];
  }
}

export function ringOf(points: readonly number[]): Ring {
  const bounds = { left: Infinity, top: Infinity, right: -Infinity, bottom: -Infinity };
  for (let i = 0; i < points.length; i += 2) {
    bounds.left = Math.min(bounds.left, points[i]);
    bounds.right = Math.max(bounds.right, points[i]);
    bounds.top = Math.min(bounds.top, points[i + 1]);
    bounds.bottom = Math.max(bounds.bottom, points[i + 1]);
  }
  return { points: Float64Array.from(points), bounds };
}

/**
 * Draws a ring as far as it matters inside the box: filled and stroked there it looks the same, up to a grain.
 * A point is left out when it, the last one drawn and the next one all lie beyond one edge of the box: both ways
 * around run outside, and never around the box, so that what is inside stays inside.
 *
 * @param grain of the ring's plane: less is not seen @param scale, x, y the pen's place of a point is scale × point + (x, y)
 * @returns points drawn
 */
export function trace(
  { points, bounds }: Ring,
  box: Box,
  grain: number,
  pen: Pen,
  scale: number,
  x: number,
  y: number,
): number {
  if (
    bounds.right < box.left ||
    bounds.left > box.right ||
    bounds.bottom < box.top ||
    bounds.top > box.bottom
  )
    return 0;
  if (bounds.right - bounds.left < grain && bounds.bottom - bounds.top < grain) return 0; // dx-ok: a ring's own plane
  const { length } = points;
  let lastX = points[0];
  let lastY = points[1];
  let last = beyond(lastX, lastY, box);
  let code = beyond(points[2], points[3], box);
  let drawn = 1;
  pen.moveTo(lastX * scale + x, lastY * scale + y);
  for (let i = 2; i < length; i += 2) {
    const px = points[i];
    const py = points[i + 1];
    const here = code;
    code = i + 2 < length ? beyond(points[i + 2], points[i + 3], box) : 0; // the last point always counts
    if ((last & here & code) !== 0) continue;
    if ((last | here) === 0 && Math.abs(px - lastX) < grain && Math.abs(py - lastY) < grain) continue; // dx-ok: as above
    pen.lineTo(px * scale + x, py * scale + y);
    drawn++;
    lastX = px;
    lastY = py;
    last = here;
  }
  pen.closePath();
  return drawn;
}

/** The edges of the box that a point lies beyond, as bits; 0 = inside. */
function beyond(x: number, y: number, box: Box): number {
  return (x < box.left ? 1 : x > box.right ? 2 : 0) | (y < box.top ? 4 : y > box.bottom ? 8 : 0);
}

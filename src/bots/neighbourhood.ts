/**
 * Who stands near a place: subjects in square boxes as wide as a watcher can see, so that a look at a watcher goes over
 * its own box and the eight around it, not over the whole swarm. Built anew for each look; no clock.
 */
import { HALF_WIDTH, HEIGHT, QUARTER_WIDTH, WIDTH, wrapX } from '../geo/world.js';
import type { Subject } from './view-checker.js';

export class Neighbourhood {
  private readonly boxes = new Map<number, Subject[]>();
  private readonly columns: number;
  private readonly rows: number;

  /** @param reach metres east, west, north or south within which everybody is found */
  constructor(subjects: Iterable<Subject>, reach: number) {
    this.columns = Math.max(1, Math.floor(WIDTH / reach));
    this.rows = Math.max(1, Math.floor(HEIGHT / reach));
    for (const subject of subjects) {
      const key = this.boxOf(subject.track.x, subject.track.y);
      const box = this.boxes.get(key);
      if (box === undefined) this.boxes.set(key, [subject]);
      else box.push(subject);
    }
  }

  /** Everybody within reach of a place, and some who stand further off; each once. */
  forEachAround(x: number, y: number, visit: (subject: Subject) => void): void {
    const box = this.boxOf(x, y);
    const column = box % this.columns;
    const row = (box - column) / this.columns;
    const across = Math.min(3, this.columns);
    for (let r = Math.max(0, row - 1); r <= Math.min(this.rows - 1, row + 1); r++)
      for (let c = 0; c < across; c++) {
        const there = this.boxes.get(r * this.columns + ((column + c + this.columns - 1) % this.columns));
        if (there !== undefined) for (const subject of there) visit(subject);
      }
  }

  private boxOf(x: number, y: number): number {
    const east = (wrapX(x) + HALF_WIDTH) / WIDTH;
    const column = Math.min(this.columns - 1, Math.floor(east * this.columns));
    const up = Math.min(1, Math.max(0, (y + QUARTER_WIDTH) / HEIGHT));
    return Math.min(this.rows - 1, Math.floor(up * this.rows)) * this.columns + column;
  }
}

/**
 * The sequence check of every frame stream that this client follows: one row per (place, publisher) with the tick of
 * its last frame. This is all that a light client keeps of its view. Not more than a few dozen rows are alive, so a
 * linear scan over typed arrays beats a map.
 */

import { cellOfPlace, squareOfPlace } from './squares.js';

/** What a frame means for its stream. Constants and not strings: this is asked for every frame. */
export const FRAME_STALE = 0;
export const FRAME_KEY = 1;
export const FRAME_DELTA = 2;
/** A delta that does not follow the last frame: its contents must not be used, a key frame is needed. */
export const FRAME_GAP = 3;
/** A delta that follows, but whose states are older than those of the key frame before it: they say nothing any more. */
export const FRAME_OLD = 4;

const INITIAL_ROWS = 16;

export class StreamTable {
  private places = new Float64Array(INITIAL_ROWS);
  private publishers = new Float64Array(INITIAL_ROWS);
  private ticks = new Float64Array(INITIAL_ROWS);
  /** Tick of the states of the newest key frame. */
  private taken = new Float64Array(INITIAL_ROWS);
  /** ms of the first unanswered gap, −1 = the stream is whole */
  private gaps = new Float64Array(INITIAL_ROWS);
  private count = 0;
  private open = 0;

  get size(): number {
    return this.count;
  }
  /** Streams that wait for a key frame. */
  get openGaps(): number {
    return this.open;
  }

  /**
   * Judges one frame and moves the stream on.
   * @param previous 0 = it is a key frame @param taken tick of its states
   */
  accept(
    place: number,
    publisher: number,
    tick: number,
    previous: number,
    taken: number,
    now: number,
  ): number {
    const row = this.find(place, publisher);
    if (row < 0) {
      const added = this.add(place, publisher);
      if (previous === 0) {
        this.ticks[added] = tick;
        this.taken[added] = taken;
        return FRAME_KEY;
      }
      this.gaps[added] = now;
      this.open++;
      return FRAME_GAP;
    }
    const known = this.ticks[row] as number;
    if (previous === 0) {
      if (tick < known) return FRAME_STALE;
      this.ticks[row] = tick;
      this.taken[row] = taken;
      this.mend(row);
      return FRAME_KEY;
    }
    if ((this.gaps[row] as number) >= 0) return FRAME_GAP;
    if (tick <= known) return FRAME_STALE;
    if (previous !== known) {
      this.gaps[row] = now;
      this.open++;
      return FRAME_GAP;
    }
    this.ticks[row] = tick;
    return tick <= (this.taken[row] as number) ? FRAME_OLD : FRAME_DELTA;
  }

  close(place: number, publisher: number): void {
    const row = this.find(place, publisher);
    if (row >= 0) this.remove(row);
  }

  /** Forgets the streams of places for which `keep` says no. */
  retain(keep: (place: number) => boolean): void {
    for (let row = this.count - 1; row >= 0; row--) if (!keep(this.places[row] as number)) this.remove(row);
  }

  /** Whether all streams are of places for which `test` says yes. */
  every(test: (place: number) => boolean): boolean {
    for (let row = 0; row < this.count; row++) if (!test(this.places[row])) return false;
    return true;
  }

  clear(): void {
    this.count = 0;
    this.open = 0;
  }

  has(place: number, publisher: number): boolean {
    return this.find(place, publisher) >= 0;
  }

  /** Visits each place with a stream that waits for a key frame, with the time since when. May name a place twice. */
  forEachGap(visit: (place: number, sinceMs: number) => void): void {
    if (this.open === 0) return;
    for (let row = 0; row < this.count; row++) {
      const since = this.gaps[row] as number;
      if (since >= 0) visit(this.places[row] as number, since);
    }
  }

  /** Something was missing in a frame: the stream needs a key frame. */
  doubt(place: number, publisher: number, now: number): void {
    const row = this.find(place, publisher);
    if (row < 0 || (this.gaps[row] as number) >= 0) return;
    this.gaps[row] = now;
    this.open++;
  }

  /** Streams of a cell: square, publisher, tick, `!` = waits for a key frame; for people. */
  describe(cell: number): string {
    const told: string[] = [];
    for (let row = 0; row < this.count; row++) {
      const place = this.places[row] as number;
      if (cellOfPlace(place) !== cell) continue;
      const mark = (this.gaps[row] as number) >= 0 ? '!' : '';
      told.push(`${squareOfPlace(place)}/${this.publishers[row]}@${this.ticks[row]}${mark}`);
    }
    return told.join(' ') || 'none';
  }

  private find(place: number, publisher: number): number {
    const places = this.places;
    for (let row = 0; row < this.count; row++) {
      if (places[row] === place && this.publishers[row] === publisher) return row;
    }
    return -1;
  }

  private mend(row: number): void {
    if ((this.gaps[row] as number) < 0) return;
    this.gaps[row] = -1;
    this.open--;
  }

  private add(place: number, publisher: number): number {
    if (this.count === this.places.length) this.grow();
    const row = this.count++;
    this.places[row] = place;
    this.publishers[row] = publisher;
    this.ticks[row] = 0;
    this.taken[row] = 0;
    this.gaps[row] = -1;
    return row;
  }

  private remove(row: number): void {
    this.mend(row);
    const last = --this.count;
    this.places[row] = this.places[last] as number;
    this.publishers[row] = this.publishers[last] as number;
    this.ticks[row] = this.ticks[last] as number;
    this.taken[row] = this.taken[last] as number;
    this.gaps[row] = this.gaps[last] as number;
  }

  private grow(): void {
    const size = this.places.length * 2;
    this.places = copied(this.places, size);
    this.publishers = copied(this.publishers, size);
    this.ticks = copied(this.ticks, size);
    this.taken = copied(this.taken, size);
    this.gaps = copied(this.gaps, size);
  }
}

function copied(from: Float64Array, size: number): Float64Array<ArrayBuffer> {
  const to = new Float64Array(size);
  to.set(from);
  return to;
}

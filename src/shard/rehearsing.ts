/**
 * Drives a rehearsal (rehearsal.ts) in a thread that waits for its number, so gently that nobody notices: a slice, then a
 * pause several times as long, and nothing at all while nobody is on the planet.
 *
 * Contract: on the thread's own event loop, so the number that comes ends it between two slices; after `stop` nothing of
 * it runs. What a slice throws goes to `failed`, and no slice follows. What was made is kept until `forget`: V8 throws
 * away code that was compiled for kinds of objects of which none are left.
 */
import type { Clock, Timers } from '../base/clock.js';

export const REHEARSAL = Object.freeze({
  /** After the thread is loaded: the planet is starting, or a shard has just been replaced. */
  beginMs: 300,
  /** A pause is so many times as long as the slice before it took, and so long at least. */
  pauses: 4,
  pauseMs: 4,
  /** While nobody is on the planet: until the next look. */
  quietMs: 1000,
});

export type Slices = Iterator<void, object, void>;

export interface RehearsingParts {
  /** Asked for when it begins; its last value is what it leaves. */
  readonly slices: () => Promise<Slices>;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly isQuiet: () => boolean;
  readonly failed: (error: unknown) => void;
}

export class Rehearsing {
  /** The rehearsal, and once it is through what it leaves. */
  kept: object | null = null;
  /** Through, stopped, or failed. */
  isOver = false;
  private cancel: () => void;

  constructor(private readonly parts: RehearsingParts) {
    this.cancel = parts.timers.after(REHEARSAL.beginMs, () => void this.begin());
  }

  /** Ends it wherever it is. */
  stop(): void {
    this.isOver = true;
    this.cancel();
  }

  /** The thread's own shard has started. */
  forget(): void {
    this.kept = null;
  }

  private async begin(): Promise<void> {
    try {
      const slices = await this.parts.slices();
      this.kept = slices;
      if (!this.isOver) this.look(slices);
    } catch (error) {
      this.fail(error);
    }
  }

  private look(slices: Slices): void {
    const { timers, isQuiet } = this.parts;
    const pauseMs = isQuiet() ? REHEARSAL.quietMs : this.run(slices);
    if (!this.isOver) this.cancel = timers.after(pauseMs, () => this.look(slices));
  }

  /** One slice. @returns ms until the next look */
  private run(slices: Slices): number {
    const { clock } = this.parts;
    const begun = clock.now();
    try {
      const { done, value } = slices.next();
      if (done === true) {
        this.kept = value;
        this.isOver = true;
      }
    } catch (error) {
      this.fail(error);
    }
    // By the clock and not by the core: on a machine that has no time for it the pauses are longer.
    return Math.max(REHEARSAL.pauseMs, REHEARSAL.pauses * (clock.now() - begun));
  }

  private fail(error: unknown): void {
    this.stop();
    this.parts.failed(error);
  }
}

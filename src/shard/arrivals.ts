/**
 * Arrivals: entities handed over to this shard, new players, and tiles to wake. First step of a tick.
 *
 * The ring entries are hints; the owner word decides (world/handover.ts). An entry that does not match is ignored and
 * counted. Contract with the mail (mail.ts): arrivals are read only up to the tail that stood *before* the mail was
 * drained, so that every copy of a message sent to an earlier stay of an entity here is gone before it comes back.
 */
import { SHARD_COUNTER, SHARD_GAUGE } from '../memory/shard-block.js';
import { HEADER, HOT } from '../memory/record.js';
import { FOUND, LOADED } from '../memory/store-ring.js';
import { acceptNow } from '../world/handover.js';
import { WAKE } from '../world/placing.js';
import { BULK } from './bulk.js';
import type { Core } from './core.js';
import { SparingClock } from './sparing-clock.js';
import type { Tiles } from './tiles.js';

export class Arrivals {
  private readonly limits: Int32Array;
  private readonly clock: SparingClock;
  private readonly generationOf: (slot: number) => number;

  constructor(
    private readonly core: Core,
    private readonly tiles: Tiles,
  ) {
    this.limits = new Int32Array(core.world.arrivals.length);
    const { arena } = core;
    this.clock = new SparingClock(core.clock);
    this.generationOf = (slot) => arena.u32[(arena.header(slot) + HEADER.generation) >> 2]!;
  }

  /** Notes how far each ring is filled now. Call before the mail is drained. */
  snapshot(): void {
    const { arrivals } = this.core.world;
    for (let p = 0; p < arrivals.length; p++) {
      const ring = arrivals[p]?.[this.core.shard];
      const waiting = ring?.available() ?? 0;
      this.limits[p] = waiting;
      if (waiting > 0) this.core.block.raiseShare(SHARD_GAUGE.arrivalsHigh, waiting, ring!.places);
    }
  }

  /** Accepts what the snapshot saw, as much as a tick takes on; the rest is seen again by the next one. */
  drain(): void {
    const { core } = this;
    const { arrivals } = core.world;
    this.clock.begin();
    let room = BULK.arrivals;
    // In turns: one that fills its ring again and again holds up nobody else.
    for (let i = 0; i < arrivals.length; i++) {
      const p = (core.tick + i) % arrivals.length;
      const ring = arrivals[p]?.[core.shard];
      if (!ring) continue;
      for (let left = this.limits[p]!; left > 0 && room > 0; left--, room--) {
        const at = ring.peek();
        if (at < 0) break;
        core.progress();
        const word = at >> 2;
        // What is stamped k is taken in ticks ≥ k only: whoever is behind lets it, and what follows it, wait.
        if (ring.i32[word + 3]! > this.core.tick) break;
        const slot = ring.i32[word]!;
        const generation = ring.u32[word + 1]!;
        const epoch = ring.u32[word + 2]!;
        // Read before release: after advance() the producer may overwrite the place.
        ring.advance();
        if (slot < 0) this.told(slot, generation, epoch);
        else this.acceptOne(slot, generation, epoch);
      }
    }
    this.drainEarly();
  }

  /** What a replacement found in transit to here, from ticks that it had still to run. A second entry is ignored. */
  private drainEarly(): void {
    const { early, tick } = this.core;
    let kept = 0;
    let room = BULK.arrivals;
    for (const one of early) {
      if (one.tick > tick || room === 0) {
        early[kept++] = one;
        continue;
      }
      room--;
      this.acceptOne(one.slot, one.generation, one.epoch);
      this.core.progress();
    }
    early.length = kept;
  }

  /** Whether anything waits, be it for a later tick. */
  get isEmpty(): boolean {
    const { core } = this;
    return core.early.length === 0 && core.world.arrivals.every((row) => !row?.[core.shard]?.available());
  }

  /** No slot but a word: a tile to wake, or an answer of the store. */
  private told(what: number, low: number, high: number): void {
    if (what === WAKE) this.tiles.hold(low);
    else if (what === LOADED) this.tiles.loaded(low);
    else this.core.asking.answered(high * 4294967296 + low, what === FOUND, this.tiles);
  }

  private acceptOne(slot: number, generation: number, epoch: number): void {
    const { core } = this;
    const { arena } = core;
    const next = acceptNow(arena.owner, slot, core.shard, generation, epoch, this.generationOf);
    if (next < 0) {
      core.block.count(SHARD_COUNTER.ignoredArrivals);
      return;
    }
    const h = arena.header(slot);
    arena.u32[(h + HEADER.epoch) >> 2] = next;
    const stamp = arena.f64[(h + HEADER.handoverStamp) >> 3]!;
    // Else not from a shard, but a login, or from disk.
    if (stamp > 0) {
      core.block.count(SHARD_COUNTER.handoversIn);
      const now = this.clock.now();
      core.block.handoverMs.record(now - stamp);
      core.traces.accepted(slot, now, now - stamp);
    }
    core.adopt(slot, stamp > 0);
    this.tiles.hold(arena.i32[(arena.hot(slot) + HOT.tile) >> 2]!);
  }
}

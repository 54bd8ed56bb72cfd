/**
 * Takes what the shards pushed out of their store rings into the pending set. One consumer: the store's thread.
 *
 * While a cut as of tick K is under way nothing is taken from beyond K: a ring is read up to its mark of that cut, or up
 * to the first record of a later tick. So what is pending when all have answered is the world as of K and nothing else;
 * one shard read further than another would be the end of that (I12). What lies behind waits in the ring.
 */
import { RECORD_HEADER_BYTES } from '../memory/byte-ring.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import { STORED, STORED_RECORD_BYTES } from '../memory/store-ring.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { type Codec, RecordBytes, type Rest } from './codec.js';
import { type Pending, totalsAt } from './pending.js';

/** For tests of the tests only: an intake with a fault that their model has to find. */
export type IntakeFault = 'runs-past-the-mark';

export class Intake {
  /** Shards whose mark of the running cut was reached. */
  readonly marked = new Set<number>();
  private readonly record = new RecordBytes();

  /**
   * @param active who is in the arena (residence.ts): whoever is pushed is
   * @param rests what the game has no place for, of entities in the arena
   * @param fault tests only
   */
  constructor(
    private readonly world: SharedWorld,
    private readonly codec: Codec,
    private readonly active: Map<number, number>,
    private readonly rests: ReadonlyMap<number, Rest>,
    private readonly fault?: IntakeFault,
  ) {}

  /**
   * @param cut number of the cut under way, 0 = none @param tick its K
   * @param most bytes that may be pending; beyond, the rings keep the rest
   * @returns records taken
   */
  drain(pending: Pending, cut: number, tick: number, most: number): number {
    let taken = 0;
    for (let shard = 0; shard < this.world.stored.length; shard++) {
      const ring = this.world.stored[shard];
      for (let at = ring.next(); at >= 0 && pending.bytes < most; at = ring.next()) {
        const word = (at >> 2) + 1;
        const type = ring.i32[word];
        const isAhead = cut > 0 && (this.marked.has(shard) || ring.i32[word + 3] > tick);
        if (isAhead && this.fault !== 'runs-past-the-mark') break;
        if (type === STORED.MARK && cut > 0 && ring.i32[word + 1] === cut) this.marked.add(shard);
        else this.take(pending, shard, at, word);
        ring.release();
        taken++;
      }
    }
    return taken;
  }

  private take(pending: Pending, shard: number, at: number, word: number): void {
    const ring = this.world.stored[shard];
    const { i32, f64 } = ring;
    const body = (at + RECORD_HEADER_BYTES) >> 3;
    switch (i32[word]) {
      case STORED.RECORD:
        return this.takeRecord(pending, shard, at, word);
      case STORED.GONE:
        if (ring.u32[word + 1] !== 0) pending.touched.add(ring.u32[word + 1]);
        pending.put(f64[body], {
          epoch: ring.u32[word + 4],
          value: null,
          tile: -1,
          player: -1,
          parkedSlot: -1,
        });
        return;
      case STORED.TILE:
        pending.tiles.set(i32[word + 1], i32[word + 3]);
        return;
      case STORED.TOTALS: {
        const { created, consumed } = totalsAt(f64, body);
        return pending.setTotals(shard, created, consumed);
      }
      case STORED.TRANSFER:
        pending.addLine({
          source: f64[body],
          counter: ring.u32[word + 5],
          from: f64[body + 1],
          to: f64[body + 2],
          itemKind: i32[word + 1],
          count: i32[word + 2],
          tick: i32[word + 3],
          how: i32[word + 4],
        });
    }
  }

  private takeRecord(pending: Pending, shard: number, at: number, word: number): void {
    const ring = this.world.stored[shard];
    const { record } = this;
    const body = at + RECORD_HEADER_BYTES;
    record.u8.set(ring.u8.subarray(body, body + STORED_RECORD_BYTES));
    record.epoch = ring.u32[word + 4];
    record.rest = this.rests.get(record.id) ?? null;
    const isPlayer = record.kind === PLAYER_KIND;
    const place = this.active.get(record.id);
    if (place === undefined) this.active.set(record.id, -2);
    // Until it is in the engine: from then on that it was touched stands there, too.
    const isNew = place === undefined || place === -2;
    if (isNew && !isPlayer && record.origin !== 0) pending.touched.add(record.origin);
    pending.put(record.id, {
      epoch: record.epoch,
      value: this.codec.encode(record),
      tile: isPlayer ? -1 : record.tile,
      player: isPlayer ? (record.flags & FLAG.ACCOUNT ? 1 : 0) : -1,
      parkedSlot: ring.i32[word + 5] === 1 ? ring.i32[word + 1] : -1,
    });
  }
}

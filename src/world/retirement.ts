/**
 * Retirement: a shard number ends in good order, and nobody's offer to it is left in the air.
 *
 * The retiring shard marks its number CLOSING. Every live shard looks at the marks when a tick begins, notes at once what
 * it saw (number, incarnation), and makes no offer to a marked number in that tick. The offers of its earlier ticks are
 * made by then, so once all live shards have noted it nobody can be between "not marked" and "offered": the retiring
 * one drains its arrivals a last time and ends. Whoever is its replacement scans the owner words all the same
 * (world/handover.ts `recover`): recovery does not depend on how a thread ended.
 */
import { SHARD_STATE, type ShardBlock } from '../memory/shard-block.js';

/** Stands for the incarnation of a number that has none: nothing is offered to it. */
const NEVER_STARTED = -1;

/** One shard's eyes on the others' marks. */
export class ClosingWatch {
  /** By shard: incarnation that was marked when the running tick began; 0 = none. */
  private readonly marked: Int32Array;

  constructor(
    private readonly blocks: readonly ShardBlock[],
    private readonly shard: number,
  ) {
    this.marked = new Int32Array(blocks.length);
  }

  /** First thing in a tick. A number that has ended (NONE) takes no offers either; a DEAD one has a replacement coming. */
  look(): void {
    for (let s = 0; s < this.blocks.length; s++) {
      const block = this.blocks[s]!;
      const { state } = block;
      const ending = state === SHARD_STATE.CLOSING || state === SHARD_STATE.NONE;
      this.marked[s] = ending ? block.incarnation || NEVER_STARTED : 0;
      this.blocks[this.shard]!.noteClosing(s, this.marked[s]!);
    }
  }

  /** Whether this tick may offer to a shard. */
  mayOffer(target: number): boolean {
    return this.marked[target] === 0;
  }
}

/** Whether every live shard has begun a tick after this incarnation was marked. */
export function isUnreachable(blocks: readonly ShardBlock[], shard: number): boolean {
  const mine = blocks[shard]!.incarnation;
  for (let s = 0; s < blocks.length; s++) {
    if (s !== shard && blocks[s]!.state === SHARD_STATE.RUNNING && blocks[s]!.seenClosing(shard) !== mine)
      return false;
  }
  return true;
}

/**
 * What the streams have to tell besides states: removals and events, each of them in every stream that covers the leaf
 * where it happened. Linked lists over one pool, built anew for each frame; local to the thread, fixed in size.
 *
 * A pool that is used up costs key frames: the streams that lost something begin anew, which is always enough for
 * removals; events that it concerned are counted as dropped.
 */
import { SHARD_COUNTER } from '../memory/shard-block.js';
import type { Core } from './core.js';
import type { Streams } from './streams.js';

export class Chains {
  /** What a link stands for: number of a removal or of an event. */
  readonly item: Int32Array;
  /** −1 = end. */
  readonly next: Int32Array;
  private count = 0;

  constructor(
    private readonly core: Core,
    private readonly streams: Streams,
    places: number,
  ) {
    this.item = new Int32Array(places);
    this.next = new Int32Array(places);
  }

  clear(): void {
    this.count = 0;
  }

  /** @param heads `streams.removals` or `streams.events` @param place of the stream */
  add(heads: Int32Array, place: number, item: number): void {
    if (this.count === this.item.length) {
      this.streams.keyed[place] = 0;
      this.core.block.count(SHARD_COUNTER.eventsDropped);
      return;
    }
    const link = this.count++;
    this.item[link] = item;
    this.next[link] = heads[place]!;
    heads[place] = link;
  }
}

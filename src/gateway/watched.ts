/**
 * The streams that clients of this gateway watch, or did a moment ago: one topic each. The first local watcher makes the
 * shards send it to this gateway (interest filter), the last one ends it.
 */
import { cellOfKey, markerOf, partOfKey } from '../geo/square.js';
import type { InterestFilter } from '../memory/interest-filter.js';
import type { Passing } from './crowds.js';

/** A stream that nobody watches is remembered for this long: who comes back finds its sequences. */
const REMEMBER_MS = 1000;

/** One square at one rate, from all publishers. */
export interface WatchedStream extends Passing {
  readonly topic: string;
  watchers: number;
  /** Clock ms since when nobody watches. */
  leftAt: number;
  /** By shard: incarnation and tick of the newest frame passed on; 0 = none. */
  readonly publishers: Int32Array;
  readonly ticks: Int32Array;
  /** By shard: the key frame that was made last, and when, for who comes in the same moment. */
  readonly keys: (Uint8Array | undefined)[];
  readonly keyTicks: Int32Array;
  /** Ticks between frames with states, as the watchers were told. */
  interval: number;
}

const NONE: readonly WatchedStream[] = [];

export class WatchedStreams {
  private readonly byKey = new Map<number, WatchedStream>();
  private readonly byCell = new Map<number, WatchedStream[]>();

  constructor(
    private readonly filter: InterestFilter,
    private readonly shards: number,
  ) {}

  get count(): number {
    return this.byKey.size;
  }

  get(key: number): WatchedStream | undefined {
    return this.byKey.get(key);
  }

  /** Those of one cell, whether somebody watches them or not. */
  ofCell(cell: number): readonly WatchedStream[] {
    return this.byCell.get(cell) ?? NONE;
  }

  [Symbol.iterator](): IterableIterator<WatchedStream> {
    return this.byKey.values();
  }

  /** One more watcher of a stream. */
  enter(key: number): WatchedStream {
    const stream = this.byKey.get(key) ?? this.make(key);
    if (stream.watchers++ === 0) {
      this.filter.add(key);
      // After the key: a shard that finds the marker finds the key as well.
      if (partOfKey(key) !== 0) this.filter.add(markerOf(cellOfKey(key)));
    }
    return stream;
  }

  leave(stream: WatchedStream, now: number): void {
    if (--stream.watchers > 0) return;
    stream.leftAt = now;
    if (partOfKey(stream.key) !== 0) this.filter.remove(markerOf(cellOfKey(stream.key)));
    this.filter.remove(stream.key);
  }

  /** Forgets what nobody has watched for a while. */
  sweep(now: number): void {
    for (const stream of this.byKey.values())
      if (stream.watchers === 0 && now - stream.leftAt >= REMEMBER_MS) this.forget(stream);
  }

  private make(key: number): WatchedStream {
    const { shards } = this;
    const stream: WatchedStream = {
      key,
      topic: String(key),
      watchers: 0,
      leftAt: 0,
      publishers: new Int32Array(shards),
      ticks: new Int32Array(shards),
      keys: new Array<Uint8Array | undefined>(shards).fill(undefined),
      keyTicks: new Int32Array(shards),
      interval: 0,
      bytes: 0,
      seenBytes: 0,
    };
    this.byKey.set(key, stream);
    const cell = cellOfKey(key);
    const others = this.byCell.get(cell);
    if (others === undefined) this.byCell.set(cell, [stream]);
    else others.push(stream);
    return stream;
  }

  private forget(stream: WatchedStream): void {
    this.byKey.delete(stream.key);
    const cell = cellOfKey(stream.key);
    const others = this.byCell.get(cell)!;
    if (others.length === 1) this.byCell.delete(cell);
    else others.splice(others.indexOf(stream), 1);
  }
}

/**
 * The streams that clients of this gateway watch, or did a moment ago: one topic each. The first local watcher makes the
 * shards send it to this gateway (interest filter), the last one ends it.
 */
import { cellOfKey, partOfKey, rateOfKey, squareOfKey } from '../geo/square.js';
import type { InterestFilter } from '../memory/interest-filter.js';
import type { Passing } from './crowds.js';

/** A stream that nobody watches is remembered for this long: who comes back finds its sequences. */
const REMEMBER_MS = 1000;

/** One square at one rate, from all publishers. */
export interface WatchedStream extends Passing {
  readonly cell: number;
  readonly square: number;
  readonly rate: number;
  readonly topic: string;
  /** A frame has come: without one the tables below are empty. Most cells of far rings never have any. */
  hasBegun: boolean;
  watchers: number;
  /** Clock ms since when nobody watches. */
  leftAt: number;
  /** By shard: incarnation and tick of the newest frame passed on; 0 = none. */
  publishers: Int32Array;
  ticks: Int32Array;
  /** By shard: the key frame that was made last, and when, for who comes in the same moment. */
  keys: (Uint8Array | undefined)[];
  keyTicks: Int32Array;
  /** Ticks between frames with states, as the watchers were told. */
  interval: number;
}

const NONE: readonly WatchedStream[] = [];
/** Most streams never begin: one list for all of those. */
const NO_KEYS: (Uint8Array | undefined)[] = [];
const NO_TABLE = new Int32Array(0);

export class WatchedStreams {
  private readonly byKey = new Map<number, WatchedStream>();
  private readonly byCell = new Map<number, WatchedStream[]>();
  /** Those that nobody watches, and some that somebody watches again. */
  private readonly left: WatchedStream[] = [];

  constructor(
    private readonly filter: InterestFilter,
    readonly shards: number,
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
    if (stream.watchers++ === 0) this.filter.add(stream.cell, partOfKey(key));
    return stream;
  }

  leave(stream: WatchedStream, now: number): void {
    if (--stream.watchers > 0) return;
    stream.leftAt = Math.floor(now);
    this.left.push(stream);
    this.filter.remove(stream.cell, partOfKey(stream.key));
  }

  /** Forgets what nobody has watched for a while. */
  sweep(now: number): void {
    let kept = 0;
    for (const stream of this.left) {
      if (stream.watchers > 0 || this.byKey.get(stream.key) !== stream) continue;
      if (now - stream.leftAt >= REMEMBER_MS) this.forget(stream);
      else this.left[kept++] = stream;
    }
    this.left.length = kept;
  }

  /** Its first frame has come. */
  begin(stream: WatchedStream): void {
    if (stream.hasBegun) return;
    const { shards } = this;
    stream.hasBegun = true;
    stream.publishers = new Int32Array(shards);
    stream.ticks = new Int32Array(shards);
    stream.keyTicks = new Int32Array(shards);
    stream.keys = new Array<Uint8Array | undefined>(shards).fill(undefined);
  }

  private make(key: number): WatchedStream {
    const stream: WatchedStream = {
      key,
      cell: cellOfKey(key),
      square: squareOfKey(key),
      rate: rateOfKey(key),
      topic: String(key),
      hasBegun: false,
      watchers: 0,
      leftAt: 0,
      publishers: NO_TABLE,
      ticks: NO_TABLE,
      keys: NO_KEYS,
      keyTicks: NO_TABLE,
      interval: 0,
      bytes: 0,
      seenBytes: 0,
    };
    this.byKey.set(key, stream);
    const others = this.byCell.get(stream.cell);
    if (others === undefined) this.byCell.set(stream.cell, [stream]);
    else others.push(stream);
    return stream;
  }

  private forget(stream: WatchedStream): void {
    this.byKey.delete(stream.key);
    const { cell } = stream;
    const others = this.byCell.get(cell)!;
    if (others.length === 1) this.byCell.delete(cell);
    else others.splice(others.indexOf(stream), 1);
  }
}

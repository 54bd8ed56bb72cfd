/**
 * Streams on their way to clients: who watches what, the key frames that a watcher begins with, and the frames that pass.
 * What a client is to watch others decide (interest.ts, distance.ts).
 */
import { framesBetween } from '../base/rates.js';
import { LIMITS } from '../base/limits.js';
import { cellOf, columnOfCell, rowOfCell } from '../geo/cell.js';
import { keyOfPart } from '../geo/square.js';
import { GATEWAY_COUNTER as COUNTER } from '../memory/gateway-block.js';
import { farRate, nearRate } from '../memory/service.js';
import type { Connection } from './connection.js';
import type { GatewayCore } from './core.js';
import { KeyFrames } from './key-frames.js';
import { type WatchedStream, WatchedStreams } from './watched.js';

/** A key frame is given to others for so many ticks. */
const SHARED_TICKS = 2;
/** The transport holds 32 messages of a client back at most: together far less than a socket may hold. */
const SMALL_BYTES = 2048;
const SHIFT = LIMITS.cellLevel - LIMITS.deepestTileLevel;

export class Screen {
  readonly streams: WatchedStreams;
  private readonly keyFrames: KeyFrames;
  private wasServed = true;

  constructor(private readonly core: GatewayCore) {
    const { world, parts } = core;
    this.keyFrames = new KeyFrames(world.arena, LIMITS.frameScratchBytes);
    this.streams = new WatchedStreams(world.filters[parts.number], world.shardBlocks.length);
  }

  /**
   * A frame of a stream came from a shard: to everybody who watches it.
   * @param previous 0 = a key frame
   * @param publisher incarnation that wrote it; the shard may have another one by now
   * @param part square and class
   */
  frame(
    shard: number,
    column: number,
    row: number,
    tick: number,
    previous: number,
    publisher: number,
    part: number,
    bytes: Uint8Array,
  ): void {
    const stream = this.streams.get(keyOfPart(cellOf(column, row), part));
    if (stream === undefined) return; // shares a place in the filter with a watched one, or was left a moment ago
    this.streams.begin(stream);
    const follows = stream.publishers[shard] === publisher && stream.ticks[shard] === previous;
    stream.publishers[shard] = publisher;
    stream.ticks[shard] = tick;
    stream.keys[shard] = undefined;
    if (stream.watchers === 0) return;
    if (previous !== 0 && !follows) this.mend(shard, stream, previous);
    this.publish(stream, bytes);
  }

  /**
   * A delta of a stream whose beginning was not passed on: its key frame came while nobody here watched it (the filter
   * had it for another one's sake). One key frame for all is cheaper than a request of each.
   */
  private mend(shard: number, stream: WatchedStream, previous: number): void {
    const view = this.core.world.views[shard];
    const key = this.keyFrames.make(view, stream.key, stream.publishers[shard], previous);
    if (key === undefined) return;
    this.core.block.count(COUNTER.keyFrames);
    this.publish(stream, key);
  }

  private publish(stream: WatchedStream, bytes: Uint8Array): void {
    const { block } = this.core;
    block.count(COUNTER.framesOut, stream.watchers);
    block.count(COUNTER.bytesOut, stream.watchers * bytes.length);
    stream.bytes += bytes.length;
    this.core.parts.transport.publish(stream.topic, bytes);
  }

  watch(connection: Connection, key: number): void {
    const stream = this.streams.enter(key);
    if (stream.watchers === 1) stream.interval = this.intervalOf(stream);
    connection.streams.push(stream);
    connection.passed -= stream.bytes;
    // Subscribe first, key frames in the same turn: no delta can come between, and none is missed.
    connection.socket.subscribe(stream.topic);
    this.tell(connection, this.keyFrames.anew(key, this.core.tick(), stream.interval));
    this.sendKeys(connection, stream);
  }

  /** It is to be taken from the connection's list by the caller. */
  unwatch(connection: Connection, stream: WatchedStream): void {
    connection.socket.unsubscribe(stream.topic);
    this.leave(connection, stream);
  }

  /** The same, and the client is told: the place is still in its view. */
  hide(connection: Connection, stream: WatchedStream): void {
    this.unwatch(connection, stream);
    this.tellHidden(connection, stream.key);
  }

  /** The client shall forget what it holds of a square. */
  tellHidden(connection: Connection, key: number): void {
    this.tell(connection, this.keyFrames.interval(key, this.core.tick(), 0));
  }

  /** The same without touching the socket. */
  leave(connection: Connection, stream: WatchedStream): void {
    connection.passed += stream.bytes;
    this.streams.leave(stream, this.core.now());
  }

  /**
   * One for each stream that has begun, here or, as the view says, before anybody here watched (a quiet stream may have
   * no delta for long). One that has not begins with a key frame of its shard.
   */
  sendKeys(connection: Connection, stream: WatchedStream): void {
    for (let shard = 0; shard < this.streams.shards; shard++) {
      const bytes = this.keyOf(stream, shard);
      if (bytes === undefined) continue;
      this.core.block.count(COUNTER.keyFrames);
      this.tell(connection, bytes);
    }
  }

  /**
   * What is small leaves in one write with the self update and the frames of the turn. What is large is written at once:
   * it must be seen to wait in the socket by who asks whether more can be sent.
   */
  private tell(connection: Connection, bytes: Uint8Array): void {
    if (bytes.length <= SMALL_BYTES) connection.publish(bytes);
    else connection.send(bytes);
  }

  /** The key frame of one publisher: made once for all who come in the same moment. */
  private keyOf(stream: WatchedStream, shard: number): Uint8Array | undefined {
    const { world } = this.core;
    const view = world.views[shard];
    const tick = stream.hasBegun ? stream.ticks[shard] : 0;
    if (tick === 0) return this.keyFrames.makeNewest(view, stream.key);
    const now = this.core.tick();
    const known = stream.keys[shard];
    if (known !== undefined && now - stream.keyTicks[shard] < SHARED_TICKS) return known;
    const made = this.keyFrames.make(view, stream.key, stream.publishers[shard], tick);
    if (made === undefined) return undefined;
    stream.keyTicks[shard] = now;
    stream.keys[shard] = made.slice();
    return stream.keys[shard];
  }

  /** A few times a second: forgets what nobody asks for, tells of rates that have changed. */
  sweep(now: number): void {
    this.streams.sweep(now);
    const isServed = this.core.world.directory.anyService !== 0;
    if (isServed || this.wasServed) this.tellIntervals();
    this.wasServed = isServed;
  }

  private tellIntervals(): void {
    for (const stream of this.streams) {
      const interval = this.intervalOf(stream);
      if (stream.watchers === 0 || interval === stream.interval) continue;
      stream.interval = interval;
      this.publish(stream, this.keyFrames.interval(stream.key, this.core.tick(), interval));
    }
  }

  /** Ticks between frames with states, as the stream's leaf is served. */
  private intervalOf({ cell, rate }: WatchedStream): number {
    const { directory } = this.core.world;
    const { tickRate, frameRate } = this.core.parts.card;
    const word =
      directory.anyService === 0
        ? 0
        : directory.service(columnOfCell(cell) >> SHIFT, rowOfCell(cell) >> SHIFT);
    return framesBetween(rate, rate === 0 ? nearRate(word) : farRate(word)) * (tickRate / frameRate);
  }
}

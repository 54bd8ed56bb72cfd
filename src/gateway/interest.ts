/**
 * What this gateway's clients watch: each follows the plan of the place where it stands (plans.ts), stream by stream, one
 * topic each; the frames of a stream go to its topic.
 *
 * Cells that a client leaves are kept while it stands within HYSTERESIS_M of where they would be in view again, so that
 * walking to and fro on a cell's border costs no key frames. Squares that overlap are never watched together: what is
 * swapped is swapped in one turn, the old ones first, and never between two frames of one tick.
 */
import { framesBetween } from '../base/rates.js';
import { LIMITS } from '../base/limits.js';
import { cellNumber, cellOf, cellsAround, columnOfCell, rowOfCell } from '../geo/cell.js';
import { cellOfKey, isWithin, keyOfPart, leafOf, overlap, rateOfKey, squareOfKey } from '../geo/square.js';
import { clampY, dx, wrapX } from '../geo/world.js';
import { GATEWAY_COUNTER as COUNTER } from '../memory/gateway-block.js';
import { farRate, nearRate } from '../memory/service.js';
import type { Connection } from './connection.js';
import type { GatewayCore } from './core.js';
import { Crowds } from './crowds.js';
import { entitiesIn } from './cut.js';
import { KeyFrames } from './key-frames.js';
import { type Plan, Plans } from './plans.js';
import { type WatchedStream, WatchedStreams } from './watched.js';

const HYSTERESIS_M = 10;
/**
 * Whether a kept cell is to be left is looked at again after so many metres: at any time a tenth of the walkers keep some,
 * and to look at each of their self updates was 7 % of the gateway thread's JavaScript (bench fanout, profile).
 */
const LOOK_AGAIN_M = 2;
/** No further key frames while this much waits in the socket: a crowd's may be larger than what it may hold. */
const ENOUGH_BYTES = LIMITS.maxBackpressureBytes / 2;
/** A turn whose end has not come after this time has none. */
const LOST_TURN_MS = 1000;
const SIDE = LIMITS.viewCells;
/** Bytes of one entity in a key frame, and of the notice and the frames around them. */
const STATE_BYTES = 32;
const KEY_BYTES = 230;
/** A key frame is given to others for so many ticks. */
const SHARED_TICKS = 2;
const SHIFT = LIMITS.cellLevel - LIMITS.deepestTileLevel;

export class Interest {
  private readonly streams: WatchedStreams;
  private readonly crowds: Crowds;
  private readonly plans: Plans;
  private readonly keyFrames = new KeyFrames(LIMITS.frameScratchBytes);
  private readonly around = new Float64Array(SIDE * SIDE);
  private readonly tolerated = new Set<number>();
  /** Shards of which some frames of a tick have come, but not all; and since when, clock ms. */
  private readonly midTurn = new Map<number, number>();
  /** Connections that wait for the end of these turns. */
  private readonly waiting = new Set<Connection>();
  private wasServed = true;

  constructor(private readonly core: GatewayCore) {
    const { world, parts } = core;
    this.streams = new WatchedStreams(world.filters[parts.number], world.shardBlocks.length);
    const { frameRate } = parts.card;
    this.crowds = new Crowds(world.views, (cell) => this.streams.ofCell(cell), frameRate);
    this.plans = new Plans(this.crowds, world.directory, parts.clientBytesPerS, frameRate);
  }

  /** Streams in memory. */
  get count(): number {
    return this.streams.count;
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
    if (!this.midTurn.has(shard)) this.midTurn.set(shard, this.core.now());
    const stream = this.streams.get(keyOfPart(cellOf(column, row), part));
    if (stream === undefined) return; // shares a place in the filter with a watched one, or was left a moment ago
    const follows = stream.publishers[shard] === publisher && stream.ticks[shard] === previous;
    stream.publishers[shard] = publisher;
    stream.ticks[shard] = tick;
    stream.keys[shard] = undefined;
    if (stream.watchers === 0) return;
    if (previous !== 0 && !follows) this.mend(shard, stream, previous);
    this.publish(stream, bytes);
  }

  /** All frames of a tick of the shard have come. */
  turn(shard: number): void {
    this.midTurn.delete(shard);
    if (this.midTurn.size > 0 || this.waiting.size === 0) return;
    for (const connection of [...this.waiting]) {
      this.waiting.delete(connection);
      if (connection.plan !== undefined) this.follow(connection, connection.plan);
    }
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

  /** Watch what the connection should see from where it stands. */
  look(connection: Connection): void {
    const centre = cellNumber(connection.x, connection.y);
    const { plan } = connection;
    if (plan !== undefined && connection.centre === centre && !connection.isBehind) {
      const stays = plan.isWhole || leafOf(centre, connection.x, connection.y) === connection.leaf;
      if (stays && !this.mayDrop(connection)) return;
    }
    this.review(connection);
  }

  /** The same without asking whether it has moved: the crowd around it may have. */
  review(connection: Connection): void {
    const plan = this.plans.planFor(connection.x, connection.y, this.core.now());
    if (!plan.isWhole) this.account(connection);
    if (plan === connection.plan && !connection.isBehind && !this.mayDrop(connection)) return;
    this.follow(connection, plan);
  }

  private follow(connection: Connection, plan: Plan): void {
    const { x, y } = connection;
    connection.plan = plan;
    connection.centre = cellNumber(x, y);
    connection.leaf = leafOf(connection.centre, x, y);
    connection.lookedX = x;
    connection.lookedY = y;
    connection.lingers = false;
    if (connection.streams.length > 0) this.dropFar(connection);
    connection.isBehind = !this.catchUp(connection, plan);
  }

  /** Watches what is missing, nearest first. @returns false when something has to wait */
  private catchUp(connection: Connection, plan: Plan): boolean {
    this.account(connection);
    // Where too much passes, what slows it comes first, and on credit.
    if (connection.purse.isOverrun)
      for (const key of plan.keys)
        if (!isWatched(connection, key) && isSlower(connection, key)) this.swap(connection, plan, key, true);
    let isAll = true;
    for (const key of plan.keys) {
      if (isWatched(connection, key)) continue;
      // Sent now, they would be skipped; but the nearest comes in any case.
      const isFull = connection.streams.length > 0 && connection.socket.bufferedAmount() > ENOUGH_BYTES;
      if (isFull) return false;
      // A hole is worse than a debt: what nothing shown yet covers comes at once; what is finer waits for its price.
      const isHole = isUncovered(connection, key);
      if (isHole || isAll) isAll = this.swap(connection, plan, key, isHole) && isAll;
    }
    return isAll;
  }

  /** Watches a square of the plan in place of what overlaps it, and with it all else that this uncovers. */
  private swap(connection: Connection, plan: Plan, key: number, onCredit: boolean): boolean {
    const cell = cellOfKey(key);
    let top = squareOfKey(key);
    for (const stream of connection.streams) {
      if (cellOfKey(stream.key) !== cell || plan.set.has(stream.key)) continue;
      const square = squareOfKey(stream.key);
      if (square < top && overlap(square, top)) top = square;
    }
    const isUnder = (other: number) => cellOfKey(other) === cell && isWithin(squareOfKey(other), top);
    const old = connection.streams.filter((stream) => !plan.set.has(stream.key) && isUnder(stream.key));
    if (old.length > 0 && this.midTurn.size > 0) {
      this.waiting.add(connection);
      return false;
    }
    const keys = plan.keys.filter((other) => isUnder(other) && !isWatched(connection, other));
    const bytes = this.bytesOf(keys);
    if (onCredit) connection.purse.owe(bytes);
    else if (!connection.purse.spend(bytes)) return false;
    for (const stream of old) this.unwatch(connection, stream);
    if (old.length > 0) connection.streams = connection.streams.filter((stream) => !old.includes(stream));
    for (const other of keys) this.watch(connection, other);
    return true;
  }

  /** About as many as the key frames of these streams take. */
  private bytesOf(keys: readonly number[]): number {
    const now = this.core.now();
    let bytes = 0;
    for (const key of keys) {
      const count = this.crowds.count(cellOfKey(key), now);
      const square = squareOfKey(key);
      bytes += KEY_BYTES + STATE_BYTES * (square === 0 ? count.total : entitiesIn(square, count.entities));
    }
    return bytes;
  }

  /** Notes what has passed on its streams. */
  private account(connection: Connection): void {
    let passed = connection.passed;
    for (const stream of connection.streams) passed += stream.bytes;
    connection.purse.note(passed, this.core.now());
  }

  /** Whether a cell that was kept out of view may have got too far away since the last look. */
  private mayDrop(connection: Connection): boolean {
    if (!connection.lingers) return false;
    const x = Math.abs(dx(connection.lookedX, connection.x));
    return x >= LOOK_AGAIN_M || Math.abs(connection.y - connection.lookedY) >= LOOK_AGAIN_M;
  }

  /** Watch nothing. */
  lookAway(connection: Connection): void {
    this.account(connection);
    for (const stream of connection.streams) connection.socket.unsubscribe(stream.topic);
    this.forget(connection);
    connection.purse.forgive();
  }

  /** The same for a socket that is gone. */
  forget(connection: Connection): void {
    for (const stream of connection.streams) this.leave(connection, stream);
    connection.streams = [];
    connection.plan = undefined;
    connection.centre = -1;
    connection.lingers = false;
    this.waiting.delete(connection);
  }

  /** Key frames of one square that the connection watches, as far as it can have them now; others are ignored. */
  show(connection: Connection, column: number, row: number, square: number): void {
    const cell = cellOf(column, row);
    const stream = connection.streams.find(
      ({ key }) => cellOfKey(key) === cell && squareOfKey(key) === square,
    );
    if (stream === undefined || connection.plan === undefined) return;
    this.account(connection);
    if (connection.purse.borrow(this.bytesOf([stream.key]), this.core.now()))
      this.sendKeys(connection, stream);
  }

  /** A few times a second: forgets what nobody asks for, tells of rates that have changed. */
  sweep(now: number): void {
    this.streams.sweep(now);
    this.plans.sweep(now);
    this.crowds.sweep(now);
    // Of a shard that died between its frames, or whose ring was full; one that only lacks a core goes on.
    for (const [shard, since] of this.midTurn) if (now - since > LOST_TURN_MS) this.turn(shard);
    const isServed = this.core.world.directory.anyService !== 0;
    if (isServed || this.wasServed) this.tellIntervals();
    this.wasServed = isServed;
  }

  private tellIntervals(): void {
    for (const stream of this.streams) {
      const interval = this.intervalOf(stream.key);
      if (stream.watchers === 0 || interval === stream.interval) continue;
      stream.interval = interval;
      this.publish(stream, this.keyFrames.interval(stream.key, this.core.tick(), interval));
    }
  }

  /** Ticks between frames with states, as the stream's leaf is served. */
  private intervalOf(key: number): number {
    const { directory } = this.core.world;
    const { tickRate, frameRate } = this.core.parts.card;
    const rate = rateOfKey(key);
    const cell = cellOfKey(key);
    const word =
      directory.anyService === 0
        ? 0
        : directory.service(columnOfCell(cell) >> SHIFT, rowOfCell(cell) >> SHIFT);
    return framesBetween(rate, rate === 0 ? nearRate(word) : farRate(word)) * (tickRate / frameRate);
  }

  /** Leaves what is out of view and would be so from all places near by. */
  private dropFar(connection: Connection): void {
    const { tolerated } = this;
    const n = cellsAround(connection.centre, SIDE, this.around);
    const isInView = (cell: number) => this.around.indexOf(cell) >= 0 && this.around.indexOf(cell) < n;
    if (connection.streams.every(({ key }) => isInView(cellOfKey(key)))) return;
    this.fillNear(connection);
    cellsAround(connection.centre, SIDE, this.around);
    connection.streams = connection.streams.filter((stream) => {
      const cell = cellOfKey(stream.key);
      if (isInView(cell)) return true;
      if (tolerated.has(cell)) {
        connection.lingers = true;
        return true;
      }
      this.unwatch(connection, stream);
      return false;
    });
  }

  /** What would be in view from the four corners around the connection. */
  private fillNear(connection: Connection): void {
    this.tolerated.clear();
    for (const east of [-HYSTERESIS_M, HYSTERESIS_M]) {
      for (const north of [-HYSTERESIS_M, HYSTERESIS_M]) {
        const cell = cellNumber(wrapX(connection.x + east), clampY(connection.y + north));
        const n = cellsAround(cell, SIDE, this.around);
        for (let i = 0; i < n; i++) this.tolerated.add(this.around[i]);
      }
    }
  }

  private watch(connection: Connection, key: number): void {
    const stream = this.streams.enter(key);
    if (stream.watchers === 1) stream.interval = this.intervalOf(key);
    connection.streams.push(stream);
    connection.passed -= stream.bytes;
    // Subscribe first, key frames in the same turn: no delta can come between, and none is missed.
    connection.socket.subscribe(stream.topic);
    connection.send(this.keyFrames.anew(key, this.core.tick(), stream.interval));
    this.sendKeys(connection, stream);
  }

  private unwatch(connection: Connection, stream: WatchedStream): void {
    connection.socket.unsubscribe(stream.topic);
    this.leave(connection, stream);
  }

  private leave(connection: Connection, stream: WatchedStream): void {
    connection.passed += stream.bytes;
    this.streams.leave(stream, this.core.now());
  }

  /**
   * One for each stream that has begun, here or, as the view says, before anybody here watched (a quiet stream may have
   * no delta for long). One that has not begins with a key frame of its shard.
   */
  private sendKeys(connection: Connection, stream: WatchedStream): void {
    for (let shard = 0; shard < stream.ticks.length; shard++) {
      const bytes = this.keyOf(stream, shard);
      if (bytes === undefined) continue;
      this.core.block.count(COUNTER.keyFrames);
      connection.send(bytes);
    }
  }

  /** The key frame of one publisher: made once for all who come in the same moment. */
  private keyOf(stream: WatchedStream, shard: number): Uint8Array | undefined {
    const { world } = this.core;
    const view = world.views[shard];
    const tick = stream.ticks[shard];
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
}

/** Whether none of the squares that it watches shows any part of this one. */
function isUncovered(connection: Connection, key: number): boolean {
  const cell = cellOfKey(key);
  const square = squareOfKey(key);
  return !connection.streams.some(
    (stream) => cellOfKey(stream.key) === cell && overlap(squareOfKey(stream.key), square),
  );
}

function isWatched(connection: Connection, key: number): boolean {
  return connection.streams.some((stream) => stream.key === key);
}

/** Whether a stream would come in place of faster ones. */
function isSlower(connection: Connection, key: number): boolean {
  const cell = cellOfKey(key);
  const square = squareOfKey(key);
  const rate = rateOfKey(key);
  return connection.streams.some(
    (stream) =>
      rateOfKey(stream.key) < rate &&
      cellOfKey(stream.key) === cell &&
      overlap(squareOfKey(stream.key), square),
  );
}

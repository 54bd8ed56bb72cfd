/**
 * Which cells this gateway's clients watch, and what of them they are shown. One topic per cell; the first local watcher
 * makes the shards send the cell to this gateway (interest filter), the last one ends it.
 *
 * A client watches the view around its position. Cells that it leaves are kept while it stands within HYSTERESIS_M of
 * where they would be in view again, so that walking to and fro on a cell's border costs no key frames.
 */
import { LIMITS } from '../base/limits.js';
import { cellNumber, cellOf, cellsAround } from '../geo/cell.js';
import { clampY, dx, wrapX } from '../geo/world.js';
import { GATEWAY_COUNTER as COUNTER } from '../memory/gateway-block.js';
import type { Connection } from './connection.js';
import type { GatewayCore } from './core.js';
import { KeyFrames } from './key-frames.js';

const HYSTERESIS_M = 10;
/**
 * Whether a kept cell is to be left is looked at again after so many metres: at any time a tenth of the walkers keep some,
 * and to look at each of their self updates was 7 % of the gateway thread's JavaScript (bench fanout, profile).
 */
const LOOK_AGAIN_M = 2;
/** A cell that nobody watches is remembered for this long: who comes back finds its streams' sequences. */
const REMEMBER_MS = 1000;
/** No further key frames while this much waits in the socket: a crowd's may be larger than what it may hold. */
const ENOUGH_BYTES = LIMITS.maxBackpressureBytes / 2;
const SIDE = LIMITS.viewCells;

/** A cell that somebody here watches, or did a moment ago. */
export interface WatchedCell {
  readonly number: number;
  readonly topic: string;
  watchers: number;
  /** Clock ms since when nobody watches. */
  leftAt: number;
  /** By shard: incarnation and tick of the newest frame passed on; 0 = none. */
  readonly publishers: Int32Array;
  readonly ticks: Int32Array;
}

export class Interest {
  private readonly cells = new Map<number, WatchedCell>();
  private readonly keyFrames = new KeyFrames(LIMITS.frameScratchBytes);
  private readonly around = new Float64Array(SIDE * SIDE);
  private readonly wanted = new Set<number>();
  private readonly tolerated = new Set<number>();

  constructor(private readonly core: GatewayCore) {}

  /** Cells in memory. */
  get count(): number {
    return this.cells.size;
  }

  /**
   * A frame of a stream came from a shard: to everybody who watches the cell.
   * @param previous 0 = a key frame
   * @param publisher incarnation that wrote it; the shard may have another one by now
   */
  frame(
    shard: number,
    column: number,
    row: number,
    tick: number,
    previous: number,
    publisher: number,
    bytes: Uint8Array,
  ): void {
    const cell = this.cells.get(cellOf(column, row));
    if (cell === undefined) return; // shares a place in the filter with a watched one, or was left a moment ago
    const follows = cell.publishers[shard] === publisher && cell.ticks[shard] === previous;
    cell.publishers[shard] = publisher;
    cell.ticks[shard] = tick;
    if (cell.watchers === 0) return;
    if (previous !== 0 && !follows) this.mend(shard, cell, previous);
    this.publish(cell, bytes);
  }

  /**
   * A delta of a stream whose beginning was not passed on: its key frame came while nobody here watched the cell (the
   * filter had it for another cell's sake). One key frame for all is cheaper than a request of each.
   */
  private mend(shard: number, cell: WatchedCell, previous: number): void {
    const key = this.keyFrames.make(
      this.core.world.views[shard],
      cell.number,
      cell.publishers[shard],
      previous,
    );
    if (key === undefined) return;
    this.core.block.count(COUNTER.keyFrames);
    this.publish(cell, key);
  }

  private publish(cell: WatchedCell, bytes: Uint8Array): void {
    const { block } = this.core;
    block.count(COUNTER.framesOut, cell.watchers);
    block.count(COUNTER.bytesOut, cell.watchers * bytes.length);
    this.core.parts.transport.publish(cell.topic, bytes);
  }

  /** Watch what the connection should see from where it stands. */
  look(connection: Connection): void {
    const centre = cellNumber(connection.x, connection.y);
    if (connection.centre === centre && !this.mayDrop(connection)) return;
    connection.centre = centre;
    connection.lookedX = connection.x;
    connection.lookedY = connection.y;
    this.fill(this.wanted, centre);
    connection.lingers = false;
    if (connection.cells.length > 0) this.dropFar(connection);
    for (const cell of connection.cells) this.wanted.delete(cell.number);
    if (this.wanted.delete(centre)) this.watch(connection, centre); // what is nearest comes first
    for (const number of this.wanted) {
      if (connection.socket.bufferedAmount() > ENOUGH_BYTES) {
        connection.centre = -1; // the others at the next look: sent now, they would be skipped
        return;
      }
      this.watch(connection, number);
    }
  }

  /** Whether a cell that was kept out of view may have got too far away since the last look. */
  private mayDrop(connection: Connection): boolean {
    if (!connection.lingers) return false;
    const x = Math.abs(dx(connection.lookedX, connection.x));
    return x >= LOOK_AGAIN_M || Math.abs(connection.y - connection.lookedY) >= LOOK_AGAIN_M;
  }

  /** Watch nothing. */
  lookAway(connection: Connection): void {
    for (const cell of connection.cells) connection.socket.unsubscribe(cell.topic);
    this.forget(connection);
  }

  /** The same for a socket that is gone. */
  forget(connection: Connection): void {
    for (const cell of connection.cells) this.leave(cell);
    connection.cells = [];
    connection.centre = -1;
    connection.lingers = false;
  }

  /** Key frames of one cell that the connection watches; others are ignored. */
  show(connection: Connection, column: number, row: number): void {
    const number = cellOf(column, row);
    const cell = connection.cells.find((c) => c.number === number);
    if (cell !== undefined) this.sendKeys(connection, cell);
  }

  /** Forgets cells that nobody has watched for a while. */
  sweep(now: number): void {
    for (const cell of this.cells.values()) {
      if (cell.watchers === 0 && now - cell.leftAt >= REMEMBER_MS) this.cells.delete(cell.number);
    }
  }

  private fill(cells: Set<number>, centre: number): void {
    const n = cellsAround(centre, SIDE, this.around);
    cells.clear();
    for (let i = 0; i < n; i++) cells.add(this.around[i]);
  }

  /** Leaves the cells that are out of view and would be so from all places near by. */
  private dropFar(connection: Connection): void {
    const { tolerated, wanted } = this;
    tolerated.clear();
    connection.cells = connection.cells.filter((cell) => {
      if (wanted.has(cell.number)) return true;
      if (tolerated.size === 0) this.fillNear(connection);
      if (tolerated.has(cell.number)) {
        connection.lingers = true;
        return true;
      }
      connection.socket.unsubscribe(cell.topic);
      this.leave(cell);
      return false;
    });
  }

  /** What would be in view from the four corners around the connection. */
  private fillNear(connection: Connection): void {
    for (const dx of [-HYSTERESIS_M, HYSTERESIS_M]) {
      for (const dy of [-HYSTERESIS_M, HYSTERESIS_M]) {
        const n = cellsAround(
          cellNumber(wrapX(connection.x + dx), clampY(connection.y + dy)),
          SIDE,
          this.around,
        );
        for (let i = 0; i < n; i++) this.tolerated.add(this.around[i]);
      }
    }
  }

  private watch(connection: Connection, number: number): void {
    let cell = this.cells.get(number);
    if (cell === undefined) {
      const shards = this.core.world.shardBlocks.length;
      cell = {
        number,
        topic: String(number),
        watchers: 0,
        leftAt: 0,
        publishers: new Int32Array(shards),
        ticks: new Int32Array(shards),
      };
      this.cells.set(number, cell);
    }
    if (cell.watchers++ === 0) this.core.world.filters[this.core.parts.number].add(number);
    connection.cells.push(cell);
    // Subscribe first, key frames in the same turn: no delta can come between, and none is missed.
    connection.socket.subscribe(cell.topic);
    connection.send(this.keyFrames.anew(number, this.core.tick()));
    this.sendKeys(connection, cell);
  }

  private leave(cell: WatchedCell): void {
    if (--cell.watchers > 0) return;
    cell.leftAt = this.core.now();
    this.core.world.filters[this.core.parts.number].remove(cell.number);
  }

  /**
   * One for each stream that has begun, here or, as the view says, before anybody here watched (a quiet stream may have
   * no delta for long). One that has not begins with a key frame of its shard.
   */
  private sendKeys(connection: Connection, cell: WatchedCell): void {
    const { world, block } = this.core;
    for (let shard = 0; shard < cell.ticks.length; shard++) {
      const view = world.views[shard];
      const tick = cell.ticks[shard];
      const bytes =
        tick === 0
          ? this.keyFrames.makeNewest(view, cell.number)
          : this.keyFrames.make(view, cell.number, cell.publishers[shard], tick);
      if (bytes === undefined) continue;
      block.count(COUNTER.keyFrames);
      connection.send(bytes);
    }
  }
}

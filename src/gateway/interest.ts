/**
 * What this gateway's clients watch: each follows the plan of the place where it stands (plans.ts), stream by stream, one
 * topic each (screen.ts): the near view first, then the far rings, from what the near view leaves of the budget.
 *
 * Cells that a client leaves are kept while it stands within HYSTERESIS_M of where they would be in view again, and the
 * far rings follow only then, so that walking to and fro on a cell's border costs no key frames. Squares that overlap are never watched together: what is
 * swapped is swapped in one turn, the old ones first, and never between two frames of one tick.
 */
import { LIMITS } from '../base/limits.js';
import { cellNumber, cellOf } from '../geo/cell.js';
import { cellOfKey, isWithin, leafOf, overlap, rateOfKey, squareOfKey } from '../geo/square.js';
import { clampY, dx, wrapX } from '../geo/world.js';
import type { Connection } from './connection.js';
import type { GatewayCore } from './core.js';
import { Crowds } from './crowds.js';
import { entitiesIn } from './cut.js';
import { type FarPlan, NO_FAR, isInFarView } from './far.js';
import { type Plan, Plans } from './plans.js';
import { Screen } from './screen.js';
import type { WatchedStream } from './watched.js';

const HYSTERESIS_M = 10;
/**
 * Whether a kept cell is to be left is looked at again after so many metres: at any time a tenth of the walkers keep some,
 * and to look at each of their self updates was 7 % of the gateway thread's JavaScript (bench fanout, profile).
 */
const LOOK_AGAIN_M = 2;
/** Who waits for what its purse or its socket cannot take yet tries so often; in a crowd most do. */
const RETRY_MS = 200;
/** Whose plan is not of whole cells is looked over this often. */
const LOOK_AGAIN_MS = 250;
/** Without a self update for so long after it was due, a look is taken without one. */
const UNHEARD_MS = 500;
/** No further key frames while this much waits in the socket: a crowd's may be larger than what it may hold. */
const ENOUGH_BYTES = LIMITS.maxBackpressureBytes / 2;
/** A turn whose end has not come after this time has none. */
const LOST_TURN_MS = 1000;
const SIDE = LIMITS.viewCells;
/** Bytes of one entity in a key frame, of the notice, and of both with what is around them. */
const STATE_BYTES = 32;
const NOTICE_BYTES = 90;
const KEY_BYTES = 230;
/** Who gets more than there is sees no far rings for so long. */
const FAR_PAUSE_MS = 5000;
/** What the key frames of a square may be paid with: debt, what is saved, what is saved beyond a reserve. */
const PAY = { CREDIT: 0, SAVED: 1, SPARE: 2 } as const;
type Pay = (typeof PAY)[keyof typeof PAY];
/** Squares that a client is to watch, nearest first. */
type Wanted = Pick<Plan, 'keys' | 'set'>;

export class Interest {
  private readonly screen: Screen;
  private readonly crowds: Crowds;
  private readonly plans: Plans;
  private readonly farSide: number;
  /** Cells out of its near view that the connection in hand keeps for a moment. */
  private readonly lingering = new Set<number>();
  /** Shards of which some frames of a tick have come, but not all; and since when, clock ms. */
  private readonly midTurn = new Map<number, number>();
  /** Connections that wait for the end of these turns. */
  private readonly waiting = new Set<Connection>();

  constructor(private readonly core: GatewayCore) {
    const { world, parts } = core;
    this.screen = new Screen(core);
    const { frameRate, farCells } = parts.card;
    this.farSide = farCells;
    this.crowds = new Crowds(world.views, (cell) => this.screen.streams.ofCell(cell), frameRate);
    this.plans = new Plans(this.crowds, world.directory, parts.clientBytesPerS, frameRate, farCells);
  }

  /** Streams in memory. */
  get count(): number {
    return this.screen.streams.count;
  }

  /** A frame of a stream came from a shard: to everybody who watches it. See Screen. */
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
    this.screen.frame(shard, column, row, tick, previous, publisher, part, bytes);
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
   * Watch what the connection should see from where it stands; with each self update, so that what it is told of new
   * places leaves in one write with that.
   */
  look(connection: Connection): void {
    const { plan } = connection;
    const centre = cellNumber(connection.x, connection.y);
    if (plan !== undefined && connection.centre === centre && this.core.now() < connection.reviewAt) {
      const stays = plan.isWhole || leafOf(centre, connection.x, connection.y) === connection.leaf;
      if (stays && !this.mayDrop(connection)) return;
    }
    this.review(connection);
  }

  /** Now and then, for whom no self updates come: its owner may be dead. */
  revisit(connection: Connection, now: number): void {
    if (now >= connection.reviewAt + UNHEARD_MS) this.review(connection);
  }

  /** The same without asking whether it has moved. */
  review(connection: Connection): void {
    const now = this.core.now();
    const plan = this.plans.planFor(connection.x, connection.y, now);
    // For who stands still: the crowd around it may have moved.
    connection.reviewAt = now + (plan.isWhole ? this.plans.patience(connection.farCentre) : LOOK_AGAIN_MS);
    if (!plan.isWhole) this.account(connection);
    // What the far rings take must never be the near squares'.
    if (connection.purse.isOverrun && connection.far.keys.length > 0)
      connection.noFarBefore = now + FAR_PAUSE_MS;
    const hasAll = !connection.isBehind && !connection.isFarBehind && plan === connection.plan;
    const isSame = hasAll && this.farFor(connection) === connection.far;
    if (isSame && !(this.mayDrop(connection) && this.isDropDue(connection))) return;
    this.follow(connection, plan);
  }

  private follow(connection: Connection, plan: Plan): void {
    // Many small messages: one write.
    connection.socket.cork(() => {
      const { x, y } = connection;
      connection.plan = plan;
      connection.centre = cellNumber(x, y);
      connection.leaf = leafOf(connection.centre, x, y);
      connection.lookedX = x;
      connection.lookedY = y;
      if (!this.isAround(connection, connection.farCentre)) connection.farCentre = connection.centre;
      connection.lingers = connection.farCentre !== connection.centre;
      connection.far = this.farFor(connection);
      this.lingering.clear(); // it may be another's
      if (connection.streams.length > 0) this.dropFar(connection);
      connection.isBehind = !this.catchUp(connection, plan);
      connection.isFarBehind = connection.isBehind || !this.addFar(connection);
      if (connection.isFarBehind)
        connection.reviewAt = Math.min(connection.reviewAt, this.core.now() + RETRY_MS);
      if (connection.left.length > 0) this.tellLeft(connection);
    });
  }

  private farFor(connection: Connection): FarPlan {
    const now = this.core.now();
    return now < connection.noFarBefore ? NO_FAR : this.plans.farFor(connection.farCentre, now);
  }

  /** Watches what is missing of the far rings, nearest first. @returns false when something has to wait */
  private addFar(connection: Connection): boolean {
    const { far } = connection;
    if (far.keys.length === 0) return true;
    for (const key of far.keys) {
      const cell = cellOfKey(key);
      if (isInFarView(connection.centre, cell, SIDE) || this.lingering.has(cell)) continue;
      if (isWatched(connection, key)) continue;
      if (connection.socket.bufferedAmount() > ENOUGH_BYTES) return false;
      // What it takes the place of (a cell that was near) may be dearer than it is.
      const pay = isUncovered(connection, key) ? PAY.SPARE : PAY.SAVED;
      if (!this.swap(connection, far, key, pay)) return false;
    }
    return true;
  }

  /** Watches what is missing, nearest first. @returns false when something has to wait */
  private catchUp(connection: Connection, plan: Plan): boolean {
    this.account(connection);
    connection.purse.expected = plan.cost;
    // Where too much passes, what slows it comes first, and on credit.
    if (connection.purse.isOverrun)
      for (const key of plan.keys)
        if (!isWatched(connection, key) && isSlower(connection, key))
          this.swap(connection, plan, key, PAY.CREDIT);
    let isAll = true;
    for (const key of plan.keys) {
      if (isWatched(connection, key)) continue;
      // Sent now, they would be skipped; but the nearest comes in any case.
      const isFull = connection.streams.length > 0 && connection.socket.bufferedAmount() > ENOUGH_BYTES;
      if (isFull) return false;
      // A hole is worse than a debt: what nothing shown yet covers comes as soon as its second has room, and nothing
      // further out before it; what is finer waits for its price.
      const isHole = isUncovered(connection, key);
      if (!isHole && !isAll) continue;
      if (this.swap(connection, plan, key, isHole ? PAY.CREDIT : PAY.SAVED)) continue;
      if (isHole) return false;
      isAll = false;
    }
    return isAll;
  }

  /** Watches a wanted square in place of what overlaps it, and with it all else that this uncovers. */
  private swap(connection: Connection, wanted: Wanted, key: number, pay: Pay): boolean {
    const cell = cellOfKey(key);
    let top = squareOfKey(key);
    for (const stream of connection.streams) {
      if (stream.cell !== cell || wanted.set.has(stream.key)) continue;
      const square = stream.square;
      if (square < top && overlap(square, top)) top = square;
    }
    const isUnder = (at: number, square: number) => at === cell && isWithin(square, top);
    const old = connection.streams.filter(
      (stream) => !wanted.set.has(stream.key) && isUnder(stream.cell, stream.square),
    );
    if (old.length > 0 && this.midTurn.size > 0) {
      this.waiting.add(connection);
      return false;
    }
    const keys = wanted.keys.filter(
      (other) => isUnder(cellOfKey(other), squareOfKey(other)) && !isWatched(connection, other),
    );
    const bytes = this.bytesOf(keys);
    const { purse } = connection;
    const canPay =
      pay === PAY.CREDIT ? purse.owe(bytes) : pay === PAY.SAVED ? purse.spend(bytes) : purse.spare(bytes);
    if (!canPay) return false;
    for (const stream of old) this.screen.unwatch(connection, stream);
    if (old.length > 0) connection.streams = connection.streams.filter((stream) => !old.includes(stream));
    for (const other of keys) this.screen.watch(connection, other);
    return true;
  }

  /** About as many as the key frames of these streams take. */
  private bytesOf(keys: readonly number[]): number {
    const now = this.core.now();
    let bytes = 0;
    for (const key of keys) {
      const count = this.crowds.count(cellOfKey(key), now);
      const square = squareOfKey(key);
      if (count.total === 0) bytes += NOTICE_BYTES;
      else
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

  /** Whether it is: most looks find that nothing is, and a turn of `follow` costs fifty times as much. */
  private isDropDue(connection: Connection): boolean {
    const { x, y, centre, far } = connection;
    connection.lookedX = x;
    connection.lookedY = y;
    if (!this.isAround(connection, connection.farCentre)) return true;
    for (const { key, cell } of connection.streams) {
      if (isInFarView(centre, cell, SIDE) || far.set.has(key)) continue;
      if (!isNearFrom(connection, cell)) return true;
    }
    return false;
  }

  /** Watch nothing. */
  lookAway(connection: Connection): void {
    this.account(connection);
    for (const stream of connection.streams) connection.socket.unsubscribe(stream.topic);
    connection.left = connection.streams.map(({ key }) => key);
    this.forget(connection);
    connection.purse.forgive();
  }

  /** It is back: what it watched before and does not now would stay in its view as it was, where that still reaches. */
  private tellLeft(connection: Connection): void {
    const { centre, left } = connection;
    connection.left = [];
    for (const key of left)
      if (isInFarView(centre, cellOfKey(key), this.farSide + 2) && isUncovered(connection, key))
        this.screen.tellHidden(connection, key);
  }

  /** The same for a socket that is gone. */
  forget(connection: Connection): void {
    for (const stream of connection.streams) this.screen.leave(connection, stream);
    connection.streams = [];
    connection.plan = undefined;
    connection.centre = -1;
    connection.far = NO_FAR;
    connection.farCentre = -1;
    connection.isFarBehind = false;
    connection.lingers = false;
    this.waiting.delete(connection);
  }

  /** Key frames of one square that the connection watches, as far as it can have them now; others are ignored. */
  show(connection: Connection, column: number, row: number, square: number): void {
    const cell = cellOf(column, row);
    const stream = connection.streams.find((one) => one.cell === cell && one.square === square);
    if (stream === undefined || connection.plan === undefined) return;
    this.account(connection);
    const bytes = this.bytesOf([stream.key]);
    const isNear = connection.plan.set.has(stream.key);
    if (isNear ? connection.purse.borrow(bytes, this.core.now()) : connection.purse.spare(bytes))
      this.screen.sendKeys(connection, stream);
  }

  /** A few times a second: forgets what nobody asks for, tells of rates that have changed. */
  sweep(now: number): void {
    this.screen.sweep(now);
    this.plans.sweep(now, this.core.late);
    this.crowds.sweep(now);
    // Of a shard that died between its frames, or whose ring was full; one that only lacks a core goes on.
    for (const [shard, since] of this.midTurn) if (now - since > LOST_TURN_MS) this.turn(shard);
  }

  /** Leaves what is out of view and would be so from all places near by. */
  private dropFar(connection: Connection): void {
    const { far, centre } = connection;
    const isDue = ({ key, cell }: WatchedStream) => isInFarView(centre, cell, SIDE) || far.set.has(key);
    if (connection.streams.every(isDue)) return;
    connection.streams = connection.streams.filter((stream) => {
      const { cell } = stream;
      if (isDue(stream)) return true;
      if (isNearFrom(connection, cell)) {
        this.lingering.add(cell);
        connection.lingers = true;
        return true;
      }
      if (far.cells.has(cell)) return true; // until it is swapped
      // Told: a client that turns round would still hold what stood there, and the rings follow it ten metres later.
      if (isInFarView(centre, cell, this.farSide + 2)) this.screen.hide(connection, stream);
      else this.screen.unwatch(connection, stream);
      return false;
    });
  }

  /** Whether one of the four corners around the connection lies in a cell. */
  private isAround(connection: Connection, cell: number): boolean {
    for (let corner = 0; corner < 4; corner++) if (cornerOf(connection, corner) === cell) return true;
    return false;
  }
}

function cornerOf({ x, y }: Connection, corner: number): number {
  const east = corner & 1 ? HYSTERESIS_M : -HYSTERESIS_M;
  const north = corner & 2 ? HYSTERESIS_M : -HYSTERESIS_M;
  return cellNumber(wrapX(x + east), clampY(y + north));
}

/** Whether a cell is in the near view of one of the four corners around the connection. */
function isNearFrom(connection: Connection, cell: number): boolean {
  for (let corner = 0; corner < 4; corner++)
    if (isInFarView(cornerOf(connection, corner), cell, SIDE)) return true;
  return false;
}

/** Whether none of the squares that it watches shows any part of this one. */
function isUncovered(connection: Connection, key: number): boolean {
  const cell = cellOfKey(key);
  const square = squareOfKey(key);
  return !connection.streams.some((stream) => stream.cell === cell && overlap(stream.square, square));
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
    (stream) => stream.rate < rate && stream.cell === cell && overlap(stream.square, square),
  );
}

/**
 * What happens around one client: which cells it follows, whether their streams are whole, the own player, and (in a
 * full client) the view. Takes frames and self updates that the reader has opened; knows nothing of sockets or actions.
 *
 * The server moves the subscription when the own player enters another cell, and keeps what was left behind until it has
 * gone on for some metres; so does this. Frames of the ring around the view are taken too, for the server may be a
 * moment ahead of us; those further away, and gaps outside the view, are ignored.
 */
import { tileX, tileY } from '../geo/tile.js';
import type { CellFrameView } from '../wire/cell-frame-view.js';
import { GONE as GONE_CELL, NO_PUBLISHER, ONLY_INTERVAL } from '../wire/protocol.js';
import type { SelfUpdateView } from '../wire/self-update-view.js';
import { Area } from './area.js';
import { type GameEvent, GONE } from './entity.js';
import { EventMemory } from './event-memory.js';
import { ServerTime } from './server-time.js';
import { SQUARE_DEPTH, leafOf, squareOfLeaf } from '../geo/square.js';
import { Squares, cellOfPlace, meet, placeOf, squareOfPlace } from './squares.js';
import { FRAME_DELTA, FRAME_GAP, FRAME_KEY, FRAME_OLD, StreamTable } from './streams.js';
import type { ClientHandlers, ClientStats, SelfState, Welcome } from './types.js';
import { View } from './view.js';

const CELL_UNITS = 65536;
/** A key frame that does not come is asked for again after this time. */
const KEY_REPEAT_MS = 1000;
/** A gap in view that no key frame mends within this time is one of the server's faults. */
const GAP_LIMIT_MS = 3000;
/** Of one KeyRequest; the protocol allows 64. */
const MAX_KEY_CELLS = 32;

export class Scene {
  readonly self: SelfState = { tick: 0, epoch: 0, x: 0, y: 0, vx: 0, vy: 0, dilation: 1, items: [] };
  readonly view: View | null;
  readonly time = new ServerTime();
  /** Greatest tick seen in any message. */
  newestTick = 0;

  private readonly area = new Area();
  private readonly streams = new StreamTable();
  private readonly squares = new Squares();
  private readonly events = new EventMemory();
  private eventNames: ReadonlyMap<number, string> = new Map();
  private keyAskedMs = Number.NEGATIVE_INFINITY;
  private readonly asked: number[] = [];
  private unit = 0;
  private msPerTick = 0;
  private ticksPerFrame = 1;
  /** Some stream is of a cell that has left the view. */
  private lingers = false;

  constructor(
    mode: 'full' | 'light',
    private readonly handlers: ClientHandlers,
    private readonly stats: ClientStats,
  ) {
    this.view = mode === 'full' ? new View(this.area, this.time) : null;
  }

  /** A Welcome: all streams start anew with key frames, ticks and epochs may be lower than they were. */
  welcome(welcome: Welcome, now: number): void {
    const { self } = this;
    this.area.configure(welcome.farCells, welcome.cellLevel);
    this.unit = this.area.cellSize / CELL_UNITS;
    this.time.configure(1000 / welcome.tickRate, 1000 / welcome.frameRate);
    this.eventNames = welcome.events;
    this.msPerTick = 1000 / welcome.tickRate;
    this.ticksPerFrame = welcome.tickRate / welcome.frameRate;
    this.streams.clear();
    this.squares.clear();
    this.view?.detach(now);
    if (welcome.tick < this.newestTick) this.events.clear();
    this.newestTick = welcome.tick;
    self.tick = 0;
    self.epoch = 0;
    self.x = welcome.x;
    self.y = welcome.y;
    this.keyAskedMs = Number.NEGATIVE_INFINITY;
    this.move();
  }

  selfUpdate(from: SelfUpdateView): void {
    const { self } = this;
    this.saw(from.tick);
    // Under a greater epoch an older tick is the newer state: another shard, which is a little behind.
    if (from.epoch < self.epoch || (from.epoch === self.epoch && from.tick < self.tick)) return;
    self.tick = from.tick;
    self.epoch = from.epoch;
    self.x = from.x;
    self.y = from.y;
    self.vx = from.vx;
    self.vy = from.vy;
    self.dilation = from.dilation;
    if (from.hasItems) {
      self.items.length = from.itemCount;
      for (let i = 0; i < from.itemCount; i++) self.items[i] = from.item(i);
    }
    this.stats.selfUpdates++;
    this.move();
    this.handlers.self?.(self);
  }

  frame(frame: CellFrameView, now: number): void {
    const { publisher, tick, previous } = frame;
    this.stats.frames++;
    this.saw(tick);
    this.time.saw(tick, now);
    const { square } = frame;
    const cell = this.area.number(frame.cellX, frame.cellY);
    const place = placeOf(cell, square);
    const inView = this.area.inView(cell);
    if (!inView && !this.area.inReach(cell)) return;
    if (publisher === NO_PUBLISHER) return this.notice(frame, place, now);
    for (let i = frame.closeCount - 1; i >= 0; i--) {
      this.streams.close(place, frame.close(i));
      this.view?.closeStream(cell, square, frame.close(i), now);
    }
    if (!inView && previous !== 0 && !this.streams.has(place, publisher)) return;
    const verdict = this.streams.accept(place, publisher, tick, previous, frame.taken, now);
    if (verdict === FRAME_GAP) this.stats.gaps++;
    if (verdict !== FRAME_KEY && verdict !== FRAME_DELTA && verdict !== FRAME_OLD) return;
    if (!inView) this.lingers = true;
    this.handlers.frame?.(frame);
    if (this.view === null) return;
    this.show(this.view, frame, cell, verdict, now);
    if (this.handlers.event !== undefined) this.tellEvents(frame);
  }

  /** Ticks between two frames with states of a square that is shown; 0 = it is not. */
  intervalOf(cell: number, square: number): number {
    return this.squares.intervalOf(placeOf(cell, square));
  }

  /** What is known of the squares and streams at a place, for people. */
  describe(x: number, y: number): string {
    const cell = this.area.number(tileX(x, this.area.level), tileY(y, this.area.level));
    const squares = this.squares.describe(cell);
    return `cell ${cell}${this.area.inView(cell) ? '' : ' out of view'}: ${squares}; streams ${this.streams.describe(cell)}`;
  }

  /** The server shows a square from now on, or at another rate. */
  private notice(frame: CellFrameView, place: number, now: number): void {
    if (frame.previous === ONLY_INTERVAL && frame.interval === 0) {
      // Far away, and the budget is needed nearer: it is not shown any more.
      this.squares.end(place);
      this.streams.retain((other) => other !== place);
      this.view?.dropSquare(cellOfPlace(place), frame.square);
    } else if (frame.previous === ONLY_INTERVAL) this.squares.tell(place, frame.interval);
    else {
      // Whatever is held of it from before is doubtful until it is shown again.
      this.squares.begin(place, frame.interval);
      this.streams.retain((other) => !meet(other, place));
      this.view?.detachSquare(cellOfPlace(place), frame.square, now);
    }
    this.setSlowness();
  }

  /** ms by which the slowest square at a place is slower than frames come. */
  slowMsAt(x: number, y: number): number {
    const { area } = this;
    const cell = area.cellAt(x, y);
    return Math.max(0, this.squares.slowestOf(cell) - this.ticksPerFrame) * this.msPerTick;
  }

  /** The same of the square that shows a place; 0 = none does. */
  intervalAt(x: number, y: number): number {
    const cell = this.area.cellAt(x, y);
    const leaf = leafOf(cell, x, y);
    for (let depth = 0; depth <= SQUARE_DEPTH; depth++) {
      const interval = this.intervalOf(cell, squareOfLeaf(leaf, depth));
      if (interval > 0) return interval;
    }
    return 0;
  }

  private slowTicksOf(cell: number, square: number): number {
    return Math.max(0, this.intervalOf(cell, square) - this.ticksPerFrame);
  }

  private setSlowness(): void {
    if (this.view === null) return;
    this.view.slowMs = Math.max(0, this.squares.slowest - this.ticksPerFrame) * this.msPerTick;
  }

  /**
   * The work of a beat.
   * @returns threes (column, row, square) of what needs a key frame, or null
   */
  beat(now: number): number[] | null {
    this.view?.expire(now);
    if (this.streams.openGaps === 0 || now - this.keyAskedMs < KEY_REPEAT_MS) return null;
    this.asked.length = 0;
    this.streams.forEachGap((place, since) => {
      if (!this.area.inView(cellOfPlace(place))) return;
      if (now - since > GAP_LIMIT_MS && now - KEY_REPEAT_MS - since <= GAP_LIMIT_MS) this.stats.openGaps++;
      this.ask(place);
    });
    if (this.asked.length === 0) return null;
    this.keyAskedMs = now;
    this.stats.keyRequests++;
    return this.asked;
  }

  saw(tick: number): void {
    if (tick > this.newestTick) this.newestTick = tick;
  }

  /** Follows the own player: the view moves by whole cells. */
  private move(): void {
    const { area, streams } = this;
    if (!area.moveTo(this.self.x, this.self.y) && !this.lingers) return;
    streams.retain((place) => area.isKept(cellOfPlace(place)));
    this.squares.retain((cell) => area.isKept(cell) || area.inReach(cell));
    this.setSlowness();
    this.lingers = !streams.every((place) => area.inView(cellOfPlace(place)));
    this.view?.trim();
  }

  private show(view: View, frame: CellFrameView, cell: number, verdict: number, now: number): void {
    view.beginFrame(
      cell,
      frame.square,
      frame.publisher,
      frame.taken,
      verdict === FRAME_KEY,
      this.slowTicksOf(cell, frame.square),
    );
    // Who has left the square since would come back, and moves of those who were never shown here would be nobody's.
    if (verdict !== FRAME_OLD) this.takeStates(view, frame, cell, now);
    for (let i = 0; i < frame.removalCount; i++) {
      const column = frame.removalX(i);
      const to = column === GONE_CELL ? GONE : this.area.number(column, frame.removalY(i));
      view.removal(frame.removalId(i), frame.removalEpoch(i), to, now);
    }
    view.endFrame(now);
  }

  private takeStates(view: View, frame: CellFrameView, cell: number, now: number): void {
    const { area, unit } = this;
    const west = area.west(frame.cellX);
    const south = area.south(frame.cellY);
    for (let i = 0; i < frame.stateCount; i++) {
      view.state(
        frame.id(i),
        frame.epoch(i),
        west + frame.x(i) * unit,
        south + frame.y(i) * unit,
        frame.vx(i) / 100,
        frame.vy(i) / 100,
        frame.kind(i),
        frame.flags(i),
        frame.pub0(i),
        frame.pub1(i),
        now,
      );
    }
    let isWhole = true;
    for (let i = 0; i < frame.moveCount; i++) {
      const x = west + frame.moveX(i) * unit;
      const y = south + frame.moveY(i) * unit;
      const vx = frame.moveVx(i) / 100;
      const vy = frame.moveVy(i) / 100;
      if (!view.move(frame.moveId(i), frame.moveEpoch(i), x, y, vx, vy, now)) isWhole = false;
    }
    if (!isWhole) this.streams.doubt(placeOf(cell, frame.square), frame.publisher, now);
  }

  private tellEvents(frame: CellFrameView): void {
    for (let i = 0; i < frame.eventCount; i++) {
      const id = frame.eventId(i);
      if (!this.events.isNew(id)) continue;
      const kind = frame.eventKind(i);
      const at = frame.eventPayload(i);
      const event: GameEvent = {
        id,
        source: frame.eventSource(i),
        kind,
        name: this.eventNames.get(kind) ?? '',
        x: this.area.west(frame.cellX) + frame.eventX(i) * this.unit,
        y: this.area.south(frame.cellY) + frame.eventY(i) * this.unit,
        // A copy, also where `bytes` is a Buffer of Node, whose `slice` would be a view.
        payload: new Uint8Array(frame.bytes.subarray(at, at + frame.eventPayloadLength(i))),
      };
      this.handlers.event?.(event);
    }
  }

  private ask(place: number): void {
    const { asked, area } = this;
    const column = area.column(cellOfPlace(place));
    const row = area.row(cellOfPlace(place));
    const square = squareOfPlace(place);
    for (let i = 0; i < asked.length; i += 3)
      if (asked[i] === column && asked[i + 1] === row && asked[i + 2] === square) return;
    if (asked.length < 3 * MAX_KEY_CELLS) asked.push(column, row, square);
  }
}

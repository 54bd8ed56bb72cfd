/**
 * What happens around one client: which cells it follows, whether their streams are whole, the own player, and (in a
 * full client) the view. Takes frames and self updates that the reader has opened; knows nothing of sockets or actions.
 *
 * The server moves the subscription when the own player enters another cell, and so does this: cells that leave the
 * view are forgotten. Frames of the ring around it are taken too, for the server may be a moment ahead of us; those
 * further away, and gaps outside the view, are ignored.
 */
import { GONE as GONE_CELL } from '../wire/protocol.js';
import { Area } from './area.js';
import { type GameEvent, GONE } from './entity.js';
import { EventMemory } from './event-memory.js';
import type { FrameReader, FrameSink, SelfReader } from './frame-reader.js';
import { ServerTime } from './server-time.js';
import { FRAME_DELTA, FRAME_GAP, FRAME_KEY, StreamTable } from './streams.js';
import type { ClientHandlers, ClientStats, FrameHead, SelfState, Welcome } from './types.js';
import { View } from './view.js';

const CELL_UNITS = 65536;
/** A key frame that does not come is asked for again after this time. */
const KEY_REPEAT_MS = 1000;
/** A gap in view that no key frame mends within this time is one of the server's faults. */
const GAP_LIMIT_MS = 3000;
/** Of one KeyRequest; the protocol allows 64. */
const MAX_KEY_CELLS = 32;

export class Scene implements FrameSink {
  readonly self: SelfState = { tick: 0, epoch: 0, x: 0, y: 0, vx: 0, vy: 0, dilation: 1, items: [] };
  readonly view: View | null;
  readonly time = new ServerTime();
  /** Greatest tick seen in any message. */
  newestTick = 0;

  private readonly area = new Area();
  private readonly streams = new StreamTable();
  private readonly events = new EventMemory();
  private eventNames: ReadonlyMap<number, string> = new Map();
  private readonly head: FrameHead = { cellX: 0, cellY: 0, publisher: 0, tick: 0, previous: 0 };
  private keyAskedMs = Number.NEGATIVE_INFINITY;
  private readonly asked: number[] = [];
  /** The frame being read: its corner and the time. */
  private west = 0;
  private south = 0;
  private unit = 0;
  private now = 0;

  constructor(
    mode: 'full' | 'light',
    private readonly handlers: ClientHandlers,
    private readonly stats: ClientStats,
  ) {
    this.view = mode === 'full' ? new View(this.area) : null;
  }

  /** A connection begins: all streams start anew with key frames. */
  welcome(welcome: Welcome, now: number): void {
    const { self } = this;
    this.area.configure(welcome.viewCells, welcome.cellLevel);
    this.unit = this.area.cellSize / CELL_UNITS;
    this.time.configure(1000 / welcome.tickRate, 1000 / welcome.frameRate);
    this.eventNames = welcome.events;
    this.streams.clear();
    this.view?.detach(now);
    if (welcome.tick < this.newestTick) this.events.clear();
    this.newestTick = welcome.tick;
    self.tick = 0;
    self.x = welcome.x;
    self.y = welcome.y;
    this.keyAskedMs = Number.NEGATIVE_INFINITY;
    this.move();
  }

  selfUpdate(from: SelfReader): void {
    const { self } = this;
    this.saw(from.tick);
    if (from.tick < self.tick) return;
    self.tick = from.tick;
    self.epoch = from.epoch;
    self.x = from.x;
    self.y = from.y;
    self.vx = from.vx;
    self.vy = from.vy;
    self.dilation = from.dilation;
    if (from.itemCount >= 0) {
      self.items.length = from.itemCount;
      for (let i = 0; i < from.itemCount; i++) self.items[i] = from.items[i];
    }
    this.stats.selfUpdates++;
    this.move();
    this.handlers.self?.(self);
  }

  frame(reader: FrameReader, bytes: Uint8Array, now: number): void {
    const { cellX, cellY, publisher, tick, previous } = reader;
    this.stats.frames++;
    this.saw(tick);
    this.time.saw(tick, now);
    const cell = this.area.number(cellX, cellY);
    const inView = this.area.inView(cell);
    if (!inView && !this.area.inReach(cell)) return;
    for (let i = reader.closeCount - 1; i >= 0; i--) {
      this.streams.close(cell, reader.closed(i));
      this.view?.closeStream(cell, reader.closed(i), now);
    }
    if (!inView && previous !== 0 && !this.streams.hasCell(cell)) return;
    const verdict = this.streams.accept(cell, publisher, tick, previous, now);
    if (verdict === FRAME_GAP) this.stats.gaps++;
    if (verdict !== FRAME_KEY && verdict !== FRAME_DELTA) return;
    if (this.handlers.frame !== undefined) this.tell(reader, bytes);
    if (this.view === null) return;
    this.west = this.area.west(cellX);
    this.south = this.area.south(cellY);
    this.now = now;
    this.view.beginFrame(cell, publisher, tick, verdict === FRAME_KEY);
    reader.read(this);
    this.view.endFrame();
  }

  /**
   * The work of a beat.
   * @returns pairs (column, row) of cells that need a key frame, or null
   */
  beat(now: number): number[] | null {
    this.view?.expire(now);
    if (this.streams.openGaps === 0 || now - this.keyAskedMs < KEY_REPEAT_MS) return null;
    this.asked.length = 0;
    this.streams.forEachGap((cell, since) => {
      if (!this.area.inView(cell)) return;
      if (now - since > GAP_LIMIT_MS && now - KEY_REPEAT_MS - since <= GAP_LIMIT_MS) this.stats.openGaps++;
      this.ask(cell);
    });
    if (this.asked.length === 0) return null;
    this.keyAskedMs = now;
    this.stats.keyRequests++;
    return this.asked;
  }

  state(
    id: number,
    epoch: number,
    qx: number,
    qy: number,
    vx: number,
    vy: number,
    kind: number,
    flags: number,
    pub0: number,
    pub1: number,
  ): void {
    const { west, south, unit } = this;
    this.view!.state(
      id,
      epoch,
      west + qx * unit,
      south + qy * unit,
      vx / 100,
      vy / 100,
      kind,
      flags,
      pub0,
      pub1,
      this.now,
    );
  }

  removal(id: number, epoch: number, toX: number, toY: number): void {
    this.view!.removal(id, epoch, toX === GONE_CELL ? GONE : this.area.number(toX, toY), this.now);
  }

  event(id: number, source: number, kind: number, qx: number, qy: number, payload: Uint8Array): void {
    if (this.handlers.event === undefined || !this.events.isNew(id)) return;
    const x = this.west + qx * this.unit;
    const y = this.south + qy * this.unit;
    const event: GameEvent = {
      id,
      source,
      kind,
      name: this.eventNames.get(kind) ?? '',
      x,
      y,
      payload: payload.slice(),
    };
    this.handlers.event(event);
  }

  saw(tick: number): void {
    if (tick > this.newestTick) this.newestTick = tick;
  }

  /** Follows the own player: the view moves by whole cells. */
  private move(): void {
    if (!this.area.moveTo(this.self.x, this.self.y)) return;
    this.streams.retain((cell) => this.area.inView(cell));
    this.view?.trim();
  }

  private ask(cell: number): void {
    const { asked, area } = this;
    const column = area.column(cell);
    const row = area.row(cell);
    for (let i = 0; i < asked.length; i += 2) if (asked[i] === column && asked[i + 1] === row) return;
    if (asked.length < 2 * MAX_KEY_CELLS) asked.push(column, row);
  }

  private tell(reader: FrameReader, bytes: Uint8Array): void {
    const { head } = this;
    head.cellX = reader.cellX;
    head.cellY = reader.cellY;
    head.publisher = reader.publisher;
    head.tick = reader.tick;
    head.previous = reader.previous;
    this.handlers.frame!(head, bytes);
  }
}

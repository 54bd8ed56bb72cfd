/**
 * What a client sees: one state per entity id over all squares and publishers, of which only the greater (owner epoch,
 * tick) is taken; removals are explicit. Fed with frames that the stream table has found to be in sequence.
 *
 * Entities of cells just left behind are held for a while, for the server goes on sending them and would not tell us
 * again; shown are only those whose cell lies within the view.
 */
import { overlap } from '../geo/square.js';
import { MOVE_EPOCHS } from '../wire/protocol.js';
import type { Area } from './area.js';
import { Entity, GONE, type RemovalTarget } from './entity.js';
import { GoneMemory } from './gone-memory.js';
import { type Position, positionAt } from './interpolate.js';
import type { ServerTime } from './server-time.js';

/**
 * An entity that went to a cell that does not show it, or whose stream was closed, is dropped after this time and the
 * longest that a slow square may take to show it.
 */
const LEAVING_MS = 1000;
/** Ticks after which a state of an epoch below the one held cannot be a late frame: two owners publish the entity. */
const OLD_OWNER_TICKS = 20;

export class View {
  private readonly entities = new Map<number, Entity>();
  private readonly gone = new GoneMemory();
  private mark = 0;
  private leaving = 0;
  /** The frame being taken. */
  private cell = 0;
  private square = 0;
  private publisher = 0;
  private tick = 0;
  private isKey = false;
  private slowTicks = 0;
  /** Entities that two publishers, or two cells of one tick, showed as theirs: it must stay 0 (I1, I6). */
  doubles = 0;
  /** Moves of entities that were never shown in full: it must stay 0 (I6). */
  orphans = 0;
  /** ms by which squares may be slower than frames come. */
  slowMs = 0;

  constructor(
    private readonly area: Area,
    private readonly time: ServerTime,
  ) {}

  /** Shown entities, in no order. */
  *[Symbol.iterator](): IterableIterator<Entity> {
    for (const entity of this.entities.values()) if (this.area.inView(entity.cell)) yield entity;
  }

  /** Number held, those of the ring around the view included. */
  get held(): number {
    return this.entities.size;
  }

  /** The entity if it is shown. */
  get(id: number): Entity | undefined {
    const entity = this.entities.get(id);
    return entity !== undefined && this.area.inView(entity.cell) ? entity : undefined;
  }

  /** The entity if it is held, in view or not. */
  peek(id: number): Readonly<Entity> | undefined {
    return this.entities.get(id);
  }

  /** Where to draw an entity at `now`, ms of the client's clock: between its newest states. Undefined if not shown. */
  at(id: number, now: number, out: Position = { x: 0, y: 0 }): Position | undefined {
    const entity = this.get(id);
    return entity === undefined ? undefined : positionAt(entity, this.time, now, out);
  }

  /** @param tick of the states @param slowTicks by which the square is slower than frames come */
  beginFrame(
    cell: number,
    square: number,
    publisher: number,
    tick: number,
    isKey: boolean,
    slowTicks: number,
  ): void {
    this.slowTicks = slowTicks;
    this.cell = cell;
    this.square = square;
    this.publisher = publisher;
    this.tick = tick;
    this.isKey = isKey;
    this.mark++;
  }

  /** One state of the frame; x, y in world metres, velocities in m/s. */
  state(
    id: number,
    epoch: number,
    x: number,
    y: number,
    vx: number,
    vy: number,
    kind: number,
    flags: number,
    pub0: number,
    pub1: number,
    now: number,
  ): void {
    let entity = this.entities.get(id);
    if (entity === undefined) {
      if (this.gone.isOver(id, epoch, this.tick)) return;
      entity = new Entity(id);
      this.entities.set(id, entity);
    } else {
      if (this.isOfStream(entity)) entity.mark = this.mark;
      if (!this.isNewer(entity, epoch)) return;
      if (entity.leavingMs >= 0) this.stay(entity);
    }
    if (epoch !== entity.epoch) entity.epochFromKey = this.isKey;
    entity.take(this.tick, epoch, x, y, vx, vy, kind, flags, pub0, pub1, now);
    this.attribute(entity);
  }

  /**
   * One move of the frame. @param low the lower 11 bits of the epoch
   * @returns false: nobody has shown that entity, so something was lost
   */
  move(id: number, low: number, x: number, y: number, vx: number, vy: number, now: number): boolean {
    const e = this.entities.get(id);
    if (e === undefined) {
      if (this.gone.has(id)) return true;
      this.orphans++;
      return false;
    }
    // In doubt until it is shown in full, or another owner's by now.
    if (e.epoch < 0 || e.epoch % MOVE_EPOCHS !== low) return true;
    if (!this.isNewer(e, e.epoch)) return true;
    if (e.leavingMs >= 0) this.stay(e);
    e.take(this.tick, e.epoch, x, y, vx, vy, e.kind, e.flags, e.pub0, e.pub1, now);
    this.attribute(e);
    return true;
  }

  private isOfStream(entity: Entity): boolean {
    return entity.cell === this.cell && entity.square === this.square && entity.publisher === this.publisher;
  }

  private attribute(entity: Entity): void {
    entity.cell = this.cell;
    entity.square = this.square;
    entity.slowTicks = this.slowTicks;
    entity.publisher = this.publisher;
    entity.mark = this.mark;
    entity.fromKey = this.isKey;
  }

  /** One removal of the frame. `to`: a cell number, or GONE. */
  removal(id: number, epoch: number, to: RemovalTarget, now: number): void {
    const entity = this.entities.get(id);
    const isOld = (e: Entity) => epoch < e.epoch || (epoch === e.epoch && this.tick < e.tick);
    if (entity !== undefined && isOld(entity)) return;
    if (to === GONE) this.gone.note(id, epoch, this.tick);
    if (entity === undefined) return;
    if (to === GONE) return this.drop(entity);
    // Shown by another cell already: this removal has been overtaken. But it may have gone through a slow cell unseen.
    const wentThrough = entity.leavingMs >= 0 && entity.leavingTo === this.cell;
    if (entity.cell !== this.cell && !wentThrough) return;
    if (!this.area.inView(to)) return this.drop(entity);
    this.leave(entity, now);
    // On through one slow cell after another, each left before its turn: that it goes on is news enough to wait for.
    entity.leavingMs = now;
    entity.leavingTo = to;
  }

  /**
   * After the frame's last entry: a key frame lists its stream completely. Who is missing in a part of a cell may be in
   * another part, whose turn to show it has not come.
   */
  endFrame(now: number): void {
    if (!this.isKey) return;
    for (const entity of this.entities.values()) {
      if (!this.isOfStream(entity) || entity.mark === this.mark) continue;
      if (entity.tick > this.tick || entity.leavingMs >= 0) continue;
      if (this.slowMs > 0) this.leave(entity, now);
      else this.drop(entity);
    }
  }

  /** A stream ends. What it held stays until another stream shows it, for a while. */
  closeStream(cell: number, square: number, publisher: number, now: number): void {
    for (const entity of this.entities.values()) {
      if (entity.cell === cell && entity.square === square && entity.publisher === publisher)
        this.leave(entity, now);
    }
  }

  /** A new connection: what is held may be shown a second longer, but any state is newer than it. */
  detach(now: number): void {
    this.gone.clear(); // of another life of the server it may not be true
    for (const entity of this.entities.values()) this.doubt(entity, now);
  }

  /** The same for one square that is shown anew. */
  detachSquare(cell: number, square: number, now: number): void {
    for (const entity of this.entities.values())
      if (entity.cell === cell && overlap(entity.square, square)) this.doubt(entity, now);
  }

  /** One square is not shown any more. */
  dropSquare(cell: number, square: number): void {
    for (const entity of this.entities.values())
      if (entity.cell === cell && overlap(entity.square, square)) this.drop(entity);
  }

  private doubt(entity: Entity, now: number): void {
    entity.epoch = -1;
    entity.publisher = -1;
    this.leave(entity, now);
  }

  /** Drops what has left for too long. */
  expire(now: number): void {
    if (this.leaving === 0) return;
    for (const entity of this.entities.values()) {
      if (entity.leavingMs >= 0 && now - entity.leavingMs > LEAVING_MS + this.slowMs) this.drop(entity);
    }
  }

  /** Drops what the view has left behind; to be called when the area has moved. */
  trim(): void {
    for (const entity of this.entities.values()) if (!this.area.isKept(entity.cell)) this.drop(entity);
  }

  clear(): void {
    this.entities.clear();
    this.gone.clear();
    this.leaving = 0;
  }

  private isNewer(entity: Entity, epoch: number): boolean {
    if (epoch !== entity.epoch) {
      if (epoch > entity.epoch) return true;
      // A key frame shows what is newer than its number: neither its own age nor one learned from it says anything.
      const sure = !this.isKey && !entity.epochFromKey;
      if (sure && this.tick > entity.epochTick + OLD_OWNER_TICKS) this.doubles++;
      return false;
    }
    if (this.tick !== entity.tick) return this.tick > entity.tick;
    // A key frame may be encoded from a view one tick younger than its sequence says: it is at least as new.
    if (this.isKey) return true;
    if ((entity.cell !== this.cell || entity.square !== this.square) && !entity.fromKey) this.doubles++;
    return false;
  }

  private leave(entity: Entity, now: number): void {
    if (entity.leavingMs >= 0) return;
    entity.leavingMs = now;
    entity.leavingTo = -1;
    this.leaving++;
  }

  private stay(entity: Entity): void {
    entity.leavingMs = -1;
    this.leaving--;
  }

  private drop(entity: Entity): void {
    if (entity.leavingMs >= 0) this.stay(entity);
    this.entities.delete(entity.id);
  }
}

/**
 * The World that game code sees, over one shard's core. Every call works on entities that this shard owns (I1); what
 * lies across a border is read from views (`near`) or reached by mail (`give`, `send`).
 */
import { assert } from '../base/assert.js';
import { ERRORS } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { hash2 } from '../base/random.js';
import { clampY, dx as shortestDx, isInside, wrapX } from '../geo/world.js';
import { SLOT_BYTES } from '../memory/arena.js';
import { COLD, HOT } from '../memory/record.js';
import { PRESENCE_STATE } from '../memory/inbox.js';
import { tagFreed } from '../memory/slots.js';
import type { Column, Entity, Near, World } from '../world/facade.js';
import { Neighbourhood } from '../world/near.js';
import { makeColumn } from './columns.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import type { Core } from './core.js';
import { TRANSFER, deliver, mayReceive } from './deliver.js';
import type { Events } from './events.js';
import type { Jobs } from './jobs.js';
import { Letter } from './letter.js';
import type { Mail } from './mail.js';
import { spawn } from './spawn.js';

const { APPLIED, NOT_ENOUGH, OUTBOX_FULL, TARGET_GONE } = ERRORS;
const MAX_STACK = 2 ** 31 - 1;
const NO_ITEM = 255;
const MAX_RADIUS_M = 1000;
const SLOT_DOUBLES = SLOT_BYTES >> 3;
const SLOT_FLOATS = SLOT_BYTES >> 2;

export class Facade implements World {
  readonly columns: Record<string, Column> = {};
  readonly game;
  private readonly neighbourhood: Neighbourhood;
  private readonly letter = new Letter();
  /** Letters of the sends that are running: handlers may send while they receive. */
  private readonly letters: Letter[] = [];
  private depth = 0;
  /** By slot: tick and number of the last random call. */
  private readonly randomTick: Int32Array;
  private readonly randomCall: Int32Array;
  private mail!: Mail;
  // So short are `x` … `vy` and `move` with these that V8 inlines them anywhere (why: `columnAt`, geo/tile.ts). Doubles
  // from the start (not 0), so that they are kept in place.
  private byX = 0.5;
  private byY = 0.5;
  private readonly f64: Float64Array;
  private readonly f32: Float32Array;
  private readonly xAt: number;
  private readonly yAt: number;
  private readonly vxAt: number;
  private readonly vyAt: number;

  constructor(
    private readonly core: Core,
    private readonly events: Events,
    private readonly jobs: Jobs,
  ) {
    const { module, columns } = core.game;
    const { arena } = core;
    const hot = arena.hot(0);
    this.f64 = arena.f64;
    this.f32 = arena.f32;
    this.xAt = (hot + HOT.x) >> 3;
    this.yAt = (hot + HOT.y) >> 3;
    this.vxAt = (hot + HOT.vx) >> 2;
    this.vyAt = (hot + HOT.vy) >> 2;
    this.randomTick = new Int32Array(core.arena.capacity);
    this.randomCall = new Int32Array(core.arena.capacity);
    this.game = { name: module.name, items: module.items, kinds: module.kinds };
    for (const column of columns) this.columns[column.name] = makeColumn(core, column.type, column.offset);
    this.neighbourhood = new Neighbourhood(core.world.views);
  }

  /** Completes the construction: mail needs the facade for its handlers. */
  connect(mail: Mail): void {
    this.mail = mail;
  }

  get tick(): number {
    return this.core.tick;
  }
  get dt(): number {
    return this.core.dt;
  }

  column(name: string): Column {
    const column = this.columns[name];
    assert(column !== undefined, `the game has no component "${name}"`);
    return column;
  }

  id(e: Entity): number {
    return this.core.id(e);
  }
  kind(e: Entity): number {
    return this.core.kind(e);
  }
  x(e: Entity): number {
    return this.f64[this.xAt + e * SLOT_DOUBLES]!;
  }
  y(e: Entity): number {
    return this.f64[this.yAt + e * SLOT_DOUBLES]!;
  }
  vx(e: Entity): number {
    return this.f32[this.vxAt + e * SLOT_FLOATS]!;
  }
  vy(e: Entity): number {
    return this.f32[this.vyAt + e * SLOT_FLOATS]!;
  }
  heading(e: Entity): number {
    return this.core.arena.f32[(this.core.arena.hot(e) + HOT.heading) >> 2]!;
  }

  online(e: Entity): boolean {
    return (
      this.kind(e) === PLAYER_KIND &&
      !(this.core.flags(e) & FLAG.OFFLINE) &&
      this.core.world.inboxes.presence(e) !== PRESENCE_STATE.NONE
    );
  }

  lasting(e: Entity): boolean {
    return this.kind(e) === PLAYER_KIND && (this.core.flags(e) & FLAG.ACCOUNT) !== 0;
  }

  distance(e: Entity, x: number, y: number): number {
    const ex = shortestDx(this.x(e), x);
    const ey = y - this.y(e);
    return Math.sqrt(ex * ex + ey * ey);
  }

  bearing(e: Entity, x: number, y: number): number {
    return Math.atan2(y - this.y(e), shortestDx(this.x(e), x));
  }

  move(e: Entity, dx: number, dy: number): void {
    this.byX = dx;
    this.byY = dy;
    this.moveBy(e);
  }

  private moveBy(e: Entity): void {
    if (!this.core.writesOn(e)) this.core.writeHot(e); // in a step it is writable, and this call stays outside
    const { f64 } = this;
    const atX = this.xAt + e * SLOT_DOUBLES;
    const atY = this.yAt + e * SLOT_DOUBLES;
    const x = f64[atX]! + this.byX;
    const y = f64[atY]! + this.byY;
    if (isInside(x, y)) {
      f64[atX] = x;
      f64[atY] = y;
    } else this.movePast(atX, atY);
  }

  /** The rare rest: across the antimeridian, into a wall. */
  private movePast(atX: number, atY: number): void {
    const { f64 } = this;
    const x = wrapX(f64[atX]! + this.byX);
    const y = clampY(f64[atY]! + this.byY);
    assert(Number.isFinite(x) && Number.isFinite(y), 'I11: a game moves by finite metres');
    f64[atX] = x;
    f64[atY] = y;
  }

  setVelocity(e: Entity, vx: number, vy: number): void {
    const hot = this.core.writeHot(e);
    this.core.arena.f32[(hot + HOT.vx) >> 2] = vx;
    this.core.arena.f32[(hot + HOT.vy) >> 2] = vy;
  }

  setHeading(e: Entity, radians: number): void {
    this.core.arena.f32[(this.core.writeHot(e) + HOT.heading) >> 2] = radians;
  }

  items(e: Entity, itemKind: number): number {
    return this.core.arena.u32[this.itemAt(this.core.arena.cold(e), itemKind)]!;
  }

  private itemAt(cold: number, itemKind: number): number {
    assert(itemKind >= 0 && itemKind < this.game.items.length, 'I2: the game names its item kinds');
    return (cold + COLD.items + itemKind * 4) >> 2;
  }

  createItems(e: Entity, itemKind: number, count: number): boolean {
    checkCount(count);
    // What is removed with this tick takes nothing with it (I2).
    if (this.items(e, itemKind) + count > MAX_STACK || this.core.isFreed(e)) return false;
    this.core.arena.u32[this.itemAt(this.core.writeCold(e), itemKind)]! += count;
    this.core.itemsCreated[itemKind]! += count;
    this.core.ledger.change(e, itemKind, count);
    return true;
  }

  consumeItems(e: Entity, itemKind: number, count: number): boolean {
    checkCount(count);
    if (this.items(e, itemKind) < count) return false;
    this.core.arena.u32[this.itemAt(this.core.writeCold(e), itemKind)]! -= count;
    this.core.itemsConsumed[itemKind]! += count;
    this.core.ledger.change(e, itemKind, -count);
    return true;
  }

  give(from: Entity, toId: number, itemKind: number, count: number, note = 0): number {
    checkCount(count);
    if (this.items(from, itemKind) < count) return NOT_ENOUGH.number;
    const target = this.find(toId);
    if (target >= 0) {
      const refused = mayReceive(this.core, this, target, itemKind, count, this.id(from));
      if (refused !== 0) return refused;
      this.core.arena.u32[this.itemAt(this.core.writeCold(from), itemKind)]! -= count;
      this.core.arena.u32[this.itemAt(this.core.writeCold(target), itemKind)]! += count;
      this.core.ledger.direct(from, target, itemKind, count, this.nextCounter(from), this.core.tick);
      this.core.game.module.received?.(this, target, itemKind, count, this.id(from), note);
      return APPLIED.number;
    }
    if (this.core.world.ids.lookup(toId) < 0) return TARGET_GONE.number;
    this.letter.args.fill(0);
    this.letter.args[0] = note;
    if (!this.mail.post(from, toId, TRANSFER, itemKind, count, this.letter.args)) return OUTBOX_FULL.number;
    this.core.ledger.post(from, itemKind, count);
    // The place is the escrow: out of the bag in the same commit that puts it there (I2).
    this.core.arena.u32[this.itemAt(this.core.writeCold(from), itemKind)]! -= count;
    return APPLIED.number;
  }

  /** Numbers what an entity gives: direct gifts and messages count together, so that (source, counter) names each. */
  private nextCounter(from: Entity): number {
    const at = (this.core.writeHot(from) + HOT.messageCounter) >> 2;
    const counter = (this.core.arena.u32[at]! + 1) >>> 0;
    this.core.arena.u32[at] = counter;
    return counter;
  }

  send(from: Entity, targetId: number, kind: number, a0 = 0, a1 = 0, a2 = 0, a3 = 0): number {
    const m = this.fill(this.id(from), targetId, kind, a0, a1, a2, a3);
    this.depth++;
    const outcome = this.deliverOrPost(from, targetId, kind, m);
    this.depth--;
    return outcome;
  }

  private deliverOrPost(from: Entity, targetId: number, kind: number, m: Letter): number {
    const target = this.find(targetId);
    const definition = this.core.game.message(kind);
    assert(definition !== undefined, `the game has no message of kind ${kind}`);
    if (target >= 0) {
      // Not as an argument of `answered?.()`: without that handler it would not be evaluated.
      const answer = deliver(this.core, this, target, m);
      definition.answered?.(this, from, m, answer);
      return APPLIED.number;
    }
    if (this.core.world.ids.lookup(targetId) < 0) {
      definition.answered?.(this, from, m, TARGET_GONE.number);
      return APPLIED.number;
    }
    return this.mail.post(from, targetId, kind, NO_ITEM, 0, m.args) ? APPLIED.number : OUTBOX_FULL.number;
  }

  sendLossy(targetId: number, kind: number, a0 = 0, a1 = 0, a2 = 0, a3 = 0): void {
    const m = this.fill(0, targetId, kind, a0, a1, a2, a3);
    const target = this.find(targetId);
    this.depth++;
    if (target >= 0) deliver(this.core, this, target, m);
    else this.mail.postLossy(m);
    this.depth--;
  }

  private fill(
    source: number,
    target: number,
    kind: number,
    a0: number,
    a1: number,
    a2: number,
    a3: number,
  ): Letter {
    const m = (this.letters[this.depth] ??= new Letter());
    m.source = source;
    m.target = target;
    m.kind = kind;
    m.args[0] = a0;
    m.args[1] = a1;
    m.args[2] = a2;
    m.args[3] = a3;
    return m;
  }

  spawn(kind: number, x: number, y: number): Entity | -1 {
    return spawn(this.core, kind, x, y);
  }

  despawn(e: Entity): boolean {
    const { core } = this;
    assert(core.kind(e) !== PLAYER_KIND, 'I5: players leave by their session, not by game code');
    for (let k = 0; k < LIMITS.itemKinds; k++) {
      if (core.arena.u32[(core.arena.cold(e) + COLD.items + k * 4) >> 2] !== 0) return false;
    }
    if (core.isFreed(e)) return true;
    if (!this.mail.isQuiet(e)) return false;
    core.writeHot(e);
    tagFreed(core.arena, e, core.options.incarnation, core.tick);
    core.freed.add(e);
    return true;
  }

  sleep(e: Entity): void {
    const { core } = this;
    if (core.kind(e) !== PLAYER_KIND && core.owned.has(e) && this.mail.isQuiet(e)) core.sleep(e);
  }

  find(id: number): Entity | -1 {
    return this.core.find(id);
  }

  near(x: number, y: number, radius: number): Near {
    assert(radius <= MAX_RADIUS_M, `near looks at most ${MAX_RADIUS_M} m far`);
    return this.neighbourhood.query(wrapX(x), clampY(y), radius);
  }

  emit(e: Entity, eventKind: number, bytes: Uint8Array, length: number): void {
    this.events.add(this.id(e), eventKind, this.x(e), this.y(e), bytes, length);
  }

  random(e: Entity): number {
    const call = this.randomTick[e] === this.core.tick ? this.randomCall[e]! + 1 : 0;
    this.randomTick[e] = this.core.tick;
    this.randomCall[e] = call;
    const id = this.core.id(e);
    return (
      hash2(hash2(this.core.options.worldSeed ^ id, (id / 4294967296) | 0), hash2(this.core.tick, call)) /
      4294967296
    );
  }

  defer(e: Entity, job: string, input: unknown): boolean {
    return this.jobs.defer(this.id(e), job, input);
  }
}

function checkCount(count: number): void {
  assert(
    Number.isInteger(count) && count > 0 && count <= MAX_STACK,
    'I2: items are counted in whole numbers above 0',
  );
}

/**
 * The World that game code sees, over one shard's core. Every call works on entities that this shard owns (I1); what
 * lies across a border is read from views (`near`) or reached by mail (`give`, `send`).
 */
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
import { TRANSFER, handOver, itemAt } from './deliver.js';
import type { Events } from './events.js';
import type { Jobs } from './jobs.js';
import { Letter } from './letter.js';
import { type Mail, PLACE } from './mail.js';
import {
  MAX_COUNT,
  checkCount,
  checkEvent,
  checkFinite,
  checkId,
  checkIndex,
  checkNumber,
  finite,
} from './arguments.js';
import { refuse } from './mistake.js';
import { spawn } from './spawn.js';

const { APPLIED, NOT_ENOUGH, OUTBOX_FULL, TARGET_GONE } = ERRORS;
const NO_ITEM = 255;
const WITHIN = 'within the call that the world was given to';
const MAX_RADIUS_M = 1000;
const SLOT_DOUBLES = SLOT_BYTES >> 3;
const SLOT_FLOATS = SLOT_BYTES >> 2;

export class Facade implements World {
  readonly columns: Record<string, Column> = {};
  readonly game;
  private readonly neighbourhood: Neighbourhood;
  private readonly letter = new Letter();
  /** By slot: tick and number of the last random call. */
  private readonly randomTick: Int32Array;
  private readonly randomCall: Int32Array;
  private readonly randomTickList: number;
  private readonly randomCallList: number;
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
    this.randomTickList = core.deeds.track(this.randomTick);
    this.randomCallList = core.deeds.track(this.randomCall);
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
    if (!Object.hasOwn(this.columns, name)) refuse('column', 'name', name, "one of the game's components");
    return this.columns[name]!;
  }

  /** Whether it may be read: the step's own entity is known at one compare. @throws Mistake */
  private here(e: Entity, call: string): void {
    if (!this.core.isHere(e)) refuse(call, 'entity', e, 'one of this shard, found or made in this very call');
  }

  /** The same before a write. Outside of a call of the game nothing is written: no tick would take it back. */
  private mine(e: Entity, call: string): void {
    if (!this.core.deeds.isOpen) refuse(call, 'its time', 'later', WITHIN);
    this.here(e, call);
  }

  id(e: Entity): number {
    this.here(e, 'id');
    return this.core.id(e);
  }
  kind(e: Entity): number {
    this.here(e, 'kind');
    return this.core.kind(e);
  }
  x(e: Entity): number {
    this.here(e, 'x');
    return this.f64[this.xAt + e * SLOT_DOUBLES]!;
  }
  y(e: Entity): number {
    this.here(e, 'y');
    return this.f64[this.yAt + e * SLOT_DOUBLES]!;
  }
  vx(e: Entity): number {
    this.here(e, 'vx');
    return this.f32[this.vxAt + e * SLOT_FLOATS]!;
  }
  vy(e: Entity): number {
    this.here(e, 'vy');
    return this.f32[this.vyAt + e * SLOT_FLOATS]!;
  }
  heading(e: Entity): number {
    this.here(e, 'heading');
    return this.core.arena.f32[(this.core.arena.hot(e) + HOT.heading) >> 2]!;
  }

  online(e: Entity): boolean {
    this.here(e, 'online');
    return (
      this.core.kind(e) === PLAYER_KIND &&
      !(this.core.flags(e) & FLAG.OFFLINE) &&
      this.core.world.inboxes.presence(e) !== PRESENCE_STATE.NONE
    );
  }

  lasting(e: Entity): boolean {
    this.here(e, 'lasting');
    return this.core.kind(e) === PLAYER_KIND && (this.core.flags(e) & FLAG.ACCOUNT) !== 0;
  }

  distance(e: Entity, x: number, y: number): number {
    this.here(e, 'distance');
    const ex = shortestDx(this.x(e), x);
    const ey = y - this.y(e);
    return finite('distance', Math.sqrt(ex * ex + ey * ey));
  }

  bearing(e: Entity, x: number, y: number): number {
    this.here(e, 'bearing');
    return finite('bearing', Math.atan2(y - this.y(e), shortestDx(this.x(e), x)));
  }

  move(e: Entity, dx: number, dy: number): void {
    checkNumber('move', 'dx', dx);
    checkNumber('move', 'dy', dy);
    this.byX = dx;
    this.byY = dy;
    this.moveBy(e);
  }

  private moveBy(e: Entity): void {
    if (!this.core.writesOn(e)) this.makeWritable(e, 'move'); // in a step it is writable, and this call stays outside
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

  private makeWritable(e: Entity, call: string): void {
    this.mine(e, call);
    this.core.writeHot(e);
  }

  /** The rare rest: across the antimeridian, into a wall. */
  private movePast(atX: number, atY: number): void {
    const { f64 } = this;
    if (!Number.isFinite(this.byX + this.byY))
      refuse('move', 'dx + dy', this.byX + this.byY, 'finite metres');
    const x = wrapX(f64[atX]! + this.byX);
    const y = clampY(f64[atY]! + this.byY);
    f64[atX] = x;
    f64[atY] = y;
  }

  setVelocity(e: Entity, vx: number, vy: number): void {
    checkFinite('setVelocity', 'vx', vx);
    checkFinite('setVelocity', 'vy', vy);
    if (!this.core.writesOn(e)) this.makeWritable(e, 'setVelocity');
    const hot = this.core.arena.hot(e);
    this.core.arena.f32[(hot + HOT.vx) >> 2] = vx;
    this.core.arena.f32[(hot + HOT.vy) >> 2] = vy;
  }

  setHeading(e: Entity, radians: number): void {
    checkFinite('setHeading', 'radians', radians);
    if (!this.core.writesOn(e)) this.makeWritable(e, 'setHeading');
    this.core.arena.f32[(this.core.arena.hot(e) + HOT.heading) >> 2] = radians;
  }

  items(e: Entity, itemKind: number): number {
    this.here(e, 'items');
    checkIndex('items', 'itemKind', itemKind, this.game.items);
    return this.core.arena.u32[itemAt(this.core.arena.cold(e), itemKind)]!;
  }

  /** Arguments of whatever changes a bag. */
  private checkBag(call: string, e: Entity, itemKind: number, count: number): void {
    this.mine(e, call);
    checkIndex(call, 'itemKind', itemKind, this.game.items);
    checkCount(call, count);
  }

  createItems(e: Entity, itemKind: number, count: number): boolean {
    this.checkBag('createItems', e, itemKind, count);
    // What is removed with this tick takes nothing with it (I2).
    if (this.items(e, itemKind) + count > MAX_COUNT || this.core.isFreed(e)) return false;
    this.core.arena.u32[itemAt(this.core.writeCold(e), itemKind)]! += count;
    this.core.deeds.note(this.core.itemsCreatedList, itemKind);
    this.core.itemsCreated[itemKind]! += count;
    this.core.ledger.change(e, itemKind, count);
    return true;
  }

  consumeItems(e: Entity, itemKind: number, count: number): boolean {
    this.checkBag('consumeItems', e, itemKind, count);
    if (this.items(e, itemKind) < count) return false;
    this.core.arena.u32[itemAt(this.core.writeCold(e), itemKind)]! -= count;
    this.core.deeds.note(this.core.itemsConsumedList, itemKind);
    this.core.itemsConsumed[itemKind]! += count;
    this.core.ledger.change(e, itemKind, -count);
    return true;
  }

  give(from: Entity, toId: number, itemKind: number, count: number, note = 0): number {
    this.checkBag('give', from, itemKind, count);
    checkId('give', 'toId', toId);
    checkNumber('give', 'note', note);
    if (this.items(from, itemKind) < count) return NOT_ENOUGH.number;
    const target = this.core.find(toId);
    if (target >= 0) return handOver(this.core, this, from, target, itemKind, count, note);
    if (this.core.world.ids.lookup(toId) < 0) return TARGET_GONE.number;
    this.letter.args.fill(0);
    this.letter.args[0] = note;
    if (!this.mail.post(from, toId, TRANSFER, itemKind, count, this.letter.args)) return OUTBOX_FULL.number;
    this.core.ledger.post(from, itemKind, count);
    // The place is the escrow: out of the bag in the same commit that puts it there (I2).
    this.core.arena.u32[itemAt(this.core.writeCold(from), itemKind)]! -= count;
    return APPLIED.number;
  }

  send(from: Entity, targetId: number, kind: number, a0 = 0, a1 = 0, a2 = 0, a3 = 0): number {
    this.mine(from, 'send');
    const m = this.fill('send', 0, targetId, kind, a0, a1, a2, a3);
    // The same way for all: a game cannot tell a target in this shard from any other, nor from one that never was.
    const isKnown = this.core.find(targetId) >= 0 || this.core.world.ids.lookup(targetId) >= 0;
    const state = isKnown ? PLACE.waiting : PLACE.lost;
    const isSent = this.mail.post(from, targetId, kind, NO_ITEM, 0, m.args, state);
    return isSent ? APPLIED.number : OUTBOX_FULL.number;
  }

  sendLossy(targetId: number, kind: number, a0 = 0, a1 = 0, a2 = 0, a3 = 0): void {
    if (!this.core.deeds.isOpen) refuse('sendLossy', 'its time', 'later', WITHIN);
    this.mail.postLossy(this.fill('sendLossy', 0, targetId, kind, a0, a1, a2, a3));
  }

  private fill(
    call: string,
    source: number,
    target: number,
    kind: number,
    a0: number,
    a1: number,
    a2: number,
    a3: number,
  ): Letter {
    checkId(call, 'targetId', target);
    if (this.core.game.message(kind) === undefined)
      refuse(call, 'kind', kind, "of one of the game's messages");
    const m = this.letter;
    m.source = source;
    m.target = target;
    m.kind = kind;
    m.args[0] = checkNumber(call, 'a0', a0);
    m.args[1] = checkNumber(call, 'a1', a1);
    m.args[2] = checkNumber(call, 'a2', a2);
    m.args[3] = checkNumber(call, 'a3', a3);
    return m;
  }

  spawn(kind: number, x: number, y: number): Entity | -1 {
    if (!this.core.deeds.isOpen) refuse('spawn', 'its time', 'later', WITHIN);
    checkIndex('spawn', 'kind', kind, this.game.kinds);
    if (kind === PLAYER_KIND) refuse('spawn', 'kind', kind, 'another one: players come by their sessions');
    checkFinite('spawn', 'x', x);
    checkFinite('spawn', 'y', y);
    return spawn(this.core, kind, x, y);
  }

  despawn(e: Entity): boolean {
    const { core } = this;
    this.mine(e, 'despawn');
    if (core.kind(e) === PLAYER_KIND)
      refuse('despawn', 'entity', 'a player', 'none: players leave by their sessions');
    for (let k = 0; k < LIMITS.itemKinds; k++) {
      if (core.arena.u32[(core.arena.cold(e) + COLD.items + k * 4) >> 2] !== 0) return false;
    }
    if (core.isFreed(e)) return true;
    if (!this.mail.isQuiet(e)) return false;
    core.touch(e); // it is never made again
    core.writeHot(e);
    tagFreed(core.arena, e, core.options.incarnation, core.tick);
    core.freed.add(e);
    core.deeds.did(core.wasFreed, e);
    return true;
  }

  keep(e: Entity): void {
    this.mine(e, 'keep');
    if (this.core.owned.has(e)) this.core.touch(e);
  }

  sleep(e: Entity): void {
    const { core } = this;
    this.mine(e, 'sleep');
    if (core.kind(e) !== PLAYER_KIND && core.owned.has(e) && this.mail.isQuiet(e)) core.sleep(e);
  }

  find(id: number): Entity | -1 {
    checkId('find', 'id', id);
    return this.core.find(id);
  }

  near(x: number, y: number, radius: number): Near {
    checkFinite('near', 'x', x);
    checkFinite('near', 'y', y);
    if (typeof radius !== 'number' || !(radius >= 0 && radius <= MAX_RADIUS_M))
      refuse('near', 'radius', radius, `0…${MAX_RADIUS_M} m`);
    return this.neighbourhood.query(wrapX(x), clampY(y), radius);
  }

  emit(e: Entity, eventKind: number, bytes: Uint8Array, length: number): void {
    this.mine(e, 'emit');
    checkEvent(this.core.game, eventKind, bytes, length);
    this.events.add(this.core.id(e), eventKind, this.x(e), this.y(e), bytes, length);
  }

  random(e: Entity): number {
    this.here(e, 'random');
    const isFirst = this.randomTick[e] !== this.core.tick;
    // What is undone has drawn nothing: the draws that follow are those that would have been.
    if (isFirst) this.core.deeds.note(this.randomTickList, e);
    else this.core.deeds.note(this.randomCallList, e);
    const call = isFirst ? 0 : this.randomCall[e]! + 1;
    this.randomTick[e] = this.core.tick;
    this.randomCall[e] = call;
    const id = this.core.id(e);
    return (
      hash2(hash2(this.core.options.worldSeed ^ id, (id / 4294967296) | 0), hash2(this.core.tick, call)) /
      4294967296
    );
  }

  defer(e: Entity, job: string, input: unknown): boolean {
    this.mine(e, 'defer');
    return this.jobs.defer(this.core.id(e), job, input);
  }
}

/** The World facade over a FakePlanet, as one of its shards sees it: it touches only its own entities (I1). */
import assert from 'node:assert/strict';
import { hash2 } from '../../src/base/random.js';
import { clampY, dx as shortestDx, wrapX } from '../../src/geo/world.js';
import {
  type Column,
  type ColumnType,
  type Entity,
  type Near,
  OUTCOME,
  type World,
} from '../../src/world/facade.js';
import type { FakeEntity, FakePlanet, Letter } from './fake-planet.js';

const MAX_STACK = 2 ** 31 - 1;

/** What fits the column's type, as a typed array would store it. */
const NARROW: Readonly<
  Record<
    ColumnType,
    Float64Array | Float32Array | Int32Array | Uint32Array | Int16Array | Uint16Array | Int8Array | Uint8Array
  >
> = {
  f64: new Float64Array(1),
  f32: new Float32Array(1),
  i32: new Int32Array(1),
  u32: new Uint32Array(1),
  i16: new Int16Array(1),
  u16: new Uint16Array(1),
  i8: new Int8Array(1),
  u8: new Uint8Array(1),
};

export class FakeWorld implements World {
  readonly columns: Record<string, Column> = {};
  private calls = 0;
  private found: { id: number; x: number; y: number; kind: number }[] = [];
  /** One object for every query, as in production: game code that keeps it sees another query's answer. */
  private readonly result: Near;

  constructor(
    private readonly planet: FakePlanet,
    private readonly shard: number,
  ) {
    const at = (i: number) => this.found[i]!;
    const count = () => this.found.length;
    this.result = {
      get count() {
        return count();
      },
      id: (i) => at(i).id,
      x: (i) => at(i).x,
      y: (i) => at(i).y,
      kind: (i) => at(i).kind,
    };
    for (const { name, type } of planet.game.columns) {
      const cell = NARROW[type];
      this.columns[name] = {
        get: (e) => this.own(e).values.get(name) ?? 0,
        set: (e, value) => {
          cell[0] = value;
          this.own(e).values.set(name, cell[0]!);
        },
      };
    }
  }

  get tick() {
    return this.planet.tick;
  }
  get dt() {
    return this.planet.dt;
  }
  get game() {
    return this.planet.game;
  }

  private own(e: Entity): FakeEntity {
    const entity = this.planet.entities[e];
    assert(entity, `no entity ${e}`);
    assert.equal(entity.shard, this.shard, 'I1: game code touches what its shard owns');
    assert(!entity.dead, 'game code touches living entities');
    return entity;
  }

  column(name: string): Column {
    assert(this.columns[name], `no column ${name}`);
    return this.columns[name];
  }
  id(e: Entity) {
    return this.own(e).id;
  }
  kind(e: Entity) {
    return this.own(e).kind;
  }
  x(e: Entity) {
    return this.own(e).x;
  }
  y(e: Entity) {
    return this.own(e).y;
  }
  vx(e: Entity) {
    return this.own(e).vx;
  }
  vy(e: Entity) {
    return this.own(e).vy;
  }
  heading(e: Entity) {
    return this.own(e).heading;
  }
  online(e: Entity) {
    return this.own(e).online;
  }
  lasting(e: Entity) {
    return this.own(e).lasting;
  }
  distance(e: Entity, x: number, y: number) {
    return Math.hypot(shortestDx(this.x(e), x), y - this.y(e));
  }
  bearing(e: Entity, x: number, y: number) {
    return Math.atan2(y - this.y(e), shortestDx(this.x(e), x));
  }

  move(e: Entity, dx: number, dy: number) {
    const entity = this.own(e);
    assert(Number.isFinite(dx) && Number.isFinite(dy), 'I11: moves are finite');
    entity.x = wrapX(entity.x + dx);
    entity.y = clampY(entity.y + dy);
  }
  setVelocity(e: Entity, vx: number, vy: number) {
    Object.assign(this.own(e), { vx: Math.fround(vx), vy: Math.fround(vy) });
  }
  setHeading(e: Entity, radians: number) {
    this.own(e).heading = Math.fround(radians);
  }

  items(e: Entity, itemKind: number) {
    const count = this.own(e).items[itemKind];
    assert(count !== undefined, `no item kind ${itemKind}`);
    return count;
  }
  createItems(e: Entity, itemKind: number, count: number) {
    checkCount(count);
    if (this.items(e, itemKind) + count > MAX_STACK) return false;
    this.own(e).items[itemKind]! += count;
    this.planet.created[itemKind]! += count;
    return true;
  }
  consumeItems(e: Entity, itemKind: number, count: number) {
    checkCount(count);
    if (this.items(e, itemKind) < count) return false;
    this.own(e).items[itemKind]! -= count;
    this.planet.consumed[itemKind]! += count;
    return true;
  }
  give(from: Entity, toId: number, itemKind: number, count: number, note = 0) {
    checkCount(count);
    if (this.items(from, itemKind) < count) return OUTCOME.NOT_ENOUGH;
    const letter = {
      source: this.id(from),
      target: toId,
      kind: 0,
      itemKind,
      itemCount: count,
      args: Float64Array.of(note, 0, 0, 0),
    };
    // Out of the bag first: the target may be told, and act on it, before this returns.
    const bag = this.own(from).items;
    bag[itemKind]! -= count;
    const outcome = this.find(toId) >= 0 ? this.planet.receive(letter) : this.postOrFull(letter);
    if (outcome !== OUTCOME.APPLIED) bag[itemKind]! += count;
    return outcome;
  }
  send(from: Entity, target: number, kind: number, ...args: number[]) {
    const definition = this.planet.message(kind);
    assert(definition, `no message of kind ${kind}`);
    const letter = {
      source: this.id(from),
      target,
      kind,
      itemKind: 255,
      itemCount: 0,
      args: new Float64Array(4),
    };
    letter.args.set(args);
    return this.planet.post(letter) ? OUTCOME.APPLIED : OUTCOME.OUTBOX_FULL;
  }
  private postOrFull(letter: Letter) {
    if (this.planet.byId(letter.target) < 0) return OUTCOME.TARGET_GONE;
    return this.planet.post(letter) ? OUTCOME.APPLIED : OUTCOME.OUTBOX_FULL;
  }
  sendLossy() {}

  spawn(kind: number, x: number, y: number): Entity | -1 {
    const { planet } = this;
    if (planet.entities.filter((e) => !e.dead).length >= planet.capacity) return -1;
    const entity = planet.add(kind, wrapX(x), clampY(y));
    // The shard that spawns owns it until the end of the tick.
    planet.entities[entity]!.shard = this.shard;
    return entity;
  }
  keep(): void {}

  despawn(e: Entity) {
    const entity = this.own(e);
    if (entity.items.some((count) => count > 0) || entity.outbox.length > 0) return false;
    entity.dead = true;
    return true;
  }
  /** Every step is made here: those of who sleeps must change nothing. */
  sleep(_e: Entity) {}
  find(id: number): Entity | -1 {
    const entity = this.planet.byId(id);
    return entity >= 0 && this.planet.entities[entity]!.shard === this.shard ? entity : -1;
  }
  near(x: number, y: number, radius: number): Near {
    this.found = this.planet.seen.filter((e) => Math.hypot(shortestDx(x, e.x), e.y - y) <= radius);
    return this.result;
  }
  emit(e: Entity, kind: number, bytes: Uint8Array, length: number) {
    this.planet.emitted.push({
      id: this.id(e),
      kind,
      bytes: bytes.slice(0, length),
      text: new TextDecoder().decode(bytes.slice(0, length)),
    });
  }
  random(e: Entity) {
    return hash2(hash2(this.id(e), this.tick), this.calls++) / 2 ** 32;
  }
  restartRandom() {
    this.calls = 0;
  }
  defer() {
    return false;
  }
}

function checkCount(count: number) {
  assert(Number.isInteger(count) && count > 0, 'I2: items are counted in whole numbers above 0');
}

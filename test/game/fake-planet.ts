/**
 * A planet in one object for tests of game code: entities as plain objects, shards as ranges of x, mail that takes a
 * tick each way, everything in a fixed order. Contract: the same calls give the same world; no faults, no memory layout.
 */
import assert from 'node:assert/strict';
import { encodePayload } from '../../src/base/payload.js';
import { hash2, seededRandom } from '../../src/base/random.js';
import { type GameModule, OUTCOME, type TileArea } from '../../src/world/facade.js';
import { type CompiledGame, compileGame } from '../../src/world/game.js';
import { FakeWorld } from './fake-world.js';

export const OUTBOX_PLACES = 8;

export interface FakeEntity {
  readonly id: number;
  readonly kind: number;
  shard: number;
  x: number;
  y: number;
  vx: number;
  vy: number;
  heading: number;
  online: boolean;
  /** Belongs to an account. */
  lasting: boolean;
  dead: boolean;
  /** Shown to nobody. */
  hidden?: boolean;
  readonly values: Map<string, number>;
  readonly items: number[];
  readonly outbox: Letter[];
}

export interface Letter {
  readonly source: number;
  readonly target: number;
  /** 0 = transfer of items. */
  readonly kind: number;
  readonly itemKind: number;
  readonly itemCount: number;
  readonly args: Float64Array;
}

export interface Emitted {
  readonly id: number;
  readonly kind: number;
  readonly text: string;
  readonly bytes: Uint8Array;
}

export class FakePlanet {
  readonly game: CompiledGame;
  /** Index = the Entity that game code holds. */
  readonly entities: FakeEntity[] = [];
  readonly created: number[];
  readonly consumed: number[];
  readonly emitted: Emitted[] = [];
  /** Where everybody was after the last tick, by id. */
  seen: { id: number; x: number; y: number; kind: number }[] = [];
  tick = 0;
  readonly dt = 0.05;
  /** `spawn` answers −1 beyond this. */
  capacity = Infinity;
  private readonly worlds: FakeWorld[];

  /** @param borders ascending x; shard i lies west of borders[i] */
  constructor(
    module: unknown,
    private readonly borders: readonly number[] = [],
  ) {
    this.game = compileGame(module, 'test');
    this.created = this.game.items.map(() => 0);
    this.consumed = this.game.items.map(() => 0);
    this.worlds = [...borders, Infinity].map((_, shard) => new FakeWorld(this, shard));
    for (const world of this.worlds) this.module.setup?.(world);
  }

  get module(): GameModule {
    return this.game.module;
  }

  shardAt(x: number): number {
    const shard = this.borders.findIndex((border) => x < border);
    return shard < 0 ? this.borders.length : shard;
  }

  world(entity: number): FakeWorld {
    return this.worlds[this.entities[entity]!.shard]!;
  }

  /** A new entity as of now; players get what the game gives them. */
  add(kind: number, x: number, y: number): number {
    const entity = this.entities.length;
    this.entities.push({
      id: 1000 + entity,
      kind,
      shard: this.shardAt(x),
      x,
      y,
      vx: 0,
      vy: 0,
      heading: 0,
      online: kind === 0,
      lasting: false,
      dead: false,
      values: new Map(),
      items: this.game.items.map(() => 0),
      outbox: [],
    });
    if (kind === 0) this.module.spawnPlayer?.(this.world(entity), entity);
    return entity;
  }

  id(entity: number): number {
    return this.entities[entity]!.id;
  }

  byId(id: number): number {
    const entity = id - 1000;
    const found = this.entities[entity];
    return found === undefined || found.dead ? -1 : entity;
  }

  /** Does an action with the bytes that a client would send. @returns its outcome */
  act(entity: number, name: string, values?: string | Record<string, number>): number {
    const action = this.game.actions.find((a) => a.name === name);
    assert(action, `the game has an action ${name}`);
    return this.actBytes(entity, name, encodePayload(action.decoder.shape, values));
  }

  actBytes(entity: number, name: string, bytes: Uint8Array): number {
    const action = this.game.actions.find((a) => a.name === name)!;
    const refused = action.decoder.decode(bytes, 0, bytes.length);
    const world = this.world(entity);
    world.restartRandom();
    return refused !== OUTCOME.APPLIED ? refused : action.apply(world, entity, action.decoder.payload);
  }

  populate(area: TileArea, seed: number): void {
    const world = this.worlds[this.shardAt(area.west)]!;
    this.module.populate?.(world, area, seededRandom(hash2(seed, area.x)));
  }

  /** Mail, steps, removals, handovers, view. */
  run(ticks = 1): void {
    for (let i = 0; i < ticks; i++) {
      this.tick++;
      this.deliver();
      const present = this.entities.length;
      for (let entity = 0; entity < present; entity++) {
        if (this.entities[entity]!.dead) continue;
        const world = this.world(entity);
        world.restartRandom();
        this.module.step(world, entity);
      }
      for (const entity of this.entities) entity.shard = this.shardAt(entity.x);
      this.look();
    }
  }

  /** Publishes where everybody is. */
  look(): void {
    this.seen = this.entities
      .filter((e) => !e.dead && !e.hidden)
      .map(({ id, x, y, kind }) => ({ id, x, y, kind }));
  }

  /** Sends across a border, escrow included. */
  post(letter: Letter): boolean {
    const source = this.entities[this.byId(letter.source)]!;
    if (source.outbox.length === OUTBOX_PLACES) return false;
    source.outbox.push(letter);
    return true;
  }

  /** Every letter arrives in the tick after it was sent, and is answered. */
  private deliver(): void {
    const waiting = this.entities.flatMap((e) => e.outbox.splice(0));
    for (const letter of waiting) {
      const source = this.byId(letter.source);
      const answer = this.receive(letter);
      const from = this.entities[source]!;
      if (letter.kind !== 0)
        this.message(letter.kind)?.answered?.(this.world(source), source, letter, answer);
      else if (answer !== OUTCOME.APPLIED) this.returnTo(from, source, letter, answer);
    }
  }

  private returnTo(from: FakeEntity, source: number, letter: Letter, answer: number): void {
    const { itemKind, itemCount, target } = letter;
    from.items[itemKind]! += itemCount;
    this.module.returned?.(this.world(source), source, itemKind, itemCount, target, answer);
  }

  receive(letter: Letter): number {
    const target = this.byId(letter.target);
    if (target < 0) return OUTCOME.TARGET_GONE;
    const world = this.world(target);
    if (letter.kind !== 0) return this.message(letter.kind)!.receive(world, target, letter);
    const { itemKind, itemCount, source } = letter;
    const refused = this.module.mayReceive?.(world, target, itemKind, itemCount, source) ?? OUTCOME.APPLIED;
    if (refused !== OUTCOME.APPLIED) return refused;
    this.entities[target]!.items[itemKind]! += itemCount;
    this.module.received?.(world, target, itemKind, itemCount, source, letter.args[0]!);
    return refused;
  }

  message(kind: number) {
    return this.game.message(kind);
  }

  /** Items of a kind in all bags and all outboxes. */
  total(itemKind: number): number {
    let sum = 0;
    for (const { items, outbox } of this.entities) {
      sum += items[itemKind]!;
      for (const letter of outbox)
        if (letter.kind === 0 && letter.itemKind === itemKind) sum += letter.itemCount;
    }
    return sum;
  }

  /** I2: what is there is what was made less what was destroyed, and nobody owes anything. */
  checkConserved(): void {
    this.game.items.forEach((name, item) => {
      assert.equal(this.total(item), this.created[item]! - this.consumed[item]!, `I2: ${name} conserved`);
    });
    for (const { id, items, dead } of this.entities) {
      assert(
        items.every((count) => count >= 0),
        `I2: bag of ${id} owes nothing`,
      );
      assert(!dead || items.every((count) => count === 0), `I2: ${id} left with an empty bag`);
    }
  }
}

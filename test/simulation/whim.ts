/**
 * The game throws: at drawn moments one of its calls, whichever it is, does its work, does more, and then throws. What the
 * shard that ran it knows and owns is compared before and after: nothing may be left of it.
 */
import { createHash } from 'node:crypto';
import { LIMITS } from '../../src/base/limits.js';
import type { Random } from '../../src/base/random.js';
import { EVENT, ITEM, KIND } from '../../src/game/constants.js';
import { FLAG } from '../../src/memory/player.js';
import { COLD_BYTES, HOT, HOT_BYTES } from '../../src/memory/record.js';
import type { SharedWorld } from '../../src/memory/shared-world.js';
import type { Shard } from '../../src/shard/tick.js';
import type { Entity, GameModule, World } from '../../src/world/facade.js';
import { fail } from './fail.js';

const WORDS = new Uint8Array(8);
const REACH_M = 40;

type Call = (world: World, entity: Entity, ...rest: never[]) => unknown;

export class Whim {
  /** Deeds of the running shard until one throws; −1 = none does. */
  left = -1;
  /** Calls that have thrown, and which ones. */
  thrown = 0;
  readonly hooks = new Set<string>();
  /** Whether steps, of which there are most, are left in peace. */
  private sparesSteps = false;
  /** Calls within the deed that go well before one throws, if there is another one. */
  private passes = 0;
  /** Content, which is seldom made, throws as well; and who says what stood before it. */
  private spoilsContent = false;
  private look: () => string = () => '';
  /** Deeds within each other. */
  private depth = 0;
  /** Of the deed that has begun and is to throw: the state before it, and how deep it is. */
  private before: string | null = null;
  private at = 0;
  /** Whose step it is, −1 = nobody's. */
  private own = -1;
  private hasThrown = false;

  /** A turn of a shard begins in which a call throws. */
  draw(random: Random): void {
    this.sparesSteps = random.int(2) === 0;
    this.passes = random.int(3) === 0 ? 1 : 0;
    this.begin(random.int(this.sparesSteps ? 4 : 20));
    this.spoilsContent = random.int(2) === 0;
  }

  /** A turn of a shard begins, or ends, wherever it ends. @param left deeds until one throws, −1 = none does */
  begin(left: number): void {
    Object.assign(this, { left, before: null, hasThrown: false, depth: 0, spoilsContent: false });
  }

  /** Another thread runs in the middle of a turn. */
  aside(work: () => void): void {
    const { left, before, hasThrown, depth, at, own } = this;
    this.begin(-1);
    work();
    Object.assign(this, { left, before, hasThrown, depth, at, own });
  }

  /** Compares what a shard owns at the end of each undo with what it owned when the deed began. */
  follow(shard: Shard, world: SharedWorld): void {
    const { deeds } = shard.core;
    const { open, openStep, keep, undo, undoStep } = deeds;
    const begin = (own: number) => {
      this.depth++;
      this.look = () => stateOf(shard, world, -1);
      if (own >= 0 && this.sparesSteps) return;
      if (this.left < 0 || this.left-- > 0) return;
      this.before = stateOf(shard, world, own);
      this.at = this.depth;
      this.own = own;
    };
    const end = () => {
      if (!this.hasThrown || this.depth >= this.at) return;
      const { before } = this;
      this.before = null;
      this.hasThrown = false;
      if (stateOf(shard, world, this.own) !== before)
        fail('I3', 'a call of the game that throws has left something behind');
    };
    deeds.open = () => {
      begin(-1);
      return open.call(deeds);
    };
    deeds.openStep = (slot, isFresh) => {
      begin(slot);
      openStep.call(deeds, slot, isFresh);
    };
    deeds.keep = () => {
      if (!this.hasThrown && this.depth === this.at) this.before = null; // there was nothing of the game's in it
      this.depth--;
      keep.call(deeds);
    };
    deeds.undo = (mark) => {
      undo.call(deeds, mark);
      end();
    };
    deeds.undoStep = (slot) => {
      undoStep.call(deeds, slot);
      end();
    };
  }

  /** The game whose calls may throw. */
  spoil(module: GameModule): GameModule {
    const spoilt = <F>(call: F, name: string): F =>
      call === undefined ? call : (this.spoilCall(call as Call, name) as F);
    const each = <T extends object>(
      table: Readonly<Record<string, T>> | undefined,
      names: readonly string[],
    ) =>
      Object.fromEntries(
        Object.entries(table ?? {}).map(([name, entry]) => {
          const calls = names.map((call) => [call, spoilt((entry as Record<string, unknown>)[call], call)]);
          return [name, { ...entry, ...Object.fromEntries(calls.filter(([, call]) => call !== undefined)) }];
        }),
      ) as Record<string, T>;
    const hooks = ['spawnPlayer', 'mayReceive', 'received', 'returned', 'step', 'jobDone'] as const;
    const own = hooks
      .map((name) => [name, spoilt(module[name], name)])
      .filter(([, call]) => call !== undefined);
    const { populate } = module;
    return {
      ...module,
      ...Object.fromEntries(own),
      actions: each(module.actions, ['apply']),
      messages: each(module.messages, ['receive', 'answered']),
      populate: (world, area, random) => {
        if (this.spoilsContent && this.before === null && !this.hasThrown)
          Object.assign(this, { before: this.look(), at: this.depth, own: -1, passes: 0 });
        populate?.(world, area, random);
        this.stumble('populate', world, -1, area.west + 1, area.south + 1);
      },
    };
  }

  private spoilCall(call: Call, name: string): Call {
    return (world, entity, ...rest) => {
      const x = world.x(entity);
      const y = world.y(entity);
      const answer = call(world, entity, ...rest);
      this.stumble(name, world, entity, x, y);
      return answer;
    };
  }

  private stumble(name: string, world: World, entity: Entity | -1, x: number, y: number): void {
    if (this.before === null || this.hasThrown || this.passes-- > 0) return;
    this.hasThrown = true;
    this.thrown++;
    this.hooks.add(name);
    const pile = world.spawn(KIND.pile, x, y);
    if (pile >= 0) world.createItems(pile, ITEM.berry, 3);
    if (entity >= 0) meddle(world, entity, pile, x, y);
    throw new Error('stumbled');
  }
}

/** As much as a game can do. */
function meddle(world: World, entity: Entity, pile: Entity | -1, x: number, y: number): void {
  world.createItems(entity, ITEM.berry, 2);
  world.move(entity, 1, -1);
  world.emit(entity, EVENT.speech, WORDS, 8);
  world.random(entity);
  if (pile >= 0) world.give(entity, world.id(pile), ITEM.berry, 1);
  const near = world.near(x, y, REACH_M);
  for (let i = 0; i < near.count && i < 4; i++) {
    if (near.id(i) === world.id(entity)) continue;
    world.give(entity, near.id(i), ITEM.berry, 1);
    world.send(entity, near.id(i), 1);
  }
  world.despawn(entity);
}

/**
 * All that a deed can change: records and books of a shard in the middle of its tick, and what it means to say.
 * @param own of whose step it is the flags of rest are left out: after an undo they are set right by the shard (step.ts)
 */
function stateOf(shard: Shard, { arena, bags, transfers }: SharedWorld, own: number): string {
  const { core } = shard;
  const hash = createHash('sha1');
  const facts: unknown[] = [];
  const { owned } = core;
  for (let i = 0; i < owned.count; i++) {
    const slot = owned.slots[i]!;
    facts.push(slot, core.id(slot), core.isFreed(slot));
    const hot = arena.u8.slice(arena.hot(slot), arena.hot(slot) + HOT_BYTES);
    if (slot === own) new Uint16Array(hot.buffer)[HOT.flags >> 1]! &= ~(FLAG.RESTED | FLAG.ASLEEP);
    hash.update(hot);
    hash.update(arena.u8.slice(arena.cold(slot), arena.cold(slot) + COLD_BYTES));
    facts.push(...bags.u32.slice(slot * LIMITS.itemKinds, (slot + 1) * LIMITS.itemKinds));
  }
  const inner = shard as unknown as Record<string, Record<string, unknown>>;
  const { wanted, wantedBytes } = inner['jobs'] as unknown as { wanted: unknown[]; wantedBytes: number };
  const { count: letters } = inner['mail']!['out'] as { count: number };
  const { count: events } = inner['frames']!['events'] as { count: number };
  facts.push(wanted.length, wantedBytes, letters, events, core.roomForGame, transfers[core.shard]!.written);
  facts.push(core.created.count, core.freed.count, core.createdById.size);
  facts.push(...core.itemsCreated, ...core.itemsConsumed, ...core.ledger.books);
  return hash.update(JSON.stringify(facts)).digest('hex');
}

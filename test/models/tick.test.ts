/**
 * Exhaustive model of the tick as a transaction: a shard moves one item a tick between two bags, creates one, decides
 * one action, and may die anywhere, twice, its replacements and their recovery included; a gateway refills the
 * inbox meanwhile. Driven are the generators of src/memory/undo.ts and shard-block.ts.
 */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { Arena } from '../../src/memory/arena.js';
import { Inboxes, LEAVING, PLACE, packWriter } from '../../src/memory/inbox.js';
import { COLD, HOT } from '../../src/memory/record.js';
import { ShardBlock } from '../../src/memory/shard-block.js';
import type { Steps } from '../../src/memory/steps.js';
import { type Part, beginSteps, coldPart, hotPart, restoreSteps } from '../../src/memory/undo.js';
import { type Actor, type Scenario, type Script, holds, isCaught } from './explore.js';

const TICKS = 2;
const ITEMS = 10;
const NOTHING = new Uint8Array(0);

/** What a model is made of, so that a planted bug can replace one part. */
const production = {
  begin: beginSteps,
  restore: restoreSteps,
  commit: (block: ShardBlock, tick: number, created: Float64Array, consumed: Float64Array): Steps<void> =>
    block.commitSteps(tick, created, consumed),
  headAfterCommit: true,
};
type Protocol = typeof production;

/** Copies in three pieces: enough for a death in the middle of a copy. */
const stride = (part: Part) => Math.ceil(part.words / 3);

/** The planet of the model: slot 0 gives an item a tick to slot 1; slot 0 drains its inbox. */
class Planet {
  readonly arena = Arena.create(2);
  readonly inboxes = Inboxes.create(1, 1);
  readonly block = ShardBlock.create();
  readonly hot = hotPart(this.arena, 0);
  readonly cold0 = coldPart(this.arena, 0);
  readonly cold1 = coldPart(this.arena, 1);
  readonly created = new Float64Array(LIMITS.itemKinds);
  readonly consumed = new Float64Array(LIMITS.itemKinds);

  constructor() {
    this.arena.u32[this.bag(0)] = ITEMS;
    this.inboxes.reset(0);
  }
  bag(slot: number): number {
    return (this.arena.cold(slot) + COLD.items) >> 2;
  }
  get head(): number {
    return (this.arena.hot(0) + HOT.inboxHead) >> 2;
  }
  get count(): number {
    return (this.arena.hot(0) + HOT.appliedCount) >> 2;
  }

  /** Throws unless everything is as it must be after tick k. */
  checkAt(k: number): void {
    const { arena, block } = this;
    const bags = `${arena.u32[this.bag(0)]} + ${arena.u32[this.bag(1)]}`;
    if (bags !== `${ITEMS - k} + ${2 * k}`) throw new Error(`I2: bags ${bags} after tick ${k}`);
    if (arena.i32[this.head] !== k) throw new Error(`I3: inbox head ${arena.i32[this.head]} after tick ${k}`);
    if (arena.u32[this.count] !== k) throw new Error(`I3: ${arena.u32[this.count]} actions after tick ${k}`);
    const created = new Float64Array(LIMITS.itemKinds);
    if (block.totals(created, new Float64Array(LIMITS.itemKinds)) !== k)
      throw new Error('the wrong tick is committed');
    if (created[0] !== k) throw new Error(`I2: ${created[0]} created after tick ${k}`);
  }
}

/** One run of the model: shards that tick, replacements that restore, a gateway that refills the inbox. */
class Run implements Scenario {
  readonly actors: Actor[];
  private readonly planet = new Planet();
  private incarnation = 1;
  /** Incarnations that the next replacement has to take back: one that died in its own recovery adds to them. */
  private dead: number[] = [];
  private recovered = 1;

  constructor(
    private readonly p: Protocol,
    private readonly withGateway: boolean,
  ) {
    this.actors = [{ name: 'shard', run: this.shard(1), mortal: true }];
    if (withGateway) this.actors.push({ name: 'gateway', run: this.gateway() });
  }

  died(): Actor[] {
    if (this.recovered === this.incarnation) this.dead = [];
    this.dead = [...this.dead, this.incarnation];
    const mine = ++this.incarnation;
    return [{ name: `replacement ${mine}`, run: this.replacement(mine, this.dead), mortal: true }];
  }
  check(): void {
    const { inboxes, block } = this.planet;
    if (inboxes.head(0) > block.committedTick) throw new Error('I3: a head is shown that is not committed');
  }
  finish(): void {
    this.planet.checkAt(TICKS);
  }

  private *tick(mine: number, k: number): Script {
    const { p, planet } = this;
    const { arena, inboxes, block, hot, cold0, cold1 } = planet;
    yield* p.begin(arena, hot, mine, k, stride(hot));
    if (this.withGateway) {
      yield () => inboxes.available(0, arena.i32[planet.head]) > 0;
      const action = inboxes.u32[(inboxes.entry(0, arena.i32[planet.head]) + PLACE.actionId) >> 2];
      if (action !== k) throw new Error(`I3: action ${action} in tick ${k}`);
    }
    yield;
    arena.i32[planet.head]++;
    if (!p.headAfterCommit) inboxes.publishHead(0, arena.i32[planet.head]);
    yield;
    arena.u32[planet.count]++;
    yield* p.begin(arena, cold0, mine, k, stride(cold0));
    yield;
    arena.u32[planet.bag(0)]--;
    yield* p.begin(arena, cold1, mine, k, stride(cold1));
    yield;
    arena.u32[planet.bag(1)]++;
    // A second write to the same record in the same tick: the copy must not be taken again.
    yield* p.begin(arena, cold1, mine, k, stride(cold1));
    yield;
    arena.u32[planet.bag(1)]++;
    planet.created[0]++;
    yield* p.commit(block, k, planet.created, planet.consumed);
    yield;
    if (p.headAfterCommit) inboxes.publishHead(0, arena.i32[planet.head]);
  }

  private *shard(mine: number): Script {
    for (let k = this.planet.block.committedTick + 1; k <= TICKS; k++) yield* this.tick(mine, k);
    yield;
  }

  private *replacement(mine: number, dead: readonly number[]): Script {
    const { p, planet } = this;
    const { arena, inboxes, block } = planet;
    const committed = block.committedTick;
    for (const gone of dead) {
      for (const part of [planet.hot, planet.cold0, planet.cold1]) {
        yield* p.restore(arena, part, gone, committed, stride(part));
      }
    }
    block.totals(planet.created, planet.consumed);
    planet.checkAt(committed);
    inboxes.publishHead(0, arena.i32[planet.head]);
    this.recovered = mine;
    yield* this.shard(mine);
  }

  private *gateway(): Script {
    const { inboxes } = this.planet;
    const mine = inboxes.claim(0, packWriter(0, LEAVING), 0);
    for (let action = 1; action <= TICKS; action++) {
      yield () => ((inboxes.tail(0) - inboxes.head(0)) | 0) < 1;
      inboxes.write(0, mine, 1, action, 1, NOTHING, 0);
    }
  }
}

function model(p: Protocol, withGateway: boolean): () => Scenario {
  return () => new Run(p, withGateway);
}

// ---------------------------------------------------------------------------------------------------------------------
// Broken variants.

function* tagBeforeCopy(arena: Arena, part: Part, incarnation: number, tick: number): Steps<void> {
  yield;
  if (arena.i32[part.tag + 1] === tick && arena.i32[part.tag] === incarnation) return;
  yield;
  arena.i32[part.tag] = incarnation;
  yield;
  Atomics.store(arena.i32, part.tag + 1, tick);
  yield;
  arena.i32.copyWithin(part.undo, part.state, part.state + part.words);
}

function* copyEveryTime(arena: Arena, part: Part, incarnation: number, tick: number): Steps<void> {
  yield;
  arena.i32.copyWithin(part.undo, part.state, part.state + part.words);
  yield;
  arena.i32[part.tag] = incarnation;
  yield;
  Atomics.store(arena.i32, part.tag + 1, tick);
}

function* restoreClearingFirst(arena: Arena, part: Part, dead: number, committed: number): Steps<boolean> {
  yield;
  if (arena.i32[part.tag] !== dead || arena.i32[part.tag + 1] <= committed) return false;
  yield;
  Atomics.store(arena.i32, part.tag, 0);
  yield;
  arena.i32.copyWithin(part.state, part.undo, part.undo + part.words);
  return true;
}

function* restoreCommitted(
  arena: Arena,
  part: Part,
  dead: number,
  _committed: number,
  by: number,
): Steps<boolean> {
  return yield* restoreSteps(arena, part, dead, -1, by);
}

/** Words of the block, for planted bugs: committed; the two copies of the totals. */
const COMMITTED = 18;
const totalsAt = (block: ShardBlock) => new Float64Array(block.sab, 576, 66);

function* commitBeforeTotals(block: ShardBlock, tick: number, created: Float64Array): Steps<void> {
  yield;
  Atomics.store(new Int32Array(block.sab), COMMITTED, tick);
  yield;
  const copy = (tick & 1) * 33;
  totalsAt(block)[copy] = tick;
  totalsAt(block)[copy + 1] = created[0];
}

function* commitOneCopy(block: ShardBlock, tick: number, created: Float64Array): Steps<void> {
  yield;
  totalsAt(block)[1] = created[0];
  yield;
  Atomics.store(new Int32Array(block.sab), COMMITTED, tick);
}

t.test('a tick commits as a whole, whoever dies where', (t) => {
  const kills = { kills: 2 };
  holds(t, 'after every death the committed tick and nothing else', model(production, false), kills);
  isCaught(t, 'tag before copy', model({ ...production, begin: tagBeforeCopy }, false), kills);
  isCaught(t, 'copied again within a tick', model({ ...production, begin: copyEveryTime }, false), kills);
  isCaught(
    t,
    'restore: tag cleared first',
    model({ ...production, restore: restoreClearingFirst }, false),
    kills,
  );
  isCaught(
    t,
    'restore of what was committed',
    model({ ...production, restore: restoreCommitted }, false),
    kills,
  );
  isCaught(
    t,
    'committed before the totals',
    model({ ...production, commit: commitBeforeTotals }, false),
    kills,
  );
  isCaught(t, 'one copy of the totals', model({ ...production, commit: commitOneCopy }, false), kills);
  isCaught(
    t,
    'head advanced before the commit',
    model({ ...production, headAfterCommit: false }, false),
    kills,
  );
  t.end();
});

t.test('a gateway refills the inbox meanwhile', (t) => {
  holds(t, 'every action is decided in its tick', model(production, true), { kills: 1 });
  t.end();
});

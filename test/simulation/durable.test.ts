/**
 * Deaths of the whole process in the simulation: seeds with restarts pass, the same seed gives the same log, and bugs
 * that are planted on the way to the disk are found.
 */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { ANSWER, ANSWER_BYTES, COLD, OUTBOX, OUTBOX_BYTES } from '../../src/memory/record.js';
import { STORED_RECORD } from '../../src/memory/store-ring.js';
import type { Codec } from '../../src/store/codec.js';
import type { StoreCore, StoreParts } from '../../src/store/core.js';
import type { Shard } from '../../src/shard/tick.js';
import { CALM } from './faults.js';
import { Simulation } from './simulation.js';

const TICKS = 200;
/** State of an outbox place whose letter waits for its answer (mail.ts). */
const SENT = 2;

/** Every fault that matters here: restarts, stalls, a slow disk, players who go and come. */
function often(sim: Simulation): void {
  sim.mix = { ...sim.mix, crash: 0.02, stall: 0.04, goodbye: 0.004, killBetween: 0.01 };
  sim.node.disk.slowestMs = 200;
}

t.test('seeds with restarts pass; the same seed twice gives the same log', async (t) => {
  const sum = { crashes: 0, storeDeaths: 0, cuts: 0, unloads: 0 };
  for (const seed of [1, 2, 3, 34]) {
    const result = await new Simulation({ seed, ticks: TICKS, plant: often, isVolatile: false }).run();
    sum.crashes += result.crashes;
    sum.storeDeaths += result.storeDeaths;
    sum.cuts += result.cuts;
    sum.unloads += result.unloads;
    if (seed > 1) continue;
    t.equal(
      (await new Simulation({ seed, ticks: TICKS, plant: often, isVolatile: false }).run()).hash,
      result.hash,
      'twice',
    );
  }
  t.ok(sum.crashes > 5 && sum.cuts > 100, `${sum.crashes} restarts, ${sum.cuts} cuts compared`);
  t.ok(sum.storeDeaths > 2, `${sum.storeDeaths} of them in the middle of a turn of the store`);
  t.ok(sum.unloads > 0, `${sum.unloads} entities went to rest`);
});

t.test('a world in memory tells its store only of what rests, and that comes back whole', async (t) => {
  let unloads = 0;
  let loads = 0;
  let untold = 0;
  for (const seed of [4, 6, 13]) {
    // Far away tiles fall asleep: with what players have left there, and with nothing else.
    const mix = { ...CALM, far: 0.25, goodbye: 0.03, cut: 0.01, killBetween: 0.01 };
    const sim = new Simulation({ seed, ticks: 4 * TICKS, mix, isVolatile: true, planner: false });
    const result = await sim.run(); // items and logs are compared at its end
    unloads += result.unloads;
    loads += sim.node.store.residence.loads;
    untold += sim.players.filter(({ client }) => !isStored(sim, client.welcome?.entity)).length;
  }
  t.ok(unloads > 5 && loads > 0, `${unloads} went to rest, ${loads} came back`);
  t.ok(untold > 5, `${untold} players who stayed are not in the store`);
});

function isStored(sim: Simulation, entity = 0): boolean {
  return sim.node.disk.get('entities', entity) !== undefined;
}

interface Plant {
  /** Without the bug: the seed has to pass. */
  mix?: (sim: Simulation) => void;
  plant?: (sim: Simulation) => void;
  storeFault?: StoreParts['fault'];
}

/** What a seed breaks, null = nothing. */
async function breach(seed: number, { mix = often, plant = () => {}, storeFault }: Plant) {
  const planted = (sim: Simulation) => {
    mix(sim);
    plant(sim);
  };
  try {
    await new Simulation({ seed, ticks: TICKS, plant: planted, storeFault, isVolatile: false }).run();
    return null;
  } catch (error) {
    return String(error).replace(/^Error: /, '');
  }
}

async function isFound(
  t: { ok(value: unknown, message: string): unknown },
  bug: string,
  planted: Plant,
): Promise<void> {
  for (let seed = 1; seed <= 12; seed++) {
    const text = await breach(seed, planted);
    // A seed that breaks without the bug as well says nothing about it.
    if (text === null || (await breach(seed, { mix: planted.mix })) !== null) continue;
    t.ok(/^(AssertionError: )?I\d+/.test(text), `${bug}: seed ${seed}: ${text.slice(0, 120)}`);
    return;
  }
  t.ok(false, `${bug}: not found by twelve seeds`);
}

/** Changes every shard, those that are made later as well. */
function eachShard(sim: Simulation, change: (shard: Shard) => void): void {
  const { onBoot } = sim.node;
  sim.node.onBoot = (shard) => {
    onBoot(shard);
    change(shard);
  };
  for (const shard of sim.node.shards) change(shard);
}

/** Letters of an entity that are under way, by the byte offset of their places. */
function lettersOf({ core }: Shard, slot: number): number[] {
  const first = core.arena.cold(slot) + COLD.outbox;
  return Array.from({ length: LIMITS.outboxPlaces }, (_, p) => first + p * OUTBOX_BYTES).filter(
    (at) => core.arena.u8[at + OUTBOX.state] === SENT,
  );
}

/** Shards that lag and die, nothing else. */
function lagging(sim: Simulation): void {
  sim.mix = { ...CALM, stall: 0.3, killBetween: 0.1, reshape: 0.2 };
  sim.node.disk.slowestMs = 50;
}

/** Guests go while the disk is slow, and each time somebody asks for them: what the file has of them is old. */
function guestsGo(sim: Simulation): void {
  sim.mix = { ...CALM, goodbye: 0.03 };
  sim.node.disk.slowestMs = 500;
  const { shards } = sim.node;
  for (const { core } of shards) {
    const end = core.cut.end.bind(core.cut);
    core.cut.end = (slot) => {
      shards[(core.shard + 1) % shards.length]!.core.asking.want(core.id(slot));
      end(slot);
    };
  }
  const { residence } = sim.node.store;
  const load = residence.load.bind(residence);
  residence.load = (id, until) => {
    // A second fence that would hide the bug: who has gone counts as present until that is durable.
    const place = residence.active.get(id);
    if (sim.node.world.ids.lookup(id) < 0) residence.active.delete(id);
    const came = load(id, until);
    if (came !== 'here' && place !== undefined) residence.active.set(id, place);
    return came;
  };
}

/** The process dies again and again. */
function restarts(sim: Simulation): void {
  sim.mix = { ...CALM, crash: 0.03 };
  sim.node.disk.slowestMs = 100;
}

t.test('planted bugs on the way to the disk are found', async (t) => {
  await isFound(t, 'durable acknowledged before the flush', {
    plant: (sim) => {
      sim.node.disk.isHasty = true;
    },
  });
  await isFound(t, 'a cut that takes one shard further', { storeFault: 'runs-past-the-mark' });
  await isFound(t, 'the source forgets to push at handover', {
    mix: lagging,
    plant: (sim) =>
      eachShard(sim, ({ core }) => {
        const leave = core.cut.leave.bind(core.cut);
        core.cut.leave = (slot, parked) => !parked || leave(slot, parked);
      }),
  });
  await isFound(t, 'a replacement takes what is of a later tick', {
    mix: lagging,
    plant: (sim) =>
      eachShard(sim, ({ core }) => {
        core.givenTick = () => 0;
      }),
  });
});

/** New accounts come in groups, two clients at once among them, on a slow disk; the process dies now and then. */
function groups(sim: Simulation): void {
  sim.mix = { ...CALM, group: 0.1, overtake: 0.02, goodbye: 0.01, crash: 0.02 };
  sim.node.disk.slowestMs = 200;
}

t.test('planted bugs of accounts are found', async (t) => {
  await isFound(t, 'with what is durable, what came later is forgotten', {
    mix: groups,
    storeFault: 'forgets-what-waits',
  });
  await isFound(t, 'an account is written before its entity', {
    mix: groups,
    storeFault: 'writes-bindings-early',
  });
});

t.test('planted bugs of loads and letters are found', async (t) => {
  await isFound(t, 'the file before the newer write', { mix: guestsGo, storeFault: 'reads-the-file-first' });
  await isFound(t, 'a timeout takes an item back', {
    plant: (sim) => eachShard(sim, takesBackLate),
  });
  await isFound(t, 'an answer is forgotten before it is settled', {
    mix: restarts,
    plant: (sim) => {
      sim.node.onStore = forgetsAnswers;
    },
  });
});

/** The sender takes a letter for refused that has had no answer for three ticks. */
function takesBackLate(shard: Shard): void {
  const { mail, core } = shard as unknown as { mail: MailParts; core: Shard['core'] };
  const prepare = mail.prepare.bind(mail);
  mail.prepare = (source) => {
    for (const at of lettersOf(shard, source)) {
      if (core.tick - core.arena.i32[(at + OUTBOX.sentTick) >> 2]! !== 3) continue;
      core.writeCold(source);
      mail.conclude(source, at, 1);
      mail.free(source, at);
    }
    prepare(source);
  };
}

/** What comes from the disk has lost what it answered. */
function forgetsAnswers(store: StoreCore): void {
  const { codec } = store.residence as unknown as { codec: Codec };
  const decode = codec.decode.bind(codec);
  codec.decode = (bytes, record) => {
    const fault = decode(bytes, record);
    for (let p = 0; p < LIMITS.answerPlaces; p++)
      record.u8[STORED_RECORD.cold + COLD.answers + p * ANSWER_BYTES + ANSWER.used] = 0;
    return fault;
  };
}

/** What a bug in the mail has to get at. */
interface MailParts {
  prepare(source: number): void;
  conclude(source: number, at: number, answer: number): void;
  free(source: number, at: number): void;
}

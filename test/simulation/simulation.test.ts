/**
 * The simulation as a test: some seeds pass, the same seed gives the same log, and planted bugs are found. Bugs are
 * planted in the production objects of the simulation, not in its checks.
 */
import t from 'tap';
import { COLD, HOT, NOBODY, OWNER, packOwner } from '../../src/memory/record.js';
import { Simulation } from './simulation.js';

const TICKS = 300;

t.test('seeds pass; the same seed twice gives the same log, another seed another one', async (t) => {
  let deaths = 0;
  let handovers = 0;
  const hashes = new Set<string>();
  for (let seed = 1; seed <= 8; seed++) {
    const result = await new Simulation({ seed, ticks: TICKS }).run();
    deaths += result.deaths;
    handovers += result.handovers;
    hashes.add(result.hash);
    if (seed <= 2)
      t.equal((await new Simulation({ seed, ticks: TICKS }).run()).hash, result.hash, `seed ${seed} twice`);
  }
  t.equal(hashes.size, 8, 'eight different logs');
  t.ok(deaths > 20, `${deaths} deaths`);
  t.ok(handovers > 50, `${handovers} handovers`);
});

/** Runs seeds until one breaks with the given invariant. */
async function isFound(
  t: { ok(value: unknown, message: string): unknown },
  bug: string,
  plant: (sim: Simulation) => void,
): Promise<void> {
  for (let seed = 1; seed <= 12; seed++) {
    try {
      await new Simulation({ seed, ticks: TICKS, plant }).run();
    } catch (error) {
      t.ok(
        /^(AssertionError: )?I\d+/.test(String(error).replace(/^Error: /, '')),
        `${bug}: ${String(error).slice(0, 100)}`,
      );
      return;
    }
  }
  t.ok(false, `${bug}: not found by twelve seeds`);
}

t.test('planted bugs are found', async (t) => {
  await isFound(t, 'lost handover: the entity is let go, never offered', (sim) => {
    for (const shard of sim.node.shards) {
      const ring = sim.node.world.arrivals[shard.core.shard]!;
      for (const target of ring) {
        let n = 0;
        const commit = target.commit.bind(target);
        target.commit = () => (n++ % 3 === 2 ? undefined : commit());
      }
    }
  });
  await isFound(t, 'double owner: a shard keeps what it has handed over', (sim) => {
    for (const shard of sim.node.shards) {
      const { core } = shard;
      const letGo = core.letGo.bind(core);
      core.letGo = (slot) => {
        if (Atomics.load(core.arena.owner, slot) >>> 29 === OWNER.TRANSIT && sim.tick > 60) return;
        letGo(slot);
      };
    }
  });
  await isFound(t, 'item doubled: a gift is not taken out of the bag', (sim) => {
    const shard = sim.node.shards[0]!;
    const give = shard.facade.give.bind(shard.facade);
    shard.facade.give = (from, to, kind, count) => {
      const outcome = give(from, to, kind, count);
      if (outcome === 0)
        shard.core.arena.u32[(shard.core.arena.cold(from) + COLD.items + kind * 4) >> 2]! += count;
      return outcome;
    };
  });
  await isFound(t, 'action applied twice: the head stays where it is', (sim) => {
    for (const shard of sim.node.shards) {
      const { core } = shard;
      const add = core.drained.add.bind(core.drained);
      core.drained.add = (slot) => {
        add(slot);
        if (sim.tick % 7 === 0) core.arena.u32[(core.arena.hot(slot) + HOT.lastActionId) >> 2]! -= 1;
      };
    }
  });
});

t.test('more planted bugs are found', async (t) => {
  await isFound(t, 'action lost: an entry is passed over', (sim) => {
    for (const shard of sim.node.shards) {
      const { core } = shard;
      const add = core.drained.add.bind(core.drained);
      core.drained.add = (slot) => {
        add(slot);
        const at = (core.arena.hot(slot) + HOT.inboxHead) >> 2;
        if (sim.tick % 50 === 0 && core.arena.i32[at] !== sim.node.world.inboxes.tail(slot))
          core.arena.i32[at]! += 1;
        if (sim.tick % 50 === 1) core.arena.u32[(core.arena.hot(slot) + HOT.appliedCount) >> 2]! += 1;
      };
    }
  });
  await isFound(t, 'missed tick: an entity is passed by', (sim) => {
    const { core } = sim.node.shards[1]!;
    const foreign = core.foreign.add.bind(core.foreign);
    core.foreign.add = (slot) => {
      foreign(slot);
      if (sim.tick > 50) core.arena.i32[(core.arena.hot(slot) + HOT.stepCount) >> 2]! -= 1;
    };
  });
  await isFound(t, 'stale generation: a slot is given away twice', (sim) => {
    sim.node.world.ids.remove = () => true;
    const { core } = sim.node.shards[0]!;
    const take = core.slots.take.bind(core.slots);
    let last = -1;
    core.slots.take = () => {
      if (last >= 0 && sim.tick > 100) {
        Atomics.store(core.arena.owner, last, packOwner(OWNER.RESERVED, core.shard, NOBODY, 0));
        return last;
      }
      last = take();
      return last;
    };
  });
  await isFound(t, 'ghosts in the view: removals are not told', (sim) => {
    for (const shard of sim.node.shards) shard.core.onGone = () => {};
  });
});

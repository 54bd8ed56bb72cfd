/**
 * The simulation as a test: some seeds pass, the same seed gives the same log, and planted bugs are found. Bugs are
 * planted in the production objects of the simulation, not in its checks.
 */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import type { LeafLoad } from '../../src/control/load.js';
import { Draft } from '../../src/control/planner/draft.js';
import { formatTile, tileOfIndex } from '../../src/geo/address.js';
import {
  ANSWER,
  ANSWER_BYTES,
  COLD,
  HEADER,
  HOT,
  NOBODY,
  OUTBOX,
  OUTBOX_BYTES,
  OWNER,
  packOwner,
} from '../../src/memory/record.js';
import { REGRESSIONS } from './regressions.js';
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
  planner = false,
): Promise<void> {
  for (let seed = 1; seed <= 40; seed++) {
    try {
      // The same process from first to last: what is planted into it would end with it.
      const planted = (sim: Simulation) => {
        sim.mix = { ...sim.mix, crash: 0 };
        plant(sim);
      };
      await new Simulation({ seed, ticks: TICKS, plant: planted, planner }).run();
    } catch (error) {
      t.ok(
        /^(AssertionError: )?[IP]\d+/.test(String(error).replace(/^Error: /, '')),
        `${bug}: ${String(error).slice(0, 100)}`,
      );
      return;
    }
  }
  t.ok(false, `${bug}: not found by forty seeds`);
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
    for (const { core } of sim.node.shards) {
      const { passed } = core;
      const factorOf = core.factorOf.bind(core);
      core.factorOf = (slot) => {
        // As if it were slowed: its tick is noted, its step is not made.
        const isVictim = sim.tick > 50 && sim.tick % 40 === 0 && slot % 5 === 0;
        if (isVictim) passed[slot] = core.tick;
        return isVictim ? 0 : factorOf(slot);
      };
    }
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

/** Base tiles about the corner that are split now. */
function splitTiles(sim: Simulation): number[] {
  const { directory } = sim.node.world;
  const tiles: number[] = [];
  directory.forEachTaken((tile) => {
    if (directory.isSplit(tile)) tiles.push(tile);
  });
  return tiles;
}

t.test('planted bugs in changes of layout and in recovery are found', async (t) => {
  await isFound(t, 'split that forgets a child: nobody has it', (sim) => {
    const { directory } = sim.node.world;
    const split = directory.split.bind(directory);
    directory.split = (tile, path, depth, owner, owners) =>
      split(tile, path, depth, owner, [owners[0]!, owners[1]!, owners[2]!, NOBODY_YET]);
  });
  await isFound(t, 'merge during split: a change begins while another is under way', (sim) => {
    const { reshaper } = sim.node;
    const plan = reshaper as unknown as { pending: Map<number, number> };
    const split = reshaper.split.bind(reshaper);
    reshaper.split = (address, reason) => {
      const refused = split(address, reason);
      plan.pending.clear();
      return refused;
    };
    const began = sim.watch.began.bind(sim.watch);
    sim.watch.began = (tile) => {
      began(tile);
      // Somebody merges at once what has just been split.
      const before = sim.node.world.directory.version;
      for (const at of splitTiles(sim)) {
        const tile = tileOfIndex(at, LIMITS.baseTileLevel);
        reshaper.merge(formatTile(tile), 'bug');
        if (sim.node.world.directory.version !== before) began(at);
      }
    };
  });
  await isFound(t, 'undo copy not restored: a replacement goes on in the middle of a tick', (sim) => {
    const replace = sim.node.replace.bind(sim.node);
    sim.node.replace = (shard) => {
      const { arena } = sim.node.world;
      for (let slot = 0; slot < arena.capacity; slot++) {
        const h = arena.header(slot) >> 2;
        arena.i32[h + (HEADER.hotUndoIncarnation >> 2)] = 0;
        arena.i32[h + (HEADER.coldUndoIncarnation >> 2)] = 0;
      }
      replace(shard);
    };
  });
  await isFound(t, 'message answered twice: the answer is forgotten before it is settled', (sim) => {
    const runShard = sim.node.runShard.bind(sim.node);
    sim.node.runShard = (shard) => withoutMemory(sim, () => runShard(shard));
  });
});

/** What a directory takes for "shard −1": nobody. */
const NOBODY_YET = -1;

/** A shard runs as if no answer had been kept, while every message is sent once more; the books are left as they were. */
function withoutMemory(sim: Simulation, run: () => void): void {
  const { arena } = sim.node.world;
  const kept = new Map<number, number>();
  for (let slot = 0; slot < arena.capacity; slot++) {
    const cold = arena.cold(slot);
    for (let p = 0; p < LIMITS.answerPlaces; p++) {
      const at = cold + COLD.answers + p * ANSWER_BYTES + ANSWER.used;
      if (arena.u8[at] !== 0) kept.set(at, arena.u8[at]!);
      arena.u8[at] = 0;
    }
    for (let p = 0; p < LIMITS.outboxPlaces; p++)
      arena.i32[(cold + COLD.outbox + p * OUTBOX_BYTES + OUTBOX.sentTick) >> 2] = 0;
  }
  run();
  for (const [at, used] of kept) if (arena.u8[at] === 0) arena.u8[at] = used;
}

t.test('planted bugs of the planner are found', async (t) => {
  const isFoundOut = (bug: string, plant: (sim: Simulation) => void) => isFound(t, bug, plant, true);
  await isFoundOut('the dwell is ignored', (sim) => {
    sim.planner!.planned.limits.dwellS = 0;
  });
  await isFoundOut('four siblings are merged by their mean load', (sim) => {
    const { load } = sim.node.breathing!;
    const sample = load.sample.bind(load);
    load.sample = (also) => {
      const told = sample(also);
      const quarter = (leaf: LeafLoad) => ({ ...leaf, players: leaf.players / 4, busy: leaf.busy / 4 });
      const isChild = ({ tile }: LeafLoad) => tile.z > LIMITS.baseTileLevel;
      return { ...told, tiles: told.tiles.map((leaf) => (isChild(leaf) ? quarter(leaf) : leaf)) };
    };
  });
  await isFoundOut('nobody sees that threads wait for a core: the machine splits itself to death', (sim) => {
    const { load } = sim.node.breathing!;
    const sample = load.sample.bind(load);
    load.sample = (also) => {
      const told = sample(also);
      return { ...told, waiting: 0, shards: told.shards.map((shard) => ({ ...shard, waiting: 0 })) };
    };
  });
  await isFoundOut('what a leaf is served with is decided and never set', (sim) => {
    sim.node.world.directory.setService = () => true;
  });
  await isFoundOut('the thread of an empty shard does not end', (sim) => {
    sim.node.supervisor!.retire = () => true;
  });
  await isFoundOut(
    'what threads wait for is taken for our own doing: time slows beside a noisy neighbour',
    (sim) => {
      const { load } = sim.node.breathing!;
      const sample = load.sample.bind(load);
      load.sample = (also) => ({ ...sample(also), ownShare: 1 });
      sim.planner!.planned.neighbours.most = 8;
      sim.node.machine!.costs.playerMs = 0.7;
    },
  );
  const { movableLoad } = Draft.prototype;
  Draft.prototype.movableLoad = Draft.prototype.loadOf;
  await isFoundOut('a full machine splits for CPU time', () => {});
  Draft.prototype.movableLoad = movableLoad;
});

t.test('seeds that once broke something pass', async (t) => {
  for (const { seed, ticks, why, planner = false } of REGRESSIONS) {
    const { hash } = await new Simulation({ seed, ticks, planner }).run();
    t.ok(hash.length === 8, `seed ${seed}: ${why}`);
  }
});

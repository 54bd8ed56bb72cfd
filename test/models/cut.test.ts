/**
 * Exhaustive model of the durable cut with a handover and a death: production shards, store and memory. A player walks
 * over a border and gives a coin away in every tick; all orders of two shards over some ticks in which each may stand
 * still, a death of either between any two of them, or before any change of shared memory in the tick of the handover,
 * for two moments in which the cut is asked for. Every cut must add up; planted bugs are caught.
 */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { ITEM } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { FLAG } from '../../src/memory/player.js';
import { ownerOf } from '../../src/memory/record.js';
import type { Shard } from '../../src/shard/tick.js';
import type { StoreParts } from '../../src/store/core.js';
import { MapEngine } from '../../src/store/map-engine.js';
import { verifyData } from '../../src/store/verify.js';
import { type Kept, keep } from '../store/keeper.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const y = tile.south + 500;
/** Ticks from the first step to the one before the handover. */
const WALK_TICKS = 9;
/** A cut is asked for every four ticks: moments relative to the handover, those in which the planted bugs show first. */
const PHASES = [2, 1];
const ORDERS = [[0, 1], [1, 0], [0], [1]];
/** Ticks in which each shard may stand still. */
const WINDOW = 2;

interface Bug {
  storeFault?: StoreParts['fault'];
  shard?: (shard: Shard) => void;
}

/** A planet with a walker who is about to cross, and what its cuts did wrong. */
class Crossing {
  readonly faults: string[] = [];
  readonly kept: Kept;
  cuts = 0;
  private readonly walker;
  private readonly taker;

  constructor(bug: Bug) {
    this.kept = keep(game, new MapEngine(), { entities: 128 }, bug.storeFault);
    const { planet } = this.kept;
    const boot = planet.boot.bind(planet);
    if (bug.shard !== undefined) {
      const { start } = Object.getPrototypeOf(planet.shards[0]) as Shard;
      for (const shard of planet.shards) bug.shard(shard);
      planet.boot = (number, dead) =>
        withStart(planet.shards[0]!, start, bug.shard!, () => boot(number, dead));
    }
    planet.assign(tile.east - 50, y, 0);
    planet.assign(tile.east + 50, y, 1);
    this.taker = planet.join(tile.east - 0.2, y, FLAG.NEW | FLAG.ACCOUNT);
    this.walker = planet.join(tile.east - 1, y, FLAG.NEW | FLAG.ACCOUNT);
  }

  async begin(phase: number): Promise<void> {
    const { planet } = this.kept;
    for (let i = 0; i < 6 + phase; i++) await this.tick([0, 1]);
    planet.act(this.walker, 'walk', { heading: 0, speed: 6, seconds: 1 });
    for (let i = 0; i < WALK_TICKS; i++) await this.tick([0, 1]);
  }

  give(): void {
    const values = { target: this.taker.id, item: ITEM.coin, count: 1 };
    this.kept.planet.act(this.walker, 'give', values);
  }

  async tick(order: readonly number[]): Promise<void> {
    this.kept.planet.step(order);
    await this.look();
  }

  async look(): Promise<void> {
    const { store, engine } = this.kept;
    store.poll();
    if (store.cuts.figures.cuts === this.cuts) return;
    this.cuts = store.cuts.figures.cuts;
    this.faults.push(...(await verifyData(engine, 'the model')).faults);
  }

  /** Faults of the cuts; and of the model, if it did not do what it is about. */
  async end(): Promise<void> {
    const { planet } = this.kept;
    const before = this.cuts;
    for (let i = 0; i < 10; i++) await this.tick([0, 1]);
    if (planet.items(this.taker.slot, ITEM.coin) < 11) this.faults.push('model: no coin was given');
    if (ownerOf(planet.world.arena.owner[this.walker.slot]!) !== 1) this.faults.push('model: nobody crossed');
    if (this.cuts === before) this.faults.push('no cut is made any more');
  }
}

/** A replacement has the bug from before its start. */
function withStart(like: Shard, start: Shard['start'], bug: (shard: Shard) => void, boot: () => void): void {
  const prototype = Object.getPrototypeOf(like) as Shard;
  prototype.start = function (this: Shard, dead: number) {
    bug(this);
    return start.call(this, dead);
  };
  try {
    boot();
  } finally {
    prototype.start = start;
  }
}

/** All orders over the window, without a death and with one of either shard before any tick. @returns runs, first fault */
async function allOrders(bug: Bug = {}): Promise<{ runs: number; fault: string | null }> {
  let runs = 0;
  for (const phase of PHASES) {
    for (let schedule = 0; schedule < ORDERS.length ** WINDOW; schedule++) {
      for (let death = 0; death <= 2 * (WINDOW + 1); death++) {
        runs++;
        const crossing = new Crossing(bug);
        await crossing.begin(phase);
        for (let i = 0, rest = schedule; i <= WINDOW; i++, rest = Math.floor(rest / ORDERS.length)) {
          if (death > 0 && (death - 1) >> 1 === i) crossing.kept.planet.kill((death - 1) & 1);
          if (i === WINDOW) break;
          crossing.give();
          await crossing.tick(ORDERS[rest % ORDERS.length]!);
        }
        await crossing.end();
        if (crossing.faults.length > 0) return { runs, fault: crossing.faults[0]! };
      }
    }
  }
  return { runs, fault: null };
}

/** A death before every change of shared memory in the tick of the handover, the other shard in step or one behind. */
async function allPoints(bug: Bug = {}): Promise<{ runs: number; fault: string | null }> {
  let runs = 0;
  for (const phase of PHASES.slice(0, 1)) {
    for (const victim of [0, 1]) {
      for (const isBehind of [false, true]) {
        for (let n = 0, died = true; died; n++) {
          runs++;
          const crossing = new Crossing(bug);
          await crossing.begin(phase);
          const { planet } = crossing.kept;
          crossing.give();
          ({ died } = planet.dieIn(victim, n));
          if (!isBehind) planet.runShard(1 - victim);
          await crossing.look();
          if (died) planet.replace(victim);
          crossing.give();
          await crossing.end();
          if (crossing.faults.length > 0) return { runs, fault: crossing.faults[0]! };
        }
      }
    }
  }
  return { runs, fault: null };
}

t.test('every cut adds up, whatever the order of shards and whoever dies between two ticks', async (t) => {
  const { runs, fault } = await allOrders();
  t.equal(fault, null);
  t.equal(runs, PHASES.length * ORDERS.length ** WINDOW * (2 * WINDOW + 3), `${runs} runs`);
});

t.test('every cut adds up, wherever a shard dies in the tick of a handover', async (t) => {
  const { runs, fault } = await allPoints();
  t.equal(fault, null);
  t.ok(runs > 200, `${runs} runs`);
});

t.test('planted bugs are caught', async (t) => {
  const isCaught = async (name: string, bug: Bug) => {
    const found = await allOrders(bug);
    const { runs, fault } = found.fault === null ? await allPoints(bug) : found;
    t.match(fault, /^item /, `${name}: ${fault}, after ${runs} runs`);
  };
  await isCaught('one shard is read further than its mark', { storeFault: 'runs-past-the-mark' });
  await isCaught('a replacement takes what is of a later tick', {
    shard: ({ core }) => {
      core.givenTick = () => 0;
    },
  });
  await isCaught('who leaves is not told before', {
    shard: ({ core }) => {
      core.cut.leave = () => true;
    },
  });
  await isCaught('what is dirty is not told', {
    shard: ({ core }) => {
      (core.cut as unknown as { pushAll(): boolean }).pushAll = () => true;
    },
  });
});

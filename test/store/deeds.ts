/**
 * Plans for a planet with two shards, a border, four players at it, and a store: who does what, which shard runs, dies,
 * how slow the disk is. Carried out deed by deed; each cut that the engine is given must add up.
 */
import fc from 'fast-check';
import { LIMITS } from '../../src/base/limits.js';
import { ITEM } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { FLAG } from '../../src/memory/player.js';
import type { StoreParts } from '../../src/store/core.js';
import { MapEngine } from '../../src/store/map-engine.js';
import { verifyData } from '../../src/store/verify.js';
import { FaultyEngine } from './faulty-engine.js';
import { keep } from './keeper.js';

export const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
export const y = tile.south + 500;

/** Two shards with a border between them, and four players at it. */
export function border(engine = new FaultyEngine(new MapEngine()), fault?: StoreParts['fault']) {
  const kept = keep(game, engine, {}, fault);
  const { planet } = kept;
  planet.assign(tile.east - 50, y, 0);
  planet.assign(tile.east + 50, y, 1);
  const players = [-2, -1, 1, 2].map((dx) => planet.join(tile.east + dx, y, FLAG.NEW | FLAG.ACCOUNT));
  return { ...kept, engine, players };
}

const deed = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant('run' as const), order: orders() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant('give' as const),
      from: fc.nat(3),
      to: fc.nat(3),
      count: fc.integer({ min: 1, max: 3 }),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('walk' as const), who: fc.nat(3), east: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('drop' as const), who: fc.nat(3) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), shard: fc.nat(1) }) },
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant('slow' as const), polls: fc.integer({ min: 1, max: 6 }) }),
  },
);
function orders() {
  return fc.constantFrom([0, 1], [1, 0], [0], [1]);
}

/** Every cut that the engine is given must add up: items as created less consumed, every id in its place. */
export async function everyCutAddsUp(deeds: readonly Deed[], fault?: StoreParts['fault']): Promise<string[]> {
  const { planet, store, players, engine } = border(undefined, fault);
  const faults: string[] = [];
  let cuts = 0;
  const look = async () => {
    if (store.cuts.figures.cuts === cuts) return;
    cuts = store.cuts.figures.cuts;
    faults.push(...(await verifyData(engine, 'the test')).faults);
  };
  const step = async (order?: readonly number[]) => {
    planet.step(order);
    engine.advance();
    store.poll();
    await look();
  };
  for (let i = 0; i < 6; i++) await step();
  for (const one of deeds) {
    if (one.kind === 'run') await step(one.order);
    else if (one.kind === 'give')
      planet.act(players[one.from]!, 'give', {
        target: players[one.to]!.id,
        item: ITEM.coin,
        count: one.count,
      });
    else if (one.kind === 'walk')
      planet.act(players[one.who]!, 'walk', { heading: one.east ? 0 : Math.PI, speed: 6, seconds: 1 });
    else if (one.kind === 'drop') planet.act(players[one.who]!, 'drop', { item: ITEM.coin, count: 1 });
    else if (one.kind === 'kill') planet.kill(one.shard);
    else engine.delay = one.polls;
  }
  engine.delay = 0;
  for (let i = 0; i < 20; i++) await step();
  if (cuts === 0) faults.push('no cut was made');
  return faults;
}
export type Deed =
  | { kind: 'run'; order: number[] }
  | { kind: 'give'; from: number; to: number; count: number }
  | { kind: 'walk'; who: number; east: boolean }
  | { kind: 'drop'; who: number }
  | { kind: 'kill'; shard: number }
  | { kind: 'slow'; polls: number };

export const plan = fc.array(deed, { minLength: 30, maxLength: 60, size: 'max' }) as fc.Arbitrary<Deed[]>;

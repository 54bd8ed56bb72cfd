/** Messages between entities of different shards: applied once, items conserved, through handovers and deaths. */
import fc from 'fast-check';
import t from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import game from '../../src/game/game.js';
import { ITEM } from '../../src/game/constants.js';
import { Planet, type TestPlayer } from './planet.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const y = tile.south + 500;

/** Two shards with a border at tile.east. */
function bordered(entities = 1024): Planet {
  const planet = new Planet(game, { entities });
  planet.assign(tile.east - 50, y, 0);
  planet.assign(tile.east + 50, y, 1);
  return planet;
}

function coins(planet: Planet, p: TestPlayer): number {
  return planet.items(p.slot, ITEM.coin);
}

t.test('a gift across the border arrives once', (t) => {
  const planet = bordered();
  const a = planet.join(tile.east - 1, y);
  const b = planet.join(tile.east + 1, y);
  planet.run(3);
  t.not(planet.ownerOf(a.slot), planet.ownerOf(b.slot), 'two shards');
  const before = coins(planet, a) + coins(planet, b);
  const id = planet.act(a, 'give', { target: b.id, item: ITEM.coin, count: 4 });
  planet.run(10);
  t.equal(planet.outcome(a, id), ERRORS.APPLIED.number);
  t.equal(coins(planet, a), before / 2 - 4);
  t.equal(coins(planet, b), before / 2 + 4);
  planet.run(100);
  t.equal(coins(planet, a) + coins(planet, b), before, 'and only once');
  t.equal(planet.totalItems(ITEM.coin), planet.balance(ITEM.coin));
  t.end();
});

t.test('a refused gift comes back', (t) => {
  const planet = bordered();
  const a = planet.join(tile.east - 1, y);
  const b = planet.join(tile.east + 1, y);
  planet.run(3);
  const bag = 1000; // HANDS.bagItems
  planet.world.arena.u32[(planet.world.arena.cold(b.slot) + 128 + ITEM.stone * 4) >> 2] = bag; // the bag is full
  const before = coins(planet, a);
  planet.act(a, 'give', { target: b.id, item: ITEM.coin, count: 4 });
  planet.step();
  planet.step();
  planet.run(40);
  t.equal(coins(planet, a), before, 'all of it');
  t.equal(coins(planet, b), before);
  t.end();
});

t.test('any order of shards, any death, any crossing: gifts arrive once, coins are conserved', (t) => {
  const step = fc.oneof(
    {
      weight: 6,
      arbitrary: fc.record({
        kind: fc.constant('run' as const),
        order: fc.constantFrom([0, 1], [1, 0], [0], [1]),
      }),
    },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('give' as const),
        from: fc.nat(3),
        to: fc.nat(3),
        count: fc.integer({ min: 1, max: 3 }),
      }),
    },
    {
      weight: 2,
      arbitrary: fc.record({
        kind: fc.constant('walk' as const),
        who: fc.nat(3),
        heading: fc.constantFrom(0, Math.PI),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('kill' as const), shard: fc.nat(1) }) },
  );
  let gifts = 0;
  let crossings = 0;
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 80 }), (steps) => {
      const planet = bordered(256);
      const players = [-1.5, -0.5, 0.5, 1.5].map((at) => planet.join(tile.east + at, y));
      planet.run(3);
      for (const s of steps) {
        if (s.kind === 'run') planet.run(2, s.order);
        else if (s.kind === 'kill') planet.kill(s.shard);
        else if (s.kind === 'walk')
          planet.act(players[s.who]!, 'walk', { heading: s.heading, speed: 6, seconds: 1 });
        else
          planet.act(players[s.from]!, 'give', {
            target: players[s.to]!.id,
            item: ITEM.coin,
            count: s.count,
          });
        if (s.kind !== 'run' && planet.world.inboxes.tail(players[0]!.slot) > 50) planet.run(20);
      }
      planet.run(120);
      for (const p of players)
        if (planet.applied(p) !== p.sent) throw new Error(`decided ${planet.applied(p)} of ${p.sent}`);
      const sum = players.reduce((n, p) => n + coins(planet, p), 0);
      if (sum !== 40) throw new Error(`${sum} coins of 40`);
      if (planet.totalItems(ITEM.coin) !== planet.balance(ITEM.coin))
        throw new Error('the books do not balance');
      if (planet.counter('ticksDoubled') + planet.counter('ticksMissed') > 0)
        throw new Error('a tick was missed or doubled');
      for (const p of players) for (let id = 1; id <= p.sent; id++) if (planet.outcome(p, id) === 0) gifts++;
      crossings += planet.counter('handoversIn');
    }),
    { numRuns: 60, seed: 7 },
  );
  t.ok(gifts > 100, `${gifts} actions applied`);
  t.ok(crossings > 50, `${crossings} handovers`);
  t.end();
});

/** Four shards round a corner under deaths at any operation: one owner, one record, items conserved, each action once. */
import fc from 'fast-check';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { ITEM } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { RECORD } from '../../src/memory/player.js';
import { checkPlanet, checkQuiet } from './invariants.js';
import { Planet, type TestPlayer } from './planet.js';

const ITEMS = Object.keys(ITEM).length;
const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const PLAYERS = 6;

/** Four tiles of four shards meet at (east, south); the players stand around it. */
function corner(seed = 1): { planet: Planet; players: TestPlayer[] } {
  const planet = new Planet(game, { shards: 4, entities: 512, seed });
  planet.assign(tile.east - 50, tile.south + 50, 0);
  planet.assign(tile.east + 50, tile.south + 50, 1);
  planet.assign(tile.east + 50, tile.south - 50, 2);
  planet.assign(tile.east - 50, tile.south - 50, 3);
  const players = Array.from({ length: PLAYERS }, (_, i) => {
    const angle = (i / PLAYERS) * 2 * Math.PI;
    return planet.join(tile.east + Math.cos(angle), tile.south + Math.sin(angle));
  });
  planet.run(3);
  return { planet, players };
}

const who = fc.nat(PLAYERS - 1);
const step = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      kind: fc.constant('run' as const),
      order: fc.shuffledSubarray([0, 1, 2, 3], { minLength: 1 }),
    }),
  },
  { weight: 4, arbitrary: fc.record({ kind: fc.constant('give' as const), from: who, to: who }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('drop' as const), who }) },
  {
    weight: 3,
    arbitrary: fc.record({ kind: fc.constant('walk' as const), who, heading: fc.constantFrom(0, 1, 2, 3) }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('die' as const),
      shard: fc.nat(3),
      at: fc.nat(199),
      again: fc.option(fc.nat(199)),
      after: fc.nat(3),
    }),
  },
);

t.test('any walk, any gift, a death at any operation: every tick is whole', (t) => {
  const figures = { deaths: 0, handovers: 0, applied: 0 };
  fc.assert(
    fc.property(fc.array(step, { minLength: 20, maxLength: 60 }), (steps) => {
      const { planet, players } = corner();
      for (const s of steps) {
        if (s.kind === 'run') planet.run(2, s.order);
        else if (s.kind === 'walk')
          planet.act(players[s.who]!, 'walk', { heading: (s.heading * Math.PI) / 2, speed: 6, seconds: 1 });
        else if (s.kind === 'drop') planet.act(players[s.who]!, 'drop', { item: ITEM.berry, count: 1 });
        else if (s.kind === 'give')
          planet.act(players[s.from]!, 'give', { target: players[s.to]!.id, item: ITEM.coin, count: 1 });
        else {
          const { died } = planet.dieIn(s.shard, s.at);
          if (died) figures.deaths++;
          else planet.lose(s.shard);
          for (let i = 0; i < s.after; i++) planet.step();
          planet.replace(s.shard, s.again ?? undefined);
        }
        if (players.some((p) => p.sent - planet.applied(p) > 40)) planet.run(20);
        checkPlanet(planet, ITEMS);
      }
      planet.run(120);
      checkPlanet(planet, ITEMS);
      checkQuiet(planet);
      for (const p of players)
        if (planet.applied(p) !== p.sent) throw new Error(`I3: decided ${planet.applied(p)} of ${p.sent}`);
      figures.handovers += planet.counter('handoversIn');
      figures.applied += planet.counter('actionsApplied');
    }),
    { numRuns: 40, seed: 11 },
  );
  t.comment(figures);
  t.ok(figures.deaths > 50, `${figures.deaths} deaths inside a tick`);
  t.ok(figures.handovers > 20, `${figures.handovers} handovers`);
  t.end();
});

t.test('a replacement tells its players of themselves after its first tick, frame or not', (t) => {
  for (const parity of [0, 1]) {
    const { planet } = corner();
    const mine = [100, 110].map((x) => planet.join(tile.east - x, tile.south + 50));
    planet.run(3);
    if (planet.tick % 2 !== parity) planet.step();
    planet.lose(0);
    planet.act(mine[0]!, 'forage'); // a session is not answered READY while an action waits
    planet.replace(0);
    planet.records.length = 0;
    planet.step([0]);
    for (const [i, { slot }] of mine.entries()) {
      const told = planet.records.filter(({ type, a }) => a === slot && type !== RECORD.FRAME);
      t.same(
        told.map(({ type }) => type),
        [i === 0 ? RECORD.SELF : RECORD.READY],
        `in tick ${planet.tick}`,
      );
    }
  }
  t.end();
});

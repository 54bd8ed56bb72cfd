/** Crossing borders: one owner, no tick missed or doubled, no action lost, no jump; at every kind of border. */
import t, { type Test } from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { HALF_WIDTH, QUARTER_WIDTH, dx } from '../../src/geo/world.js';
import game from '../../src/game/game.js';
import { Planet, type TestPlayer } from './planet.js';

const EAST = 0;
const NORTH = Math.PI / 2;

/** Walks a player for some seconds and returns its positions, tick by tick. */
function walk(planet: Planet, player: TestPlayer, heading: number, seconds: number): [number, number][] {
  const path: [number, number][] = [];
  for (let left = seconds; left > 0; left -= 5) {
    planet.act(player, 'walk', { heading, speed: 6, seconds: Math.min(left, 5) });
    for (let i = 0; i < Math.min(left, 5) * 20; i++) {
      planet.step();
      path.push([planet.f64(player, 'x'), planet.f64(player, 'y')]);
    }
  }
  return path;
}

function longestStep(path: [number, number][]): number {
  let longest = 0;
  for (let i = 1; i < path.length; i++) {
    longest = Math.max(longest, Math.hypot(dx(path[i - 1]![0], path[i]![0]), path[i]![1] - path[i - 1]![1]));
  }
  return longest;
}

function checkClean(t: Test, planet: Planet, player: TestPlayer): void {
  t.equal(planet.counter('ticksMissed'), 0, 'no tick missed');
  t.equal(planet.counter('ticksDoubled'), 0, 'no tick doubled');
  t.equal(planet.counter('ticksFrozen'), 0, 'nobody frozen');
  t.equal(planet.counter('skippedEntries'), 0, 'no entry skipped');
  t.equal(planet.applied(player), player.sent, 'every action decided');
}

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));

t.test('a player walks over a border between two shards and back', (t) => {
  const planet = new Planet(game);
  planet.assign(tile.east - 50, tile.south + 500, 0);
  planet.assign(tile.east + 50, tile.south + 500, 1);
  const player = planet.join(tile.east - 10, tile.south + 500);
  planet.run(3);
  t.equal(planet.ownerOf(player.slot), 0);
  const path = walk(planet, player, EAST, 5);
  t.equal(planet.ownerOf(player.slot), 1, 'the neighbour owns it now');
  path.push(...walk(planet, player, Math.PI, 6));
  t.equal(planet.ownerOf(player.slot), 0, 'and back');
  t.equal(planet.counter('handoversIn'), 2);
  t.ok(longestStep(path) <= 6 * 0.05 + 1e-6, `no jump: ${longestStep(path)}`);
  checkClean(t, planet, player);
  t.end();
});

t.test('the antimeridian is a border like any other', (t) => {
  const planet = new Planet(game);
  planet.assign(HALF_WIDTH - 20, 500, 0);
  planet.assign(-HALF_WIDTH + 20, 500, 1);
  const player = planet.join(HALF_WIDTH - 8, 500);
  planet.run(3);
  const path = walk(planet, player, EAST, 5);
  t.equal(planet.ownerOf(player.slot), 1);
  t.ok(planet.f64(player, 'x') < 0, 'x has wrapped');
  t.ok(longestStep(path) <= 0.3 + 1e-6, `no jump: ${longestStep(path)}`);
  checkClean(t, planet, player);
  t.end();
});

t.test('along the pole wall: stopped at it, handed over beside it', (t) => {
  const planet = new Planet(game);
  const wall = QUARTER_WIDTH;
  planet.assign(tile.east - 50, wall, 0);
  planet.assign(tile.east + 50, wall, 1);
  const player = planet.join(tile.east - 10, wall - 5);
  planet.run(3);
  walk(planet, player, NORTH, 3);
  t.equal(planet.f64(player, 'y'), wall, 'the wall stops it');
  const path = walk(planet, player, EAST, 5);
  t.equal(planet.ownerOf(player.slot), 1);
  t.ok(
    path.every(([, y]) => y <= wall),
    'never beyond the wall',
  );
  checkClean(t, planet, player);
  t.end();
});

t.test('round a corner of four tiles owned by four shards', (t) => {
  const planet = new Planet(game, { shards: 4 });
  planet.assign(tile.east - 50, tile.south + 50, 0);
  planet.assign(tile.east + 50, tile.south + 50, 1);
  planet.assign(tile.east + 50, tile.south - 50, 2);
  planet.assign(tile.east - 50, tile.south - 50, 3);
  const player = planet.join(tile.east - 6, tile.south + 6);
  planet.run(3);
  const owners: number[] = [];
  const path: [number, number][] = [];
  for (const heading of [EAST, -NORTH, Math.PI, NORTH]) {
    path.push(...walk(planet, player, heading, 2));
    owners.push(planet.ownerOf(player.slot));
  }
  t.strictSame(owners, [1, 2, 3, 0], 'each quarter has its owner');
  t.ok(longestStep(path) <= 0.3 + 1e-6);
  checkClean(t, planet, player);
  t.end();
});

t.test('shards out of step: one runs its ticks late and in bursts', (t) => {
  const planet = new Planet(game);
  planet.assign(tile.east - 50, tile.south + 500, 0);
  planet.assign(tile.east + 50, tile.south + 500, 1);
  const player = planet.join(tile.east - 3, tile.south + 500);
  planet.run(3);
  let east = true;
  for (let burst = 0; burst < 60; burst++) {
    if (burst % 10 === 0) {
      planet.act(player, 'walk', { heading: east ? EAST : Math.PI, speed: 6, seconds: 10 });
      east = !east;
    }
    planet.run(3, [0]); // shard 1 sleeps
    planet.run(1, [1, 0]); // and catches up
  }
  t.ok(planet.counter('handoversIn') >= 2, 'it crossed');
  checkClean(t, planet, player);
  t.end();
});

t.test('200 players oscillate on a border: handovers are bounded by margin and minimum stay', (t) => {
  const planet = new Planet(game);
  planet.assign(tile.east - 50, tile.south + 500, 0);
  planet.assign(tile.east + 50, tile.south + 500, 1);
  const players = Array.from({ length: 200 }, (_, i) =>
    planet.join(tile.east + (i % 2 ? 2.5 : -2.5), tile.south + 400 + i),
  );
  planet.run(3);
  for (let i = 0; i < 20; i++) {
    for (const p of players)
      planet.act(p, 'walk', { heading: i % 2 ? EAST : Math.PI, speed: 6, seconds: 10 });
    planet.run(5); // a quarter of a second each way
  }
  const seconds = (20 * 5) / 20;
  const most = players.length * (seconds / LIMITS.minimumStayS + 1);
  t.ok(planet.counter('handoversIn') <= most, `${planet.counter('handoversIn')} of at most ${most}`);
  for (const p of players) t.equal(planet.applied(p), p.sent);
  t.equal(planet.counter('ticksMissed') + planet.counter('ticksDoubled'), 0);
  t.end();
});

/** Where the scenarios put bots and send them: inside the world, over the borders that they are about. */
import assert from 'node:assert/strict';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { seededRandom } from '../../src/base/random.js';
import { BORDERS, SCENARIOS } from '../../src/bots/options.js';
import { CITIES, CITY_FIELDS } from '../../src/bots/scenarios/city-table.js';
import { scenario } from '../../src/bots/scenarios/index.js';
import type { ScenarioInput, Walker } from '../../src/bots/scenarios/scenario.js';
import { tileIndex } from '../../src/geo/tile.js';
import { dx, lonLatToXY, QUARTER_WIDTH, wrapX, xyToLonLat } from '../../src/geo/world.js';

const INPUT: ScenarioInput = { players: 400, at: [], rect: null, border: 'meridian' };

/** Walks a bot from goal to goal as if it always arrived; returns the places. */
function legs(
  input: ScenarioInput,
  name: (typeof SCENARIOS)[number],
  index: number,
  count: number,
  share = 0,
) {
  const random = seededRandom(index);
  const it = scenario(name, input);
  const home = it.spawn(index, random);
  const walker = { index, home, x: wrapX(home.x), y: home.y, leg: 0 };
  const places = [{ x: walker.x, y: walker.y }];
  for (let i = 0; i < count; i++) {
    const goal = it.next(walker as Walker, share, random, 0);
    walker.leg++;
    assert.ok(goal.speedMps > 0 && goal.speedMps <= LIMITS.walkSpeedMps && goal.restS >= 0);
    walker.x = wrapX(goal.x);
    walker.y = goal.y;
    places.push({ x: walker.x, y: walker.y });
  }
  return places;
}

t.test('every scenario stays in the world', (t) => {
  for (const name of SCENARIOS) {
    for (let index = 0; index < 400; index += 7) {
      for (const { x, y } of legs(INPUT, name, index, 4)) {
        assert.ok(Number.isFinite(x) && Math.abs(y) <= QUARTER_WIDTH, `${name} ${index} ${x} ${y}`);
      }
    }
  }
  t.end();
});

t.test('border bots change tiles with every leg, by more than the margin', (t) => {
  for (const border of BORDERS) {
    const tiles = new Set<number>();
    for (let index = 0; index < 1000; index += 3) {
      const places = legs({ ...INPUT, players: 1000, border }, 'border', index, 6);
      for (let i = 1; i < places.length; i++) {
        const [from, to] = [places[i - 1]!, places[i]!];
        const walk = Math.hypot(dx(from.x, to.x), to.y - from.y);
        assert.ok(walk > 2 * LIMITS.borderMarginM && walk < 10, `${border} ${index}: ${walk} m`);
        const [a, b] = [from, to].map(({ x, y }) => tileIndex(x, y, LIMITS.baseTileLevel));
        assert.notEqual(a, b, `${border} ${index} leg ${i}`);
        tiles.add(a!);
      }
    }
    t.ok(tiles.size >= 8, `${border}: ${tiles.size} tiles`);
  }
  t.end();
});

t.test('antimeridian and pole are where they say', (t) => {
  for (const { x } of legs({ ...INPUT, border: 'antimeridian' }, 'border', 5, 4))
    assert.ok(Math.abs(xyToLonLat(x, 0).lon) > 179.9);
  for (const { y } of legs({ ...INPUT, border: 'pole' }, 'border', 5, 4))
    assert.ok(QUARTER_WIDTH - Math.abs(y) < 1000);
  t.end();
});

t.test('a thousand border bots are enough for five thousand handovers in thirty seconds', (t) => {
  const [from, to] = legs({ ...INPUT, players: 1000 }, 'border', 0, 2).slice(1);
  const seconds = Math.hypot(dx(from!.x, to!.x), to!.y - from!.y) / LIMITS.walkSpeedMps + 0.5;
  t.ok((1000 * 30) / seconds > 10_000, `${seconds} s a crossing`);
  t.end();
});

t.test('the crowd comes together and goes home', (t) => {
  const spot = lonLatToXY(2.3488, 48.8534);
  const far = (p: { x: number; y: number }) => Math.hypot(dx(spot.x, p.x), p.y - spot.y);
  for (let index = 0; index < 50; index++) {
    const places = legs(INPUT, 'crowd', index, 3);
    assert.ok(far(places[0]!) > 80 && far(places[1]!) < 25, 'walks in');
    assert.ok(far(legs(INPUT, 'crowd', index, 1, 0.9)[1]!) > 500, 'walks away');
  }
  t.end();
});

t.test('traders stand within reach of each other on both sides of a border', (t) => {
  const random = seededRandom(1);
  const it = scenario('trade', INPUT);
  for (let group = 0; group < 40; group++) {
    const members = [0, 1, 2, 3].map((i) => it.spawn(4 * group + i, random));
    const tiles = new Set(members.map(({ x, y }) => tileIndex(wrapX(x), y, LIMITS.baseTileLevel)));
    assert.equal(tiles.size, 2);
    for (const a of members) for (const b of members) assert.ok(Math.hypot(dx(a.x, b.x), a.y - b.y) < 3);
  }
  t.end();
});

t.test('the table of cities is sound, and large cities get more bots', (t) => {
  const count = CITIES.length / CITY_FIELDS;
  t.equal(count, 2000);
  for (let i = 0; i < count; i++) {
    const [lon, lat, thousands] = CITIES.slice(i * CITY_FIELDS, (i + 1) * CITY_FIELDS) as unknown as [
      number,
      number,
      number,
    ];
    assert.ok(Math.abs(lon) <= 180 && Math.abs(lat) <= 90 && thousands > 0);
  }
  const random = seededRandom(3);
  const it = scenario('cities', INPUT);
  let inShanghai = 0;
  for (let i = 0; i < 2000; i++) {
    const place = xyToLonLat(it.spawn(i, random).x, 0).lon;
    if (Math.abs(place - 121.46) < 0.05) inShanghai++;
  }
  t.ok(inShanghai >= 5 && inShanghai < 100, `${inShanghai} of 2000 in the largest city`);
  t.end();
});

t.test('a rectangle may lie over the antimeridian', (t) => {
  const it = scenario('roam', { ...INPUT, rect: [179, -1, -179, 1] });
  const random = seededRandom(4);
  for (let i = 0; i < 100; i++) assert.ok(Math.abs(xyToLonLat(it.spawn(i, random).x, 0).lon) >= 179);
  t.end();
});

t.test('the planet of --bots: a fair on both sides of a border that everybody visits in turn', (t) => {
  const players = 500;
  const capacity = Math.ceil(players / 2); // what the server takes for its own with so many bots, see config.ts
  const random = seededRandom(5);
  const it = scenario('planet', { ...INPUT, players });
  const walkers = Array.from({ length: players }, (_, index) => {
    const home = it.spawn(index, random);
    return { index, home, x: wrapX(home.x), y: home.y, leg: 0 } as Walker & { x: number; y: number };
  });
  const fullest = (level: number) => {
    const counts = new Map<number, number>();
    for (const { x, y } of walkers) {
      const tile = tileIndex(x, y, level);
      counts.set(tile, (counts.get(tile) ?? 0) + 1);
    }
    return [...counts].sort(([, a], [, b]) => b - a);
  };
  const turns = [0, 45, 90].map((timeS) => {
    for (const walker of walkers) {
      const { x, y } = it.next(walker, 0, random, timeS);
      Object.assign(walker, { x: wrapX(x), y });
    }
    const [[tile, count]] = fullest(LIMITS.baseTileLevel) as [[number, number]];
    const share = count / capacity;
    t.ok(
      share > LIMITS.splitLoadShare && share < LIMITS.emergencyLoadShare,
      `${count} of ${capacity}: split`,
    );
    const [[, most]] = fullest(LIMITS.baseTileLevel + 1) as [[number, number]];
    t.ok(most / capacity < LIMITS.splitLoadShare, `${most} in a child: the split relieves`);
    return tile;
  });
  const [first, second, third] = turns as [number, number, number];
  t.not(first, second, 'the neighbour fills, the first is left to be merged');
  t.equal(first, third, 'and again');
  const wide = new Set(walkers.map(({ x, y }) => tileIndex(x, y, LIMITS.baseTileLevel))).size;
  t.ok(wide > 100, `the others are all over the world: ${wide} tiles`);
  t.end();
});

/** The bench of the live map: what it reads out of a trace, and the planet that it shows. Without a browser. */
import t from 'tap';
import { ShownPlanet } from '../../bench/map-frames/planet.js';
import { framesOf, type TraceEvent } from '../../bench/map-frames/trace.js';
import { monotonicClock } from '../../src/base/clock.js';
import { isTile } from '../../src/geo/address.js';

const task = (ts: number, cpu: number, tid = 1): TraceEvent => ({
  ph: 'X',
  name: 'RunTask',
  pid: 7,
  tid,
  ts: ts * 1000,
  dur: cpu * 1000,
  tdur: cpu * 1000,
});
const picture = (ts: number): TraceEvent => ({ ...task(ts, 0.1), name: 'FireAnimationFrame' });
const scheduler = (e: TraceEvent): TraceEvent => ({ ...e, name: 'ThreadControllerImpl::RunTask' });

t.test('a frame costs what the main thread did since the frame before', async (t) => {
  const pictures = [0, 16, 32].flatMap((ts) => [task(ts, 2), picture(ts + 1)]);
  const news = task(20, 5);
  const long = task(40, 60);
  const events = [...pictures, news, long, task(48 + 80, 3), picture(48 + 81)];
  const twice = [...events, ...events.filter((e) => e.name === 'RunTask').map(scheduler)];
  const others = [task(3, 100, 2), task(90, 100, 2)];
  const frames = framesOf([...twice, ...others].reverse());
  t.equal(frames.frames, 4);
  t.equal(frames.p50Ms, 7, '2, 2, 2 + 5, 60 + 3');
  t.equal(frames.maxMs, 63);
  t.equal(frames.longTasks, 1, 'of this thread, each once');
  t.equal(frames.everyMs.p50, 16);
  t.equal(framesOf(events, 15_000, 40_000).frames, 2, 'a part of it');
  t.equal(framesOf([]).frames, 0);
});

t.test('the planet has as many players and tiles as asked, and they walk', async (t) => {
  let now = 0;
  const clock = { ...monotonicClock(), now: () => now };
  const planet = new ShownPlanet({ players: 5000, tiles: 1000, shards: 8, seed: 1, handovers: 3 }, clock);
  const node = planet.node();
  const { tiles } = node.tiles();
  t.equal(new Set(tiles.map(({ tile }) => tile)).size, 1000);
  t.ok(planet.leaves.every(isTile));
  t.ok(new Set(planet.leaves.map(({ z }) => z)).size > 1, 'some are split');
  const sum = () => [...node.sight.look().density.values()].reduce((n, players) => n + players, 0);
  t.equal(sum(), 5000);
  t.equal(node.sight.look().handovers.length, 4 * 3);
  const { x, y } = planet.home;
  const box = { west: x - 20_000, east: x + 20_000, south: y - 20_000, north: y + 20_000 };
  const before = node.sight.dots(box);
  now += 1000;
  const after = node.sight.dots(box);
  t.ok(before !== null && before.total > 0 && before.dots.length === 7 * Math.min(1500, before.total));
  const [dx, dy] = [1, 2].map((i) => (after?.dots[i] ?? 0) - (before?.dots[i] ?? 0));
  t.ok(Math.abs(Math.hypot(dx, dy) - 6) < 0.01, 'six metres a second');
  t.equal(node.status().players, 5000);
});

/** The parts of the pages that are arithmetic: camera, what the events say, colours of load, the histogram. */
import t from 'tap';
import { dx, HALF_WIDTH, WIDTH } from '../../src/geo/world.js';
import { Camera } from '../../src/pages/map/camera.js';
import { Announcer } from '../../src/pages/map/announcer.js';
import { barsOf } from '../../src/pages/map/bars.js';
import { segmentsOf } from '../../src/pages/map/steps.js';
import { loadStep } from '../../src/pages/map/palette.js';
import { type LiveEvent, Planet, type Tile } from '../../src/pages/map/planet.js';

const tile = (name: string, shard = 0, players = 1): Tile => ({
  tile: name,
  shard,
  players,
  entities: players,
});
const event = (fields: Partial<LiveEvent>): LiveEvent => ({ tick: 1, ...fields });

t.test('camera: there and back, over the antimeridian, never beyond the walls', async (t) => {
  const camera = new Camera();
  camera.resize(1000, 500);
  t.equal(camera.scale, WIDTH / 1000, 'the world fills the width');
  t.equal(camera.y, 0, 'and as it is as high as the view, it is in the middle');
  camera.show(HALF_WIDTH - 1000, 2_000_000, 100_000);
  t.equal(
    Math.round(camera.screenX(-HALF_WIDTH + 1000)),
    520,
    'twenty pixels of 100 m to the right, around the world',
  );
  for (const [px, py] of [
    [0, 0],
    [333, 77],
    [999, 499],
  ]) {
    const back = camera.screenX(camera.worldX(px));
    t.ok(Math.abs(back - px) < 1e-6, 'x there and back');
    t.ok(Math.abs(camera.screenY(camera.worldY(py)) - py) < 1e-6, 'y there and back');
  }
  const [x, y] = [camera.worldX(800), camera.worldY(100)];
  camera.zoom(3, 800, 100);
  t.ok(
    Math.abs(dx(x, camera.worldX(800))) < 1e-3 && Math.abs(camera.worldY(100) - y) < 1e-3,
    'what is under the hand stays',
  );
  camera.pan(0, -1e9);
  t.equal(Math.round(camera.screenY(WIDTH / 4)), 0, 'the north wall is the upper edge');
  camera.zoom(1e-9);
  t.equal(camera.scale, camera.widest);
  camera.zoom(1e12);
  t.equal(camera.scale, 0.1, 'nearest');
});

t.test('planet: split, merge and move are read from what came and went', async (t) => {
  const planet = new Planet();
  t.same(
    planet.take(event({ full: true, tiles: [tile('11/5/6'), tile('11/9/9')] })),
    [],
    'nothing happened before',
  );
  const children = ['12/10/12', '12/11/12', '12/10/13', '12/11/13'].map((name) => tile(name, 1));
  t.match(planet.take(event({ tiles: children, gone: ['11/5/6'] })), [
    { kind: 'split', address: { z: 11, x: 5, y: 6 } },
  ]);
  t.equal(planet.leafAt(20, 24)?.data.tile, '12/10/12');
  t.equal(planet.leafAt(36, 36)?.data.tile, '11/9/9');
  t.equal(planet.leafAt(0, 0), undefined);
  t.match(planet.take(event({ tiles: [tile('12/10/12', 3)] })), [
    { kind: 'move', address: { z: 12 }, shard: 3 },
  ]);
  t.same(planet.take(event({ tiles: [tile('12/10/12', 3, 7)] })), [], 'more players are no change of layout');
  const gone = children.map((child) => child.tile);
  t.match(planet.take(event({ tiles: [tile('11/5/6', 2)], gone })), [
    { kind: 'merge', address: { z: 11 }, shard: 2 },
  ]);
  t.same(planet.take(event({ tiles: [tile('11/7/7')], gone: ['11/9/9'] })), [], 'waking and falling asleep');
  t.same([...planet.leaves.keys()].sort(), ['11/5/6', '11/7/7']);
});

t.test('planet: density is a difference, decisions are known by their tile', async (t) => {
  const planet = new Planet();
  planet.take(event({ full: true, density: [5, 2, 9, 1] }));
  planet.take(event({ density: [5, 3, 9, 0] }));
  t.same([...planet.density], [[5, 3]]);
  const split = { tick: 5, decision: 'split 11/5/6 of shard 0', reason: 'full' };
  const newer = { tick: 9, kind: 'merge', tile: { z: 11, x: 5, y: 6 }, reason: 'idle' };
  planet.take(event({ decisions: [split] }));
  planet.take(event({ decisions: [split, newer] }));
  t.equal(planet.decisions.length, 2, 'each once');
  t.equal(planet.decisions[0].tick, 9, 'newest first');
  t.equal(planet.decisionsOf('12/10/12').length, 2, 'a child knows its parent');
  t.equal(planet.decisionsOf('11/5/7').length, 0);
});

t.test('the histogram counts everything once, the scale of load has its edges', async (t) => {
  const bars = barsOf([0.1, 3, 50, 10, 1e9, 2]);
  t.equal(
    bars.reduce((a, b) => a + b, 0),
    15,
  );
  t.equal(bars[0], 3);
  t.equal(bars.at(-1), 2);
  t.same([0, 0.1999, 0.2, 0.7999, 0.8, 0.9999, 1, 7].map(loadStep), [0, 0, 1, 3, 4, 4, 5, 5]);
});

t.test('a gap in the decisions that events tell is noticed', async (t) => {
  const planet = new Planet();
  const decisions = Array.from({ length: 60 }, (_, i) => ({
    tick: i,
    decision: `split 11/${i}/1`,
    reason: '',
  }));
  planet.take(event({ full: true, decisions: decisions.slice(0, 20) }));
  t.ok(planet.missesDecisions, 'a whole event tells the last ones only');
  planet.takeDecisions(decisions.slice(0, 20));
  planet.take(event({ decisions: decisions.slice(1, 21) }));
  t.notOk(planet.missesDecisions);
  planet.take(event({ decisions: decisions.slice(40) }));
  t.ok(planet.missesDecisions);
  planet.takeDecisions(decisions);
  t.equal(planet.decisions.length, 60);
});

t.test('steps of a crossing: each since the one before that has happened', async (t) => {
  const steps = [
    { step: 'decided', ms: 0 },
    { step: 'locked', ms: 2 },
    { step: 'pushed', ms: null },
    { step: 'accepted', ms: 30 },
  ];
  t.same(segmentsOf(steps), [
    { step: 'locked', number: 1, ms: 2 },
    { step: 'accepted', number: 3, ms: 28 },
  ]);
  t.same(segmentsOf([]), []);
});

t.test('what is read aloud: answers at once, news gathered, an alarm once', async (t) => {
  let now = 0;
  const [told, alerted] = [{ textContent: '' }, { textContent: '' }];
  const announcer = new Announcer(told, alerted, () => now);
  announcer.news('split', 'tile 11/1/1');
  t.equal(told.textContent, 'split of tile 11/1/1');
  for (let i = 0; i < 3; i++) announcer.news('split', `tile 11/2/${i}`);
  announcer.news('merge', 'tile 11/3/3');
  t.equal(told.textContent, 'split of tile 11/1/1', 'not yet');
  announcer.say('Tile 11/9/9');
  t.equal(told.textContent, 'Tile 11/9/9', 'the user comes first');
  now = 9000;
  announcer.beat();
  t.equal(told.textContent, '3 × split, 1 × merge');
  announcer.alarm(['found 3 differences']);
  t.equal(alerted.textContent, 'Alarm: found 3 differences');
  announcer.alarm(['found 4 differences']);
  t.equal(alerted.textContent, 'Alarm: found 3 differences', 'the same alarm with another figure');
  now = 100_000;
  announcer.alarm(['found 5 differences']);
  t.equal(alerted.textContent, 'Alarm: found 5 differences', 'it was gone for long');
});

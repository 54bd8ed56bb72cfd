/**
 * The live map with 10 000 players on 1 000 tiles, shown by a real admin server: everything is drawn, with a bounded number
 * of strokes, and what stays is not drawn again. How long it takes is measured by `npm run bench -- map-frames`.
 */
import type { Page } from 'playwright-core';
import t from 'tap';
import { ShownPlanet } from '../../bench/map-frames/planet.js';
import { AdminServer } from '../../src/admin/server.js';
import { monotonicClock, systemTimers } from '../../src/base/clock.js';
import { FakeLog } from '../control/fakes.js';
import { FILE_MS, isLive, openBrowser, openPage, skip, until, type Watched } from './browser.js';

t.setTimeout(FILE_MS);

const PLAYERS = 10_000;
const TILES = 1000;

/** Counts what is drawn on the map and on its hidden canvases, picture by picture, from before the page's own script. */
const COUNT = `(() => {
  const counts = window.drawn = { pictures: 0, fillRect: 0, stroke: 0, fill: 0, stamps: 0, lineTo: 0 };
  const wrap = (type, method, name) => {
    const real = type.prototype[method];
    type.prototype[method] = function (...args) { counts[name]++; return real.apply(this, args); };
  };
  for (const name of ['fillRect', 'stroke', 'fill', 'lineTo']) wrap(CanvasRenderingContext2D, name, name);
  wrap(CanvasRenderingContext2D, 'drawImage', 'stamps');
  const real = requestAnimationFrame;
  window.requestAnimationFrame = (call) => real((now) => { counts.pictures++; call(now); });
  window.since = () => { const now = { ...counts }; for (const name in counts) counts[name] = 0; return now; };
})()`;

type Counts = Record<'pictures' | 'fillRect' | 'stroke' | 'fill' | 'stamps' | 'lineTo', number>;
const since = (page: Page) => page.evaluate('since()') as Promise<Counts>;
/** Waits until so many pictures have been drawn. @returns what was drawn in them */
async function pictures(page: Page, count: number): Promise<Counts> {
  await since(page);
  await until(page, `drawn.pictures >= ${count}`);
  return since(page);
}

async function show(t: Parameters<typeof openBrowser>[0], handovers: number): Promise<Watched> {
  const planet = new ShownPlanet(
    { players: PLAYERS, tiles: TILES, shards: 8, seed: 1, handovers },
    monotonicClock(),
  );
  const server = new AdminServer({
    adminHost: '127.0.0.1',
    adminHosts: [],
    adminPort: 0,
    adminToken: null,
    testFaults: false,
    node: planet.node(),
    log: new FakeLog(),
    clock: monotonicClock(),
    timers: systemTimers(),
  });
  const admin = `http://127.0.0.1:${await server.listen()}`;
  t.teardown(() => server.close());
  const browser = await openBrowser(t);
  const { page, wrong } = await openPage(browser, admin, '/', {}, COUNT);
  await isLive(page);
  await until(page, `document.getElementById('n-tiles').textContent === '1,000'`);
  await until(page, 'drawn.lineTo > 5000'); // the coastlines are there
  return { page, wrong };
}

t.test('every tile and every player is drawn, and what stays is kept', { skip }, async (t) => {
  const { page, wrong } = await show(t, 0);
  t.equal(await page.textContent('#n-players'), '10,000');
  // Handovers are none, so a picture is drawn only with news: two a second, of which none is an animation.
  const atRest = await pictures(page, 6);
  t.ok(atRest.fillRect >= TILES, `a mark for every tile: ${atRest.fillRect}`);
  t.ok(atRest.lineTo < 500 * atRest.pictures, `no coast is traced again: ${atRest.lineTo}`);
  const light = await page.evaluate(LIGHT);
  t.match(light, { tiles: true, players: true }, 'switching a layer off takes it from the picture');
  t.same(wrong, [], 'no errors, nothing from elsewhere');
});

/** Hides one layer after the other and compares pictures. */
const LIGHT = `(async () => {
  const map = document.getElementById('map');
  const next = () => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
  const print = () => map.toDataURL();
  const seen = {};
  for (const layer of ['tiles', 'players']) {
    const before = print();
    document.getElementById('layer-' + layer).click();
    await next();
    seen[layer] = print() !== before;
    document.getElementById('layer-' + layer).click();
    await next();
  }
  return seen;
})()`;

t.test('while crossings light up the planet under them is one copy a picture', { skip }, async (t) => {
  const { page, wrong } = await show(t, 100);
  await until(page, 'drawn.pictures > 30');
  const film = await pictures(page, 60);
  t.ok(film.stroke > film.pictures, `the rings of crossings are drawn: ${film.stroke}`);
  // News comes four times a second, at most: of sixty pictures fifty and more need neither tiles nor players anew.
  const perPicture = film.fillRect / film.pictures;
  t.ok(perPicture < TILES, `rectangles a picture: ${perPicture}, not a thousand`);
  t.same(wrong, [], 'no errors, nothing from elsewhere');
});

t.test('dragging draws a bounded number of lights and traces few coasts', { skip }, async (t) => {
  const { page, wrong } = await show(t, 0);
  const box = await page.locator('#map').boundingBox();
  if (box === null) throw new Error('the map is not shown');
  await page.focus('#map');
  for (let i = 0; i < 4; i++) await page.keyboard.press('+');
  await page.mouse.move(box.x + 400, box.y + 200);
  await page.mouse.down();
  await since(page);
  for (let i = 0; i < 40; i++) await page.mouse.move(box.x + 400 + i, box.y + 200);
  const moved = await since(page);
  await page.mouse.up();
  t.ok(moved.pictures >= 10, `the picture follows the hand: ${moved.pictures}`);
  t.ok(moved.stamps > moved.pictures, 'lights are drawn');
  t.ok(moved.stamps < 3000 * moved.pictures, `no light for each player: ${moved.stamps / moved.pictures}`);
  t.ok(moved.lineTo < 60_000, `coasts are traced once at most: ${moved.lineTo}`);
  t.same(wrong, [], 'no errors, nothing from elsewhere');
});

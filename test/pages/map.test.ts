/** The live map in a real browser, over a real server with real clients: looking at it, and walking over it by keys. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { keepsItsPromises } from '../e2e/bots.js';
import { eventually } from '../e2e/server.js';
import {
  FILE_MS,
  isLive,
  keepPicture,
  openBrowser,
  openPage,
  overflow,
  skip,
  STEP_MS,
  until,
} from './browser.js';
import { bots, goToPlayers, knowsTiles, showsPlayers, startServer, tilesOf } from './life.js';

t.setTimeout(FILE_MS);

const field = (page: Page, name: string) =>
  page.getAttribute(`#tile-figures [data-field=${name}]`, 'data-value');

/** Ids and classes of what the card for the empty planet covers, even in part. */
const COVERED = `(() => {
  const card = document.getElementById('welcome').getBoundingClientRect();
  return [...document.querySelectorAll('.overlay:not(#welcome)')].filter((e) => {
    const box = e.getBoundingClientRect();
    return box.width > 0 && box.left < card.right && box.right > card.left && box.top < card.bottom && box.bottom > card.top;
  }).map((e) => e.className);
})()`;

t.test('an empty planet says so, at any width and in any light', { skip }, async (t) => {
  const server = await startServer(t, ['--shards', '2']);
  const browser = await openBrowser(t);
  for (const [width, height] of [
    [1440, 900],
    [390, 844],
    [360, 640],
  ]) {
    for (const colorScheme of ['dark', 'light'] as const) {
      const { page, wrong } = await openPage(browser, server.admin, '/', {
        viewport: { width, height },
        colorScheme,
      });
      await isLive(page);
      await page.waitForSelector('#welcome:not([hidden])');
      t.match(await page.textContent('#welcome'), /--bots 500/);
      t.equal(await overflow(page), 0, 'no sideways scrolling');
      t.same(await page.evaluate(COVERED), [], 'the card lies over no control');
      await keepPicture(page, `empty-${width}-${colorScheme}`, width < 800);
      t.same(wrong, [], `${width} ${colorScheme}: no errors, nothing from elsewhere`);
      await page.context().close();
    }
  }
  await server.stop();
});

t.test('a click shows the numbers of a tile, and they are those of /api/tiles', { skip }, async (t) => {
  const server = await startServer(t, ['--shards', '2']);
  const life = bots(t, server, 12, 'roam');
  const browser = await openBrowser(t);
  const { page, wrong } = await openPage(browser, server.admin, '/');
  await isLive(page);
  await showsPlayers(page, 12);
  // The busiest tile is turned to, deselected, and then found again by a click in its middle.
  await goToPlayers(page);
  const name = (await page.textContent('#tile-name')) ?? '';
  await page.focus('#map');
  await page.keyboard.press('Escape');
  t.equal(await page.$('#tile-name'), null, 'Escape deselects');
  const box = await page.locator('#map').boundingBox();
  if (box === null) throw new Error('the map is not shown');
  await page.mouse.click(box.x + box.width / 2, box.y + box.height / 2);
  t.equal(await page.textContent('#tile-name'), name);
  await eventually(
    'page and API agree',
    async () => {
      const tile = (await tilesOf(server)).find((one) => `Tile ${one.tile}` === name);
      const shown = [await field(page, 'players'), await field(page, 'entities'), await field(page, 'shard')];
      return tile !== undefined && shown.join() === [tile.players, tile.entities, tile.shard].join();
    },
    STEP_MS,
  );
  await until(page, `document.querySelectorAll('#tile-history canvas').length === 1`);
  await keepPicture(page, 'tile');
  await page.click('label:has-text("Shard")');
  await until(page, `document.querySelector('#legend').textContent.startsWith('Shard')`);
  t.same(wrong, [], 'no errors, nothing from elsewhere');
  life.done();
  keepsItsPromises(t, await life.run, 'the bots');
  await server.stop();
});

t.test('without a mouse, and on a phone', { skip }, async (t) => {
  const server = await startServer(t, ['--shards', '2']);
  const life = bots(t, server, 10, 'cities');
  const browser = await openBrowser(t);
  const { page, wrong } = await openPage(browser, server.admin, '/', {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  await isLive(page);
  await showsPlayers(page, 10);
  t.equal(await overflow(page), 0, 'no sideways scrolling');
  await page.keyboard.press('Tab');
  t.equal(await page.evaluate('document.activeElement.className'), 'skip', 'first of all: past the map');
  await page.focus('#map');
  const where = () => page.textContent('#where');
  await until(page, `document.getElementById('where').textContent !== ''`);
  const before = await where();
  await page.keyboard.press('ArrowRight');
  await until(page, `document.getElementById('where').textContent !== ${JSON.stringify(before)}`);
  await knowsTiles(page, 2);
  await page.keyboard.press('n');
  const first = await page.textContent('#tile-name');
  await page.keyboard.press('n');
  t.not(await page.textContent('#tile-name'), first, 'N goes on to the next tile');
  t.match(await page.textContent('#told'), /^Tile 11\//, 'and it is said');
  t.match(await page.textContent('#tile-figures'), /Players/);
  await page.focus('#tile-tab');
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowRight');
  t.equal(await page.evaluate('document.activeElement.id'), 'table-tab');
  await page.waitForSelector('#table-pane tbody tr');
  await eventually(
    'the table holds every tile',
    async () => {
      const rows = await page.locator('#table-pane tbody tr').count();
      return rows === (await tilesOf(server)).length;
    },
    STEP_MS,
  );
  await page.locator('#table-pane tbody button').first().focus();
  await page.keyboard.press('Enter');
  await page.waitForSelector('#tile-pane:not([hidden]) #tile-name');
  t.equal(await overflow(page), 0, 'still none');
  const unnamed = `[...document.querySelectorAll('button, select, input, canvas, a')].filter((e) =>
    e.checkVisibility() && !(e.getAttribute('aria-label') || e.textContent.trim() || e.labels?.length || e.title || e.closest('[aria-hidden=true], [role=img]'))).length`;
  t.equal(await page.evaluate(unnamed), 0, 'everything that can be used has a name');
  await page.evaluate('scrollTo(0, 0)');
  await keepPicture(page, 'phone', true);
  t.same(wrong, [], 'no errors, nothing from elsewhere');
  life.done();
  keepsItsPromises(t, await life.run, 'the bots');
  await server.stop();
});

/** The live map in a real browser, over a real server with real clients. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { keepsItsPromises, runBots } from '../e2e/bots.js';
import { eventually, Server, TOKEN } from '../e2e/server.js';
import { isLive, keepPicture, openBrowser, openPage, overflow, skip, until } from './browser.js';

interface Tiles {
  tiles: { tile: string; shard: number; players: number; entities: number }[];
}

async function tilesOf(server: Server): Promise<Tiles['tiles']> {
  return ((await (await fetch(`${server.admin}/api/tiles`)).json()) as Tiles).tiles;
}

/** Bots that stroll until `done`. */
function bots(t: Tap, server: Server, players: number, scenario: string) {
  let done = () => {};
  const ended = new Promise<void>((resolve) => {
    done = resolve;
  });
  const flags = ['--players', String(players), '--seconds', '0', '--scenario', scenario];
  const run = runBots(t, server, flags, { until: ended });
  run.catch(() => {}); // a test that has failed does not wait for them
  return { run, done: () => done() };
}
type Tap = Parameters<typeof runBots>[0];

/** The figures of players and their places come in different events: pressed until there is a tile to go to. */
const goToPlayers = (page: Page) =>
  until(page, `document.getElementById('busiest').click(), document.getElementById('tile-name') !== null`);
/** Players are counted at every look, tiles in samples of the load: the page knows of the ones before the others. */
const knowsTiles = (page: Page, atLeast: number) =>
  until(page, `Number(document.getElementById('n-tiles').textContent) >= ${atLeast}`);
const players = (page: Page) => page.textContent('#n-players');
const field = (page: Page, name: string) =>
  page.getAttribute(`#tile-figures [data-field=${name}]`, 'data-value');

t.test('an empty planet says so, at any width and in any light', { skip }, async (t) => {
  const server = await Server.start(t, ['--shards', '2']);
  const browser = await openBrowser(t);
  for (const [width, height] of [
    [1440, 900],
    [390, 844],
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
      await keepPicture(page, `empty-${width}-${colorScheme}`, width < 800);
      t.same(wrong, [], `${width} ${colorScheme}: no errors, nothing from elsewhere`);
      await page.context().close();
    }
  }
  await server.stop();
});

t.test('a click shows the numbers of a tile, and they are those of /api/tiles', { skip }, async (t) => {
  const server = await Server.start(t, ['--shards', '2']);
  const life = bots(t, server, 12, 'roam');
  const browser = await openBrowser(t);
  const { page, wrong } = await openPage(browser, server.admin, '/');
  await isLive(page);
  await until(page, `document.getElementById('n-players').textContent === '12'`);
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
  await eventually('page and API agree', async () => {
    const tile = (await tilesOf(server)).find((one) => `Tile ${one.tile}` === name);
    const shown = [await field(page, 'players'), await field(page, 'entities'), await field(page, 'shard')];
    return tile !== undefined && shown.join() === [tile.players, tile.entities, tile.shard].join();
  });
  await until(page, `document.querySelectorAll('#tile-history canvas').length === 1`);
  await keepPicture(page, 'tile');
  await page.click('label:has-text("Shard")');
  await until(page, `document.querySelector('#legend').textContent.startsWith('Shard')`);
  t.same(wrong, [], 'no errors, nothing from elsewhere');
  life.done();
  keepsItsPromises(t, await life.run, 'the bots');
  await server.stop();
});

t.test('a split, commanded from the page, appears on it', { skip }, async (t) => {
  const server = await Server.start(t, ['--shards', '2']);
  const life = bots(t, server, 8, 'roam');
  const browser = await openBrowser(t);
  const { page, wrong } = await openPage(browser, server.admin, '/', { reducedMotion: 'reduce' });
  await isLive(page);
  await until(page, `document.getElementById('n-players').textContent === '8'`);
  await goToPlayers(page);
  const name = ((await page.textContent('#tile-name')) ?? '').replace('Tile ', '');
  await page.click('.operator >> text=Split');
  await page.fill('#token', 'not the token');
  await page.click('#confirm-go');
  await until(page, `document.getElementById('confirm-answer').textContent.includes('UNAUTHORIZED')`);
  await eventually('the browser has told of it twice', () => wrong.length >= 2);
  t.equal((await server.status()).totals.splits, 0, 'nothing without the token');
  t.match(wrong.splice(0), [/401/, /401/], 'the refusal, and the console about it');
  await page.fill('#token', TOKEN);
  await page.click('#confirm-go');
  await until(page, `document.getElementById('told').textContent.startsWith('split of tile ${name}')`);
  t.match(await page.textContent('#tile-name'), /^Tile 12\//, 'the selection is a child now');
  t.equal(await page.evaluate('localStorage.length'), 0, 'the token is not kept beyond the tab');
  await page.click('#decisions-tab');
  await page.waitForSelector('#decisions-pane .decision.split');
  t.match(
    await page.textContent('#decisions-pane .decision.split'),
    new RegExp(`split.*${name}.*asked`, 's'),
  );
  t.ok((await tilesOf(server)).some(({ tile }) => tile.startsWith('12/')));
  await keepPicture(page, 'split');
  t.same(wrong, [], 'no errors, nothing from elsewhere');
  life.done();
  keepsItsPromises(t, await life.run, 'the bots');
  await server.stop();
});

t.test('a split that a crowd causes appears by itself', { skip }, async (t) => {
  const server = await Server.start(t, ['--shards', '2', '--capacity', '20'], { breathes: true });
  const browser = await openBrowser(t);
  const { page, wrong } = await openPage(browser, server.admin, '/');
  await isLive(page);
  const life = bots(t, server, 30, 'crowd');
  await page.click('#decisions-tab');
  await page.waitForSelector('#decisions-pane .decision.split', { timeout: 60_000 });
  const inPart = `/^Tile 1[23]/.test(document.getElementById('tile-name')?.textContent)`;
  await until(page, `document.getElementById('busiest').click(), ${inPart}`);
  await keepPicture(page, 'crowd');
  t.same(wrong, [], 'no errors, nothing from elsewhere');
  life.done();
  await life.run;
  await server.stop();
});

t.test('without a mouse, and on a phone', { skip }, async (t) => {
  const server = await Server.start(t, ['--shards', '2']);
  const life = bots(t, server, 10, 'cities');
  const browser = await openBrowser(t);
  const { page, wrong } = await openPage(browser, server.admin, '/', {
    viewport: { width: 390, height: 844 },
    hasTouch: true,
    isMobile: true,
  });
  await isLive(page);
  await until(page, `document.getElementById('n-players').textContent === '10'`);
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
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  t.equal(await page.evaluate('document.activeElement.id'), 'table-tab');
  await page.waitForSelector('#table-pane tbody tr');
  await eventually('the table holds every tile', async () => {
    const rows = await page.locator('#table-pane tbody tr').count();
    return rows === (await tilesOf(server)).length;
  });
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
  t.ok(await players(page));
  await server.stop();
});

/** Changes of layout on the live map: commanded from the page, and made by the planner. */
import t from 'tap';
import { keepsItsPromises } from '../e2e/bots.js';
import { eventually, TOKEN } from '../e2e/server.js';
import { FILE_MS, isLive, keepPicture, openBrowser, openPage, skip, STEP_MS, until } from './browser.js';
import { bots, goToPlayers, showsPlayers, startServer, tilesOf } from './life.js';

t.setTimeout(FILE_MS);

t.test('a split, commanded from the page, appears on it', { skip }, async (t) => {
  const server = await startServer(t, ['--shards', '2']);
  const life = bots(t, server, 8, 'roam');
  const browser = await openBrowser(t);
  const { page, wrong } = await openPage(browser, server.admin, '/', { reducedMotion: 'reduce' });
  await isLive(page);
  await showsPlayers(page, 8);
  await goToPlayers(page);
  const name = ((await page.textContent('#tile-name')) ?? '').replace('Tile ', '');
  await page.click('.operator >> text=Split');
  await page.fill('#token', 'not the token');
  await page.click('#confirm-go');
  await until(page, `document.getElementById('confirm-answer').textContent.includes('UNAUTHORIZED')`);
  await eventually('the browser has told of it twice', () => wrong.length >= 2, STEP_MS);
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
  await page.click('#crossings-tab');
  await page.click('#crossings-pane .crossing:has-text("split")');
  t.match(await page.textContent('#crossings-pane .steps + small'), /^longest: /);
  await until(page, `document.getElementById('told').textContent === 'The map shows tile ${name}'`);
  t.ok((await tilesOf(server)).some(({ tile }) => tile.startsWith('12/')));
  await keepPicture(page, 'split');
  t.same(wrong, [], 'no errors, nothing from elsewhere');
  life.done();
  keepsItsPromises(t, await life.run, 'the bots');
  await server.stop();
});

t.test('a split that a crowd causes appears by itself', { skip }, async (t) => {
  const server = await startServer(t, ['--shards', '2', '--capacity', '20'], { breathes: true });
  const browser = await openBrowser(t);
  const { page, wrong } = await openPage(browser, server.admin, '/');
  await isLive(page);
  const life = bots(t, server, 30, 'crowd');
  await page.click('#decisions-tab');
  await page.waitForSelector('#decisions-pane .decision.split');
  const inPart = `/^Tile 1[23]/.test(document.getElementById('tile-name')?.textContent)`;
  await until(page, `document.getElementById('busiest').click(), ${inPart}`);
  await keepPicture(page, 'crowd');
  t.same(wrong, [], 'no errors, nothing from elsewhere');
  life.done();
  await life.run;
  await server.stop();
});

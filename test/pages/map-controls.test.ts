/** Every control of the live map is used, and does what it is there for, while bots walk across a border. */
import type { BrowserContextOptions, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { eventually, type Server, TOKEN } from '../e2e/server.js';
import {
  FILE_MS,
  isLive,
  keepPicture,
  openBrowser,
  openPage,
  skip,
  STEP_MS,
  until,
  type Watched,
} from './browser.js';
import { Controls, tooSmall, WATCH_CONTROLS } from './controls.js';
import { bots, goToPlayers, knowsTiles, showsPlayers, startServer, tilesOf } from './life.js';

t.setTimeout(FILE_MS);

const picture = (page: Page) => page.evaluate(`document.getElementById('map').toDataURL()`);
/** Waits until what was done has moved the view. */
async function differs(page: Page, act: () => Promise<unknown>): Promise<void> {
  const before = await page.textContent('#where');
  await act();
  await until(page, `document.getElementById('where').textContent !== ${JSON.stringify(before)}`);
}
const tileName = async (page: Page) => ((await page.textContent('#tile-name')) ?? '').replace('Tile ', '');

/** What the steps share. */
interface Shared {
  readonly server: Server;
  readonly controls: Controls;
  readonly use: Controls['use'];
  readonly page: Page;
  readonly open: (options?: BrowserContextOptions) => Promise<Watched>;
}

async function move(t: Test, { use, page }: Shared): Promise<void> {
  await use('tile-pane busiest', async () => {
    await page.click('.busiest button');
    await page.waitForSelector('#tile-name');
    await until(page, `/, /.test(document.getElementById('tile-place').textContent)`);
  });
  await use('#home', async () => {
    await page.click('#home');
    await until(page, `document.getElementById('ruler-text').textContent.includes('000 km')`);
  });
  await use('#busiest', () => goToPlayers(page));
  for (const id of ['zoom-in', 'zoom-out'])
    await use(`#${id}`, async () => {
      const before = await page.textContent('#ruler-text');
      await page.click(`#${id}`);
      await until(page, `document.getElementById('ruler-text').textContent !== ${JSON.stringify(before)}`);
    });
  await use('#map', async () => {
    await page.focus('#map');
    for (const key of ['ArrowRight', 'ArrowUp']) await differs(page, () => page.keyboard.press(key));
    await page.keyboard.press('n');
    const first = await tileName(page);
    await page.keyboard.press('n');
    t.not(await tileName(page), first, 'N goes on');
    await page.keyboard.press('p');
    // Which tile is the fuller one may change meanwhile.
    const last = await tileName(page);
    t.match(last, /^11\//, 'P goes back');
    await page.keyboard.press('Escape');
    await page.waitForSelector('#tile-name', { state: 'detached' });
    await page.keyboard.press('Enter');
    t.equal(await tileName(page), last, 'Enter takes what is in the middle');
    const box = await page.locator('#map').boundingBox();
    if (box === null) throw new Error('the map is not shown');
    await differs(page, async () => {
      await page.mouse.move(box.x + 500, box.y + 300);
      await page.mouse.down();
      await page.mouse.move(box.x + 560, box.y + 320, { steps: 4 });
      await page.mouse.up();
    });
    const scale = await page.textContent('#ruler-text');
    await page.mouse.wheel(0, 600);
    await until(page, `document.getElementById('ruler-text').textContent !== ${JSON.stringify(scale)}`);
  });
}

async function recolour(t: Test, { use, page }: Shared): Promise<void> {
  for (const [key, legend] of [
    ['colour=shard', 'Shard'],
    ['colour=load', 'Load'],
  ])
    await use(key, async () => {
      await page.click(`label:has(input[value=${key.split('=')[1]}])`);
      await until(page, `document.getElementById('legend').textContent.startsWith('${legend}')`);
    });
  for (const layer of ['tiles', 'players', 'grid'])
    await use(`#layer-${layer}`, async () => {
      for (const isOn of [false, true]) {
        await page.setChecked(`#layer-${layer}`, isOn);
        t.equal(await page.isChecked(`#layer-${layer}`), isOn);
      }
    });
  await use('#theme', async () => {
    const before = await picture(page);
    await page.click('#theme');
    await eventually('other colours', async () => (await picture(page)) !== before, STEP_MS);
  });
}

async function openTabs(t: Test, { server, use, page }: Shared): Promise<void> {
  for (const tab of ['tile', 'decisions', 'crossings', 'table', 'server'])
    await use(`#${tab}-tab`, async () => {
      await page.click(`#${tab}-tab`);
      await page.waitForSelector(`#${tab}-pane:not([hidden])`);
    });
  await page.waitForSelector('.links a');
  for (const link of await page.locator('.links a').all()) {
    const text = (await link.textContent()) ?? '';
    await use(`server-pane: ${text}`, async () => {
      const { status } = await fetch(server.admin + (await link.getAttribute('href')));
      t.equal(status, 200, text);
    });
  }
  await use('server-pane: Drain and stop', async () => {
    await page.click('#server-pane .grave');
    t.match(await page.textContent('#confirm-title'), /Drain and stop/);
  });
  await use('confirm: Cancel', async () => {
    await page.click('#confirm >> text=Cancel');
    await page.waitForSelector('#confirm', { state: 'hidden' });
    t.equal((await fetch(`${server.admin}/readyz`)).status, 200, 'nothing was drained');
  });
  await page.click('#table-tab');
  await use('table-pane thead', async () => {
    await page.click('thead button:has-text("Entities")');
    await page.waitForSelector('th[aria-sort=descending]:has-text("Entities")');
  });
  await use('table-pane tbody', async () => {
    const name = await page.textContent('tbody th button');
    await page.click('tbody th button');
    await page.waitForSelector('#tile-name');
    t.equal(await tileName(page), name);
  });
  await use('tile-pane neighbours', async () => {
    const before = await tileName(page);
    await page.click('.neighbours button');
    t.not(await tileName(page), before);
  });
  await page.click('#crossings-tab');
  await use('crossings-pane pane', async () => {
    await page.click('#crossings-pane .crossing:not(:disabled)');
    await until(page, `document.getElementById('told').textContent.startsWith('The map shows')`);
  });
}

async function operate(t: Test, { server, use, page }: Shared): Promise<void> {
  const command = async (button: string) => {
    await page.click(`.operator >> text="${button}"`);
    await page.fill('#token', TOKEN);
    await page.click('#confirm-go');
    await page.waitForSelector('#confirm', { state: 'hidden' });
  };
  await goToPlayers(page);
  await use('tile-pane: Shard to move the tile to', async () => {
    await page.selectOption('.operator select', { index: 0 });
  });
  const { totals } = await server.status();
  await use('tile-pane: Move', async () => {
    await command('Move');
    await eventually('moved', async () => (await server.status()).totals.moves > totals.moves, STEP_MS);
  });
  await goToPlayers(page);
  await use('tile-pane: Split', async () => {
    await command('Split');
    await until(page, `/^Tile 12/.test(document.getElementById('tile-name')?.textContent)`);
  });
  await use('#token', async () => t.ok((await server.status()).totals.splits > 0));
  await use('#confirm-go', async () =>
    t.ok((await tilesOf(server)).some(({ tile }) => tile.startsWith('12/'))),
  );
  await page.click('#decisions-tab');
  await use('decisions-pane timeline', async () => {
    await page.click('#decisions-pane .timeline .link');
    await page.waitForSelector('#tile-pane:not([hidden]) #tile-name');
  });
  await use('tile-pane timeline', async () => {
    await page.waitForSelector('#tile-pane .timeline .link');
    await page.click('#tile-pane .timeline .link');
    await page.waitForSelector('#tile-pane:not([hidden])');
  });
  await until(
    page,
    `document.getElementById('busiest').click(), /^Tile 12/.test(document.getElementById('tile-name')?.textContent)`,
  );
  await use('tile-pane: Merge', async () => {
    await command('Merge');
    await eventually('merged', async () => (await server.status()).totals.merges > totals.merges, STEP_MS);
  });
}

async function leave(t: Test, { server, controls, use, page }: Shared): Promise<void> {
  await controls.collect(page);
  await goToPlayers(page);
  const name = await tileName(page);
  t.equal(await page.getAttribute('.tile-title a', 'href'), `/play?tile=${name}`);
  await use('map-page: Skip the map: tiles as a table', async () => {
    await page.focus('.skip');
    await page.keyboard.press('Enter');
    await until(page, `location.hash === '#table-tab'`);
  });
  await use('tile-pane: Play here', async () => {
    // The tile may have been merged or have fallen asleep meanwhile: whichever is shown now.
    await goToPlayers(page);
    await page.click('#tile-tab');
    await page.click('.tile-title a');
    await page.waitForURL(/\/play\?tile=\d+\/\d+\/\d+$/, { waitUntil: 'commit' });
  });
  await page.goto(server.admin);
  await use(': Play', async () => {
    await page.click('nav a:has-text("Play")');
    await page.waitForURL(`${server.admin}/play`, { waitUntil: 'commit' });
  });
  await page.goto(`${server.admin}/?x`);
  await use('top: BlueMarble', async () => {
    await page.click('a.brand');
    await page.waitForURL(`${server.admin}/`, { waitUntil: 'commit' });
  });
}

async function measure(t: Test, { open }: Shared): Promise<void> {
  const phone = await open({ viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true });
  await isLive(phone.page);
  await showsPlayers(phone.page, 12);
  await goToPlayers(phone.page);
  for (const tab of ['tile', 'decisions', 'crossings', 'table', 'server']) {
    await phone.page.click(`#${tab}-tab`);
    t.same(await tooSmall(phone.page), [], tab);
  }
  t.ok(
    (await phone.page.evaluate('document.documentElement.scrollWidth - innerWidth')) === 0,
    'no sideways scrolling',
  );
  await phone.page.evaluate('scrollTo(0, 0)');
  await keepPicture(phone.page, 'map-phone-controls', true);
}

t.test('every control of the map', { skip }, async (t) => {
  const server = await startServer(t, ['--shards', '2']);
  const browser = await openBrowser(t);
  const controls = new Controls();
  const use = controls.use.bind(controls);
  const open = (options: BrowserContextOptions = {}) =>
    openPage(browser, server.admin, '/', options, WATCH_CONTROLS);
  const empty = await open();
  await isLive(empty.page);
  await empty.page.waitForSelector('#welcome:not([hidden])');
  await controls.collect(empty.page);
  await use('welcome: Walk in yourself', async () => {
    await empty.page.click('#welcome a');
    await empty.page.waitForURL(`${server.admin}/play`, { waitUntil: 'commit' });
  });
  await empty.page.context().close();

  const life = bots(t, server, 12, 'border');
  const { page, wrong } = await open();
  await isLive(page);
  await showsPlayers(page, 12);
  await knowsTiles(page, 2);
  const c = { server, controls, use, page, open };

  await t.test('moving about', (t) => move(t, c));

  await t.test('layers and colours', (t) => recolour(t, c));

  await t.test('tabs and what is in them', (t) => openTabs(t, c));

  await t.test('the operator: move, split, merge', (t) => operate(t, c));

  await t.test('ways out', (t) => leave(t, c));

  await t.test('on a phone every control is as large as a finger', (t) => measure(t, c));

  t.same(controls.unused, [], 'a control that no test uses');
  t.same(controls.missing, [], 'a test of what is not there');
  t.ok(controls.count > 30, `of ${controls.count}`);
  t.same(
    wrong.filter((text) => !text.startsWith(`request to ${server.url}`)),
    [],
    'no errors',
  );
  life.done();
  await life.run;
  await browser.close();
  await server.stop();
});

/** Two people in two browsers' pages: one walks over a border and hands the other a coin there. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import { boundsOf, centreOf, tileAt } from '../../src/geo/address.js';
import { lonLatToXY } from '../../src/geo/world.js';
import { eventually, type Server, within } from '../e2e/server.js';
import { FILE_MS, keepPicture, openBrowser, openPage, overflow, skip, STEP_MS, until } from './browser.js';
import { startServer } from './life.js';

const BERLIN = lonLatToXY(13.405, 52.52);
const HOME = tileAt(BERLIN.x, BERLIN.y, 11);

t.setTimeout(FILE_MS);

/** Of the page's picture; and a place clear of what lies over it. */
const PX_PER_METRE = 14;
const PX_OF_TAP = 300;

const isOnline = (page: Page) => until(page, `document.getElementById('state').dataset.state === 'live'`);
const holds = (page: Page, item: string, n: number) =>
  until(page, `document.querySelector('[data-item=${item}]')?.textContent === '${n}'`);

t.test('over a border, and a coin to a friend there', { skip }, async (t) => {
  const server = await startServer(t, ['--shards', '2']);
  const browser = await openBrowser(t);
  const border = boundsOf(HOME).east;
  const { y } = centreOf(HOME);
  const ada = await openPage(browser, server.admin, `/play?x=${border - 8}&y=${y}`);
  const bob = await openPage(browser, server.admin, `/play?x=${border + 6}&y=${y}`, { colorScheme: 'dark' });
  for (const { page } of [ada, bob]) {
    await isOnline(page);
    await holds(page, 'coin', 10);
  }
  const [[adaId]] = await playersAt(server, border, y);
  const tile = `11/${HOME.x}/${HOME.y}`;
  await until(ada.page, `document.getElementById('tile').textContent === '${tile}'`);
  await until(ada.page, `document.getElementById('shard').textContent !== '–'`);
  const shard = await ada.page.textContent('#shard');
  await ada.page.keyboard.press('e');
  await until(ada.page, `document.getElementById('note').textContent.includes('No player within 3 m')`);
  await ada.page.keyboard.down('d');
  await until(ada.page, `document.getElementById('tile').textContent === '11/${HOME.x + 1}/${HOME.y}'`);
  await ada.page.keyboard.up('d');
  // Neighbours are on different shards; which one has a tile is asked once a second.
  await until(
    ada.page,
    `document.getElementById('borders').textContent.startsWith('1 (1 to another shard)')`,
  );
  t.not(await ada.page.textContent('#shard'), shard);
  await keepPicture(ada.page, 'play-border');
  // Bob comes to meet her, wherever she came to stand; then one coin changes hands.
  await meet(server, bob.page, adaId, border, y);
  await ada.page.waitForSelector('[data-deed=give][data-ready]');
  await ada.page.click('[data-deed=give]');
  await holds(ada.page, 'coin', 9);
  await holds(bob.page, 'coin', 11);
  await bob.page.fill('#words', 'Thank you!');
  await bob.page.keyboard.press('Enter');
  await until(ada.page, `document.getElementById('told').textContent.includes('Thank you!')`);
  await keepPicture(bob.page, 'play-friends');
  t.same(
    [...outside(ada.wrong, server), ...outside(bob.wrong, server)],
    [],
    'no errors, nothing from elsewhere',
  );
  await browser.close();
  await server.stop();
});

t.test('a lost connection is resumed, and what lay on the ground is picked up again', { skip }, async (t) => {
  const server = await startServer(t, ['--shards', '2']);
  const browser = await openBrowser(t);
  const { x, y } = centreOf(HOME);
  const { page, wrong } = await openPage(browser, server.admin, `/play?x=${x}&y=${y}`, {
    viewport: { width: 390, height: 844 },
    colorScheme: 'light',
  });
  await isOnline(page);
  await holds(page, 'berry', 3);
  await page.click('[data-deed=forage]');
  await holds(page, 'berry', 4);
  await page.click('#cut');
  await until(page, `document.querySelector('#state span').textContent.includes('resumed 1')`);
  t.match(await page.textContent('#note'), /Resumed: the same session/);
  await holds(page, 'berry', 4);
  await page.click('[data-deed=drop]');
  await holds(page, 'coin', 9);
  await page.waitForSelector('[data-deed=pick][data-ready]');
  await page.click('[data-deed=pick]');
  await holds(page, 'coin', 10);
  t.equal(await overflow(page), 0, 'no sideways scrolling');
  await keepPicture(page, 'play-phone');
  t.same(outside(wrong, server), [], 'no errors, nothing from elsewhere');
  await browser.close();
  await server.stop();
});

/** Pixels of the picture that have the colour of the own player, or nearly so. */
const OWN_PIXELS = `(() => {
  const world = document.getElementById('world');
  const canvas = Object.assign(document.createElement('canvas'), { width: world.width, height: world.height });
  const copy = canvas.getContext('2d', { willReadFrequently: true });
  copy.drawImage(world, 0, 0);
  const own = getComputedStyle(document.documentElement).getPropertyValue('--self').trim();
  const [r, g, b] = [1, 3, 5].map((at) => parseInt(own.slice(at, at + 2), 16));
  const { data } = copy.getImageData(0, 0, canvas.width, canvas.height);
  let count = 0;
  for (let i = 0; i < data.length; i += 4)
    if (Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12) count++;
  return count;
})()`;

t.test('whoever is far away is counted as far, and seen from further up', { skip }, async (t) => {
  const server = await startServer(t, ['--shards', '2']);
  const browser = await openBrowser(t);
  const { x, y } = centreOf(HOME);
  // Two cells and more apart: in the ring around the near view. Groves stand there as well, and come into view when they
  // will: only of players it is known how many there are.
  // A small picture, and a friend without one: whoever draws too slowly for the news is shown nothing far.
  const viewport = { width: 480, height: 400 };
  const ada = await openPage(browser, server.admin, `/play?x=${x}&y=${y + 3000}`, { viewport });
  await isOnline(ada.page);
  await until(ada.page, `document.getElementById('in-view').title === '0 other players'`);
  const bob = connect({ url: server.url, socket: nodeSockets, spawn: { x: x + 330, y: y + 3000 } });
  await within('Welcome', bob.ready);
  await until(ada.page, `document.getElementById('in-view').title === '1 other player'`);
  t.match(await ada.page.textContent('#in-view'), /^\d+ near, [1-9]\d* far$/, 'he is counted as far');
  const large = (await ada.page.evaluate(OWN_PIXELS)) as number;
  t.ok(large > 50, `the own player is drawn: ${large} pixels`);
  for (let i = 0; i < 8; i++) await ada.page.keyboard.press('-');
  await until(ada.page, `${OWN_PIXELS} < ${large / 2}`);
  await keepPicture(ada.page, 'play-far');
  for (let i = 0; i < 8; i++) await ada.page.click('#zoom-in');
  await until(ada.page, `${OWN_PIXELS} > ${large * 0.8}`);
  t.same([...outside(ada.wrong, server)], [], 'no errors');
  await within('goodbye', bob.goodbye());
  await browser.close();
  await server.stop();
});

t.test('who asks for no place is asked where to begin', { skip }, async (t) => {
  const server = await startServer(t, ['--shards', '2']);
  const browser = await openBrowser(t);
  for (const place of ['players', 'grove', 'border']) {
    const { page, wrong } = await openPage(browser, server.admin, '/play');
    await page.click(`[data-place=${place}]`);
    await isOnline(page);
    t.ok(await page.locator('#start').isHidden());
    t.same(outside(wrong, server), [], place);
    await page.context().close();
  }
  await browser.close();
  await server.stop();
});

/** Id, metres east of `x` and speed of the players within 2 km of a place, from west to east. */
async function playersAt(server: Server, x: number, y: number): Promise<number[][]> {
  const box = `west=${x - 2000}&south=${y - 2000}&east=${x + 2000}&north=${y + 2000}`; // dx-ok: far from the antimeridian
  const { dots } = (await (await fetch(`${server.admin}/api/dots?${box}`)).json()) as { dots: number[] };
  const rows = Array.from({ length: dots.length / 7 }, (_, i) => dots.slice(i * 7, i * 7 + 7));
  return rows
    .filter(([, , , , , kind]) => kind === 0)
    .map(([id, east, , vx]) => [id, east - 2000, Math.abs(vx)]) // dx-ok: metres from one place
    .sort((a, b) => a[1] - b[1]);
}

/** Taps where the other one is until they stand within reach: a tap walks as far as was pointed at, however late. */
async function meet(server: Server, page: Page, other: number, x: number, y: number): Promise<void> {
  const box = await page.locator('#world').boundingBox();
  if (box === null) throw new Error('the world is not shown');
  await eventually(
    'they stand within reach',
    async () => {
      const players = await playersAt(server, x, y);
      if (players.length < 2 || players.some(([, , speed]) => speed > 0)) return false;
      const away = players.reduce((sum, [id, east]) => sum + (id === other ? east : -east), 0);
      if (Math.abs(away) < 2) return true;
      const px = Math.max(-PX_OF_TAP, Math.min(PX_OF_TAP, away * PX_PER_METRE));
      await page.mouse.click(box.x + box.width / 2 + px, box.y + box.height / 2);
      return false;
    },
    STEP_MS,
  );
}

/** The game port is another origin, and the one that this page is for. */
function outside(wrong: readonly string[], server: Server): string[] {
  return wrong.filter((text) => !text.startsWith(`request to ${server.url}`));
}

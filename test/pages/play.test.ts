/** Two people in two browsers' pages: one walks over a border and hands the other a coin there. */
import type { Page } from 'playwright-core';
import t from 'tap';
import { boundsOf, centreOf, tileAt } from '../../src/geo/address.js';
import { lonLatToXY } from '../../src/geo/world.js';
import { Server } from '../e2e/server.js';
import { keepPicture, openBrowser, openPage, overflow, skip, until } from './browser.js';

const BERLIN = lonLatToXY(13.405, 52.52);
const HOME = tileAt(BERLIN.x, BERLIN.y, 11);

const isOnline = (page: Page) => until(page, `document.getElementById('state').dataset.state === 'live'`);
const holds = (page: Page, item: string, n: number) =>
  until(page, `document.querySelector('[data-item=${item}]')?.textContent === '${n}'`);

t.test('over a border, and a coin to a friend there', { skip }, async (t) => {
  const server = await Server.start(t, ['--shards', '2']);
  const browser = await openBrowser(t);
  const border = boundsOf(HOME).east;
  const { y } = centreOf(HOME);
  const ada = await openPage(browser, server.admin, `/play?x=${border - 8}&y=${y}`);
  const bob = await openPage(browser, server.admin, `/play?x=${border + 6}&y=${y}`, { colorScheme: 'dark' });
  for (const { page } of [ada, bob]) {
    await isOnline(page);
    await holds(page, 'coin', 10);
  }
  const tile = `11/${HOME.x}/${HOME.y}`;
  await until(ada.page, `document.getElementById('tile').textContent === '${tile}'`);
  const shard = await ada.page.textContent('#shard');
  await ada.page.keyboard.press('e');
  await ada.page.waitForSelector('#note:not([hidden])');
  t.match(await ada.page.textContent('#note'), /No player within 3 m/);
  await ada.page.keyboard.down('d');
  await until(ada.page, `document.getElementById('tile').textContent === '11/${HOME.x + 1}/${HOME.y}'`);
  await ada.page.keyboard.up('d');
  t.match(
    await ada.page.textContent('#borders'),
    /^1 \(1 to another shard\)/,
    'neighbours are on different shards',
  );
  t.not(await ada.page.textContent('#shard'), shard);
  await keepPicture(ada.page, 'play-border');
  // Bob comes to meet her; then one coin changes hands.
  await bob.page.keyboard.down('a');
  await ada.page.waitForSelector('[data-deed=give][data-ready]');
  await bob.page.keyboard.up('a');
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
  const server = await Server.start(t, ['--shards', '2']);
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

t.test('who asks for no place is asked where to begin', { skip }, async (t) => {
  const server = await Server.start(t, ['--shards', '2']);
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

/** The game port is another origin, and the one that this page is for. */
function outside(wrong: readonly string[], server: Server): string[] {
  return wrong.filter((text) => !text.startsWith(`request to ${server.url}`));
}

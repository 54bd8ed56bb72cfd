/**
 * The pages for who does not see or does not use a mouse, by Chromium's own accessibility tree: everything that can be
 * used has a name, the focus goes through the page in order, and live regions speak seldom.
 */
import type { Page } from 'playwright-core';
import t from 'tap';
import { FILE_MS, isLive, openBrowser, openPage, skip, until } from './browser.js';
import { bots, goToPlayers, knowsTiles, showsPlayers, startServer } from './life.js';

t.setTimeout(FILE_MS);

/** Roles that somebody acts on or goes to. */
const USED =
  /^(button|link|checkbox|radio|textbox|searchbox|combobox|listbox|tab|tabpanel|application|dialog|img|image|slider|tablist|group|region)$/;
/** Elements whose changes are read aloud; `output` and `role=status` are live by themselves. */
const LIVE = '[aria-live]:not([aria-live=off]), [role=status], [role=alert], [role=log], output';

interface AxNode {
  readonly ignored: boolean;
  readonly role?: { readonly value: string };
  readonly name?: { readonly value: string };
}

/** @returns roles of what can be used and has no name, and how many have one */
async function names(page: Page): Promise<{ unnamed: string[]; named: number }> {
  const session = await page.context().newCDPSession(page);
  const { nodes } = (await session.send('Accessibility.getFullAXTree')) as { nodes: AxNode[] };
  await session.detach();
  const used = nodes.filter(({ ignored, role }) => !ignored && USED.test(role?.value ?? ''));
  const unnamed = used.filter(({ name }) => (name?.value ?? '').trim() === '');
  return { unnamed: unnamed.map(({ role }) => role?.value ?? ''), named: used.length - unnamed.length };
}

/** What the focus meets from the top of the page, by id or else text. */
async function focusOrder(page: Page, steps: number): Promise<string[]> {
  await page.evaluate(
    'document.body.tabIndex = -1, document.body.focus(), document.body.removeAttribute("tabindex")',
  );
  const met: string[] = [];
  for (let i = 0; i < steps; i++) {
    await page.keyboard.press('Tab');
    met.push(
      await page.evaluate(
        '(e => e.id || e.name && e.name + "=" + e.value || e.textContent.trim())(document.activeElement)',
      ),
    );
  }
  return met;
}

/** Counts what live regions say from now on, in `window.said`. */
function listen(page: Page): Promise<unknown> {
  return page.evaluate(`window.said = [], new MutationObserver((changes) => {
    const regions = new Set(changes.map(({ target }) => (target.nodeType === 1 ? target : target.parentElement)?.closest('${LIVE}')));
    for (const region of regions) if (region) said.push(region.id + ': ' + region.textContent);
  }).observe(document.body, { subtree: true, childList: true, characterData: true })`);
}
const said = (page: Page) => page.evaluate('said') as Promise<string[]>;

t.test('the map: names, order of focus, quiet live regions', { skip }, async (t) => {
  const server = await startServer(t, ['--shards', '2']);
  const life = bots(t, server, 10, 'border');
  const browser = await openBrowser(t);
  const { page, wrong } = await openPage(browser, server.admin, '/');
  await isLive(page);
  await showsPlayers(page, 10);
  await knowsTiles(page, 1);
  await goToPlayers(page);
  for (const tab of ['tile', 'decisions', 'crossings', 'table', 'server']) {
    await page.click(`#${tab}-tab`);
    const { unnamed, named } = await names(page);
    t.same(unnamed, [], `${tab}: everything that can be used has a name`);
    t.ok(named > 15, `${tab}: of ${named}`);
  }
  t.match(
    (await focusOrder(page, 13)).join(' '),
    /^Skip the map.* BlueMarble Play theme map zoom-in zoom-out home busiest colour=load layer-tiles layer-players layer-grid$/,
    'from the top through the map',
  );
  await page.focus('#server-tab');
  await page.keyboard.press('Home');
  t.equal(await page.evaluate('document.activeElement.id'), 'tile-tab');
  await page.keyboard.press('Tab');
  t.equal(await page.evaluate('document.activeElement.id'), 'tile-pane', 'from a tab into its pane');
  await page.focus('.neighbours button');
  await listen(page);
  const tick = Number(await page.getAttribute('#n-tick', 'data-seen'));
  await until(page, `Number(document.getElementById('n-tick').dataset.seen) > ${tick + 8}`);
  t.ok((await said(page)).length <= 2, `eight seconds of numbers: ${(await said(page)).join(' | ')}`);
  t.equal(
    await page.evaluate(`document.activeElement.closest('.neighbours') !== null`),
    true,
    'numbers that change do not take the focus away',
  );
  await t.test('a control without a name and a region that chatters are found', async (t) => {
    await page.evaluate(`document.querySelector('nav').append(document.createElement('button'))`);
    t.same((await names(page)).unnamed, ['button']);
    const before = (await said(page)).length;
    await page.evaluate(
      `document.querySelector('main').append(document.createElement('output')), document.querySelector('output').textContent = 'tick'`,
    );
    await until(page, `said.length > ${before}`);
  });
  t.same(wrong, [], 'no errors, nothing from elsewhere');
  life.done();
  await life.run;
  await server.stop();
});

t.test('the game: names and order of focus', { skip }, async (t) => {
  const server = await startServer(t, ['--shards', '2']);
  const browser = await openBrowser(t);
  const { page } = await openPage(browser, server.admin, '/play');
  await page.waitForSelector('#start');
  t.same((await names(page)).unnamed, [], 'where to begin');
  await page.click('[data-place=grove]');
  await until(page, `document.getElementById('state').dataset.state === 'live'`);
  await page.waitForSelector('[data-item=coin]');
  const { unnamed, named } = await names(page);
  t.same(unnamed, [], 'in the game');
  t.ok(named > 12, `of ${named}`);
  t.match(
    (await focusOrder(page, 6)).join(' '),
    /^BlueMarble Map theme world show-borders cut$/,
    'the world comes before what lies over it',
  );
  await server.stop();
});

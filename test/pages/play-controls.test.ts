/** Every control of /play is used, and does what it is there for: two people walk, gather, give, talk and trade. */
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import t, { type Test } from 'tap';
import { ITEM, KIND } from '../../src/game/constants.js';
import { centreOf, tileAt } from '../../src/geo/address.js';
import { lonLatToXY } from '../../src/geo/world.js';
import { eventually, type Server } from '../e2e/server.js';
import { FILE_MS, keepPicture, openBrowser, openPage, skip, STEP_MS, until } from './browser.js';
import { Controls, tooSmall, WATCH_CONTROLS } from './controls.js';
import { startServer } from './life.js';

t.setTimeout(FILE_MS);

const BERLIN = lonLatToXY(13.405, 52.52);
const HOME = tileAt(BERLIN.x, BERLIN.y, 11);
const isOnline = (page: Page) => until(page, `document.getElementById('state').dataset.state === 'live'`);
const shows = (page: Page, id: string, text: string) =>
  until(page, `document.getElementById('${id}').textContent.includes(${JSON.stringify(text)})`);
const holds = (page: Page, item: string, n: number) =>
  until(page, `document.querySelector('[data-item=${item}]')?.textContent === '${n}'`);
const carried = async (page: Page) =>
  (await page.locator('[data-item]').allTextContents()).reduce((sum, text) => sum + Number(text), 0);

/** Id, x and y of the entities of a kind near the middle of the tile. */
async function dots(server: Server, kind: number): Promise<{ id: number; x: number; y: number }[]> {
  const { x, y } = centreOf(HOME);
  const box = `west=${x - 500}&south=${y - 500}&east=${x + 500}&north=${y + 500}`; // dx-ok: far from the antimeridian
  const { dots } = (await (await fetch(`${server.admin}/api/dots?${box}`)).json()) as { dots: number[] };
  const rows = Array.from({ length: dots.length / 7 }, (_, i) => dots.slice(i * 7, i * 7 + 7));
  return rows
    .filter((row) => row[5] === kind)
    .map(([id, east, north]) => ({ id, x: x - 500 + east, y: y - 500 + north })); // dx-ok: likewise
}

/** What the picture shows, as one text. */
const picture = (page: Page) => page.evaluate(`document.getElementById('world').toDataURL()`);

/** What the steps share; the two people and what grows beside them once they have met. */
interface Shared {
  readonly server: Server;
  readonly browser: Browser;
  readonly controls: Controls;
  readonly open: (path: string, options?: BrowserContextOptions) => Promise<Page>;
  ada: Page;
  bob: Page;
  node: { x: number; y: number };
}

async function begin(t: Test, { server, browser, controls, open }: Shared): Promise<void> {
  for (const place of ['players', 'border', 'grove']) {
    const page = await open('/play');
    await controls.use(place, async () => {
      await page.click(`[data-place=${place}]`);
      await isOnline(page);
      t.ok(await page.locator('#start').isHidden());
    });
    await controls.collect(page);
    if (place !== 'grove') await page.context().close();
  }
  for (const path of [
    `/play?tile=11/${HOME.x}/${HOME.y}`,
    `/play?x=${centreOf(HOME).x}&y=${centreOf(HOME).y}`,
  ])
    for (let i = 0; i < 2; i++) await isOnline(await open(path));
  await eventually('five stand there', async () => (await dots(server, KIND.player)).length === 5, STEP_MS);
  const players = await dots(server, KIND.player);
  const apart = players.flatMap((a, i) => players.slice(0, i).map((b) => Math.hypot(a.x - b.x, a.y - b.y))); // dx-ok: metres from one place
  t.ok(Math.min(...apart) > 0, `no two on one point: ${apart.map((m) => m.toFixed(1)).join(' ')}`);
  for (const context of browser.contexts()) await context.close();
}

async function meet(t: Test, c: Shared): Promise<void> {
  const { server, open } = c;
  const waker = await open(`/play?tile=11/${HOME.x}/${HOME.y}`);
  await isOnline(waker);
  await eventually('things grow there', async () => (await dots(server, KIND.node)).length > 0, STEP_MS);
  const middle = centreOf(HOME);
  const [node] = (await dots(server, KIND.node)).sort(
    (a, b) => Math.hypot(a.x - middle.x, a.y - middle.y) - Math.hypot(b.x - middle.x, b.y - middle.y), // dx-ok: likewise
  );
  await waker.context().close();
  const ada = await open(`/play?x=${node.x}&y=${node.y}`);
  const bob = await open(`/play?x=${node.x + 0.4}&y=${node.y}`, { colorScheme: 'dark' });
  for (const page of [ada, bob]) {
    await isOnline(page);
    await holds(page, 'coin', 10);
  }
  t.pass('they have');
  Object.assign(c, { ada, bob, node });
}

async function settle(t: Test, { controls, ada, bob }: Shared): Promise<void> {
  await ada.waitForSelector('[data-deed=tradeOffer][data-ready]');
  await controls.use('tradeOffer', async () => {
    await ada.click('[data-deed=tradeOffer]');
    for (const page of [ada, bob]) await page.waitForSelector('#trade:not([hidden]) #trade-put');
  });
  t.match(await bob.textContent('#trade h2'), /you are asked/);
  await controls.use('#trade-item', async () => {
    await bob.selectOption('#trade-item', { label: 'berry' });
    await ada.selectOption('#trade-item', { label: 'coin' });
  });
  await controls.use('#trade-put', async () => {
    for (let n = 1; n <= 3; n++) {
      await ada.click('#trade-put');
      await shows(bob, 'trade-get', `${n} coin`);
    }
    await shows(ada, 'trade-give', '3 coin');
    await holds(ada, 'coin', 7);
  });
  await controls.use('#trade-take', async () => {
    await ada.click('#trade-take');
    await shows(bob, 'trade-get', '2 coin');
    await holds(ada, 'coin', 8);
  });
  await keepPicture(ada, 'play-trade');
  await controls.use('#trade-accept', async () => {
    await bob.click('#trade-accept');
    await shows(ada, 'trade-get', '✓ accepted');
    await ada.click('#trade-accept');
    for (const page of [ada, bob])
      await until(page, `document.querySelector('#trade h2').textContent === 'Trade done'`);
  });
  t.equal(await ada.textContent('#trade-give'), 'You gave 2 coin');
  t.equal(await ada.textContent('#trade-get'), 'You got nothing');
  t.equal(await bob.textContent('#trade-get'), 'You got 2 coin');
  await holds(bob, 'coin', 12);
  await holds(ada, 'coin', 8);
  await keepPicture(bob, 'play-trade-done');
  await controls.use('#trade-close', async () => {
    for (const page of [ada, bob]) {
      await page.click('#trade-close');
      await page.waitForSelector('#trade', { state: 'hidden' });
    }
  });
}

async function callOff(t: Test, { controls, ada, bob }: Shared): Promise<void> {
  await controls.use('key T', async () => {
    await bob.focus('#world');
    await eventually(
      'offered',
      async () => {
        await bob.keyboard.press('t');
        return ada.locator('#trade-put').isVisible();
      },
      STEP_MS,
    );
  });
  await bob.selectOption('#trade-item', { label: 'coin' });
  await bob.click('#trade-put');
  await shows(ada, 'trade-get', '1 coin');
  await controls.use('#trade-abort', async () => {
    await ada.click('#trade-abort');
    for (const page of [ada, bob])
      await until(page, `document.querySelector('#trade h2').textContent === 'Trade called off'`);
  });
  t.equal(await bob.textContent('#trade-give'), 'You keep 1 coin');
  await holds(bob, 'coin', 12);
  for (const page of [ada, bob]) await page.click('#trade-close');
}

async function useHands(t: Test, { controls, ada, bob }: Shared): Promise<void> {
  for (const [deed, key] of [
    ['gather', 'G'],
    ['forage', 'F'],
  ]) {
    for (const by of [deed, `key ${key}`])
      await controls.use(by, async () => {
        const before = await carried(ada);
        await ada.focus('#world');
        // Again and again: there are waits between, and what grows must grow.
        await eventually(
          `${by} gives something`,
          async () => {
            if (by === deed) await ada.click(`[data-deed=${deed}]`);
            else await ada.keyboard.press(key);
            return (await carried(ada)) > before;
          },
          STEP_MS,
        );
      });
  }
  for (const isByKey of [false, true])
    for (const [deed, key, change] of [
      ['drop', 'R', -1],
      ['pick', 'P', 1],
      ['give', 'E', -1],
    ] as const)
      await controls.use(isByKey ? `key ${key}` : deed, async () => {
        if (deed !== 'drop') await bob.waitForSelector(`[data-deed=${deed}][data-ready]`);
        const before = await carried(bob);
        await bob.focus('#world');
        if (isByKey) await bob.keyboard.press(key);
        else await bob.click(`[data-deed=${deed}]`);
        await eventually(deed, async () => (await carried(bob)) === before + change, STEP_MS);
      });
  for (const item of Object.keys(ITEM)) {
    const name = `item ${item}`;
    await controls.use(name, async () => {
      await ada.click(`button:has([data-item=${item}])`);
      await ada.waitForSelector(`button[aria-pressed=true]:has([data-item=${item}])`);
    });
  }
  t.pass('all done');
}

async function look(t: Test, { server, controls, ada, bob, node }: Shared): Promise<void> {
  const ownX = async () => (await dots(server, KIND.player)).map(({ x }) => x);
  await controls.use('#world', async () => {
    const before = await ownX();
    await ada.focus('#world');
    await ada.keyboard.down('ArrowUp');
    await eventually(
      'she walks',
      async () => (await dots(server, KIND.player)).some(({ y }) => y > node.y + 4),
      STEP_MS,
    );
    await ada.keyboard.up('ArrowUp');
    await ada.mouse.move(700, 300);
    await ada.mouse.wheel(0, 200);
    t.equal(before.length, 2);
  });
  for (const id of ['zoom-in', 'zoom-out'])
    await controls.use(`#${id}`, async () => {
      const before = await picture(ada);
      await ada.click(`#${id}`);
      await eventually(id, async () => (await picture(ada)) !== before, STEP_MS);
    });
  await controls.use('#show-borders', async () => {
    await ada.uncheck('#show-borders');
    t.notOk(await ada.isChecked('#show-borders'));
    await ada.check('#show-borders');
  });
  await controls.use('#theme', async () => {
    const before = await ada.getAttribute('#theme', 'aria-label');
    await ada.click('#theme');
    t.not(await ada.getAttribute('#theme', 'aria-label'), before);
    await until(ada, `document.documentElement.dataset.theme !== undefined`);
  });
  await controls.use('#words', async () => {
    await ada.focus('#world');
    await ada.keyboard.press('Enter');
    t.equal(await ada.evaluate('document.activeElement.id'), 'words');
    await ada.keyboard.type('Hello, Bob!');
    await ada.keyboard.press('Enter');
    await shows(bob, 'told', 'Hello, Bob!');
  });
  await controls.use('#cut', async () => {
    await ada.click('#cut');
    await until(ada, `document.querySelector('#state span').textContent.includes('resumed 1')`);
  });
  await controls.collect(ada);
  await controls.collect(bob);
  await controls.use(': Map', async () => {
    await ada.click('nav a:has-text("Map")');
    await ada.waitForURL(`${server.admin}/`);
  });
  await controls.use('top: BlueMarble', async () => {
    await bob.click('a.brand');
    await bob.waitForURL(`${server.admin}/`);
  });
}

async function measure(t: Test, { open }: Shared): Promise<void> {
  const phone = { viewport: { width: 390, height: 844 }, hasTouch: true, isMobile: true };
  const page = await open('/play', phone);
  t.same(await tooSmall(page), [], 'where to begin');
  await page.click('[data-place=border]');
  await isOnline(page);
  await page.waitForSelector('[data-item=coin]');
  t.same(await tooSmall(page), [], 'in the game');
  t.ok(
    (await page.evaluate('document.documentElement.scrollWidth - innerWidth')) === 0,
    'no sideways scrolling',
  );
  await keepPicture(page, 'play-phone-controls');
  t.ok((await tooSmall(page, 400)).length > 8, 'a finger of 400 px finds them all too small');
}

t.test('every control of the game', { skip }, async (t) => {
  const server = await startServer(t, ['--shards', '2']);
  const browser = await openBrowser(t);
  const controls = new Controls();
  const wrong: string[] = [];
  const open = async (path: string, options: BrowserContextOptions = {}) => {
    const opened = await openPage(browser, server.admin, path, options, WATCH_CONTROLS);
    opened.page.on('close', () => wrong.push(...opened.wrong));
    return opened.page;
  };
  const c = { server, browser, controls, open } as Shared;

  await t.test('where to begin, and never where somebody else stands', (t) => begin(t, c));

  await t.test('two meet beside something that grows', (t) => meet(t, c));

  await t.test('a trade is settled, and both are told', (t) => settle(t, c));

  await t.test('a trade is called off, and what was put in comes back', (t) => callOff(t, c));

  await t.test('hands: gather, forage, drop, pick up, give, by button and by key', (t) => useHands(t, c));

  await t.test('the view, the chat, the connection', (t) => look(t, c));

  await t.test('on a phone every control is as large as a finger', (t) => measure(t, c));

  const { unused, missing } = controls;
  t.same(unused, [], 'a control that no test uses');
  t.same(missing, [], 'a test of what is not there');
  t.ok(controls.count > 30, `of ${controls.count}`);
  await t.test('a control that nobody uses is found', async (t) => {
    const page = await open('/play');
    await page.evaluate(
      `document.querySelector('main').append(Object.assign(document.createElement('button'), { textContent: 'Fly' }))`,
    );
    await controls.collect(page);
    t.same(controls.unused.length, 1);
    t.match(controls.unused[0], /Fly/);
  });
  t.same(
    wrong.filter((text) => !text.startsWith(`request to ${server.url}`)),
    [],
    'no errors',
  );
  await browser.close();
  await server.stop();
});

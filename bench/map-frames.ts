/**
 * Is the live map smooth? A real Chromium without a screen shows a planet with 10 000 players on 1 000 tiles, fed by a real
 * admin server over /api/live, while it stands still, is dragged, zoomed, and looks at single players. Measured is the CPU
 * time that the page's main thread takes for a picture; at 60 pictures a second it has 16 ms.
 */
import type { Browser, Page } from 'playwright-core';
import { AdminServer } from '../src/admin/server.js';
import { monotonicClock, systemTimers } from '../src/base/clock.js';
import { findChromium, HOW_TO_GET_IT } from '../test/pages/chromium.js';
import type { BenchArgs } from './benches.js';
import { ShownPlanet } from './map-frames/planet.js';
import { busiestTasks, type Frames, framesOf, type TraceEvent } from './map-frames/trace.js';

export const name = 'map-frames';
export const describe =
  'CPU time of the live map for a picture in a real browser ([--players 10000] [--tiles 1000] [--seconds 5] a part, [--width 1440] [--ratio 1])';
export const flags = ['players', 'tiles', 'seconds', 'width', 'ratio'];

const SHARDS = 8;
/** Told at every look, two a second. */
const HANDOVERS = 100;
const HEIGHT = 900;
const CATEGORIES = ['toplevel', 'devtools.timeline', 'disabled-by-default-devtools.timeline'];
const clock = monotonicClock();
const timers = systemTimers();
const pause = (ms: number) => new Promise<void>((resolve) => void timers.after(ms, resolve));
const NO_LOG = { info() {}, warn() {}, error() {}, fatal() {} };

type Part = (page: Page, until: number) => Promise<void>;

/** What is done to the page, in this order; each goes on until a time. */
const PARTS: Readonly<Record<string, Part>> = {
  'whole planet, untouched': async (_page, until) => pause(until - clock.now()),
  'whole planet, zoomed in and out': zoom,
  'a continent, dragged': async (page, until) => {
    await closer(page, 4);
    await drag(page, until);
  },
  'a continent, untouched': async (_page, until) => pause(until - clock.now()),
  'a city with single players, dragged': async (page, until) => {
    await page.click('#busiest');
    await pause(800);
    await drag(page, until);
  },
  'a city with single players, zoomed in and out': zoom,
};

async function closer(page: Page, steps: number): Promise<void> {
  await page.focus('#map');
  for (let i = 0; i < steps; i++) await page.keyboard.press('+');
}

/** To and fro with the hand down. */
async function drag(page: Page, until: number): Promise<void> {
  const box = await page.locator('#map').boundingBox();
  if (box === null) throw new Error('the map is not shown');
  const [x, y] = [box.x + box.width / 2, box.y + box.height / 2];
  await page.mouse.move(x, y);
  await page.mouse.down();
  for (let i = 0; clock.now() < until; i++)
    await page.mouse.move(x + 300 * Math.sin(i / 25), y + 120 * Math.sin(i / 40));
  await page.mouse.up();
}

async function zoom(page: Page, until: number): Promise<void> {
  const box = await page.locator('#map').boundingBox();
  if (box === null) throw new Error('the map is not shown');
  await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2);
  for (let i = 0; clock.now() < until; i++) await page.mouse.wheel(0, i % 60 < 30 ? -40 : 40);
}

/** Does a part under Chromium's own recorder. */
async function measure(browser: Browser, page: Page, part: Part, seconds: number) {
  await browser.startTracing(page, { categories: CATEGORIES });
  await part(page, clock.now() + seconds * 1000);
  const trace = JSON.parse((await browser.stopTracing()).toString('utf8')) as { traceEvents: TraceEvent[] };
  const frames: Frames = framesOf(trace.traceEvents);
  return { ...frames, work: busiestTasks(trace.traceEvents, 6) };
}

async function openMap(browser: Browser, url: string, width: number, ratio: number): Promise<Page> {
  const context = await browser.newContext({ viewport: { width, height: HEIGHT }, deviceScaleFactor: ratio });
  const page = await context.newPage();
  page.on('pageerror', (error) => process.stderr.write(`the page: ${error.message}\n`));
  await page.goto(url);
  await page.waitForSelector('#state[data-state=live]');
  await pause(1500); // the coastlines, and a second event
  return page;
}

export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const number = (flag: string, otherwise: number) => Number(values[flag] ?? otherwise);
  const [players, tiles] = [number('players', 10_000), number('tiles', 1000)];
  const [seconds, width, ratio] = [number('seconds', 5), number('width', 1440), number('ratio', 1)];
  const executablePath = findChromium();
  if (executablePath === null) throw new Error(HOW_TO_GET_IT);
  const planet = new ShownPlanet({ players, tiles, shards: SHARDS, seed: 1, handovers: HANDOVERS }, clock);
  const server = new AdminServer({
    adminHost: '127.0.0.1',
    adminHosts: [],
    adminPort: 0,
    adminToken: null,
    testFaults: false,
    node: planet.node(),
    log: NO_LOG,
    clock,
    timers,
  });
  const url = `http://127.0.0.1:${await server.listen()}`;
  const { chromium } = await import('playwright-core');
  const browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
  try {
    const page = await openMap(browser, url, width, ratio);
    const parts: Record<string, Frames> = {};
    for (const [what, part] of Object.entries(PARTS)) {
      process.stderr.write(`map-frames: ${what}\n`);
      parts[what] = await measure(browser, page, part, seconds);
    }
    return { players, tiles, window: `${width} × ${HEIGHT} × ${ratio}`, browser: browser.version(), parts };
  } finally {
    await browser.close();
    await server.close();
  }
}

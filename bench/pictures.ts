/**
 * Pictures of the pages under life: `/` and `/play` of a real server with bots, every tab, wide and narrow, dark and light,
 * into a folder. Nothing is measured; they are to be looked at.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import { monotonicClock, systemTimers } from '../src/base/clock.js';
import { findChromium, HOW_TO_GET_IT } from '../test/pages/chromium.js';
import type { BenchArgs } from './benches.js';

export const name = 'pictures';
export const describe =
  'pictures of / and /play with bots, every tab, wide and narrow, dark and light ([--bots 500] [--out dist/screenshots/pages])';
export const flags = ['bots', 'out'];

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
const OUT = fileURLToPath(new URL('../screenshots/pages', import.meta.url));
const LINE = /at ws\S+ \(status: (http:\/\/\S+)\)/;
const TOKEN = 'for-the-pictures';
const SIZES = { wide: { width: 1440, height: 900 }, phone: { width: 390, height: 844 } } as const;
const TABS = ['tile', 'decisions', 'crossings', 'table', 'server'];
/** Of charts before the first picture. */
const COLLECT_MS = 15_000;
const BOTS_MS = 90_000;

const clock = monotonicClock();
const timers = systemTimers();
const pause = (ms: number) => new Promise<void>((done) => void timers.after(ms, done));

function startServer(bots: number): { child: ChildProcess; admin: Promise<string> } {
  const asked = ['--memory', '--port', '0', '--shards', '2', '--bots', String(bots), '--capacity', '60'];
  const env = { ...process.env, BLUEMARBLE_ADMIN_TOKEN: TOKEN };
  const child = spawn(process.execPath, [MAIN, ...asked], {
    stdio: ['ignore', 'pipe', 'ignore', 'ipc'],
    env,
  });
  const admin = new Promise<string>((ready, failed) => {
    let out = '';
    child.stdout?.on('data', (chunk: Buffer) => {
      out += chunk.toString();
      const found = LINE.exec(out);
      if (found !== null) ready(found[1]);
    });
    child.once('exit', (code) => failed(new Error(`the server ended with ${code}`)));
  });
  return { child, admin };
}

interface Tiles {
  readonly tiles: readonly { readonly tile: string; readonly players: number; readonly shard: number }[];
}

/** Waits for the bots, then has the busiest tile split and another moved, so that there is something to see. */
async function bringLife(admin: string, bots: number): Promise<void> {
  const until = clock.now() + BOTS_MS;
  for (;;) {
    const { players } = (await (await fetch(`${admin}/api/status`)).json()) as { players: number };
    if (players >= bots) break;
    if (clock.now() > until) throw new Error(`not all ${bots} bots are there: ${players}`);
    await pause(500);
  }
  const { tiles } = (await (await fetch(`${admin}/api/tiles`)).json()) as Tiles;
  const [first, second] = [...tiles].sort((a, b) => b.players - a.players);
  const post = (path: string, body: object) =>
    fetch(`${admin}/api/admin/${path}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${TOKEN}` },
      body: JSON.stringify(body),
    });
  if (first !== undefined) await post('split', { tile: first.tile });
  if (second !== undefined) await post('move', { tile: second.tile, shard: 1 - second.shard });
}

interface Album {
  readonly browser: Browser;
  readonly admin: string;
  readonly out: string;
  /** Names of the pictures so far, and what a page complained about. */
  readonly kept: string[];
  readonly wrong: string[];
}
type Size = keyof typeof SIZES;
type Scheme = 'dark' | 'light';

async function open(album: Album, path: string, size: Size, colorScheme: Scheme): Promise<Page> {
  const touch = size === 'phone' ? { hasTouch: true, isMobile: true, deviceScaleFactor: 2 } : {};
  const context = await album.browser.newContext({ viewport: SIZES[size], colorScheme, ...touch });
  const page = await context.newPage();
  page.on('pageerror', (error) => album.wrong.push(`${path} ${size} ${colorScheme}: ${error.message}`));
  await page.goto(album.admin + path);
  return page;
}

async function keep(album: Album, page: Page, picture: string, isWhole = false): Promise<void> {
  const wider = await page.evaluate('document.documentElement.scrollWidth - innerWidth');
  if (wider !== 0) album.wrong.push(`${picture} is ${String(wider)} pixels wider than its window`);
  await page.screenshot({ path: `${album.out}/${picture}.png`, fullPage: isWhole });
  album.kept.push(`${picture}.png`);
}

/** The map: the whole planet, then each tab beside the busiest place. */
async function mapPictures(album: Album, size: Size, scheme: Scheme): Promise<void> {
  const page = await open(album, '/', size, scheme);
  await page.waitForSelector('#state:not([data-state=connecting])');
  await pause(COLLECT_MS);
  await keep(album, page, `map-${size}-${scheme}`, size === 'phone');
  await page.click('#busiest');
  await pause(2500);
  for (const tab of TABS) {
    await page.click(`#${tab}-tab`);
    await pause(2500);
    await keep(album, page, `map-${size}-${scheme}-${tab}`, size === 'phone');
  }
  await page.context().close();
}

/** The game: the question where to begin, among players, and at a border. */
async function playPictures(album: Album, size: Size, scheme: Scheme): Promise<void> {
  const page = await open(album, '/play', size, scheme);
  await pause(800);
  await keep(album, page, `play-${size}-${scheme}-start`);
  await page.click('[data-place=players]');
  await page.waitForSelector('#state[data-state=live]');
  await pause(4000);
  await page.fill('#words', 'Hello, planet');
  await page.keyboard.press('Enter');
  await pause(700);
  await keep(album, page, `play-${size}-${scheme}`);
  await page.context().close();
  const border = await open(album, '/play', size, scheme);
  await border.click('[data-place=border]');
  await border.waitForSelector('#state[data-state=live]');
  await pause(2500);
  await keep(album, border, `play-${size}-${scheme}-border`);
  await border.context().close();
}

export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const bots = Number(values.bots ?? 500);
  const out = resolve(String(values.out ?? OUT));
  const executablePath = findChromium();
  if (executablePath === null) throw new Error(HOW_TO_GET_IT);
  mkdirSync(out, { recursive: true });
  const { chromium } = await import('playwright-core');
  const { child, admin: starting } = startServer(bots);
  let browser: Browser | null = null;
  try {
    const admin = await starting;
    await bringLife(admin, bots);
    browser = await chromium.launch({ executablePath, args: ['--no-sandbox', '--disable-gpu'] });
    const album: Album = { browser, admin, out, kept: [], wrong: [] };
    for (const size of ['wide', 'phone'] as const)
      for (const scheme of ['dark', 'light'] as const) {
        process.stderr.write(`pictures: ${size}, ${scheme}\n`);
        await mapPictures(album, size, scheme);
        await playPictures(album, size, scheme);
      }
    if (album.wrong.length > 0) throw new Error(album.wrong.join('; '));
    return { bots, out, pictures: album.kept };
  } finally {
    await browser?.close();
    child.kill('SIGTERM');
  }
}

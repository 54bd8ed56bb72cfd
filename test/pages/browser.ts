/** A headless Chromium for tests, and pages in it that report what must not happen: errors, and requests to elsewhere. */
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import type { Test } from 'tap';
import { eventually } from '../e2e/server.js';
import { findChromium, HOW_TO_GET_IT } from './chromium.js';

const SCREENSHOTS = fileURLToPath(new URL('../../screenshots/', import.meta.url));
/** On a machine that others keep busy a step takes long; what never happens costs the same in the end. */
export const STEP_MS = 60_000;
/** For a whole file of page tests, likewise. */
export const FILE_MS = 400_000;
/** No sandbox: tests run as root in containers. The rest keeps the browser from talking to anybody of its own accord. */
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** Why page tests are skipped; false = they are not. For the options of a test. */
export const skip: false | string = findChromium() === null ? HOW_TO_GET_IT : false;

export async function openBrowser(t: Test): Promise<Browser> {
  const browser = await chromium.launch({ executablePath: findChromium() ?? '', args: FLAGS });
  t.teardown(() => browser.close());
  return browser;
}

export interface Watched {
  readonly page: Page;
  /** Errors of the console and of scripts, failed requests, requests to another origin than the admin port. */
  readonly wrong: string[];
}

/** Opens a page of the admin port. @param admin its http:// address @param before runs in the page before its own script */
export async function openPage(
  browser: Browser,
  admin: string,
  path: string,
  options: BrowserContextOptions = {},
  before = '',
): Promise<Watched> {
  const context = await browser.newContext({ viewport: { width: 1440, height: 900 }, ...options });
  const page = await context.newPage();
  if (before !== '') await page.addInitScript(before);
  page.setDefaultTimeout(STEP_MS);
  const wrong: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') wrong.push(message.text());
  });
  page.on('pageerror', (error) => wrong.push(error.message));
  page.on('request', (request) => {
    if (!request.url().startsWith(`${admin}/`)) wrong.push(`request to ${request.url()}`);
  });
  page.on('response', (response) => {
    if (response.status() >= 400) wrong.push(`${response.status()} ${response.url()}`);
  });
  await page.goto(admin + path);
  return { page, wrong };
}

/** Waits until the map has shown the planet. */
export async function isLive(page: Page): Promise<void> {
  // A full machine is an alarm, and no fault of the page.
  await page.waitForSelector('#state[data-state=live], #state[data-state=alarm]');
}

/** Waits until an expression is true in the page. (Not waitForFunction: the page's security policy forbids its eval.) */
export function until(page: Page, expression: string, ms = STEP_MS): Promise<void> {
  return eventually(expression, async () => (await page.evaluate(expression)) === true, ms);
}

/** Keeps a picture below dist/screenshots. */
export async function keepPicture(page: Page, name: string, fullPage = false): Promise<Buffer> {
  mkdirSync(SCREENSHOTS, { recursive: true });
  return page.screenshot({ path: `${SCREENSHOTS}${name}.png`, fullPage });
}

/** CSS pixels by which a page is wider than its window. */
export function overflow(page: Page): Promise<number> {
  return page.evaluate('document.documentElement.scrollWidth - innerWidth');
}

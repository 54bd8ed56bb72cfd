/**
 * The browser of the page tests: Debian's chromium, or what CHROMIUM names. Where there is none and this is root on a
 * Debian, it is installed once; otherwise the page tests are skipped and say so.
 */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';

const PLACES = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const INSTALL_MS = 240_000;

/** Path of the browser; null when there is none. */
export function findChromium(): string | null {
  const { CHROMIUM } = process.env;
  if (CHROMIUM !== undefined) return existsSync(CHROMIUM) ? CHROMIUM : null;
  return PLACES.find((path) => existsSync(path)) ?? null;
}

export const HOW_TO_GET_IT =
  'no Chromium: install one (apt-get install chromium) or name its path in CHROMIUM';

/** Tries once to install it, where that is possible without asking anybody. @returns whether there is one now */
export function installChromium(tell: (text: string) => void): boolean {
  if (findChromium() !== null) return true;
  if (process.getuid?.() !== 0 || !existsSync('/usr/bin/apt-get')) return false;
  tell('no Chromium for the page tests: apt-get install chromium, some minutes at most\n');
  const options = {
    stdio: 'ignore',
    timeout: INSTALL_MS,
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  } as const;
  const install = ['install', '-y', '-qq', '--no-install-recommends', 'chromium'];
  if (spawnSync('apt-get', install, options).status !== 0) {
    spawnSync('apt-get', ['update', '-qq'], options); // the lists of packages may be older than the packages
    spawnSync('apt-get', install, options);
  }
  return findChromium() !== null;
}

/**
 * The files of the pages, as the build left them in src/pages: read once, kept in memory, plain and compressed. Nothing
 * outside the list below is ever read, whatever a request asks for.
 */
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { gzip } from 'node:zlib';

const FOLDER = new URL('../pages/', import.meta.url);

/** Request path → file in src/pages. */
export const PAGES: Readonly<Record<string, string>> = Object.freeze({
  '/': 'map/index.html',
  '/play': 'play/index.html',
  '/assets/map.js': 'assets/map.js',
  '/assets/map.css': 'assets/map.css',
  '/assets/play.js': 'assets/play.js',
  '/assets/play.css': 'assets/play.css',
  '/assets/land.json': 'assets/land.json',
  '/assets/places.json': 'look/places.json',
  '/assets/icon.svg': 'look/icon.svg',
});

const TYPES: Readonly<Record<string, string>> = {
  html: 'text/html; charset=utf-8',
  js: 'text/javascript; charset=utf-8',
  css: 'text/css; charset=utf-8',
  json: 'application/json; charset=utf-8',
  svg: 'image/svg+xml',
};

/** Only this server's own scripts and styles run; they may talk to it, and to the game port, which is another origin. */
const HEADERS: Readonly<Record<string, string>> = Object.freeze({
  'content-security-policy':
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; " +
    "connect-src 'self' ws: wss:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
});

export interface Asset {
  readonly type: string;
  readonly plain: Buffer;
  readonly zipped: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

export class Assets {
  private readonly kept = new Map<string, Promise<Asset>>();

  /** @returns null when the path is none of the pages' */
  get(path: string): Promise<Asset> | null {
    if (!Object.hasOwn(PAGES, path)) return null;
    let asset = this.kept.get(path);
    if (asset === undefined) {
      asset = load(PAGES[path]);
      asset.catch(() => this.kept.delete(path)); // the next request tries again
      this.kept.set(path, asset);
    }
    return asset;
  }
}

async function load(file: string): Promise<Asset> {
  const plain = await readFile(new URL(file, FOLDER));
  const zipped = await promisify(gzip)(plain);
  return { type: TYPES[file.slice(file.lastIndexOf('.') + 1)], plain, zipped, headers: HEADERS };
}

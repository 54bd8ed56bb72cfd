/**
 * Traces as their reader wants them: lines of the author's source instead of lines of the bundle that was made of it.
 * Contract: a bundle is known by the name that it was given (`nameBundle`) from before it is imported; per thread. Slow:
 * for errors only.
 */
import { SourceMap, type SourceMapPayload } from 'node:module';
import { dirname, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Stands in traces in front of the path of a bundled game file. */
const PREFIX = 'bluemarble-game:';
const bundles = new Map<string, { map: SourceMap; folder: string }>();

/** "at apply (bluemarble-game:…/game.ts:12:5)": the place is the last thing in the line, in brackets or not. */
const FRAME = /((?:bluemarble-game:|file:\/\/)?\/[^()\n]*):(\d+):(\d+)(?=\)?$)/;
/** Our own code, the built-in game excepted. */
const OWN = fileURLToPath(new URL('..', import.meta.url));
const BUILT_IN = fileURLToPath(new URL('../game/', import.meta.url));

/**
 * Makes a bundle known. @param path of the game file @param map its source map, sources relative to `folder`
 * @returns what the bundle's `sourceURL` has to be
 */
export function nameBundle(path: string, map: SourceMapPayload, folder: string = dirname(path)): string {
  bundles.set(path, { map: new SourceMap(map), folder });
  return PREFIX + path;
}

/** @returns "…/game/walk.ts:12:5", the innermost line of the game in the trace; '' when there is none */
export function placeOf(error: unknown): string {
  for (const line of stackOf(error).split('\n')) {
    const place = placeIn(line);
    if (place === null) continue;
    const isOurs = place.path.startsWith(OWN) && !place.path.startsWith(BUILT_IN);
    if (!isOurs && !place.path.includes('/node_modules/'))
      return `${place.path}:${place.line}:${place.column}`;
  }
  return '';
}

/** The trace of whatever was thrown, with the author's files and lines. */
export function readableStack(error: unknown): string {
  const stack = stackOf(error);
  if (!stack.includes(PREFIX)) return stack;
  return stack
    .split('\n')
    .map((line) => {
      const place = line.includes(PREFIX) ? placeIn(line) : null;
      return place === null ? line : line.replace(FRAME, `${place.path}:${place.line}:${place.column}`);
    })
    .join('\n');
}

function stackOf(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}

interface Place {
  readonly path: string;
  readonly line: number;
  readonly column: number;
}

/** What a line of a trace names. */
function placeIn(text: string): Place | null {
  const found = FRAME.exec(text);
  if (found === null) return null;
  const [name, line, column] = [found[1] as string, Number(found[2]), Number(found[3])];
  if (!name.startsWith(PREFIX))
    return { path: name.startsWith('file:') ? fileURLToPath(name) : name, line, column };
  const path = name.slice(PREFIX.length);
  const bundle = bundles.get(path);
  if (bundle === undefined) return { path, line, column };
  const entry = bundle.map.findEntry(line - 1, column - 1);
  if (!('originalSource' in entry)) return { path, line, column };
  const { originalSource, originalLine, originalColumn } = entry;
  return {
    path: resolve(bundle.folder, originalSource),
    line: originalLine + 1,
    column: originalColumn + 1,
  };
}

/**
 * Loads a game file and checks it: .js and .mjs as they are, .ts and .mts bundled by esbuild first. Without a file it is
 * the built-in game. Every thread that runs game code loads its own. Whatever is wrong is a BAD_GAME that names the file.
 */
import { stat } from 'node:fs/promises';
import type { SourceMapPayload } from 'node:module';
import { dirname, extname, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import type { BuildFailure } from 'esbuild';
import { BlueMarbleError } from '../base/errors.js';
import { type CompiledGame, compileGame } from '../world/game.js';
import { nameBundle, placeOf } from './places.js';

const BUILT_IN = fileURLToPath(new URL('../game/game.js', import.meta.url));
const BUILT_IN_NAME = 'built-in game';
const TYPED = ['.ts', '.mts'];
const READABLE = ['.js', '.mjs', ...TYPED];

/**
 * @param file path, relative to the working directory; none for the built-in game
 * @throws BlueMarbleError BAD_GAME: no such file, no parse, throws while it is loaded, or declares something wrong
 */
export async function loadGame(file?: string): Promise<CompiledGame> {
  const name = file ?? BUILT_IN_NAME;
  const path = file === undefined ? BUILT_IN : resolve(file);
  const extension = extname(path);
  const found = await stat(path).catch(() => undefined);
  if (!found?.isFile()) throw bad(name, `there is no such file (looked at ${path})`);
  if (!READABLE.includes(extension))
    throw bad(name, `a game is a .js, .mjs, .ts or .mts file, not '${extension}'`);
  const url = TYPED.includes(extension) ? await bundle(name, path) : pathToFileURL(path).href;
  return compileGame((await load(name, path, url)).default, name);
}

async function load(name: string, path: string, url: string): Promise<{ default?: unknown }> {
  try {
    return (await import(url)) as { default?: unknown };
  } catch (error) {
    if (error instanceof SyntaxError) {
      await bundle(name, path); // Node does not tell the line: esbuild, which does, finds the same fault
      throw bad(name, `it does not parse: ${error.message}`);
    }
    const place = placeOf(error);
    const reason = error instanceof Error ? error.message : String(error);
    throw bad(name, `it throws while it is loaded: ${reason}${place === '' ? '' : ` (${place})`}`);
  }
}

/**
 * The file and what it imports, as one module in a data: URL, which leaves nothing behind on disk. It has a short name,
 * which stands in traces instead of the URL, and its map makes lines of the author's source of them (places.ts).
 */
async function bundle(name: string, path: string): Promise<string> {
  const esbuild = await import('esbuild');
  try {
    const result = await esbuild.build({
      entryPoints: [path],
      absWorkingDir: dirname(path), // messages name files relative to it
      bundle: true, // a data: URL cannot import relative files
      write: false, // the result is imported from memory
      format: 'esm', // it is imported
      platform: 'node', // node: modules stay imports
      target: 'node20', // the oldest engine that runs this server
      outfile: `${path}.bundle.js`, // never written: sources in the map are relative to it
      sourcemap: 'both', // in the module for a debugger, beside it for our traces
      sourceRoot: pathToFileURL(`${dirname(path)}/`).href, // where a debugger finds the author's files
      tsconfigRaw: {}, // the studio's tsconfig.json does not change what is run
      logLevel: 'silent', // faults are thrown, and reported once
    });
    const part = (end: string) => result.outputFiles.find((file) => file.path.endsWith(end))!.text;
    const source = nameBundle(path, { ...(JSON.parse(part('.map')) as SourceMapPayload), sourceRoot: '' });
    const code = `${part('.js')}\n//# sourceURL=${source}\n`;
    return `data:text/javascript;base64,${Buffer.from(code).toString('base64')}`;
  } catch (error) {
    const first = (error as BuildFailure).errors?.[0];
    if (first === undefined) throw bad(name, `esbuild failed: ${(error as Error).message}`);
    const at = first.location === null ? '' : `${first.location.file} line ${first.location.line}: `;
    throw bad(name, `it does not parse: ${at}${first.text}`);
  }
}

function bad(name: string, sentence: string): BlueMarbleError {
  return new BlueMarbleError('BAD_GAME', `${name}: ${sentence}`);
}

/**
 * `npm test`: types, lint and format, then every test file through tap; the last line is
 * "N passed, N failed", counted from tap's own summary. Exits non-zero on any failure, when a step could
 * not run, and when nothing was tested; nothing is retried. Arguments are folders or files below test/ to run
 * only those (`node dist/test/run.js geo`), then without the static checks.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type Command, helpOf, readFlags, tellRefusal } from '../src/base/flags.js';
import { readSummary } from './house/summary.js';
import { HOW_TO_GET_IT, installChromium } from './pages/chromium.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Runs one command of node_modules/.bin from the root, passing its output through; resolves to code and output. */
function run(command: string, args: string[]): Promise<{ code: number; output: string }> {
  return new Promise((resolve, reject) => {
    const child = spawn(`${root}node_modules/.bin/${command}`, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const chunks: Buffer[] = [];
    child.stdout.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      process.stdout.write(chunk);
    });
    child.on('error', reject);
    child.on('close', (code) => resolve({ code: code ?? 1, output: Buffer.concat(chunks).toString('utf8') }));
  });
}

/** The compiled place of what was asked for: a folder, a file, with or without its ending. */
function compiled(name: string): string {
  const bare = name
    .replace(/^(dist\/)?test\//, '')
    .replace(/(\.test)?\.[jt]s$/, '')
    .replace(/\/$/, '');
  const folder = `dist/test/${bare}`;
  return existsSync(`${root}${folder}`) ? `${folder}/**/*.test.js` : `${folder}.test.js`;
}

const COMMAND: Command = {
  name: 'npm test',
  about: 'Types, lint and every test; with names only the tests of these folders or files below test/.',
  usage: '-- [folder or file …]',
  words: Array.from({ length: 100 }, () => 'folder or file'),
  flags: [],
  examples: [
    ['npm test', 'everything that continuous integration runs'],
    ['npm test -- geo pages/map', 'the tests of one folder and of one file'],
  ],
  exits: ['1 a test or a check failed, or nothing was tested'],
};

function readNames(): readonly string[] {
  try {
    const flags = readFlags(process.argv.slice(2), COMMAND);
    if (flags !== 'help') return flags.words;
    process.stdout.write(helpOf(COMMAND));
    process.exit(0);
  } catch (error) {
    process.exit(tellRefusal(error));
  }
}

const asked = readNames();
let failedSteps = 0;
if (asked.length === 0) {
  const steps = await Promise.all([
    run('tsc', ['--noEmit', '--pretty', 'false']),
    run('tsc', ['--noEmit', '--pretty', 'false', '--project', 'src/pages']),
    run('biome', ['ci', '--error-on-warnings', '--colors=off', '.']),
  ]);
  failedSteps = steps.filter((step) => step.code !== 0).length;
}
const wantsPages = asked.length === 0 || asked.some((name) => name.includes('pages'));
const hasBrowser = !wantsPages || installChromium((text) => process.stdout.write(text));
const tap = await run('tap', ['--reporter=tap', ...asked.map(compiled)]);
const { passed, failed } = readSummary(tap.output);
const broken = failed + failedSteps + (tap.code !== 0 && failed === 0 ? 1 : 0);
if (!hasBrowser) process.stdout.write(`page tests were skipped: ${HOW_TO_GET_IT}\n`);
process.stdout.write(`${passed} passed, ${broken} failed\n`);
process.exitCode = broken > 0 || passed === 0 ? 1 : 0;

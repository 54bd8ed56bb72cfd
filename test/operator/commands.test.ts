/** Every command: its help has examples and exit codes, a wrong flag is one clear sentence and exit code 12. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { readFlags } from '../../src/base/flags.js';
import { BOTS_COMMAND } from '../../src/bots/options.js';
import { ROOT } from '../house/source.js';

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

function run(file: string, args: readonly string[]): Promise<Ended> {
  const child = spawn(process.execPath, [join(ROOT, file), ...args], {
    env: { PATH: process.env.PATH },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  for (const stream of ['out', 'err'] as const)
    child[`std${stream}`].setEncoding('utf8').on('data', (text: string) => {
      said[stream] += text;
    });
  return new Promise((resolve) => child.on('close', (code) => resolve({ code, ...said })));
}

/** Scripts of package.json that run a program of ours, by name. */
const { scripts } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  scripts: Record<string, string>;
};
const programs = Object.entries(scripts).flatMap(([name, line]) => {
  const file = /&& exec node (?:--\S+ )*(dist\/\S+\.js)$/.exec(line)?.[1];
  return file === undefined || name === 'test' || name === 'generate' ? [] : [{ name, file }];
});

t.test('the commands are found', async (t) => {
  const names = programs.map(({ name }) => name);
  for (const name of ['start', 'bench', 'bots', 'cluster', 'profile', 'simulate', 'top'])
    t.ok(names.includes(name), name);
});

for (const { name, file } of programs) {
  t.test(name, async (t) => {
    const [help, wrong, word] = await Promise.all([
      run(file, ['--help']),
      run(file, ['--no-such-flag', '1']),
      run(file, ['nonsense']),
    ]);
    t.equal(help.code, 0, '--help ends with 0');
    t.match(help.out, /^Usage: npm (start|run \S+)/m, 'says how it is called');
    t.match(help.out, /^Examples:\n( {2}.*npm .*\n){2,}/m, 'gives examples');
    t.match(help.out, /Exit codes: 0 .*12 a flag is wrong/, 'tells its exit codes');
    t.equal(help.err, '', 'and nothing on standard error');
    for (const refused of [wrong, word]) {
      t.equal(refused.code, 12, 'a wrong flag or word ends with 12');
      t.equal(refused.out, '', 'nothing on standard output');
      t.match(
        refused.err,
        /^[^\n]*(no-such-flag|nonsense)[^\n]* \(BAD_FLAG\)\n$/,
        'one sentence that names it',
      );
    }
  });
}

t.test('npm test', async (t) => {
  const file = 'dist/test/run.js';
  const [help, wrong] = await Promise.all([run(file, ['--help']), run(file, ['--no-such-flag'])]);
  t.equal(help.code, 0);
  t.match(help.out, /^Usage: npm test -- \[folder or file …\]\n/m);
  t.match(help.out, /Exit codes: 0 .*12 a flag is wrong/);
  t.equal(wrong.code, 12);
  t.match(wrong.err, /--no-such-flag.* \(BAD_FLAG\)/);
});

t.test('command lines', async (t) => {
  const read = (...argv: string[]) => readFlags(argv, BOTS_COMMAND);
  t.equal(read('--help'), 'help');
  t.equal(read('--players', '3', '-h'), 'help');
  const flags = read('--players=3', '--at', '-3,4', '--at', '5,6', '--json');
  if (flags === 'help') throw new Error('help');
  t.equal(flags.whole('players', 1, 1, 10), 3);
  t.same(flags.all('at'), ['-3,4', '5,6']);
  t.ok(flags.has('json'));
  t.equal(flags.text('url', 'none'), 'none');
  const refused: [argv: string[], words: RegExp][] = [
    [['--player', '3'], /--player is not a flag of npm run bots; did you mean --players\?/],
    [
      ['--completely-different'],
      /--completely-different is not a flag of npm run bots, see npm run bots -- --help/,
    ],
    [['-x'], /-x is not a flag/],
    [['--players'], /--players needs a value \(N\)/],
    [['--players', '--json'], /--players needs a value \(N\)/],
    [['--players', '1', '--players', '2'], /--players was given twice/],
    [['--json=1'], /--json takes no value/],
    [['word'], /"word" is not a flag/],
  ];
  for (const [argv, words] of refused) t.throws(() => read(...argv), { code: 'BAD_FLAG', message: words });
  t.throws(() => flags.whole('players', 1, 5, 10), {
    message: /--players must be a number from 5 to 10, but was "3"/,
  });
  t.throws(() => flags.http('at', ''), { message: /--at must be an address that begins with http/ });
  t.throws(() => flags.choice('at', ['a', 'b'], 'a'), { message: /--at must be one of a, b/ });
});

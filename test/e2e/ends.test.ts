/**
 * Every way in which a server is told to end, however it was started: it drains once, says so, exits with 0, and leaves no
 * process behind.
 */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { hasNoNamespaces, inNamespace } from '../store/namespaces.js';
import { eventually, within } from './server.js';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const FLAGS = ['--port', '0', '--memory', '--shards', '1', '--max-entities', '256', '--bots', '2'];
const NPM: [string, string[]] = ['npm', ['start', '--', ...FLAGS]];
const NODE: [string, string[]] = [process.execPath, ['dist/src/main.js', ...FLAGS]];
const hasNoNpm = spawnSync('npm', ['--version']).status === 0 ? false : 'NOT TESTED: there is no npm here';
if (hasNoNpm !== false) process.stderr.write(`${hasNoNpm}\n`);

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  said(): string;
  /** The process of the server, and those of its bots. */
  readonly pids: number[];
}

const childrenOf = (pid: number): number[] => {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
    return text === '' ? [] : text.split(' ').map(Number);
  } catch {
    return [];
  }
};
const below = (pid: number): number[] => [pid, ...childrenOf(pid).flatMap(below)];
const wordsOf = (pid: number) => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
};
const lives = (pid: number) =>
  existsSync(`/proc/${pid}`) && !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));

async function start(t: Test, [command, args]: [string, string[]]): Promise<Started> {
  // a process group of its own, as a terminal makes one for a command
  const child = spawn(command, args, { cwd: ROOT, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  t.teardown(() => {
    try {
      process.kill(-child.pid!, 'SIGKILL');
    } catch {} // it has ended
  });
  let said = '';
  for (const pipe of [child.stdout!, child.stderr!])
    pipe.setEncoding('utf8').on('data', (text: string) => {
      said += text;
    });
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  await eventually('the server and its bots run', () => /bots online/.test(said), 60_000);
  const pids = below(child.pid!).filter((pid) =>
    /^[^\0]*node\0.*(src\/main|bots\/main)\.js/.test(wordsOf(pid)),
  );
  return { child, ended, said: () => said, pids };
}

const toFirst = ({ child }: Started, signal: NodeJS.Signals) => process.kill(child.pid!, signal);
const toGroup = ({ child }: Started, signal: NodeJS.Signals) => process.kill(-child.pid!, signal);
/** PID 1 of the namespace, as a container is told to stop. */
const toPid1 = ({ child }: Started, signal: NodeJS.Signals) =>
  process.kill(childrenOf(child.pid!)[0]!, signal);

const ways: [
  what: string,
  skip: string | false,
  command: () => [string, string[]],
  tell: typeof toFirst,
  signal: NodeJS.Signals,
][] = [
  ['npm start, SIGTERM', hasNoNpm, () => NPM, toFirst, 'SIGTERM'],
  ['npm start, SIGINT to npm alone', hasNoNpm, () => NPM, toFirst, 'SIGINT'],
  ['npm start, Ctrl-C', hasNoNpm, () => NPM, toGroup, 'SIGINT'],
  ['npm start, SIGTERM to the group', hasNoNpm, () => NPM, toGroup, 'SIGTERM'],
  ['npm start as PID 1, SIGTERM', hasNoNpm || hasNoNamespaces, () => inNamespace(...NPM), toPid1, 'SIGTERM'],
  ['node, SIGTERM', false, () => NODE, toFirst, 'SIGTERM'],
  ['node, Ctrl-C', false, () => NODE, toGroup, 'SIGINT'],
  ['node as PID 1, SIGTERM', hasNoNamespaces, () => inNamespace(...NODE), toPid1, 'SIGTERM'],
];

for (const [what, skip, command, tell, signal] of ways)
  t.test(what, { skip }, async (t) => {
    const started = await start(t, command());
    t.equal(started.pids.length, 2, 'a server and its bots');
    tell(started, signal);
    t.same(await within('it ends', started.ended, 20_000), { code: 0, signal: null });
    const said = started.said();
    t.equal(said.split(`"signal":"${signal}"`).length - 1, 1, 'it is asked once');
    t.equal(said.split('"msg":"stopped"').length - 1, 1, 'and stops in good order');
    t.notMatch(said, /"level":"fatal"|the bots ended/);
    for (const pid of started.pids) t.notOk(lives(pid), 'nothing is left behind');
  });

t.test('a server that is killed takes its bots with it', async (t) => {
  const started = await start(t, NODE);
  started.child.kill('SIGKILL');
  for (const pid of started.pids) await eventually('the bots end', () => !lives(pid));
});

t.test('every command of package.json hands on what it is told', (t) => {
  const { scripts } = JSON.parse(readFileSync(`${ROOT}package.json`, 'utf8')) as {
    scripts: Record<string, string>;
  };
  for (const [name, line] of Object.entries(scripts)) {
    const last = line.split('&&').at(-1)!.trim();
    t.match(last, /^(exec node|biome) /, `${name}: the shell becomes the command`);
  }
  t.ok(readdirSync(ROOT).includes('package.json'));
  t.end();
});

/** README.md says what the code does: commands, tables, flags, endpoints, the example game, links. Both ways. */
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type NodeView, routes } from '../../src/admin/routes.js';
import { type ErrorKind, ERRORS } from '../../src/base/errors.js';
import { LIMITS } from '../../src/base/limits.js';
import { BOTS_COMMAND } from '../../src/bots/options.js';
import { readConfig } from '../../src/config.js';
import { loadGame } from '../../src/shard/load-game.js';
import { marked, README, section, table, ticked } from './readme.js';
import { ROOT } from './source.js';

const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

t.test('the two commands are on the first screen, and are what CI runs', async (t) => {
  const screen = README.split('\n').slice(0, 24).join('\n');
  const block = /```sh\n([\s\S]*?)\n```/.exec(screen)?.[1] ?? '';
  const commands = block.split('\n').map((line) => line.replace(/\s+#.*$/, ''));
  t.strictSame(commands, ['npm ci && npm start', 'npm ci && npm test']);
  const ci = read('.ci/run')
    .split('\n')
    .filter((line) => /\bnpm\b/.test(line) && !line.startsWith('#'));
  t.strictSame(ci, [commands[1]], '.ci/run');
});

function registry(kind: ErrorKind, withRetry: boolean): string[][] {
  return Object.entries(ERRORS)
    .filter(([, entry]) => entry.kind === kind)
    .sort(([, a], [, b]) => a.number - b.number)
    .map(([name, e]) => [String(e.number), name, ...(withRetry ? [e.retry ? 'yes' : 'no'] : []), e.text]);
}

t.test('the tables of codes are the registry', async (t) => {
  const codes = ['code', 'name', 'retry', 'meaning'];
  t.strictSame(table(section('Close codes'), codes), registry('close', true), 'close codes');
  t.strictSame(table(section('Outcome codes'), codes), registry('outcome', true), 'outcome codes');
  const exits = table(section('Operations'), ['exit', 'name', 'meaning']);
  t.strictSame(exits, registry('startup', false), 'exit codes');
  const manual = section('Links', read('src/cluster/README.md'));
  t.strictSame(table(manual, codes), registry('link', true), 'codes of links');
});

t.test('the table of flags is that of the command line', async (t) => {
  const config = readConfig({ argv: ['--help'], env: {}, cores: 4, readText: () => '' });
  const help = 'help' in config ? config.help : '';
  const lines = [...help.matchAll(/^ {2}(--[a-z-]+)( [A-Z]+)? .*?(?: \[([^\]]*)\])?$/gm)];
  const flags = lines.map(([, flag, argument = '', fallback]) => ({ flag, name: flag + argument, fallback }));
  const known = flags.filter(({ flag }) => flag !== '--help');
  t.ok(known.length > 15, 'the help lists flags');
  const rows = table(section('Configuration'), ['flag', 'environment', 'default', 'meaning']);
  t.strictSame(
    rows.map(([flag]) => ticked(flag)).sort(),
    known.map(({ name }) => name).sort(),
    'the same flags with the same arguments',
  );
  for (const [flag, environment, fallback] of rows) {
    const { flag: name, fallback: expected } = known.find((one) => one.name === ticked(flag)) ?? known[0];
    t.equal(ticked(environment), `BLUEMARBLE_${name.slice(2).toUpperCase().replaceAll('-', '_')}`);
    const depends = name === '--shards'; // on the machine
    if (expected !== undefined && !depends) t.equal(fallback, expected, `default of ${name}`);
  }
  for (const [used] of README.matchAll(/BLUEMARBLE_[A-Z_]+/g)) {
    t.ok(
      rows.some(([, environment]) => ticked(environment) === used),
      `${used} is in the table`,
    );
  }
});

t.test('the flags of the bots are flags of the bots', async (t) => {
  const rows = table(section('Bots and benches'), ['flag', 'default', '']);
  const known = BOTS_COMMAND.flags.map(({ name, argument }) => `--${name} ${argument}`.trim());
  for (const [flag] of rows) t.ok(known.includes(ticked(flag)), ticked(flag));
});

t.test('the commands are the scripts of package.json', async (t) => {
  const scripts = Object.keys((JSON.parse(read('package.json')) as { scripts: object }).scripts);
  const rows = table(section('Bots and benches'), ['command', 'does']);
  const named = rows.map(([command]) => ticked(command).replace(/^npm (run )?/, ''));
  t.strictSame(named.sort(), scripts.filter((name) => name !== 'build').sort());
});

t.test('the endpoints are those of the admin port', async (t) => {
  const served = routes({} as NodeView).map(({ method, path }) => `${method} ${path}`);
  const rows = table(section('Operations'), ['request', 'answer']);
  t.strictSame(rows.map(([request]) => ticked(request)).sort(), served.sort());
});

t.test('the actions are those of the built-in game', async (t) => {
  const { actions, events } = await loadGame();
  const rows = table(section('Actions and acknowledgements'), ['action', 'kind', 'payload', '']);
  t.strictSame(
    rows.map(([name, kind]) => [ticked(name), kind]),
    actions.map(({ name, kind }) => [name, String(kind)]).sort((a, b) => Number(a[1]) - Number(b[1])),
  );
  for (const { name, kind } of events) {
    t.match(section('Actions and acknowledgements'), new RegExp(`\`${name}\` \\(${kind},`), `event ${name}`);
  }
});

t.test('numbers of the protocol are those of the limits', async (t) => {
  const text = README.replace(/\s+/g, ' ');
  const squares = LIMITS.viewCells * LIMITS.viewCells;
  const ordinals = ['no', 'first', 'second', 'third', 'fourth', 'fifth'];
  const rest = (1000 / LIMITS.tickRateHz) * 4;
  for (const sentence of [
    `at most ${LIMITS.gatewayActionsPerS} messages a second of all kinds together, and ${LIMITS.gatewayActionsPerS} at once`,
    `more than ${2 * squares} squares a second in KeyRequests, ${64 + 4 * squares} at once`,
    `the ${ordinals[LIMITS.badFramesBeforeClose]} closes with \`BAD_FRAME\``,
    `A message of the server is at most ${LIMITS.frameScratchBytes / 2 ** 20} MiB (${LIMITS.frameScratchBytes} bytes;`,
    `A message of more than ${LIMITS.clientMessageBytes} bytes`,
    `A socket without any traffic for ${LIMITS.idleTimeoutS} s is closed`,
    `at most \`window\` (${LIMITS.windowActions}) may be under way`,
    `Never more than ${LIMITS.actionsPerTick} in a tick and ${LIMITS.actionsPerS} a second (${LIMITS.actionBurst} at once`,
    `the player stands in the world for ${LIMITS.resumeGraceS} s more`,
    `no action was decided yet, for ${LIMITS.idleGuestGraceS} s more`,
    `open sockets, ${LIMITS.addressConnections} |`,
    `${LIMITS.addressNewcomersPerS} a second and ${10 * LIMITS.addressNewcomersPerS} at once`,
    `that these newcomers wake, ${LIMITS.addressTilesPerMinute} a minute`,
    `${LIMITS.newcomersPerS} sessions a second begin, ${LIMITS.newcomersBurst.toLocaleString('en').replace(',', ' ')} at once`,
    `without news there is one every ${rest} ms`,
  ])
    t.ok(text.includes(sentence), sentence);
  t.same([LIMITS.slowLagS, LIMITS.slowCloseS], [1, 10]);
  t.match(text, /A client that lags more than a second .* lags more than ten seconds is closed/);
});

t.test('the example game is a game', async (t) => {
  const file = join(t.testdir(), 'fireflies.mjs');
  writeFileSync(file, marked('game'));
  const game = await loadGame(file);
  t.equal(game.name, 'fireflies');
  t.strictSame(
    game.actions.map(({ name }) => name),
    ['hop', 'catch'],
  );
});

t.test('every link leads somewhere', async (t) => {
  const slug = (heading: string) =>
    heading
      .toLowerCase()
      .replace(/[^\w\- ]/g, '')
      .replaceAll(' ', '-');
  const anchors = [...README.matchAll(/^#+ (.*)$/gm)].map(([, heading]) => `#${slug(heading)}`);
  for (const [, target] of README.matchAll(/\]\(([^)]+)\)/g)) {
    if (target.startsWith('https://')) continue;
    t.ok(target.startsWith('#') ? anchors.includes(target) : existsSync(join(ROOT, target)), target);
  }
});

t.test('the binary that serves the sockets is the known one', async (t) => {
  const { dependencies } = JSON.parse(read('package.json')) as { dependencies: Record<string, string> };
  const isCopy = dependencies['uWebSockets.js'].startsWith('npm:');
  if (!isCopy) {
    t.pass('the official release needs no digest of ours');
    return;
  }
  t.ok(
    section('The WebSocket library').includes(`"${dependencies['uWebSockets.js']}"`),
    'README names the alias',
  );
  const known = /^ {4}([0-9a-f]{64})$/m.exec(section('The WebSocket library'))?.[1];
  const binary = readFileSync(join(ROOT, 'node_modules/uWebSockets.js/uws_linux_x64_115.node'));
  t.equal(createHash('sha256').update(binary).digest('hex'), known);
});

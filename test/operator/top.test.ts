/** `top`: rates out of two looks, lines that fit, and a real server seen through a pipe. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { type Look, ratesOf } from '../../src/operator/top/rates.js';
import { bytes, duration, plain, screen } from '../../src/operator/top/screen.js';
import { eventually, Server } from '../e2e/server.js';

const MAIN = fileURLToPath(new URL('../../src/operator/top/main.js', import.meta.url));

function look(atMs: number, n: number, more: object = {}): Look {
  const status = {
    uptimeSeconds: atMs / 1000,
    tick: atMs / 50,
    tickRate: 20,
    players: 7,
    entities: 9,
    bots: 0,
    shards: [
      {
        id: 0,
        incarnation: 1,
        tiles: 2,
        players: 7,
        entities: 9,
        tickMs: { p50: 1, p99: 80 },
        busy: 0.5,
        gcMaxMs: 3,
      },
    ],
    gateways: [{ id: 0, connections: 7, bytesOutPerSecond: 4096 }],
    totals: { actionsApplied: n * 10, actionsRejected: n, handovers: n * 2, crossings: n, items: 5 },
    handoverMs: { p50: 10, p99: 40, max: 49 },
    ticksMissed: 0,
    ticksDoubled: 0,
    decisions: [{ tick: 3, decision: 'split 11/1/1', reason: 'too many' }],
    alarms: [],
    ...more,
  };
  const tile = (i: number) => ({ tile: `11/${i}/9`, shard: 0, entities: i, players: i });
  const tiles = Array.from({ length: 60 }, (_, i) => tile(i));
  return { atMs, status, tiles: { tick: 1, tileLevel: 11, tiles }, traces: null } as unknown as Look;
}

t.test('rates', async (t) => {
  t.same(ratesOf(look(1_000, 100), look(3_000, 300)), {
    actionsPerSecond: 1_100,
    handoversPerSecond: 200,
    crossingsPerSecond: 100,
    bytesOutPerSecond: 4096,
    speed: 1,
  });
  t.equal(ratesOf(null, look(1_000, 100)).actionsPerSecond, 0, 'the first look');
  t.equal(ratesOf(look(9_000, 300), look(1_000, 1)).actionsPerSecond, 0, 'the server was started anew');
});

t.test('lines fit, the hottest tiles first, trouble in front', async (t) => {
  const size = { columns: 60, rows: 24, colour: false };
  const lines = screen(look(1_000, 1), look(2_000, 2), 'http://a', size);
  t.equal(lines.length, 24);
  for (const line of lines) t.ok(line.length <= 60, line);
  const tiles = lines.filter((line) => line.startsWith('11/') || /^ *11\//.test(line));
  t.match(tiles[0], '11/59/9');
  t.match(lines.join('\n'), /split 11\/1\/1 \(too many\)/);
  const trouble = look(2_000, 2, { ticksMissed: 1, alarms: ['shard 1 died'] });
  const text = screen(null, trouble, 'http://a', size).join('\n');
  t.match(text, /BROKEN: 1 ticks missed/);
  t.match(text, /! shard 1 died/);
  t.equal(screen(null, trouble, 'http://a', { ...size, rows: 3 }).length, 3, 'a very small terminal');
});

t.test('a server cannot move the cursor', async (t) => {
  t.equal(plain('a\u001b[2Jb\nc'), 'a [2Jb c');
  const evil = look(1, 1, { alarms: ['\u001b[2J'], decisions: [] });
  const text = screen(null, evil, 'http://a', { columns: 80, rows: 40, colour: false }).join('\n');
  t.notMatch(text, '\u001b');
});

t.test('sizes and times in words', async (t) => {
  t.same([bytes(10), bytes(2048), bytes(3 * 2 ** 20)], ['10 B', '2.0 KiB', '3.0 MiB']);
  t.same([duration(5.9), duration(65), duration(7_260)], ['5 s', '1 min 5 s', '2 h 1 min']);
});

t.test('a real server, in a pipe', async (t) => {
  const server = await Server.start(t, ['--shards', '2', '--pin-shards', '--max-entities', '256']);
  const once = async (...flags: string[]) => {
    const child = spawn(process.execPath, [
      MAIN,
      '--url',
      server.admin,
      '--interval',
      '0.2',
      '--once',
      ...flags,
    ]);
    let out = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      out += text;
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    return { code, out };
  };
  const text = await once();
  t.equal(text.code, 0);
  t.match(text.out, /^BlueMarble http.* up \d+ s/);
  t.match(text.out, /\n {4}shard /);
  t.notMatch(text.out, '\u001b', 'no colours in a pipe');
  const json = await once('--json');
  t.match(JSON.parse(json.out), { status: { shards: [{ id: 0 }, { id: 1 }] }, rates: { speed: Number } });
  await server.stop();
  const gone = await once();
  t.equal(gone.code, 1, 'nobody answers');
});

const noTerminal = existsSync('/usr/bin/script') ? false : 'no script(1) that makes a pseudo terminal';

t.test('keys and another size, in a pseudo terminal', { skip: noTerminal }, async (t) => {
  const server = await Server.start(t, ['--shards', '2', '--max-entities', '256']);
  const command = `tty; stty cols 100 rows 30; exec ${process.execPath} ${MAIN} --url ${server.admin} --interval 0.1`;
  const child = spawn('script', ['-qfec', command, '/dev/null'], { stdio: ['pipe', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  const ended = new Promise((resolve) => child.on('close', resolve));
  /** Waits for a whole picture that was begun after this call and is of this kind. */
  const picture = async (what: string, isIt: (lines: string[]) => boolean) => {
    const from = out.length;
    await eventually(
      what,
      () => {
        const whole = out.slice(from).split('\u001b[H').slice(1, -1);
        // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are taken out
        return whole.some((text) => isIt(text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, '').split(/\r?\n/)));
      },
      60_000,
    );
  };
  const widest = (lines: string[]) => Math.max(...lines.map((line) => line.length));
  await picture('it fills the terminal', (lines) => /^BlueMarble/.test(lines[0]) && widest(lines) > 50);
  t.ok(out.includes('\u001b[?1049h'), 'on a screen of its own');
  const [tty] = /\/dev\/\S+/.exec(out) ?? [''];
  t.equal(spawnSync('stty', ['-F', tty, 'cols', '50', 'rows', '9']).status, 0);
  await picture('it follows the size', (lines) => widest(lines) <= 50 && lines.length <= 9);
  const from = out.length;
  child.stdin.write(' ');
  await eventually('space stops it', () => out.slice(from).includes('stopped'), 60_000);
  child.stdin.write(' ');
  await picture('and goes on', (lines) => /^BlueMarble/.test(lines[0]));
  child.stdin.write('q');
  t.equal(await ended, 0, 'q ends it with 0');
  t.ok(out.includes('\u001b[?1049l'), 'the screen is given back');
  await server.stop();
});

/** The server as a process: its line, its exit codes, its signals. Every start is real, on ports of the system's choice. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const MAIN = fileURLToPath(new URL('../src/main.js', import.meta.url));
const SMALL = ['--shards', '1', '--max-entities', '256'];

interface Run {
  readonly child: ChildProcess;
  readonly ended: Promise<{ code: number | null; signal: string | null }>;
  out: string;
  err: string;
  /** Resolves when one of the outputs matches; rejects when the process ends before. */
  until(stream: 'out' | 'err', pattern: RegExp): Promise<RegExpExecArray>;
}

function start(t: Test, flags: string[], env: Record<string, string> = {}): Run {
  const child = spawn(process.execPath, [MAIN, ...flags], {
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  t.teardown(() => child.kill('SIGKILL'));
  const ended = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
    child.on('close', (code, signal) => resolve({ code, signal }));
  });
  const waiting = new Set<() => void>();
  const run: Run = {
    child,
    ended,
    out: '',
    err: '',
    until: (stream, pattern) =>
      new Promise((resolve, reject) => {
        const look = () => {
          const found = pattern.exec(run[stream]);
          if (found === null) return;
          waiting.delete(look);
          resolve(found);
        };
        waiting.add(look);
        look();
        void ended.then(() => reject(new Error(`ended before ${pattern}: ${run.out}${run.err}`)));
      }),
  };
  for (const [stream, pipe] of [
    ['out', child.stdout],
    ['err', child.stderr],
  ] as const) {
    pipe?.setEncoding('utf8').on('data', (text: string) => {
      run[stream] += text;
      for (const look of [...waiting]) look();
    });
  }
  return run;
}

const LINE =
  /^BlueMarble accepts clients at ws:\/\/127\.0\.0\.1:(\d+) \(status: (http:\/\/127\.0\.0\.1:\d+)\)\n/;

/** Takes a port as another program would. */
function occupy(t: Test, host: string): Promise<number> {
  const server: Server = createServer();
  t.teardown(() => server.close());
  return new Promise((resolve) =>
    server.listen(0, host, () => resolve((server.address() as { port: number }).port)),
  );
}

t.test('one line for people, JSON for the log, SIGTERM ends it in order', async (t) => {
  const run = start(t, ['--port', '0', ...SMALL]);
  const [, , admin] = await run.until('out', LINE);
  const ready = await fetch(`${admin}/readyz`);
  t.equal(ready.status, 200);
  run.child.kill('SIGTERM');
  t.same(await run.ended, { code: 0, signal: null });
  t.match(run.out, new RegExp(`${LINE.source}$`), 'nothing else on standard output');
  const log = run.err
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as { msg: string });
  t.match(log.at(-1), { msg: 'stopped' });
});

t.test('SIGINT during the start ends it in order as well', async (t) => {
  const run = start(t, ['--port', '0', ...SMALL]);
  await new Promise((resolve) => run.child.once('spawn', resolve));
  await run.until('err', /shard runs/);
  run.child.kill('SIGINT');
  t.same(await run.ended, { code: 0, signal: null });
});

t.test('a later second signal does not wait', async (t) => {
  const run = start(t, ['--port', '0', '--bots', '1', ...SMALL]);
  await run.until('out', LINE);
  // Bots that do not answer hold up the stop for a second.
  const children = readFileSync(`/proc/${run.child.pid}/task/${run.child.pid}/children`, 'utf8');
  const bots = Number(children.trim());
  process.kill(bots, 'SIGSTOP');
  run.child.kill('SIGTERM');
  await run.until('err', /"part":"bots".*did not end in time/);
  const exit = new Promise((resolve) => run.child.once('exit', (code, signal) => resolve({ code, signal })));
  run.child.kill('SIGTERM');
  t.same(await exit, { code: null, signal: 'SIGTERM' });
  process.kill(bots, 'SIGKILL');
  t.notMatch(run.err, /"msg":"stopped"/);
});

t.test('drain ends it with exit code 0; a shard killed before is replaced', async (t) => {
  const flags = ['--port', '0', '--test-faults', '--admin-token', 'token-of-the-test', ...SMALL];
  const run = start(t, flags);
  const [, , admin] = await run.until('out', LINE);
  const post = (path: string, body: object) =>
    fetch(`${admin}/api/admin/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { authorization: 'Bearer token-of-the-test' },
    });
  for (const how of ['throw', 'hang']) {
    const deaths = run.err.split('"msg":"shard runs"').length;
    t.equal((await post('kill-shard', { shard: 0, how })).status, 202);
    await run.until('err', new RegExp(`(?:"msg":"shard runs"[^]*){${deaths}}`));
  }
  const status = (await (await fetch(`${admin}/api/status`)).json()) as { totals: { shardRestarts: number } };
  t.equal(status.totals.shardRestarts, 2);
  t.equal((await post('drain', {})).status, 202);
  t.same(await run.ended, { code: 0, signal: null });
});

t.test('several gateways on one port, and out again', async (t) => {
  const run = start(t, ['--port', '0', '--gateways', '3', ...SMALL]);
  const [, port, admin] = await run.until('out', LINE);
  const status = (await (await fetch(`${admin}/api/status`)).json()) as { gateways: unknown[] };
  t.equal(status.gateways.length, 3);
  const second = start(t, ['--port', port, '--admin-port', '0', '--gateways', '2', ...SMALL]);
  t.same(await second.ended, { code: 10, signal: null }, 'a shared port is not shared with a stranger');
  run.child.kill('SIGTERM');
  t.same(await run.ended, { code: 0, signal: null });
});

t.test('a second server on the port of the first is refused, the first goes on', async (t) => {
  const run = start(t, ['--port', '0', ...SMALL]);
  const [, port, admin] = await run.until('out', LINE);
  const second = start(t, ['--port', port, '--admin-port', '0', ...SMALL]);
  t.same(await second.ended, { code: 10, signal: null });
  t.match(second.err, new RegExp(`BlueMarble does not start: .*port ${port} .*\\(PORT_TAKEN\\)\\n$`));
  t.equal(second.out, '');
  t.equal((await fetch(`${admin}/readyz`)).status, 200);
});

t.test('starts that are refused: exit code and one sentence that names the fault', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = (name: string, text: string) => {
    writeFileSync(join(folder, name), text);
    return join(folder, name);
  };
  const taken = String(await occupy(t, '127.0.0.1'));
  const game = file('game.js', 'export default { name: "half a game" }');
  const pem = file('cert.pem', 'no certificate');
  const cases: [flags: string[], code: number, name: string, words: RegExp][] = [
    [['--prot', '1'], 12, 'BAD_FLAG', /--prot .*did you mean --port\?/],
    [['--data', 'somewhere', '--memory'], 12, 'BAD_FLAG', /refused together with --memory/],
    [['--config', join(folder, 'none.json')], 13, 'BAD_CONFIG', /none\.json must be a readable JSON file/],
    [['--port', '0', '--admin-port', taken], 16, 'TAKEN_ADMIN_PORT', new RegExp(`admin port ${taken}`)],
    [['--port', '7877', '--host', '192.0.2.1'], 12, 'BAD_FLAG', /--host must be an address of this machine/],
    [['--port', '0', '--host', '192.0.2.1'], 12, 'BAD_FLAG', /--host must be an address of this machine/],
    [
      ['--port', '0', '--admin-host', 'no.such.host.invalid'],
      12,
      'BAD_FLAG',
      /--admin-host must be an address/,
    ],
    [['--port', '0', '--game', game], 14, 'BAD_GAME', /game\.js/],
    [['--port', '0', '--game', join(folder, 'none.js')], 14, 'BAD_GAME', /none\.js: there is no such file/],
    [['--port', '0', '--tls-cert', pem, '--tls-key', pem], 15, 'BAD_TLS', /cert\.pem/],
    [
      ['--port', '0', '--tls-cert', pem, '--tls-key', join(folder, 'none.pem')],
      15,
      'BAD_TLS',
      /none\.pem cannot be read/,
    ],
  ];
  for (const [flags, code, name, words] of cases) {
    const run = start(t, [...flags, ...SMALL, '--log-level', 'error']);
    t.same(await run.ended, { code, signal: null }, flags.join(' '));
    t.match(run.err, new RegExp(`^BlueMarble does not start: [^\\n]*\\(${name}\\)\\n$`), 'one line');
    t.match(run.err, words);
    t.equal(run.out, '');
  }
});

t.test('--help', async (t) => {
  const run = start(t, ['--help']);
  t.same(await run.ended, { code: 0, signal: null });
  t.match(run.out, /Usage: npm start/);
  t.equal(run.err, '');
});

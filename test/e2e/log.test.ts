/** The log of a run: one line an event, its words constant and its fields beside them, and no secret anywhere. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { SignJWT } from 'jose';
import t from 'tap';
import { RawClient } from './raw.js';
import { eventually, Server } from './server.js';

const MAIN = fileURLToPath(new URL('../../src/main.js', import.meta.url));
const KEY = 'ticket-key-of-this-test-that-nobody-may-see';
const TOKEN = 'admin-token-that-nobody-may-see';

t.test('a run with logins, faults and a drain leaves no secret in the log', async (t) => {
  const server = await Server.start(t, ['--shards', '2', '--test-faults', '--log-level', 'trace'], {
    env: { BLUEMARBLE_TICKET_KEY: KEY, BLUEMARBLE_ADMIN_TOKEN: TOKEN },
    mayLog: [/./],
  });
  const key = new TextEncoder().encode(KEY);
  const words = new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject('mary').setExpirationTime('1m');
  const ticket = await words.sign(key);
  const client = await RawClient.play(server.port, { ticket });
  const resumed = await RawClient.play(server.port, client.resumption);
  const forged = (await RawClient.open(server.port)).hello({ ticket: `${ticket}x` });
  await forged.ended;
  const bearer = (token: string, path: string, body = '{}') =>
    fetch(`${server.admin}/api/admin/${path}`, {
      method: 'POST',
      body,
      headers: { authorization: `Bearer ${token}` },
    });
  t.equal((await bearer(`${TOKEN}-wrong`, 'drain')).status, 401);
  t.equal((await bearer(TOKEN, 'kill-shard', '{"shard": 0, "how": "throw"}')).status, 202);
  await eventually('the shard was replaced', () =>
    server.log.some(({ msg, shard }) => msg === 'shard runs' && shard === 0 && server.log.length > 4),
  );
  t.equal((await bearer(TOKEN, 'drain')).status, 202);
  await server.ended;
  resumed.destroy();
  const text = server.log.map((line) => JSON.stringify(line)).join('\n');
  t.ok(server.log.length > 5, `${server.log.length} lines`);
  const secrets = [KEY, TOKEN, ticket, client.welcome?.token ?? 'none', resumed.welcome?.token ?? 'none'];
  for (const secret of secrets) {
    t.ok(secret.length >= 8, 'a secret to look for');
    t.notOk(text.includes(secret), 'is not in the log');
  }
  for (const { level, msg, time, thread } of server.log) {
    t.match(level, /^(trace|debug|info|warn|error|fatal)$/);
    t.match(time, /^\d{4}-\d\d-\d\dT/);
    t.match(thread, /^(main|store|shard \d+|gateway \d+)$/, msg);
    t.match(msg, /^[^\n]{3,120}$/);
  }
});

t.test('a start that is refused does not repeat a secret, wrong as it may be', async (t) => {
  const run = (args: string[], env: Record<string, string>) =>
    new Promise<{ code: number | null; said: string }>((resolve) => {
      const child = spawn(process.execPath, [MAIN, ...args], { env: { PATH: process.env.PATH, ...env } });
      let said = '';
      for (const stream of [child.stdout, child.stderr])
        stream.setEncoding('utf8').on('data', (text: string) => {
          said += text;
        });
      child.on('close', (code) => resolve({ code, said }));
    });
  const cases = await Promise.all([
    run(['--admin-token', 'sesame'], {}),
    run([], { BLUEMARBLE_ADMIN_TOKEN: 'sesame' }),
    run([], { BLUEMARBLE_TICKET_KEY: 'sesame' }),
  ]);
  for (const { code, said } of cases) {
    t.equal(code, 12);
    t.match(said, /must be a text of at least \d+ characters/);
    t.notMatch(said, /sesame/);
  }
});

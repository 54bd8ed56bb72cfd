/** Who gets in at the admin port: every route by every method, under every kind of name, from every kind of page. */
import { request } from 'node:http';
import t, { type Test } from 'tap';
import { PAGES } from '../../src/admin/assets.js';
import { ADMIN_ERRORS } from '../../src/admin/errors.js';
import {
  ADDRESS_FORGETS_MS,
  ADDRESS_GUESSES,
  ALL_FORGET_MS,
  ALL_GUESSES,
  Guesses,
  networkOf,
} from '../../src/admin/guesses.js';
import { Hosts, isFromElsewhere, nameOf } from '../../src/admin/hosts.js';
import { LINE_MS } from '../../src/admin/refusals.js';
import { routes } from '../../src/admin/routes.js';
import { FakeTime } from '../control/fakes.js';
import { setUp, TOKEN } from './port.js';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'PATCH', 'OPTIONS'];

interface Reply {
  readonly status: number;
  readonly code: string | null;
  readonly headers: NodeJS.Dict<string | string[]>;
}

/** One request with exactly these headers. A stream is read up to its first bytes. */
function ask(
  port: number,
  method: string,
  path: string,
  headers: Record<string, string | string[]> = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port, method, path, headers, agent: false }, (response) => {
      const { statusCode: status = 0, headers } = response;
      let text = '';
      const answer = () => {
        const code = /"code":"(\w+)"/.exec(text)?.[1] ?? null;
        resolve({ status, code, headers });
        asked.destroy();
      };
      response.setEncoding('utf8');
      response.on('data', (part: string) => {
        text += part;
        if (headers['content-type']?.startsWith('text/event-stream')) answer();
      });
      response.on('end', answer);
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** All paths that the port knows, and one that it does not. */
async function paths(
  t: Test,
): Promise<{ port: number; all: string[]; done: string[]; setUp: Awaited<ReturnType<typeof setUp>> }> {
  const made = await setUp(t, { adminHosts: ['planet.example'] });
  const all = [...new Set([...routes(made.node).map(({ path }) => path), ...Object.keys(PAGES), '/nothing'])];
  return { port: made.port, all, done: made.done, setUp: made };
}

t.test('every path by every method is refused under a name that is not ours', async (t) => {
  const { port, all, done } = await paths(t);
  const right = { authorization: `Bearer ${TOKEN}` };
  for (const path of all)
    for (const method of METHODS) {
      const { status, code } = await ask(port, method, path, { ...right, host: `rebound.example:${port}` });
      t.equal(status, 421, `${method} ${path}`);
      if (method !== 'HEAD') t.equal(code, 'FOREIGN_HOST');
    }
  t.same(done, [], 'nothing was done');
});

t.test('every path by every method is refused to another site, but for links', async (t) => {
  const { port, all, done } = await paths(t);
  const right = { authorization: `Bearer ${TOKEN}` };
  const senders: Record<string, Record<string, string>> = {
    'an origin': { origin: 'https://evil.example' },
    'no origin to speak of': { origin: 'null' },
    'another port of this machine': { origin: `http://127.0.0.1:${port + 1}` },
    'a site': { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' },
    'a neighbour': { 'sec-fetch-site': 'same-site', origin: `http://127.0.0.1:${port}` },
    'a frame': { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'iframe' },
  };
  for (const path of all)
    for (const method of METHODS)
      for (const [what, headers] of Object.entries(senders)) {
        const { status } = await ask(port, method, path, { ...right, ...headers });
        t.equal(status, 403, `${method} ${path} from ${what}`);
      }
  const link = { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'navigate', 'sec-fetch-dest': 'document' };
  for (const path of all) {
    const followed = await ask(port, 'GET', path, link);
    t.equal(followed.status === 403, path === '/api/live', `a link to ${path}`);
    t.equal((await ask(port, 'POST', path, { ...right, ...link })).status, 403, `a form sent to ${path}`);
  }
  t.same(done, [], 'nothing was done');
});

t.test('every path answers its own methods, and says of the others which those are', async (t) => {
  const { port, all, setUp: made } = await paths(t);
  const table = new Map(routes(made.node).map((route) => [route.path, route.method]));
  const right = {
    authorization: `Bearer ${TOKEN}`,
    origin: `http://127.0.0.1:${port}`,
    'sec-fetch-site': 'same-origin',
  };
  for (const path of all)
    for (const method of METHODS) {
      const { status, code, headers } = await ask(port, method, path, right);
      const isFile = path in PAGES && (method === 'GET' || method === 'HEAD');
      const own = table.get(path);
      const fits = method === own || (method === 'HEAD' && own === 'GET');
      if (isFile) t.equal(status, 200, `${method} ${path}`);
      else if (own === undefined) t.equal(status, 404, `${method} ${path}`);
      else if (fits) t.ok(status < 500 && code !== 'METHOD_NOT_ALLOWED', `${method} ${path}: ${status}`);
      else {
        t.equal(status, 405, `${method} ${path}`);
        t.equal(headers.allow, own);
      }
    }
});

t.test('names', async (t) => {
  const hosts = new Hosts('10.0.0.9', ['planet.example', 'fd00::5']);
  const served = [
    'localhost',
    'localhost:80',
    'LocalHost:7778',
    'localhost.',
    '127.0.0.1:1',
    '127.9.8.7',
    '[::1]:7778',
    '[::ffff:127.0.0.1]',
    '10.0.0.9:7778',
    '10.0.0.7',
    '[fd00::7]:1',
    '[FD00:0:0::7]',
    'planet.example:443',
    'PLANET.example.',
    '[fd00:0::5]',
  ];
  const refused = [
    '',
    ':7778',
    'evil.example',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil-localhost',
    '10.0.0.8',
    '[fd00::6]',
    '[fd00::7',
    'fd00::7',
    'user@localhost',
    'localhost:7778:1',
    'localhost/',
    'localhost evil',
    '2130706433',
    '0x7f.1',
    '127.1',
    'sub.planet.example',
    'localhost..',
    '[localhost]',
    `${'a'.repeat(254)}`,
    '0.0.0.0',
    '[::]',
  ];
  for (const host of served)
    t.ok(
      hosts.serves([host], host.includes('7]') || host.includes('::7') ? 'fd00::7' : '::ffff:10.0.0.7'),
      host,
    );
  for (const host of refused) t.notOk(hosts.serves([host], '10.0.0.7'), host);
  t.notOk(hosts.serves([], '10.0.0.7'), 'no name at all');
  t.notOk(hosts.serves(['localhost', 'localhost'], '10.0.0.7'), 'two names');
  t.equal(nameOf('x.'), 'x');
  t.notOk(
    new Hosts('0.0.0.0', []).serves(['10.0.0.8'], '10.0.0.7'),
    'every interface: still only the one it came to',
  );
  t.ok(new Hosts('0.0.0.0', []).serves(['10.0.0.7:7778'], '10.0.0.7'));
});

t.test('a browser that tells little is judged by the origin alone', async (t) => {
  const rows: [string, boolean, Parameters<typeof isFromElsewhere>[0]][] = [
    ['a program', false, { host: 'localhost:7778' }],
    ['the page itself', false, { host: '10.0.0.7:7778', origin: 'http://10.0.0.7:7778' }],
    ['the page itself, by a capital', false, { host: 'Planet:7778', origin: 'http://planet:7778' }],
    [
      'behind a proxy that passes its name',
      false,
      { host: 'planet.example', origin: 'https://planet.example' },
    ],
    [
      'behind one that does not',
      false,
      { host: '10.0.0.7:7778', origin: 'https://planet.example', site: 'same-origin' },
    ],
    ['typed', false, { host: 'localhost', site: 'none' }],
    ['another port', true, { host: 'localhost:7778', origin: 'http://localhost:3000' }],
    ['a sandbox', true, { host: 'localhost:7778', origin: 'null' }],
    ['nonsense', true, { host: 'localhost:7778', origin: 'localhost:7778' }],
    ['a sister', true, { host: 'planet.example', origin: 'https://planet.example', site: 'same-site' }],
  ];
  for (const [what, elsewhere, sender] of rows) t.equal(isFromElsewhere(sender), elsewhere, what);
});

t.test(
  'wrong tokens: five, then none is looked at, the right one neither, until it is forgotten',
  async (t) => {
    const { post, done, time, log } = await setUp(t);
    const drain = (token: string | null) => post('/api/admin/drain', '{}', token);
    for (let i = 0; i < 20; i++) t.equal((await drain(null)).status, 401, 'forgotten is not guessed');
    for (let i = 0; i < ADDRESS_GUESSES; i++) t.equal((await drain(`guess ${i}`)).status, 401);
    const slowed = await drain('guess');
    t.equal(slowed.status, 429);
    t.equal(slowed.headers.get('retry-after'), '10');
    t.match(await slowed.json(), {
      error: { code: 'TOO_MANY_GUESSES', text: /try again in 10 s/, retryAfterSeconds: 10 },
    });
    t.equal((await drain(TOKEN)).status, 429, 'an answer to the right one would be one to a guess');
    t.same(done, []);
    for (let i = 0; i < 100; i++) await drain('guess');
    time.advance(ADDRESS_FORGETS_MS - 1);
    t.equal((await drain(TOKEN)).status, 429);
    time.advance(1);
    t.equal((await drain(TOKEN)).status, 202);
    for (let i = 0; i < 50; i++) t.equal((await drain(TOKEN)).status, 202, 'who is right is never slowed');
    time.advance(LINE_MS);
    const lines = log.lines.filter(({ text }) => /turned requests away/.test(text));
    t.equal(lines.length, 1, 'one line for all of ten seconds');
    t.match(lines[0].facts, {
      refused: { UNAUTHORIZED: 25, TOO_MANY_GUESSES: 103 },
      addresses: 1,
      most: { times: 128 },
    });
    t.notMatch(JSON.stringify(log.lines), /guess 1/, 'what was guessed is written nowhere');
  },
);

t.test(
  'all addresses together have twenty, and who has known the token is not kept waiting by others',
  async (t) => {
    const time = new FakeTime();
    const guesses = new Guesses(TOKEN, time);
    t.ok(guesses.isRight(TOKEN, '10.0.0.1'));
    for (let i = 0; i < ALL_GUESSES; i++) {
      t.equal(guesses.wait(`10.1.0.${i}`), 0);
      t.notOk(guesses.isRight('x', `10.1.0.${i}`));
    }
    t.equal(guesses.wait('10.2.0.1'), ALL_FORGET_MS, 'a new address waits');
    t.equal(guesses.wait('10.0.0.1'), 0);
    for (let i = 0; i < ADDRESS_GUESSES; i++) t.notOk(guesses.isRight('x', '10.0.0.1'));
    t.equal(guesses.wait('10.0.0.1'), ADDRESS_FORGETS_MS, 'but by its own mistakes');
    time.advance(ALL_FORGET_MS * 25);
    t.equal(guesses.wait('10.2.0.1'), 0);
  },
);

t.test('a network of IPv6 addresses is one guesser', async (t) => {
  t.equal(networkOf('2001:db8:0:1::5'), networkOf('2001:db8:0:1:ffff:1:2:3'));
  t.not(networkOf('2001:db8:0:1::5'), networkOf('2001:db8:0:2::5'));
  t.equal(networkOf('fe80::1%eth0'), networkOf('fe80::2'));
  t.equal(networkOf('::ffff:10.0.0.1'), '10.0.0.1');
  t.equal(networkOf('::1'), '0:0:0:0::/64');
});

t.test('more addresses than are remembered: the sum holds', async (t) => {
  const time = new FakeTime();
  const guesses = new Guesses(TOKEN, time);
  let looked = 0;
  for (let i = 0; i < 5000; i++) {
    const from = `10.${i >> 8}.${i & 255}.1`;
    if (guesses.wait(from) > 0) continue;
    looked++;
    guesses.isRight('x', from);
  }
  t.equal(looked, ALL_GUESSES);
});

t.test('refusals at the door are counted, and told once', async (t) => {
  const { port, server, log, time } = await setUp(t);
  for (let i = 0; i < 30; i++) await ask(port, 'GET', '/', { host: `evil${i}.example` });
  await ask(port, 'POST', '/api/admin/drain', { origin: 'http://evil.example' });
  time.advance(LINE_MS);
  t.match(Object.fromEntries(server.refusals.all), { FOREIGN_HOST: 30, FOREIGN_ORIGIN: 1, UNAUTHORIZED: 0 });
  t.equal(log.lines.length, 1);
  t.match(log.lines[0], {
    level: 'warn',
    facts: { refused: { FOREIGN_HOST: 30, FOREIGN_ORIGIN: 1 }, example: 'http://evil.example' },
  });
  time.advance(LINE_MS * 10);
  t.equal(log.lines.length, 1, 'silence is not told');
  t.equal(time.pending, 0);
  t.match(ADMIN_ERRORS.FOREIGN_HOST.text, /--admin-hosts/, 'what would be right');
});

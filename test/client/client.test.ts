/** The client's conversation: actions exactly once, resume, rollback, reconnects, ends. */
import t from 'tap';
import { seededRandom } from '../../src/base/random.js';
import { type Client, connect } from '../../src/client/client.js';
import type { ClientError } from '../../src/client/errors.js';
import type { ConnectOptions } from '../../src/client/types.js';
import { FakeServer, HandClock } from './fake-server.js';

function setUp(options: Partial<ConnectOptions> = {}) {
  const server = new FakeServer();
  const clock = new HandClock();
  const client = connect({
    url: 'ws://fake',
    socket: server.sockets,
    clock,
    random: seededRandom(1),
    pulse: () => () => {},
    ...options,
  });
  return { server, clock, client };
}

/** Lets time pass and everything arrive. */
function pass(
  ms: number,
  { server, clock, client }: { server: FakeServer; clock: HandClock; client: Client },
): void {
  for (let left = ms; left > 0; left -= 100) {
    clock.ms += Math.min(left, 100);
    client.beat();
    server.deliver();
  }
}

t.test('the first Welcome makes a client ready, and names of actions known', async (t) => {
  const { server, client } = setUp({ ticket: 'mine', spawn: { lon: 0, lat: 90 } });
  t.throws(() => client.act('walk', {}), { code: 'NOT_ONLINE' });
  server.deliver();
  const welcome = await client.ready;
  t.equal(welcome.entity, 1001);
  t.equal(welcome.actions.get('say'), 6);
  t.ok(Math.abs(client.self.y - 10018754.17) < 0.01, 'degrees become metres');
  t.same(client.self.items, [10, 3, 0, 0]);
});

t.test('actions get ids from 1 and their own outcomes', async (t) => {
  const { server, client } = setUp();
  server.deliver();
  server.outcome = (kind) => (kind === 2 ? 3 : 0);
  const outcomes = [
    client.act('say', 'hello'),
    client.act('gather', { target: 5 }),
    client.act('walk', { heading: 0, speed: 6, seconds: 1 }),
  ];
  server.deliver();
  server.self();
  server.deliver();
  const [said, gathered, walked] = await Promise.all(outcomes);
  t.match(said, { id: 1, code: 0, name: 'APPLIED' });
  t.match(gathered, { id: 2, code: 3, name: 'OUT_OF_REACH' });
  t.match(walked, { id: 3, code: 0 });
  t.equal(client.undecided, 0);
});

t.test('a payload that does not fit is refused before it gets an id', async (t) => {
  const { server, client } = setUp();
  server.deliver();
  t.throws(() => client.act('walk', { heading: 0 }), { code: 'PAYLOAD' });
  t.throws(() => client.act('fly'), { code: 'PAYLOAD' });
  t.equal(client.lastActionId, 0);
});

t.test('no id goes out beyond the window, and the queue is bounded', async (t) => {
  const { server, client } = setUp({ maxKept: 100 });
  server.window = 60;
  server.deliver();
  server.deciding = false;
  for (let i = 0; i < 100; i++) client.send(6, new Uint8Array([65]));
  t.equal(server.last.up.length, 60);
  t.throws(() => client.send(6, new Uint8Array([65])), { code: 'QUEUE_FULL' });
  server.deciding = true;
  server.deliver();
  t.equal(client.undecided, 100);
  server.self();
  server.deliver();
  server.self();
  server.deliver();
  t.equal(client.undecided, 0, 'the rest followed when the window moved');
  t.equal(server.sessions[0]!.decided.length, 100);
});

t.test('after a cut everything undecided is sent again, once, in order', async (t) => {
  const all = setUp();
  const { server, client } = all;
  server.deliver();
  const first = client.act('say', 'one');
  server.deliver(); // decided, but the acknowledgement is lost
  const second = client.act('say', 'two');
  const third = client.act('say', 'three');
  server.cut();
  t.equal(client.state, 'closed');
  pass(300, all);
  t.equal(client.state, 'online');
  server.self();
  server.deliver();
  t.match(await Promise.all([first, second, third]), [
    { id: 1, code: 0 },
    { id: 2, code: 0 },
    { id: 3, code: 0 },
  ]);
  t.same(
    server.sessions[0]!.decided.map((d) => new TextDecoder().decode(d.payload)),
    ['one', 'two', 'three'],
  );
  t.equal(server.sessions.length, 1);
});

t.test(
  'the outcome of an action that was decided while the client was away arrives with the resume',
  async (t) => {
    const all = setUp();
    const { server, client } = all;
    server.deliver();
    server.outcome = () => 7;
    const act = client.act('say', 'one');
    server.deliver();
    server.cut();
    pass(300, all);
    t.match(await act, { id: 1, code: 7, name: 'COOLDOWN' });
  },
);

t.test(
  'a server that was rolled back gets what it forgot again, below what it had acknowledged',
  async (t) => {
    const decisions: [number, number, boolean][] = [];
    const all = setUp({ handlers: { decided: (a, rtt) => decisions.push([a.id, a.outcome, rtt >= 0]) } });
    const { server, client } = all;
    server.durable = 1;
    server.deliver();
    const acts = [client.act('say', 'a'), client.act('say', 'b'), client.act('say', 'c')];
    server.deliver();
    server.self();
    server.deliver();
    await Promise.all(acts);
    server.outcome = () => 7;
    server.crash();
    t.equal(server.sessions[0]!.decided.length, 1);
    pass(300, all);
    t.same(
      server.sessions[0]!.decided.map((d) => new TextDecoder().decode(d.payload)),
      ['a', 'b', 'c'],
    );
    server.self();
    server.deliver();
    t.same(decisions, [
      [1, 0, true],
      [2, 0, true],
      [3, 0, true],
      [2, 7, false],
      [3, 7, false],
    ]);
  },
);

/** Says three things, of which the first two become durable, and a fourth without an outcome. */
function talk(all: ReturnType<typeof setUp>): Promise<unknown> {
  const { server, client } = all;
  server.durable = 2;
  server.deliver();
  for (const text of ['a', 'b', 'c']) void client.act('say', text);
  server.deliver();
  server.self();
  server.deliver();
  server.deciding = false;
  const open = client.act('say', 'd');
  server.deliver();
  server.deciding = true;
  return open;
}

const words = (server: FakeServer, session: number) =>
  server.sessions[session]!.decided.map((d) => new TextDecoder().decode(d.payload));

t.test('a world put back to before what was durable goes on in a new session', async (t) => {
  for (const how of ['the socket breaks', 'the socket stays open'] as const) {
    let sessions = 0;
    const all = setUp({ handlers: { session: () => sessions++ } });
    const { server, client } = all;
    const open = talk(all);
    const { entity } = client;
    server.tick = 40; // the clock was put back, too
    if (how === 'the socket breaks') {
      server.sessions[0]!.durable = 1;
      server.crash();
      pass(300, all);
    } else server.putBack(1);
    server.deliver();
    await t.rejects(open, { code: 'SESSION_EXPIRED' }, `${how}: whether the last one happened nobody knows`);
    t.match(client, { state: 'online', entity, self: { tick: 40 } }, `${how}: the same entity`);
    t.same([sessions, client.welcome?.resumed, server.sessions.length], [1, false, 2]);
    const again = client.act('say', 'e');
    server.deliver();
    server.self();
    server.deliver();
    t.match(await again, { id: 1, code: 0 }, 'ids begin anew');
    t.same(
      [words(server, 0), words(server, 1)],
      [['a'], ['e']],
      'nothing of before is done in the new session',
    );
    pass(2000, all);
    t.equal(server.last.lastEcho, 40, 'an echo is of what came since the Welcome');
  }
});

t.test('a Welcome on the open socket: what is not durable is sent again, once', async (t) => {
  const all = setUp();
  const { server, client } = all;
  const open = talk(all);
  const inFlight = client.act('say', 'e'); // sent before the Welcome is read
  server.fallBack();
  server.deliver();
  t.same(words(server, 0), ['a', 'b', 'c', 'd', 'e']);
  server.self();
  server.deliver();
  t.match(await Promise.all([open, inFlight]), [
    { id: 4, code: 0 },
    { id: 5, code: 0 },
  ]);
  t.equal(server.connections.length, 1);
  server.fallBack();
  server.deliver();
  const next = client.act('say', 'f');
  server.deliver();
  server.self();
  server.deliver();
  t.match(await next, { id: 6, code: 0 }, 'and after a third Welcome');
});

t.test('a server that resumes below what it had called durable is not believed', async (t) => {
  const all = setUp();
  const { server, client } = all;
  void talk(all).catch(() => {});
  server.last.session!.decided.length = server.last.session!.durable = 1;
  server.fallBack();
  server.deliver();
  t.match(await client.ended, { code: 'RESUME_IMPOSSIBLE' });
});

t.test(
  'an expired session ends the client, or is followed by a new one where that is asked for',
  async (t) => {
    for (const renew of [false, true]) {
      let sessions = 0;
      const all = setUp({ renew, handlers: { session: () => sessions++ } });
      const { server, client } = all;
      server.deliver();
      server.deciding = false;
      const act = client.act('say', 'a');
      server.cut();
      server.sessions[0]!.expired = true;
      pass(1000, all);
      await t.rejects(act, { code: 'SESSION_EXPIRED' });
      t.equal(client.state, renew ? 'online' : 'ended');
      t.equal(sessions, renew ? 1 : 0);
      if (!renew) continue;
      server.deciding = true;
      const again = client.act('say', 'b');
      server.deliver();
      server.self();
      server.deliver();
      t.match(await again, { id: 1, code: 0 }, 'ids begin anew');
    }
  },
);

t.test('codes that do not allow a retry end the client with code and text', async (t) => {
  const { server, client } = setUp();
  server.deliver();
  const act = client.act('say', 'x');
  server.close('SESSION_TAKEN');
  server.deliver();
  const error = (await client.ended) as ClientError;
  t.match(error, { code: 'SESSION_TAKEN', closeCode: 4007 });
  t.match(error.message, /Another connection/);
  await t.rejects(act, { code: 'SESSION_TAKEN' });
  t.throws(() => client.send(6, new Uint8Array(1)), { code: 'ENDED' });
});

t.test('a refused server is tried again with growing pauses, then given up', async (t) => {
  const all = setUp({ times: { giveUpMs: 20_000, backoffMs: 100, backoffMaxMs: 2000 } });
  const { server, client } = all;
  server.refusing = true;
  pass(1000, all);
  const attempts = client.attempts;
  t.ok(attempts >= 3 && attempts <= 8, `${attempts} attempts in the first second`);
  pass(9000, all);
  t.ok(client.attempts - attempts <= 10, 'then fewer');
  pass(20_000, all);
  t.match(await client.ended, { code: 'UNREACHABLE' });
  await t.rejects(client.ready, { code: 'UNREACHABLE' });
});

t.test('something is said at least each second, with the newest tick', async (t) => {
  const all = setUp();
  const { server } = all;
  server.deliver();
  pass(3500, all);
  t.equal(server.last.said.filter((s) => s === 'Ping').length, 3);
  server.tick = 777;
  server.self();
  server.deliver();
  pass(1000, all);
  t.equal(server.last.lastEcho, 777);
});

t.test('a silent connection is dropped and made again', async (t) => {
  const all = setUp({ times: { silenceMs: 5000 } });
  const { server, clock, client } = all;
  server.deliver();
  for (let i = 0; i < 60; i++) {
    clock.ms += 100;
    client.beat(); // nothing is delivered
  }
  t.not(client.state, 'online');
  pass(1000, all);
  t.equal(client.state, 'online');
  t.equal(server.connections.length, 2);
});

t.test('goodbye ends without an error', async (t) => {
  const { server, client } = setUp();
  server.deliver();
  const ended = client.goodbye();
  server.deliver();
  t.equal(await ended, null);
});

t.test('the log is the server’s account of the session', async (t) => {
  const { server, client } = setUp();
  server.deliver();
  server.outcome = (kind) => (kind === 6 ? 0 : 1);
  client.send(6, new Uint8Array([65]));
  client.send(7, new Uint8Array(0));
  const log = client.requestLog();
  server.deliver();
  t.match(await log, { session: 1, lastAction: 2, applied: 1, rejected: 1 });
});

t.test('bytes that no server sends end the client instead of reaching the view', async (t) => {
  const { server, client } = setUp();
  server.deliver();
  server.raw(new Uint8Array([1, 2, 3, 4, 5, 6, 7, 8, 9]));
  server.deliver();
  t.match(await client.ended, { code: 'BAD_SERVER_MESSAGE' });
});

t.test('an acknowledgement of what was never sent ends the client', async (t) => {
  const { server, client } = setUp();
  server.deliver();
  server.sessions[0]!.decided.push({ kind: 1, payload: new Uint8Array(0), outcome: 0 });
  server.self();
  server.deliver();
  t.match(await client.ended, { code: 'BAD_SERVER_MESSAGE' });
});

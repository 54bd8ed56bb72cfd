/** The supervisor over threads that die, hang, fail to start, come late, refuse to end. */
import t from 'tap';
import { Supervisor, WATCH } from '../../src/control/supervisor.js';
import { FakeLog, FakeShards, FakeTime } from './fakes.js';

function setUp(shards = 2) {
  const time = new FakeTime();
  const fake = new FakeShards();
  const log = new FakeLog();
  const supervisor = new Supervisor({
    shards,
    launch: fake.launch,
    watch: fake,
    clock: time,
    timers: time,
    log,
  });
  /** Lets time pass while the given shards beat. */
  const live = (ms: number, ...beating: number[]) => {
    for (let passed = 0; passed < ms; passed += WATCH.checkMs) {
      for (const shard of beating) fake.beats[shard]++;
      time.advance(WATCH.checkMs);
    }
  };
  return { time, fake, log, supervisor, live };
}

async function settled(promise: Promise<unknown>): Promise<boolean> {
  const pending = Symbol('pending');
  return (
    (await Promise.race([promise, new Promise((resolve) => setImmediate(() => resolve(pending)))])) !==
    pending
  );
}

t.test('starts every shard with its own incarnation, and is up when all are ready', async (t) => {
  const { fake, supervisor } = setUp(3);
  const up = supervisor.start();
  t.same(
    fake.threads.map((x) => x.start.incarnation),
    [1, 2, 3],
  );
  t.same(
    fake.threads.map((x) => x.start.previousIncarnation),
    [0, 0, 0],
    'nothing to adopt',
  );
  fake.ready(0);
  fake.ready(2);
  t.notOk(await settled(up));
  t.notOk(supervisor.healthy);
  fake.ready(1);
  t.ok(await settled(up));
  t.ok(supervisor.healthy);
});

for (const how of ['exit code 0', 'exit code 1', 'terminated'] as const) {
  t.test(`a death is a death, ${how}: the replacement adopts`, async (t) => {
    const { fake, supervisor, live } = setUp();
    void supervisor.start();
    fake.ready(0);
    fake.ready(1);
    if (how === 'terminated') t.ok(supervisor.kill(1));
    else fake.last(1).events.exit(how === 'exit code 0' ? 0 : 1);
    t.equal(fake.state[1], 'dead');
    live(50, 0);
    t.match(fake.last(1).start, { shard: 1, incarnation: 3, previousIncarnation: 2 });
    t.equal(fake.threads.length, 3, 'shard 0 is left alone');
    fake.ready(1);
    t.ok(supervisor.healthy);
    t.equal(supervisor.restarts, 1);
    t.same(supervisor.report()[1], { shard: 1, incarnation: 3, phase: 'running', restarts: 1, alarm: null });
  });
}

t.test('a replacement that dies while it adopts leaves the first death to the next one', async (t) => {
  const { fake, supervisor, live } = setUp(1);
  void supervisor.start();
  fake.ready(0);
  fake.last(0).events.exit(1);
  live(50);
  t.match(fake.last(0).start, { incarnation: 2, previousIncarnation: 1 });
  fake.last(0).events.exit(1); // never ready
  live(WATCH.failedStartWaitMs + 50);
  t.match(fake.last(0).start, { incarnation: 3, previousIncarnation: 1 });
  fake.state[0] = 'running'; // adopted, died before its message was read
  fake.last(0).events.exit(1);
  live(WATCH.alarmWaitMs + 50);
  t.match(fake.last(0).start, { incarnation: 4, previousIncarnation: 3 });
});

t.test('silence: one check below the limit is suffered, at the limit the thread is terminated', async (t) => {
  const { fake, supervisor, live } = setUp();
  void supervisor.start();
  fake.ready(0);
  fake.ready(1);
  live(1_000, 0, 1);
  live(WATCH.silentMs - WATCH.checkMs, 0);
  t.notOk(fake.last(1).terminated);
  live(WATCH.checkMs, 0, 1); // one beat in time
  live(WATCH.silentMs - WATCH.checkMs, 0);
  t.notOk(fake.last(1).terminated, 'a beat starts the count anew');
  const hung = fake.last(1);
  live(WATCH.checkMs, 0);
  t.ok(hung.terminated);
  live(50, 0);
  t.match(fake.last(1).start, { incarnation: 3, previousIncarnation: 2 });
  t.notOk(fake.last(0).terminated);
});

t.test('a thread that takes its time to die is condemned once', async (t) => {
  const { fake, supervisor, live, log } = setUp(1);
  fake.obedient = false;
  void supervisor.start();
  fake.ready(0);
  live(3_000);
  t.equal(log.of('error').filter((text) => text.includes('silent')).length, 1);
  t.equal(fake.threads.length, 1, 'no second thread beside a living one');
  fake.last(0).events.exit(1);
  live(50);
  t.equal(fake.threads.length, 2);
});

t.test('a process that was frozen for 30 s kills none of its shards', async (t) => {
  const { fake, supervisor, live, time } = setUp();
  void supervisor.start();
  fake.ready(0);
  fake.ready(1);
  live(1_000, 0, 1);
  time.freeze(30_000);
  live(100); // the supervisor may run before any shard does
  live(1_000, 0, 1);
  t.notOk(fake.threads.some((x) => x.terminated));
});

t.test('a thread that does not become ready is terminated and started anew', async (t) => {
  const { fake, supervisor, live } = setUp(1);
  void supervisor.start();
  live(WATCH.startMs - WATCH.checkMs);
  t.notOk(fake.last(0).terminated);
  const stuck = fake.last(0);
  live(WATCH.checkMs * 2);
  t.ok(stuck.terminated);
  live(WATCH.failedStartWaitMs + 50);
  t.equal(fake.threads.length, 2);
});

t.test('three crashes in a minute: alarm and back-off, bounded, and never the end', async (t) => {
  const { fake, supervisor, live, log } = setUp(1);
  void supervisor.start();
  const crash = () => {
    fake.ready(0);
    fake.last(0).events.exit(1);
  };
  crash();
  live(50);
  crash();
  live(50);
  t.equal(log.of('fatal').length, 0);
  t.equal(fake.threads.length, 3, 'two crashes are replaced at once');
  crash();
  t.equal(log.of('fatal').length, 1);
  t.match(supervisor.report()[0], { phase: 'waiting', alarm: /shard 0 died 3 times within 60 s/ });
  live(WATCH.alarmWaitMs - 50);
  t.equal(fake.threads.length, 3, 'still waiting');
  live(100);
  t.equal(fake.threads.length, 4);
  for (let deaths = 4; deaths < 14; deaths++) {
    crash();
    let waited = 0;
    for (; fake.threads.length === deaths && waited <= WATCH.longestWaitMs; waited += 50) live(50);
    t.equal(fake.threads.length, deaths + 1, `started again after death ${deaths}`);
    t.ok(waited >= WATCH.alarmWaitMs, `after ${waited} ms`);
  }
  fake.ready(0);
  live(WATCH.crashWindowMs + 200, 0);
  t.equal(supervisor.report()[0].alarm, null, 'a minute without a death ends the alarm');
});

t.test('who lived for a while is replaced at once, alarm or not', async (t) => {
  const { fake, supervisor, live } = setUp(1);
  void supervisor.start();
  for (let deaths = 1; deaths <= 5; deaths++) {
    fake.ready(0);
    live(WATCH.shortLifeMs + 50, 0);
    fake.last(0).events.exit(1);
    live(50);
    t.equal(fake.threads.length, deaths + 1, `started again after death ${deaths}`);
  }
  t.match(supervisor.report()[0].alarm, /shard 0 died/, 'and the alarm stands');
  for (const threads of [7, 8, 8]) {
    fake.ready(0);
    fake.last(0).events.exit(1);
    live(50);
    t.equal(fake.threads.length, threads, 'the third short life in a row waits');
  }
});

t.test('crashes further apart than a minute raise no alarm', async (t) => {
  const { fake, supervisor, live, log } = setUp(1);
  void supervisor.start();
  for (let i = 0; i < 4; i++) {
    fake.ready(0);
    live(30_100, 0);
    fake.last(0).events.exit(1);
    live(50);
  }
  t.equal(log.of('fatal').length, 0);
});

t.test('a worker that cannot be started: logged, tried again with growing waits, no storm', async (t) => {
  const { fake, supervisor, live, log } = setUp(1);
  fake.refuse = new Error('no more threads');
  const up = supervisor.start();
  live(60_000);
  const tries = log.of('error').filter((text) => text.includes('could not be started')).length;
  t.ok(tries >= 4 && tries <= 10, `${tries} tries in a minute`);
  t.match(JSON.stringify(log.lines), 'no more threads');
  t.match(supervisor.report()[0].alarm, /shard 0 died/);
  fake.refuse = null;
  live(WATCH.longestWaitMs);
  fake.ready(0);
  t.ok(await settled(up));
  t.ok(supervisor.healthy);
});

t.test(
  'the second death with the same thing in hand quarantines it, for the starts that follow',
  async (t) => {
    const { fake, supervisor, live } = setUp();
    void supervisor.start();
    fake.ready(0);
    fake.ready(1);
    const culprit = { entity: 77, action: 5 };
    const die = (shard: number, inHand: typeof culprit | null) => {
      fake.hands[shard] = inHand;
      fake.last(shard).events.exit(1);
      live(50, 1 - shard);
      fake.ready(shard);
    };
    die(0, { ...culprit });
    t.same(fake.last(0).start.quarantine, []);
    die(0, null);
    t.same(fake.last(0).start.quarantine, []);
    die(1, { ...culprit });
    t.same(fake.last(1).start.quarantine, [culprit], 'also when another shard owned it by then');
    t.same(fake.last(0).start.quarantine, [], 'a start keeps the list that it was given');
  },
);

t.test('whatever a shard had in hand when it was killed on request is not to blame', async (t) => {
  const { fake, supervisor, live } = setUp();
  void supervisor.start();
  fake.ready(0);
  fake.ready(1);
  for (let i = 0; i < 2; i++) {
    fake.hands[0] = { entity: 77, action: 0 };
    t.ok(supervisor.kill(0));
    fake.last(0).events.exit(1);
    live(50, 1);
    fake.ready(0);
  }
  t.same(fake.last(0).start.quarantine, []);
});

t.test('orderly stop: all are asked, all end, nothing is replaced or left behind', async (t) => {
  const { fake, supervisor, time } = setUp(3);
  void supervisor.start();
  for (const shard of [0, 1]) fake.ready(shard);
  const stopped = supervisor.stop(5_000);
  t.same(fake.order.slice(3), ['close 0', 'close 1', 'close 2']);
  fake.ready(2); // was on its way up and overwrote the word
  t.equal(fake.state[2], 'closing', 'is asked again');
  fake.last(0).events.exit(0);
  fake.last(1).events.exit(0);
  t.notOk(await settled(stopped));
  fake.last(2).events.exit(0);
  t.ok(await settled(stopped));
  t.equal(fake.threads.length, 3);
  t.notOk(fake.threads.some((x) => x.terminated));
  t.equal(time.pending, 0, 'no timer is left');
  t.same(
    supervisor.report().map((r) => r.phase),
    ['ended', 'ended', 'ended'],
  );
});

t.test('orderly stop is bounded: who does not end is terminated', async (t) => {
  const { fake, supervisor, time, log } = setUp();
  void supervisor.start();
  fake.ready(0);
  fake.ready(1);
  const stopped = supervisor.stop(5_000);
  fake.last(0).events.exit(0);
  time.advance(4_999);
  t.notOk(fake.last(1).terminated);
  time.advance(1);
  t.ok(fake.last(1).terminated);
  t.ok(await settled(stopped));
  t.equal(log.of('warn').length, 1);
});

t.test('stop while a replacement is waited for ends at once and cancels it', async (t) => {
  const { fake, supervisor, time } = setUp(1);
  const up = supervisor.start();
  fake.last(0).events.exit(1);
  const stopped = supervisor.stop(5_000);
  t.ok(await settled(stopped));
  t.ok(await settled(up), 'who waited for the start waits no longer');
  time.advance(WATCH.longestWaitMs);
  t.equal(fake.threads.length, 1);
});

function onDemand() {
  const time = new FakeTime();
  const fake = new FakeShards();
  const log = new FakeLog();
  const supervisor = new Supervisor({
    shards: 3,
    initial: 1,
    launch: fake.launch,
    watch: fake,
    clock: time,
    timers: time,
    log,
  });
  const up = supervisor.start();
  fake.ready(0);
  return { time, fake, log, supervisor, up };
}

t.test('shards that load asks for: started one by one, retired in good order, started again', async (t) => {
  const { fake, supervisor, up } = onDemand();
  await up;
  t.same(fake.order, ['start 0']);
  t.ok(supervisor.healthy, 'those that nobody needs are not missed');
  t.notOk(supervisor.startShard(0), 'it runs');
  t.notOk(supervisor.startShard(3), 'there is none');
  t.notOk(supervisor.retire(2), 'it does not run');
  t.ok(supervisor.canStart(2) && supervisor.startShard(2));
  t.notOk(supervisor.canStart(2) || supervisor.startShard(2), 'it is on its way');
  t.notOk(supervisor.retire(2), 'not before it runs');
  fake.ready(2);
  t.ok(supervisor.retire(2));
  t.equal(fake.state[2], 'closing');
  t.notOk(supervisor.canStart(2));
  fake.last(2).events.exit(0);
  t.equal(fake.state[2], 'none');
  t.match(supervisor.report()[2], { phase: 'ended', restarts: 0, alarm: null });
  t.ok(supervisor.startShard(2));
  t.equal(fake.last(2).start.previousIncarnation, 2, 'its totals and what was left are taken over');
});

t.test('a retired shard that something still names comes back and adopts it', async (t) => {
  const { fake, supervisor } = onDemand();
  supervisor.startShard(1);
  fake.ready(1);
  supervisor.retire(1);
  fake.named.add(1);
  fake.last(1).events.exit(1);
  t.same(fake.order.slice(-2), ['close 1', 'start 1']);
  t.equal(fake.last(1).start.previousIncarnation, 2);
  fake.named.clear();
  fake.ready(1);
  t.ok(supervisor.retire(1), 'and can be retired again');
});

t.test(
  'a start that load asked for and that fails: an alarm, no retry; unless something waits for it',
  async (t) => {
    const { fake, supervisor, time, log } = onDemand();
    fake.refuse = new Error('no memory');
    supervisor.startShard(1);
    t.match(supervisor.report()[1], { phase: 'ended', alarm: /could not be started/ });
    t.equal(fake.state[1], 'none');
    time.advance(60_000);
    t.notOk(fake.order.includes('start 1'), 'nobody tries again by himself');
    t.equal(log.of('error').length > 0, true);
    fake.refuse = null;
    t.ok(supervisor.startShard(1));
    fake.ready(1);
    t.equal(supervisor.report()[1].alarm, null);
    fake.last(1).events.exit(1);
    time.advance(0);
    t.equal(
      fake.order.filter((o) => o === 'start 1').length,
      2,
      'one that had run is replaced like any other',
    );
    fake.named.add(1);
    fake.last(1).events.exit(1);
    t.equal(supervisor.report()[1].phase, 'waiting', 'what it holds waits for a replacement');
    t.notOk(supervisor.isStuck(1));
    fake.refuse = new Error('no memory');
    time.advance(5_000);
    t.ok(supervisor.isStuck(1), 'and it is known that none comes');
  },
);

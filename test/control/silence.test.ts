/** Silence that is a hang, and silence that is the machine's. */
import t from 'tap';
import { Supervisor, WATCH } from '../../src/control/supervisor.js';
import { FakeLog, FakeShards, FakeTime } from './fakes.js';

function setUp(shards = 2, isDebugged = () => false) {
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
    isDebugged,
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

/** What a thread does while its heartbeat stands still: its share of a core, the kernel's letter, when it is ended. */
const SILENT: readonly [what: string, share: number, state: string, endedMs: number][] = [
  ['hangs on a core of its own', 1, 'R', WATCH.silentMs],
  ['hangs on half of a core', 0.5, 'R', 2 * WATCH.silentMs],
  ['hangs on a tenth of a core', 0.1, 'R', 10 * WATCH.silentMs],
  ['gets no core', 0, 'R', WATCH.starvedMs],
  ['waits for the disk', 0, 'D', WATCH.diskMs],
  ['sleeps for ever', 0, 'S', WATCH.asleepMs],
];

t.test('silence is counted in the time that a thread had: a starved one is not hung', async (t) => {
  for (const [what, share, state, endedMs] of SILENT) {
    const { fake, supervisor, live, time } = setUp(1);
    void supervisor.start();
    fake.ready(0);
    const begun = time.now();
    fake.doing = () => ({ cpuMs: (time.now() - begun) * share, state });
    live(endedMs * 0.75);
    t.notOk(fake.last(0).terminated, `${what}: not before ${endedMs} ms`);
    live(endedMs * 0.3 + 50);
    t.ok(fake.threads[0]!.terminated, `${what}: ended in the end`);
  }
});

t.test('a starved thread that goes on starts anew; what it had in hand is blamed for nothing', async (t) => {
  const { fake, supervisor, live } = setUp(1);
  void supervisor.start();
  fake.ready(0);
  fake.doing = () => ({ cpuMs: 7, state: 'R' });
  fake.hands[0] = { entity: 5, action: 9 };
  for (let i = 0; i < 6; i++) {
    live(WATCH.silentMs * 8);
    live(WATCH.checkMs, 0);
  }
  t.equal(fake.threads.length, 1);
});

t.test('while a debugger may be attached nobody is ended; from then on as ever', async (t) => {
  for (const [what, share, state, endedMs] of SILENT) {
    let isDebugged = true;
    const { fake, supervisor, live, time, log } = setUp(1, () => isDebugged);
    void supervisor.start();
    fake.ready(0);
    const begun = time.now();
    fake.doing = () => ({ cpuMs: (time.now() - begun) * share, state });
    live(endedMs * 3 + 100);
    t.same(log.of('warn').length, 1, `${what}: told once`);
    live(WATCH.checkMs * 2, 0);
    t.equal(log.of('info').at(-1), 'shard goes on');
    live(endedMs * 3 + 100);
    t.same(log.of('warn').length, 2, 'told again');
    isDebugged = false;
    live(endedMs * 0.4);
    t.notOk(fake.last(0).terminated, 'what it stood before is not held against it');
    live(endedMs * 0.7 + 50);
    t.ok(fake.threads[0]!.terminated, 'ended in the end');
  }
});

t.test('a start that stands in a debugger is no failed one', async (t) => {
  const { fake, supervisor, live } = setUp(1, () => true);
  void supervisor.start();
  live(WATCH.startMs * 3);
  t.equal(fake.threads.length, 1);
  t.notOk(fake.last(0).terminated);
  fake.ready(0);
  t.equal(supervisor.report()[0]!.phase, 'running');
});

/** The small parts of control: leases, quarantine, CPU meter, jobs. */
import t from 'tap';
import { type JobRings, Jobs, type RunJob } from '../../src/control/jobs.js';
import { LEASES_AHEAD, LeaseKeeper } from '../../src/control/leases.js';
import { Quarantine } from '../../src/control/quarantine.js';
import { ThreadCpu } from '../../src/control/thread-cpu.js';
import { decodeJob, encodeJob, type JobRecord } from '../../src/world/job-codec.js';
import { FakeLog, FakeTime } from './fakes.js';

const turn = () => new Promise((resolve) => setImmediate(resolve));

t.test('leases: granted only after the bound was noted, ahead of use, once at a time', async (t) => {
  let next = 1;
  const granted: number[] = [];
  const noted: number[] = [];
  let done: () => void = () => {};
  const keeper = new LeaseKeeper(
    { nextLease: () => next, grant: (lease) => granted.push(lease) },
    (bound) => {
      noted.push(bound);
      return new Promise((resolve) => (done = resolve));
    },
  );
  const first = keeper.keep();
  void keeper.keep();
  t.same(noted, [1 + LEASES_AHEAD], 'one at a time');
  t.same(granted, []);
  done();
  await first;
  t.same(granted, [1 + LEASES_AHEAD]);
  next = LEASES_AHEAD / 2;
  await keeper.keep();
  t.equal(noted.length, 1, 'half is left: nothing to do');
  next = LEASES_AHEAD / 2 + 2;
  const second = keeper.keep();
  done();
  await second;
  t.same(granted, [1 + LEASES_AHEAD, next + LEASES_AHEAD]);
});

t.test('leases: a failed note grants nothing and is tried again', async (t) => {
  const granted: number[] = [];
  let fail = true;
  const table = { nextLease: () => 1, grant: (lease: number) => granted.push(lease) };
  const keeper = new LeaseKeeper(table, async () => {
    if (fail) throw new Error('disk full');
  });
  await t.rejects(keeper.keep(), /disk full/);
  t.same(granted, []);
  fail = false;
  await keeper.keep();
  t.equal(granted.length, 1);
});

t.test('quarantine: the second death, once, bounded', async (t) => {
  const quarantine = new Quarantine();
  t.notOk(quarantine.blame({ entity: 1, action: 5 }));
  t.notOk(quarantine.blame({ entity: 1, action: 6 }), 'another action is another suspect');
  t.ok(quarantine.blame({ entity: 1, action: 5 }));
  t.notOk(quarantine.blame({ entity: 1, action: 5 }), 'not twice');
  t.same(quarantine.list, [{ entity: 1, action: 5 }]);
  for (let entity = 100; entity < 300; entity++) {
    quarantine.blame({ entity, action: 1 });
    quarantine.blame({ entity, action: 1 });
  }
  t.equal(quarantine.list.length, 64);
});

t.test(
  'thread CPU: busy is CPU over wall time, waiting over 20 % for 5 s means a full machine',
  async (t) => {
    const time = new FakeTime();
    const stat = new Map<number, [cpuMs: number, waitMs: number]>();
    const cpu = new ThreadCpu(time, (path) => {
      const found = stat.get(Number(/task\/(\d+)\/schedstat/.exec(path)?.[1]));
      return found === undefined ? null : `${found[0] * 1e6} ${found[1] * 1e6} 7\n`;
    });
    const threads = [
      { name: 'shard 0', tid: 11 },
      { name: 'shard 1', tid: 12 },
      { name: 'shard 2', tid: 0 },
    ];
    const pass = (busyMs: number, waitMs: number) => {
      for (const tid of [11, 12]) {
        const [c, w] = stat.get(tid) ?? [0, 0];
        stat.set(tid, [c + (tid === 11 ? busyMs : 0), w + (tid === 11 ? waitMs : 0)]);
      }
      time.advance(1_000);
      cpu.sample(threads);
    };
    pass(0, 0);
    t.equal(cpu.busy('shard 0'), null, 'one sample says nothing');
    pass(250, 100);
    t.equal(cpu.busy('shard 0'), 0.25);
    t.equal(cpu.busy('shard 1'), 0);
    t.equal(cpu.busy('shard 2'), null, 'no thread id, no figure');
    t.equal(cpu.busy('shard 9'), null);
    for (let i = 0; i < 6; i++) pass(250, 200);
    t.notOk(cpu.saturated, 'at the limit');
    for (let i = 0; i < 6; i++) pass(250, 210);
    t.ok(cpu.saturated);
    for (let i = 0; i < 7; i++) pass(250, 0);
    t.notOk(cpu.saturated);
    for (let i = 0; i < 7; i++) pass(40, 900);
    t.notOk(cpu.saturated, 'it has next to nothing to do: others keep the machine full');
    threads[0] = { name: 'shard 0', tid: 12 };
    pass(250, 0);
    t.equal(cpu.busy('shard 0'), null, 'a replacement begins anew');
  },
);

t.test('job records come back as they were, at any offset, out of shared memory', async (t) => {
  for (const value of [null, 0, 'träume', [1, { a: false }], { deep: { list: ['x'.repeat(5000)] } }]) {
    const record: JobRecord = { entity: 2 ** 53 - 1, name: 'find-path-ä', ok: false, value };
    const bytes = encodeJob(record);
    const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 24));
    shared.set(bytes, 16);
    t.same(decodeJob(shared, 16), record);
  }
  t.equal(decodeJob(encodeJob({ entity: 1, name: 'a', ok: true, value: undefined }), 0).value, null);
  t.throws(() => encodeJob({ entity: 1, name: 'n'.repeat(65), ok: true, value: 1 }), /at most 64 bytes/);
});

function jobs(run: RunJob, isDebugged = () => false) {
  const time = new FakeTime();
  const log = new FakeLog();
  const waiting: JobRecord[] = [];
  const given: JobRecord[] = [];
  const answer: { value: 'given' | 'later' | 'gone' } = { value: 'given' };
  const rings: JobRings = {
    take: () => waiting.shift() ?? null,
    give: (result) => {
      if (answer.value === 'given') given.push(result);
      return answer.value;
    },
  };
  const all = new Jobs(rings, run, time, log, isDebugged);
  all.start();
  return { time, log, waiting, given, answer, all };
}
const job = (entity: number, value: unknown = entity): JobRecord => ({
  entity,
  name: 'double',
  ok: true,
  value,
});

t.test('jobs: results come back to their entity; what throws becomes an error that is logged', async (t) => {
  const { time, log, waiting, given, all } = jobs(async (_name, input) => {
    if (input === 13) throw new RangeError('unlucky');
    return (input as number) * 2;
  });
  waiting.push(job(1), job(13), job(2));
  time.advance(20);
  await turn();
  time.advance(20);
  t.same(
    given,
    [
      { entity: 1, name: 'double', ok: true, value: 2 },
      { entity: 2, name: 'double', ok: true, value: 4 },
      { entity: 13, name: 'double', ok: false, value: 'RangeError: unlucky' },
    ].sort(
      (a, b) => given.findIndex((g) => g.entity === a.entity) - given.findIndex((g) => g.entity === b.entity),
    ),
  );
  t.equal(given.length, 3);
  t.match(log.lines, [{ level: 'error', facts: { job: 'double', entity: 13, reason: /unlucky/ } }]);
  t.match(all, { done: 2, failed: 1, dropped: 0 });
});

t.test('jobs: a full result ring loses nothing, a gone entity drops its result', async (t) => {
  const { time, waiting, given, answer, all } = jobs(async (_name, input) => input);
  answer.value = 'later';
  waiting.push(job(1), job(2));
  time.advance(20);
  await turn();
  time.advance(200);
  t.same(given, []);
  answer.value = 'given';
  time.advance(20);
  t.same(
    given.map((g) => g.entity),
    [1, 2],
  );
  waiting.push(job(3));
  answer.value = 'gone';
  time.advance(20);
  await turn();
  time.advance(20);
  t.equal(all.dropped, 1);
  t.equal(given.length, 2);
});

t.test('jobs: at most 256 are under way, results that wait included', async (t) => {
  const finish: (() => void)[] = [];
  const { time, waiting, answer } = jobs(
    (_name, input) => new Promise((resolve) => finish.push(() => resolve(input))),
  );
  for (let i = 1; i <= 300; i++) waiting.push(job(i));
  time.advance(20);
  t.equal(waiting.length, 300 - 256);
  answer.value = 'later';
  for (const done of finish) done();
  await turn();
  time.advance(20);
  t.equal(waiting.length, 300 - 256, 'finished ones that nobody takes count as well');
  answer.value = 'given';
  time.advance(20);
  t.equal(waiting.length, 0);
});

t.test('jobs: one that stands in a debugger is not ended before that is gone', async (t) => {
  let isDebugged = true;
  const signals: AbortSignal[] = [];
  const { time, waiting } = jobs(
    (_name, _input, signal) => new Promise(() => signals.push(signal)),
    () => isDebugged,
  );
  waiting.push(job(1));
  time.advance(20);
  time.advance(60_000);
  t.notOk(signals[0]!.aborted);
  isDebugged = false;
  time.advance(10_000);
  t.ok(signals[0]!.aborted);
});

t.test('jobs: one that never returns is ended and becomes an error; stop ends all', async (t) => {
  const { time, waiting, given, all } = jobs(
    (_name, _input, signal) =>
      new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted')))),
  );
  waiting.push(job(1));
  time.advance(20);
  time.advance(9_999);
  await turn();
  time.advance(20);
  t.same(given, []);
  time.advance(1);
  await turn();
  time.advance(20);
  t.match(given, [{ entity: 1, ok: false, value: /ended after 10000 ms/ }]);
  waiting.push(job(2));
  time.advance(20);
  all.stop();
  await turn();
  t.equal(all.failed, 2);
  t.equal(time.pending, 0, 'no timer is left');
});

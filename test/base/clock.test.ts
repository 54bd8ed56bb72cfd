import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { monotonicClock, systemTimers } from '../../src/base/clock.js';

t.test('the clock never goes back and follows the time of the machine', async (t) => {
  const clock = monotonicClock();
  let last = clock.now();
  let backwards = 0;
  for (let i = 0; i < 100_000; i++) {
    const now = clock.now();
    if (now < last) backwards++;
    last = now;
  }
  t.equal(backwards, 0);
  const before = Number(process.hrtime.bigint()) / 1e6; // house-ok: what the clock is held to
  const now = clock.now();
  const after = Number(process.hrtime.bigint()) / 1e6; // house-ok: what the clock is held to
  t.ok(
    now > before - 0.1 && now < after + 0.1,
    `${now} lies between ${before} and ${after}, give or take 0.1 ms`,
  );
});

t.test('all threads share one origin', async (t) => {
  // Ping-pong through shared memory: the worker's reading must lie between two of ours.
  const module = new URL('../../src/base/clock.js', import.meta.url);
  const sab = new SharedArrayBuffer(16);
  const turn = new Int32Array(sab, 0, 1);
  const theirs = new Float64Array(sab, 8, 1);
  const code = `import(${JSON.stringify(module.href)}).then(({ monotonicClock }) => {
    const { workerData: sab } = require('node:worker_threads');
    const turn = new Int32Array(sab, 0, 1), theirs = new Float64Array(sab, 8, 1), clock = monotonicClock();
    Atomics.store(turn, 0, 1); Atomics.notify(turn, 0); Atomics.wait(turn, 0, 1);
    theirs[0] = clock.now();
    Atomics.store(turn, 0, 3); Atomics.notify(turn, 0);
  })`;
  const worker = new Worker(code, { eval: true, workerData: sab });
  const gone = once(worker, 'exit');
  const clock = monotonicClock();
  const ready = Atomics.waitAsync(turn, 0, 0);
  if (ready.async) await ready.value;
  const before = clock.now();
  Atomics.store(turn, 0, 2);
  Atomics.notify(turn, 0);
  const answered = Atomics.waitAsync(turn, 0, 2);
  if (answered.async) await answered.value;
  const after = clock.now();
  t.ok(theirs[0] > before - 0.1 && theirs[0] < after + 0.1, `${theirs[0]} between ${before} and ${after}`);
  await gone;
});

t.test('timers fire, repeat, and can be called off', async (t) => {
  const timers = systemTimers();
  const calls: string[] = [];
  timers.after(1, () => calls.push('never'))();
  await new Promise<void>((resolve) => timers.after(1, resolve));
  await new Promise<void>((resolve) => {
    let rounds = 0;
    const stop = timers.every(1, () => {
      calls.push('round');
      if (++rounds < 3) return;
      stop();
      timers.after(10, resolve);
    });
  });
  t.strictSame(calls, ['round', 'round', 'round']);
});

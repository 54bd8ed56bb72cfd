/** Jobs of a real game file, in the real pool, over real rings. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { jobRings } from '../../src/control/job-rings.js';
import { jobPool } from '../../src/control/jobs.js';
import { RECORD_HEADER_BYTES } from '../../src/memory/byte-ring.js';
import { HEADER, OWNER, packOwner } from '../../src/memory/record.js';
import { createSharedWorld } from '../../src/memory/shared-world.js';
import { decodeJob, encodeJob, type JobRecord } from '../../src/world/job-codec.js';

const GAME = `export default {
  name: 'jobs', items: [], kinds: ['player'], components: {}, actions: {}, step() {},
  jobs: {
    double: (n) => n * 2,
    later: async (text) => { await Promise.resolve(); return { text }; },
    fail: () => { throw new RangeError('no'); },
    strange: () => 1n,
    spin: () => { for (;;); },
    die: () => process.exit(3),
  },
};`;

t.test('the pool runs named jobs, survives what they do, and ends', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-'));
  t.teardown(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'game.mjs');
  writeFileSync(file, GAME);
  const pool = jobPool(file);
  const run = (name: string, input: unknown, signal = new AbortController().signal) =>
    pool.run(name, input, signal);
  t.equal(await run('double', 21), 42);
  t.same(await run('later', 'x'), { text: 'x' });
  await t.rejects(run('fail', 0), { message: 'no' });
  await t.rejects(run('strange', 0), /BigInt/);
  await t.rejects(run('none', 0), /the game has no job "none"/);
  await t.rejects(run('toString', 0), /the game has no job "toString"/);
  await t.rejects(run('die', 0));
  const controller = new AbortController();
  const spinning = run('spin', 0, controller.signal);
  setImmediate(() => controller.abort());
  await t.rejects(spinning, { name: 'AbortError' });
  t.equal(await run('double', 4), 8, 'still there');
  await pool.close();
});

t.test('rings: taken from all shards in turn, given to the owner of the moment', async (t) => {
  const world = createSharedWorld({
    shards: 2,
    gateways: 1,
    startMs: 0,
    maxEntities: 256,
    jobRingBytes: 1024,
  });
  const rings = jobRings(world);
  const defer = (shard: number, job: JobRecord) => {
    const bytes = encodeJob(job);
    const at = world.jobs[shard].reserve(bytes.length);
    world.jobs[shard].u8.set(bytes, at + RECORD_HEADER_BYTES);
    world.jobs[shard].commit(bytes.length);
  };
  const job = (entity: number): JobRecord => ({ entity, name: 'double', ok: true, value: entity });
  for (const entity of [1, 2, 3]) defer(0, job(entity));
  defer(1, job(10));
  const taken = [rings.take(), rings.take(), rings.take(), rings.take()].map((j) => j?.entity);
  t.ok(taken.indexOf(10) < 2, `no shard waits for another: ${taken}`);
  t.equal(rings.take(), null);

  const { arena, ids } = world;
  arena.f64[(arena.header(7) + HEADER.id) >> 3] = 77;
  ids.insert(77, 7);
  const own = (state: number, owner: number, target: number) =>
    Atomics.store(arena.owner, 7, packOwner(state, owner, target, 1));
  const result = (shard: number) => {
    const at = world.results[shard].next();
    if (at < 0) return null;
    const found = decodeJob(world.results[shard].u8, at + RECORD_HEADER_BYTES);
    world.results[shard].release();
    return found;
  };
  own(OWNER.OWNED, 1, 127);
  t.equal(rings.give(job(77)), 'given');
  t.same(result(1), job(77));
  own(OWNER.TRANSIT, 1, 0);
  t.equal(rings.give(job(77)), 'given');
  t.same(result(0), job(77), 'on its way: to where it goes');
  own(OWNER.PARKED, 127, 127);
  t.equal(rings.give(job(77)), 'gone');
  t.equal(rings.give(job(78)), 'gone');
  own(OWNER.OWNED, 0, 127);
  const long = { ...job(77), value: 'x'.repeat(2_000) };
  t.equal(rings.give(long), 'given');
  t.match(result(0), { ok: false, value: /the result has 2\d+ bytes, more than/ });
  let given = 0;
  while (rings.give(job(77)) === 'given') given++;
  t.ok(given > 5, `the ring holds ${given}`);
  t.equal(rings.give(job(77)), 'later');
});

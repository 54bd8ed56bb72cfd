/**
 * Real threads over a disk that takes five seconds for one write: shards, store and LMDB as in a server. The write is
 * held up inside of LMDB, by a thread that holds its lock; what was there is read meanwhile, nothing is lost.
 */
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { KeptThreads } from '../../bench/store/kept.js';
import { TOKENS } from '../../bench/store/givers.js';
import { systemTimers } from '../../src/base/clock.js';
import { STORE_STATE } from '../../src/memory/cut-block.js';
import { openReadOnly } from '../../src/store/data-folder.js';
import { verifyData } from '../../src/store/verify.js';
import { HOLDS, type HolderData, RELEASED } from './lock-holder.js';

const PLAYERS = 8;
const SLOW_MS = 5_000;

const look = () => new Promise<void>((resolve) => void systemTimers().after(5, resolve));

async function until(kept: KeptThreads, what: string, isSo: () => boolean): Promise<void> {
  const { clock } = kept.threads;
  for (const end = clock.now() + 30_000; !isSo(); await look())
    if (clock.now() > end) throw new Error(`it did not come so far: ${what}`);
}

/** Makes every commit wait. @returns ends that, once the lock is held */
async function holdUp(kept: KeptThreads, folder: string): Promise<() => Promise<void>> {
  const word = new Int32Array(new SharedArrayBuffer(4));
  const data: HolderData = { folder, word };
  const holder = new Worker(new URL('./lock-holder.js', import.meta.url), { workerData: data });
  const ended = new Promise<void>((resolve, reject) => {
    holder.once('error', reject);
    holder.once('exit', () => resolve());
  });
  await until(kept, 'the lock', () => Atomics.load(word, 0) === HOLDS);
  return () => {
    Atomics.store(word, 0, RELEASED);
    Atomics.notify(word, 0);
    return ended;
  };
}

/** A directory in which players rest. @returns the entity of one that has an account */
async function rested(folder: string): Promise<number> {
  const kept = await KeptThreads.start(1, folder);
  kept.threads.populate(PLAYERS);
  const { cut } = kept.threads.world;
  kept.give();
  await until(kept, 'the first gift', () => cut.durable(kept.threads.players[0]!.slot) > 0);
  const ada = kept.threads.idOf(kept.threads.players[0]!);
  await kept.durability.accounts().bind('ada', 0, ada);
  await kept.stop();
  return ada;
}

t.test('five seconds for one write', async (t) => {
  const folder = join(t.testdir(), 'data');
  const ada = await rested(folder);
  const kept = await KeptThreads.start(2, folder);
  const { threads, durability } = kept;
  const { cut, shardBlocks } = threads.world;
  const accounts = durability.accounts();
  threads.populate(PLAYERS);
  const durable = ({ slot, sent }: (typeof threads.players)[number]) => cut.durable(slot) >= sent;
  for (let i = 0; i < PLAYERS; i++) kept.give();
  await until(kept, 'gifts before', () => threads.players.every(durable));

  const release = await holdUp(kept, folder);
  const begun = threads.clock.now();
  const tickThen = threads.tick;
  const given: string[] = [];
  const ticksThen = shardBlocks.map((block) => block.committedTick);
  for (let i = 0; i < 3 * PLAYERS; i++) kept.give();
  // A login, a look-up, and a new player, while the disk takes its time.
  const [guest] = durability.guests;
  t.equal(await accounts.load(guest!), 'here', 'what rests is loaded');
  t.equal(await accounts.find('ada'), ada, 'a player is found');
  const bob = threads.idOf(threads.players[1]!);
  t.equal(await accounts.bind('bob', 0, bob), bob, 'a new player comes in');
  t.equal(await accounts.find('bob'), bob);
  t.equal(await accounts.find('carl'), 0);
  const noted = durability.recordLease(1_000_000).then(() => given.push('a lease'));
  await until(kept, 'the alarm', () => cut.state === STORE_STATE.FAILING);
  const durableThen = cut.durableTick;
  await until(kept, 'five seconds', () => threads.clock.now() > begun + SLOW_MS);

  t.ok(threads.tick > tickThen + 90, 'five seconds of ticks');
  for (const [shard, block] of shardBlocks.entries())
    t.ok(block.committedTick > ticksThen[shard]! + 60, `shard ${shard} goes on`);
  kept.check(); // every gift is applied
  t.equal(cut.durableTick, durableThen, 'nothing is called durable');
  t.notOk(threads.players.every(durable));
  t.strictSame(given, [], 'what has to be durable is not answered yet');
  t.equal(cut.state, STORE_STATE.FAILING, 'nobody is admitted');
  t.match(durability.status(), {
    state: 'failing',
    trouble: /the disk has not answered for \d s/,
    failures: 0,
  });
  await release();

  await until(kept, 'the gifts are durable', () => threads.players.every(durable));
  await noted;
  t.strictSame(given, ['a lease']);
  t.equal(cut.state, STORE_STATE.RUNNING);
  await until(kept, 'status', () => durability.status().state === 'running');
  await kept.stop();
  const engine = openReadOnly(folder);
  const verdict = await verifyData(engine, folder).finally(() => engine.close());
  t.strictSame(verdict.faults, []);
  t.strictSame(verdict.orphans, [], 'what was bound while the disk took its time is on it');
  t.equal(verdict.accounts, 2);
  t.equal(verdict.items[0]!.held, 2 * PLAYERS * TOKENS);
});

/** A snapshot of a world whose real shard threads go on changing it; what it was, it is again after a restore. */
import { join } from 'node:path';
import t from 'tap';
import { KeptThreads } from '../../bench/store/kept.js';
import { TOKENS } from '../../bench/store/givers.js';
import { openReadOnly } from '../../src/store/data-folder.js';
import { verifyData } from '../../src/store/verify.js';

const PLAYERS = 20;

/** Turns of the event loop, transfers among them, until something is so. */
async function until(kept: KeptThreads, isSo: () => boolean, gives: boolean): Promise<void> {
  const { clock } = kept.threads;
  for (const end = clock.now() + 20_000; !isSo(); await new Promise((resolve) => setImmediate(resolve))) {
    if (clock.now() > end) throw new Error('it did not come so far');
    if (gives) kept.give();
  }
}

async function verified(folder: string) {
  const engine = openReadOnly(folder);
  return verifyData(engine, folder).finally(() => engine.close());
}

t.test('taken under transfers it adds up; restored, it is the world of its tick', async (t) => {
  const folder = join(t.testdir(), 'data');
  const kept = await KeptThreads.start(1, folder);
  const { threads } = kept;
  const { cut } = threads.world;
  threads.populate(PLAYERS);
  const sessions = () => threads.players.every(({ slot }) => cut.durable(slot) > 0);
  await until(kept, sessions, true);
  const durable = cut.durableTick;
  let info: Awaited<ReturnType<typeof kept.durability.snapshot>> | null = null;
  const taking = kept.durability.snapshot('live').then((made) => {
    info = made;
  });
  await until(kept, () => info !== null, true);
  await taking;
  const made = info!;
  t.match(made, { name: 'live', entities: PLAYERS });
  t.ok(made.tick >= durable, 'all that was durable when it was asked for is in it');
  await until(kept, () => cut.durableTick > made.tick + 4, true);
  await kept.stop();

  const snapshot = await verified(join(folder, 'snapshots', 'live'));
  t.strictSame(snapshot.faults, []);
  t.equal(snapshot.items[0]!.held, PLAYERS * TOKENS);
  const later = await verified(folder);
  t.strictSame(later.faults, []);
  t.ok(later.tick > snapshot.tick, 'the world went on meanwhile');

  const again = await KeptThreads.start(1, folder, { restore: 'live' });
  t.ok(again.threads.tick > made.tick, 'the clock goes on behind the snapshot');
  t.equal(again.durability.before.created, PLAYERS * TOKENS);
  t.ok(again.durability.incarnation > 0, 'incarnations of the newer data');
  t.equal(again.durability.guests.length, PLAYERS);
  const guest = again.durability.guests[0]!;
  t.equal(await again.durability.accounts().load(guest), 'here', 'they are there');
  await again.stop();
  t.strictSame((await verified(folder)).faults, []);
});

/** The store in its own thread, over LMDB: facts, accounts and leases are there after a start, errors keep their codes. */
import { join } from 'node:path';
import t from 'tap';
import { monotonicClock, systemTimers } from '../../src/base/clock.js';
import { createSharedWorld } from '../../src/memory/shared-world.js';
import { openStore, type StoreThread } from '../../src/store/thread.js';
import type { WorldIdentity } from '../../src/store/types.js';
import { GAME } from './records.js';

const clock = monotonicClock();

function open(folder: string | null, identity: Partial<WorldIdentity> = {}): Promise<StoreThread> {
  return openStore({
    folder,
    restore: null,
    identity: { seed: 1, baseLevel: 11, game: GAME, ...identity },
    clock,
    timers: systemTimers(),
    env: { ...process.env, BLUEMARBLE_LOG_LEVEL: 'fatal' },
    lost: (reason) => t.fail(`the store's thread is lost: ${reason}`),
  });
}

const world = (durable = 0) =>
  createSharedWorld({ shards: 1, gateways: 1, startMs: clock.now() - (durable + 1) * 50, maxEntities: 256 });

for (const kind of ['lmdb', 'memory'] as const) {
  t.test(`accounts, leases and snapshots over ${kind}`, async (t) => {
    const folder = kind === 'lmdb' ? join(t.testdir(), 'data') : null;
    const store = await open(folder);
    t.match(store.facts, { durableTick: 0, idLease: 0, entities: 0 });
    t.equal(store.facts.secret.length, 32);
    store.attach(world());
    t.equal(await store.findAccount('ada'), 0);
    // two logins of one player at the same moment end with one entity
    const bound = await Promise.all([store.bindAccount('ada', 0, 71), store.bindAccount('ada', 0, 72)]);
    t.strictSame(bound, [71, 71]);
    t.equal(await store.findAccount('ada'), 71);
    t.equal(await store.bindAccount('ada', 71, 73), 73);
    t.equal(await store.loadEntity(73), 'absent');
    await store.recordLease(512);
    await store.recordIncarnation(9);
    if (folder === null) await t.rejects(store.snapshot({ name: 'one', keep: 8 }), { message: /--data DIR/ });
    else t.match(await store.snapshot({ name: 'one', keep: 8 }), { name: 'one', entities: 0 });
    await store.close();
    if (folder === null) return;
    const again = await open(folder);
    t.match(again.facts, { idLease: 512, incarnation: 9, secret: store.facts.secret });
    t.ok(again.facts.durableTick > 0, 'the clock goes on');
    again.attach(world(again.facts.durableTick));
    t.equal(await again.findAccount('ada'), 0, 'it never came into the world: a crash or a stop takes both');
    await t.rejects(open(folder), { code: 'DATA_LOCKED' });
    await again.close();
    await t.rejects(open(folder, { seed: 2 }), { code: 'DATA_OTHER_WORLD' });
  });
}

/**
 * A dead shard is not a dead tile: shards die in every way there is, under players who walk across their borders, and
 * nobody is disconnected, nothing is lost, done twice or created out of nothing (cases 3, 4, 22 to 24).
 */
import t from 'tap';
import { DEATHS } from '../../src/admin/routes.js';
import { runBots } from './bots.js';
import { LIMITS } from '../../src/base/limits.js';
import { eventually, pause, Server } from './server.js';
import { Witness } from './witness.js';

t.setTimeout(120_000);
t.jobs = 2;

const SHARDS = 4;
const PLAYERS = 100;
const BETWEEN_MS = 1500;
const DEATH = [/^shard fault$/, /^shard died, a replacement adopts$/, /^shard is silent, terminating it$/];

t.test(
  'every shard dies once, each in its own way, under a hundred walkers',
  { buffered: true },
  async (t) => {
    const flags = ['--shards', String(SHARDS), '--pin-shards', '--test-faults'];
    const server = await Server.start(t, flags, { mayLog: DEATH });
    let stop = () => {};
    const until = new Promise<void>((resolve) => {
      stop = resolve;
    });
    const flagsOfBots = ['--scenario', 'border', '--players', String(PLAYERS), '--actions-per-second', '2'];
    const walking = runBots(t, server, [...flagsOfBots, '--seconds', '0'], { until });
    await eventually('all players are in', async () => (await server.status()).players === PLAYERS);
    for (const [shard, how] of DEATHS.entries()) {
      await pause(BETWEEN_MS);
      const { shards } = await server.status();
      await server.killShard(shard, how);
      const line = server.log.filter((l) => l.msg === 'shard runs' && l.shard === shard).at(-1);
      t.equal(line?.adopted, shards[shard].incarnation, `${how}: the replacement adopts from the dead`);
      await eventually(`${how}: everybody plays`, async () => (await server.status()).players === PLAYERS);
    }
    await pause(BETWEEN_MS);
    stop();
    const { report } = await walking;
    t.match(
      report,
      { connected: PLAYERS, disconnects: 0, actionsLost: 0, actionsDuplicated: 0, actionsOutOfOrder: 0 },
      'nobody noticed more than a pause',
    );
    t.ok(report.actionsApplied > PLAYERS * 10, `${report.actionsApplied} actions`);
    t.ok((report.handovers ?? 0) > PLAYERS, `${report.handovers} handovers`);
    t.equal(report.itemsAfter, report.itemsBefore, 'items are conserved');
    t.same([report.viewMissing, report.viewDuplicates], [0, 0], 'views are whole');
    const status = await server.status();
    t.equal(status.totals.shardRestarts, DEATHS.length);
    t.match(status, { ticksMissed: 0, ticksDoubled: 0 });
    await server.stop();
  },
);

t.test('a process that was stopped for a while goes on where it was', { buffered: true }, async (t) => {
  const server = await Server.start(t, ['--shards', '2', '--gateways', '2']);
  const witnesses = await Promise.all([1, 2, 3, 4].map(() => Witness.enter(t, server)));
  await pause(BETWEEN_MS);
  server.signal('SIGSTOP');
  await pause((LIMITS.slowCloseS + 1) * 1000); // longer than any client may be silent
  server.signal('SIGCONT');
  await pause(BETWEEN_MS);
  for (const witness of witnesses)
    await witness.finish(t, 'a client of a stopped server', { patienceMs: 15_000 });
  t.match(await server.status(), { ticksMissed: 0, ticksDoubled: 0, totals: { shardRestarts: 0 } });
  await server.stop();
});

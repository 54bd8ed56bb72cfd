/** The whole process is killed at random moments under players who trade and resume: every promise holds (case 27). */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { text } from 'node:stream/consumers';
import t from 'tap';
import { monotonicClock } from '../../src/base/clock.js';
import { ERRORS } from '../../src/base/errors.js';
import { RawClient } from './raw.js';
import { eventually, Server, within } from './server.js';
import { Witness } from './witness.js';

t.setTimeout(180_000);

const clock = monotonicClock();

const BENCH = fileURLToPath(new URL('../../bench/main.js', import.meta.url));

t.test('kill -9 twice under thirty traders: nothing lost, nothing doubled, items conserved', async (t) => {
  const flags = ['kills', '--times', '2', '--players', '30', '--accounts', '12', '--json'];
  const child = spawn(process.execPath, [BENCH, ...flags], { stdio: ['ignore', 'pipe', 'pipe'] });
  t.teardown(() => child.kill('SIGTERM'));
  const told = Promise.all([text(child.stdout), text(child.stderr)]);
  const [out, err] = await within('the kills', told, 150_000);
  t.match(out, /^\{.*\}\n$/, err.slice(0, 2000));
  const { itemsBefore, itemsAfter, actionsSent, ...rest } = JSON.parse(out);
  t.match(rest, { kills: 2, restartsSeen: 2, lost: 0, doubled: 0, outOfOrder: 0 });
  t.match(rest, { accounts: 24, accountsBack: 24, accountsLost: 0, orphans: 0, faults: 0 });
  t.ok(actionsSent > 0);
  t.ok(itemsBefore > 0);
  t.equal(itemsAfter, itemsBefore);
});

t.test('an orderly stop and a start on the same data', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-data-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const first = await Server.start(t, ['--data', folder]);
  const witness = await Witness.enter(t, first);
  await eventually('it has done something', () => witness.client.lastActionId > 3);
  const metrics = async () => await (await fetch(`${first.admin}/metrics`)).text();
  for (const thread of ['store', 'writer'])
    await eventually(`the CPU time of the thread "${thread}" is told`, async () =>
      (await metrics()).includes(`bluemarble_thread_cpu_seconds_total{thread="${thread}",mode="user"}`),
    );
  await witness.finish(t, 'before the stop', {});
  await first.stop();
  const second = await Server.start(t, ['--data', folder]);
  const status = await second.status();
  t.ok(status.tick / status.tickRate > status.uptimeSeconds, 'the tick goes on');
  t.ok(status.totals.itemsCreated > 0, 'and so do the totals');
  t.equal(status.totals.items, status.totals.itemsCreated - status.totals.itemsConsumed);
  await second.stop();
});

t.test('drain: clients are told, all is durable, and their sessions go on after a restart', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-data-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const first = await Server.start(t, ['--data', folder, '--shards', '2']);
  const client = await RawClient.play(first.port);
  client.send(client.action(1), client.action(2));
  await client.until('decided', () => client.applied === 2);
  const { items } = (await first.status()).totals;
  const begun = clock.now();
  t.equal(await first.command('drain', {}), 202);
  t.equal(await within('the client is told', client.ended), ERRORS.SERVER_STOPPING.number);
  t.ok(ERRORS.SERVER_STOPPING.retry);
  await t.rejects(RawClient.open(first.port), 'nobody is let in any more');
  t.same(await within('the end', first.ended, 10_000), { code: 0, signal: null });
  t.ok(clock.now() - begun < 10_000);
  t.same(first.complaints, []);

  const second = await Server.start(t, ['--data', folder, '--shards', '2']);
  const again = (await RawClient.open(second.port)).hello(client.resumption);
  await again.until('Welcome', () => again.welcome !== undefined || again.code !== undefined);
  const { session, entity } = client.welcome!;
  t.match(again.welcome, { resumed: true, session, entity, applied: 2 }, 'nothing that was decided is lost');
  again.send(again.action(3));
  await again.until('decided', () => again.applied === 3);
  await eventually('all items are there', async () => (await second.status()).totals.items === items);
  again.destroy();
  await second.stop();
});

/**
 * No seam: players to and fro over every kind of border, with several shards and gateways. The bots check what they
 * were promised, whole views included; the server's own figures are held to the same.
 */
import t, { type Test } from 'tap';
import type { BorderName } from '../../src/bots/options.js';
import { keepsItsPromises, runBots } from './bots.js';
import { Server } from './server.js';

const WALKERS = ['--scenario', 'border', '--players', '60', '--full-view', '0.3'];

async function walk(t: Test, server: Server, border: BorderName, seconds: number): Promise<void> {
  const run = await runBots(t, server, [...WALKERS, '--border', border, '--seconds', String(seconds)]);
  keepsItsPromises(t, run, border);
  t.ok((run.report.handovers ?? 0) > 60, `${border}: ${run.report.handovers} handovers`);
  const { ticksMissed, ticksDoubled } = await server.status();
  t.same({ ticksMissed, ticksDoubled }, { ticksMissed: 0, ticksDoubled: 0 });
}

t.setTimeout(120_000);
t.jobs = 2;

t.test('every kind of border, four shards', { buffered: true }, async (t) => {
  const server = await Server.start(t, ['--shards', '4', '--pin-shards']);
  await walk(t, server, 'meridian', 7);
  for (const border of ['antimeridian', 'pole', 'corner'] as const) await walk(t, server, border, 4);
  await server.stop();
});

t.test('two gateways on one port', { buffered: true }, async (t) => {
  const server = await Server.start(t, ['--shards', '4', '--pin-shards', '--gateways', '2']);
  await walk(t, server, 'corner', 6);
  await server.stop();
});

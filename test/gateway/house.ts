/** Moves of the tests of sessions: one turn of gateways and shard, and a client that is in the world. */
import { type FakeSocket, type House, settle } from './fakes.js';
import type { ScriptedShard } from './scripted-shard.js';

/** What is under way between client, gateway and shard arrives. */
export async function turn(house: House, shard?: ScriptedShard): Promise<void> {
  await settle();
  for (const gateway of house.gateways) gateway.poll();
  await settle();
  for (const gateway of house.gateways) gateway.poll();
  shard?.run();
  for (const gateway of house.gateways) gateway.poll();
}

/** Hello to Welcome, with the shard playing along. */
export async function enter(
  house: House,
  shard: ScriptedShard,
  fields: Parameters<FakeSocket['hello']>[0] = {},
  g = 0,
): Promise<FakeSocket> {
  const socket = house.connect(g).hello(fields);
  await turn(house, shard);
  return socket;
}

/** The shard runs a tick with frames, and the gateways pass them on. */
export function frame(house: House, shard: ScriptedShard): void {
  shard.run(true);
  for (const gateway of house.gateways) gateway.poll();
}

/** The block of a shard says from now on that it lags so many ticks behind the clock. */
export function keepUp(house: House, lag: number): void {
  const { clock, shardBlocks } = house.world;
  house.time.every(clock.tickMs, () => shardBlocks[0].startAt(clock.tickAt(house.time.now()) - lag));
}

/** Whether there is room for more: places of the world, sockets of the gateways. Reads what the threads tell anyway. */
import { GATEWAY_GAUGE } from '../memory/gateway-block.js';
import { SHARD_GAUGE } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';

/** Of the places in use: from here on games spawn nothing more (shard/tick.ts); and there is hardly one for a player. */
const GAME_FULL = 7 / 8;
const WORLD_FULL = 31 / 32;

type Counted = Pick<SharedWorld, 'arena' | 'shardBlocks' | 'gatewayBlocks'>;

/** Why newcomers are refused, or soon will be, one sentence each. */
export function noRoom(world: Counted): string[] {
  const reasons = noSockets(world);
  const { used, places } = placesOf(world);
  if (used >= places * WORLD_FULL)
    reasons.push(`the world is full: ${used} of ${places} places for entities are taken (--max-entities)`);
  return reasons;
}

/** What an operator should look at. */
export function roomAlarms(world: Counted): string[] {
  const { used, places } = placesOf(world);
  const alarms = noRoom(world);
  if (used >= places * GAME_FULL && used < places * WORLD_FULL)
    alarms.push(
      `${used} of ${places} places for entities are taken (--max-entities): players can lay nothing down`,
    );
  return alarms;
}

function placesOf({ arena, shardBlocks }: Counted): { used: number; places: number } {
  const used = shardBlocks.reduce((sum, block) => sum + block.gauge(SHARD_GAUGE.entities), 0);
  return { used, places: arena.capacity };
}

function noSockets({ gatewayBlocks }: Counted): string[] {
  return gatewayBlocks.flatMap((block, gateway) =>
    block.gauge(GATEWAY_GAUGE.full) === 1
      ? [
          `gateway ${gateway} has all the sockets that the limit of descriptors allows (ulimit -n): its port is closed until some are free`,
        ]
      : [],
  );
}

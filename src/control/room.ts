/**
 * Whether there is room for more: places of the world, sockets of the gateways. Looks at every place itself (0.1 ms): what
 * rests in memory until it is on the disk belongs to no shard, and takes a place all the same.
 */
import { LIMITS } from '../base/limits.js';
import { GATEWAY_GAUGE } from '../memory/gateway-block.js';
import { GATEWAY_THREAD, OWNER, ownerOf, ownerState } from '../memory/record.js';
import type { SharedWorld } from '../memory/shared-world.js';

/** Of the places in use: from here on games spawn nothing more (shard/tick.ts); and there is hardly one for a player. */
const GAME_FULL = 7 / 8;
const WORLD_FULL = 31 / 32;
/** Thread in the word of a place that is used up for ever. */
const RETIRED = 127;

type Counted = Pick<SharedWorld, 'arena' | 'gatewayBlocks'>;

/** Why newcomers are refused, or soon will be, one sentence each. */
export function noRoom(world: Counted): string[] {
  const reasons = [...noSockets(world), ...noConnections(world)];
  const { used, places, isTaken } = placesOf(world);
  if (isTaken || used >= places * WORLD_FULL)
    reasons.push(`the world is full: ${used} of ${places} places for entities are taken (--max-entities)`);
  return reasons;
}

/** What an operator should look at. */
export function roomAlarms(world: Counted): string[] {
  const { used, places } = placesOf(world);
  const alarms = noRoom(world);
  const waiting = world.gatewayBlocks.reduce((sum, block) => sum + block.gauge(GATEWAY_GAUGE.lobby), 0);
  if (waiting > LIMITS.newcomersPerS)
    alarms.push(`${waiting} newcomers wait for their turn: more come than the world lets in`);
  if (used >= places * GAME_FULL && used < places * WORLD_FULL)
    alarms.push(
      `${used} of ${places} places for entities are taken (--max-entities): players can lay nothing down`,
    );
  return alarms;
}

/** `isTaken`: none is free, and no gateway has one in hand. */
function placesOf({ arena }: Counted): { used: number; places: number; isTaken: boolean } {
  let used = 0;
  let open = 0;
  for (let slot = 0; slot < arena.capacity; slot++) {
    const word = arena.owner[slot]!; // a plain look: a place more or less
    const [state, thread] = [ownerState(word), ownerOf(word)];
    if (state !== OWNER.RESERVED) state === OWNER.FREE ? open++ : used++;
    else if (thread === RETIRED) used++;
    else if (thread >= GATEWAY_THREAD) open++; // what a shard has in hand is for no player
  }
  return { used, places: arena.capacity, isTaken: open === 0 };
}

/** Each gateway has at most as many connections as the world has places, whether they are in it or not. */
function noConnections({ arena, gatewayBlocks }: Counted): string[] {
  return gatewayBlocks.flatMap((block, gateway) =>
    block.gauge(GATEWAY_GAUGE.connections) >= arena.capacity
      ? [`gateway ${gateway} has ${arena.capacity} connections, as many as it may have (--max-entities)`]
      : [],
  );
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

/** Whether there is room is what newcomers will find: counted by places, whoever has them. */
import t from 'tap';
import { noRoom, roomAlarms } from '../../src/control/room.js';
import { GATEWAY_GAUGE } from '../../src/memory/gateway-block.js';
import { GATEWAY_THREAD, OWNER, packOwner } from '../../src/memory/record.js';
import { createSharedWorld } from '../../src/memory/shared-world.js';

const PLACES = 256;

/** A world of which so many places say something else than FREE. */
function worldWith(...groups: [count: number, state: number, thread: number][]) {
  const world = createSharedWorld({ shards: 1, gateways: 1, startMs: 0, maxEntities: PLACES });
  let slot = 0;
  for (const [count, state, thread] of groups)
    for (const end = slot + count; slot < end; slot++)
      world.arena.owner[slot] = packOwner(state, thread, 127, 1);
  return world;
}

const GATEWAY = GATEWAY_THREAD;
const CASES: [what: string, groups: [number, number, number][], isFull: boolean, alarms: number][] = [
  ['nobody is there', [], false, 0],
  ['seven eighths less one', [[223, OWNER.OWNED, 0]], false, 0],
  ['seven eighths', [[224, OWNER.OWNED, 0]], false, 1],
  ['one less than 31 of 32', [[247, OWNER.OWNED, 0]], false, 1],
  ['31 of 32', [[248, OWNER.OWNED, 0]], true, 1],
  ['the same on the way between shards', [[248, OWNER.TRANSIT, 0]], true, 1],
  ['the same at rest, which no shard counts', [[248, OWNER.PARKED, 0]], true, 1],
  ['the same used up for ever', [[248, OWNER.RESERVED, 127]], true, 1],
  [
    'all that is free in the hands of shards',
    [
      [160, OWNER.OWNED, 0],
      [96, OWNER.RESERVED, 0],
    ],
    true,
    1,
  ],
  [
    'a gateway has some in hand',
    [
      [160, OWNER.OWNED, 0],
      [64, OWNER.RESERVED, 0],
      [32, OWNER.RESERVED, GATEWAY],
    ],
    false,
    0,
  ],
];

for (const [what, groups, isFull, alarms] of CASES)
  t.test(what, (t) => {
    const world = worldWith(...groups);
    t.equal(noRoom(world).length, isFull ? 1 : 0);
    if (isFull) t.match(noRoom(world)[0], /the world is full: \d+ of 256 places .*--max-entities/);
    t.equal(roomAlarms(world).length, alarms);
    t.end();
  });

t.test('connections that are in no world, and a crowd at the door', (t) => {
  const world = worldWith();
  const [block] = world.gatewayBlocks;
  block!.setGauge(GATEWAY_GAUGE.connections, PLACES - 1);
  t.strictSame(noRoom(world), []);
  block!.setGauge(GATEWAY_GAUGE.connections, PLACES);
  t.match(noRoom(world), [/gateway 0 has 256 connections, as many as it may have/]);
  block!.setGauge(GATEWAY_GAUGE.connections, 0);
  block!.setGauge(GATEWAY_GAUGE.lobby, 250);
  t.strictSame(roomAlarms(world), []);
  block!.setGauge(GATEWAY_GAUGE.lobby, 251);
  t.match(roomAlarms(world), [/251 newcomers wait for their turn/]);
  t.strictSame(noRoom(world), []);
  t.end();
});

/** Who comes in while the server is late: its lateness is not the client's. */
import t from 'tap';
import { SHARD_STATE } from '../../src/memory/shard-block.js';
import { buildHouse, type House, settle } from './fakes.js';
import { enter, keepUp } from './house.js';
import { ScriptedShard } from './scripted-shard.js';

const { RUNNING: RUN, DEAD } = SHARD_STATE;

const ROWS: readonly {
  what: string;
  says: 'hello' | 'nothing';
  lag: number;
  state: number;
  lostMs: number;
  isThere: number;
  isGone: number;
}[] = [
  // A client that says nothing is judged by the time in which it was listened to.
  { what: 'silence', says: 'nothing', lag: 0, state: RUN, lostMs: 0, isThere: 4900, isGone: 5400 },
  {
    what: 'silence, 0.4 of 1.4 s',
    says: 'nothing',
    lag: 0,
    state: RUN,
    lostMs: 400,
    isThere: 6100,
    isGone: 7700,
  },
  // One whose shard does not answer: at once where the shard is on time, later where it is not, but not for ever.
  { what: 'on time', says: 'hello', lag: 1, state: RUN, lostMs: 0, isThere: 4900, isGone: 5400 },
  {
    what: 'the shard lags',
    says: 'hello',
    lag: 20,
    state: RUN,
    lostMs: 0,
    isThere: 29_000,
    isGone: 31_500,
  },
  {
    what: 'it is replaced',
    says: 'hello',
    lag: 0,
    state: DEAD,
    lostMs: 0,
    isThere: 29_000,
    isGone: 31_500,
  },
  {
    what: 'the gateway is late',
    says: 'hello',
    lag: 0,
    state: RUN,
    lostMs: 400,
    isThere: 6100,
    isGone: 7700,
  },
];

t.test('nobody is sent away because the server is late: each deadline of those who come in', async (t) => {
  const late = (house: House, lostMs: number) =>
    house.time.every(1000, () => {
      house.time.ms += lostMs; // the gateway's thread gets no core for so long, once a second
    });
  for (const { what, says, lag, state, lostMs, isThere, isGone } of ROWS) {
    const house = buildHouse();
    const shard = new ScriptedShard(house.world);
    shard.isDeaf = true;
    house.world.shardBlocks[0].state = state;
    keepUp(house, lag);
    if (lostMs > 0) late(house, lostMs);
    const begun = house.time.now();
    const socket = says === 'hello' ? house.connect().hello() : house.connect();
    await settle();
    house.time.pass(isThere - (house.time.now() - begun));
    t.equal(socket.closed, undefined, `${what}: there after ${isThere} ms`);
    house.time.pass(isGone - (house.time.now() - begun));
    const reason = says === 'hello' ? 'NOT_READY' : 'FIRST_MESSAGE_TIMEOUT';
    t.equal(socket.closed?.reason, reason, `${what}: gone after ${isGone} ms`);
  }
});

t.test('what piles up while the gateway does not run is no flood', async (t) => {
  for (const [heldMs, perS, isFlood] of [
    [4_400, 90, false],
    [30_000, 90, false],
    [0, 400, true],
    [4_400, 300, true],
  ] as const) {
    const house = buildHouse();
    const socket = await enter(house, new ScriptedShard(house.world));
    // Not by timers: nothing of the thread runs meanwhile, and then the sockets are read before anything else.
    house.time.ms += heldMs;
    const piled = Math.ceil(((heldMs + 1000) / 1000) * perS);
    for (let i = 0; i < piled && socket.closed === undefined; i++) socket.ping(0, i);
    t.equal(socket.closed?.reason, isFlood ? 'RATE_LIMITED' : undefined, `${piled} after ${heldMs} ms`);
  }
});

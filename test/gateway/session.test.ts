/** A session at work: order and window of actions, limits, nonsense, what the shard says, goodbye, stop. */
import { Builder } from 'flatbuffers';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { GATEWAY_COUNTER as COUNTER } from '../../src/memory/gateway-block.js';
import { CONTROL, PRESENCE_STATE } from '../../src/memory/inbox.js';
import { RECORD } from '../../src/memory/player.js';
import { Action, ClientMessage } from '../../src/wire/generated/client_generated.js';
import { CLIENT } from '../../src/wire/protocol.js';
import { buildHouse } from './fakes.js';
import { enter, turn } from './house.js';
import { ScriptedShard } from './scripted-shard.js';

const WINDOW = LIMITS.windowActions;

/** An Action that a well-behaved writer would refuse to write. */
function rawAction(id: number, kind: number, bytes: number): Uint8Array {
  const b = new Builder(512);
  const payload = Action.createPayloadVector(b, new Uint8Array(bytes));
  const body = Action.createAction(b, id, kind, payload);
  b.finish(ClientMessage.createClientMessage(b, 0, CLIENT.ACTION, body, 0));
  return b.asUint8Array();
}

t.test('actions reach the inbox as they are, and their decisions come back', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard);
  const slot = shard.slotOf(socket.welcome.entity);
  socket.action(1, 7, Uint8Array.of(1, 2, 3));
  socket.action(2, 0xfeff, new Uint8Array(LIMITS.actionPayloadBytes));
  await turn(house, shard);
  t.match(shard.log.slice(1), [
    { session: socket.welcome.session, id: 1, kind: 7, bytes: 3 },
    { session: socket.welcome.session, id: 2, kind: 0xfeff, bytes: 176 },
  ]);
  shard.push(slot, RECORD.SELF);
  await turn(house);
  t.match(socket.all('self').at(-1), { applied: 2 });
});

t.test('window: the last granted id is taken, one more closes', async (t) => {
  for (const [count, code] of [
    [WINDOW - 1, undefined],
    [WINDOW, undefined],
    [WINDOW + 1, 'WINDOW_EXCEEDED'],
  ] as const) {
    const house = buildHouse();
    const shard = new ScriptedShard(house.world);
    const socket = await enter(house, shard);
    shard.isBusy = true;
    for (let id = 1; id <= count; id++) socket.action(id);
    t.equal(socket.closed?.reason, code, `${count} actions ahead`);
    const slot = shard.slotOf(socket.welcome.entity);
    t.equal(house.world.inboxes.available(slot, house.world.inboxes.head(slot)), Math.min(count, WINDOW));
  }
});

t.test('window: decided ids move it on', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard);
  const slot = shard.slotOf(socket.welcome.entity);
  for (let id = 1; id <= WINDOW; id++) socket.action(id);
  shard.run();
  shard.push(slot, RECORD.SELF);
  await turn(house);
  house.time.pass(1000);
  for (let id = WINDOW + 1; id <= 2 * WINDOW; id++) socket.action(id);
  t.equal(socket.closed, undefined);
  socket.action(2 * WINDOW + 1);
  t.equal(socket.closed?.reason, 'WINDOW_EXCEEDED');
});

t.test('order: a gap, a repetition, an id of the past, the greatest id', async (t) => {
  for (const id of [2, 3, 0xffffffff]) {
    const house = buildHouse();
    const socket = await enter(house, new ScriptedShard(house.world));
    socket.action(id);
    t.equal(socket.closed?.reason, 'ACTION_GAP', `${id} as the first one`);
  }
  const house = buildHouse();
  const socket = await enter(house, new ScriptedShard(house.world));
  socket.action(1);
  socket.action(1);
  t.equal(socket.closed?.reason, 'ACTION_GAP', 'the same twice');
});

t.test('values out of range close at once, control kinds above all', async (t) => {
  for (const [id, kind, bytes] of [
    [0, 1, 0],
    [1, 0, 0],
    [1, 0xff00, 0],
    [1, CONTROL.START, 0],
    [1, CONTROL.RESUME, 0],
    [1, 1, 177],
  ] as const) {
    const house = buildHouse();
    const shard = new ScriptedShard(house.world);
    const socket = await enter(house, shard);
    socket.say(rawAction(id, kind, bytes));
    t.equal(socket.closed?.reason, 'BAD_VALUE', `${id} ${kind} ${bytes}`);
    await turn(house, shard);
    t.equal(shard.log.length, 1, 'nothing but START reached the inbox');
  }
});

t.test('bytes that are no message: counted, the third closes', async (t) => {
  const house = buildHouse();
  const socket = await enter(house, new ScriptedShard(house.world));
  for (const bytes of [[], [1, 2, 3]]) socket.say(Uint8Array.from(bytes));
  t.equal(socket.closed, undefined);
  socket.action(1);
  t.equal(socket.closed, undefined, 'what is good is still heard');
  socket.say(new Uint8Array(64).fill(255));
  t.equal(socket.closed?.reason, 'BAD_FRAME');
  t.equal(house.gateways[0].core.block.counter(COUNTER.badFrames), 3);
});

t.test('a text frame closes', async (t) => {
  const house = buildHouse();
  const socket = house.connect();
  socket.text();
  t.same(socket.closed, { code: 4015, reason: 'TEXT_FRAME' });
});

t.test(
  'the rate of messages: a burst of a second, then its pace; beyond it closes, nothing is dropped',
  async (t) => {
    const house = buildHouse();
    const shard = new ScriptedShard(house.world);
    const socket = await enter(house, shard);
    const burst = LIMITS.gatewayActionsPerS;
    house.time.pass(1000);
    for (let i = 0; i < burst; i++) socket.ping();
    t.equal(socket.closed, undefined);
    t.equal(socket.all('pong').length, burst - 1, 'the last one waits for a self update');
    house.time.pass(10);
    socket.ping();
    t.equal(socket.closed, undefined, 'a hundredth of a second later there is one more');
    socket.ping();
    t.equal(socket.closed?.reason, 'RATE_LIMITED');
  },
);

t.test('a Pong travels with the next self update and tells how long it has waited', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard);
  house.time.pass(500);
  socket.ping(0, 77);
  house.time.pass(60);
  t.same(socket.all('pong'), []);
  shard.push(shard.slotOf(socket.welcome.entity), RECORD.SELF);
  await turn(house);
  t.same(socket.all('pong'), [{ type: 'pong', nonce: 77, tick: 11, heldMs: 60 }]);
  shard.push(shard.slotOf(socket.welcome.entity), RECORD.SELF);
  await turn(house);
  t.equal(socket.all('pong').length, 1, 'once');
});

t.test('a Pong leaves alone where no self update comes, and before a second one', async (t) => {
  const house = buildHouse();
  const socket = await enter(house, new ScriptedShard(house.world));
  socket.ping(0, 5);
  house.time.pass(400);
  t.same(socket.all('pong'), []);
  house.time.pass(400);
  t.match(socket.all('pong'), [{ nonce: 5 }]);
  t.ok((socket.all('pong')[0]?.heldMs ?? 0) >= 500);
  socket.ping(0, 6);
  socket.ping(0, 7);
  t.match(socket.all('pong'), [{ nonce: 5 }, { nonce: 6, heldMs: 0 }]);
});

t.test('who is not in the world yet gets its Pong at once', async (t) => {
  const house = buildHouse();
  const socket = house.connect();
  socket.hello();
  socket.ping(0, 9);
  t.match(socket.all('pong'), [{ nonce: 9, heldMs: 0 }]);
});

t.test('a log is asked for in the inbox, behind the actions, and comes back', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard);
  socket.action(1);
  socket.logRequest();
  socket.logRequest();
  await turn(house, shard);
  t.same(
    shard.log.slice(1).map((entry) => entry.kind),
    [1, CONTROL.LOG, CONTROL.LOG],
  );
  t.match(socket.all('log')[0], { session: socket.welcome.session, applied: 1 });
});

t.test('a log waits until the inbox has room beside the granted actions', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard);
  shard.isBusy = true;
  for (let id = 1; id <= WINDOW; id++) socket.action(id);
  const slot = shard.slotOf(socket.welcome.entity);
  const { inboxes } = house.world;
  const waiting = () => inboxes.available(slot, inboxes.head(slot));
  for (let i = 0; i < 6; i++) socket.logRequest();
  t.equal(waiting(), inboxes.places, 'as many as there are places, and no action was in danger');
  shard.isBusy = false;
  await turn(house, shard);
  shard.run();
  house.time.pass(300);
  await turn(house, shard);
  t.equal(socket.closed, undefined);
  t.ok(socket.all('log').length >= 2);
});

t.test('logs that are asked for never take a place that an action was promised', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard);
  for (let i = 0; i < 10; i++) socket.logRequest();
  for (let id = 1; id <= WINDOW; id++) socket.action(id);
  t.equal(socket.closed, undefined);
});

t.test('self updates: one of an older owner or tick is left out', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard);
  const slot = shard.slotOf(socket.welcome.entity);
  const before = socket.all('self').length;
  for (const [epoch, tick] of [
    [2, 10],
    [1, 12],
    [2, 9],
    [2, 11],
    [3, 11],
  ])
    shard.push(slot, RECORD.SELF, { epoch, tick });
  await turn(house);
  t.same(
    socket
      .all('self')
      .slice(before)
      .map((s) => s.tick),
    [10, 11, 11],
  );
  t.equal(house.gateways[0].core.block.counter(COUNTER.staleRecords), 2);
});

t.test('records for an earlier connection of the slot reach nobody', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard);
  const slot = shard.slotOf(socket.welcome.entity);
  const before = socket.heard.length;
  shard.push(slot, RECORD.SELF, { connectionEpoch: 0, tick: 99 });
  shard.push(slot, RECORD.READY, { connectionEpoch: 5 });
  await turn(house);
  t.equal(socket.heard.length, before);
});

t.test('GONE closes with the code that the shard gives', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard);
  shard.gone(shard.slotOf(socket.welcome.entity), 4011);
  await turn(house);
  t.equal(socket.closed?.reason, 'WORLD_FULL');
});

t.test('an inbox that the owner has shut without a word closes at the second look', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard);
  house.world.inboxes.leave(shard.slotOf(socket.welcome.entity));
  house.time.pass(260);
  t.equal(socket.closed, undefined, 'the reason may still be on its way');
  house.time.pass(260);
  t.equal(socket.closed?.reason, 'SESSION_EXPIRED');
});

t.test('goodbye, and a socket that goes', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const polite = await enter(house, shard);
  const rude = await enter(house, shard);
  const { inboxes } = house.world;
  house.time.pass(500);
  polite.goodbye();
  rude.vanish();
  t.match(polite.all('closing'), [{ code: 4000, name: 'GOODBYE', retry: false }]);
  t.equal(inboxes.presence(shard.slotOf(polite.welcome.entity)), PRESENCE_STATE.GOODBYE);
  t.equal(inboxes.presence(shard.slotOf(rude.welcome.entity)), PRESENCE_STATE.DISCONNECTED);
  t.equal(inboxes.presenceTick(shard.slotOf(rude.welcome.entity)), 10);
  t.equal(house.gateways[0].core.connections.size, 0);
});

t.test('stop: every client is told, then the transport is closed', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const sockets = [await enter(house, shard), house.connect()];
  const stopped = house.gateways[0].stop();
  for (const socket of sockets) t.match(socket.all('closing'), [{ name: 'SERVER_STOPPING', retry: true }]);
  t.throws(() => house.connect(), 'nobody comes in any more');
  house.time.pass(2000);
  await stopped;
  t.equal(house.transports[0].isOpen, false);
  t.equal(house.world.inboxes.presence(shard.slotOf(sockets[0].welcome.entity)), PRESENCE_STATE.DISCONNECTED);
});

/** How clients come in: guests, accounts, resume, races between gateways, and every way of being refused. */
import { STORE_STATE } from '../../src/memory/cut-block.js';
import { ERRORS } from '../../src/base/errors.js';
import t from 'tap';
import { HEADER, HOT, NOBODY, OWNER, packOwner } from '../../src/memory/record.js';
import { PRESENCE_STATE } from '../../src/memory/inbox.js';
import { FLAG } from '../../src/memory/player.js';
import { buildHouse, settle } from './fakes.js';
import { enter, keepUp, turn } from './house.js';
import { ScriptedShard } from './scripted-shard.js';

t.test('a guest: record, START, arrival, Welcome, self update', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { spawn: { x: 1234, y: -77 } });
  const { welcome } = socket;
  t.match(welcome, {
    resumed: false,
    applied: 0,
    x: 1234,
    y: -77,
    window: 60,
    actions: [{ name: 'walk', kind: 1 }],
  });
  t.ok(welcome.session > 0 && welcome.entity > 0 && welcome.token.length === 43);
  t.equal(socket.heard[1].type, 'self', 'the self update follows');
  const slot = shard.slotOf(welcome.entity);
  t.equal(shard.owner(slot).state, OWNER.OWNED);
  const { arena, inboxes } = house.world;
  t.equal(arena.u16[(arena.hot(slot) + HOT.flags) >> 1], FLAG.NEW | FLAG.RESTED);
  t.equal(inboxes.presence(slot), PRESENCE_STATE.CONNECTED);
  t.equal(shard.log.length, 1, 'one START');
});

t.test('the place of a guest who asks for none is the server’s; the edge of the world wraps', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  t.match((await enter(house, shard)).welcome, { x: 10, y: 20 });
  const edge = 40075016.685578488 / 2;
  t.match((await enter(house, shard, { spawn: { x: edge, y: edge / 2 } })).welcome, {
    x: -edge,
    y: edge / 2,
  });
});

t.test('refusals at the door', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const cases = [
    [{ protocol: 1 }, 'PROTOCOL_MISMATCH', 4001],
    [{ ticket: 'forged' }, 'BAD_TICKET', 4003],
    [{ ticket: 'broken' }, 'INTERNAL', 4017],
    [{ spawn: { x: Number.NaN, y: 0 } }, 'BAD_VALUE', 4013],
    [{ spawn: { x: 0, y: 1e308 } }, 'BAD_VALUE', 4013],
    [{ resumeSession: 5, resumeEntity: 4096, resumeToken: 'x'.repeat(43) }, 'SESSION_EXPIRED', 4008],
  ] as const;
  for (const [fields, name, code] of cases) {
    const socket = await enter(house, shard, fields);
    t.same(socket.closed, { code, reason: name });
    t.match(socket.all('closing'), [{ code, name }], 'said before it is done');
    t.equal(house.gateways[0].core.block.closes(code) > 0, true);
  }
  t.equal(shard.owned.size, 0, 'nobody came in');
});

t.test('only Hello comes first, and only once', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const early = house.connect();
  early.action(1);
  t.equal(early.closed?.reason, 'UNEXPECTED_MESSAGE');
  const twice = await enter(house, shard);
  twice.hello();
  t.equal(twice.closed?.reason, 'UNEXPECTED_MESSAGE');
});

t.test('a world without room, and a gateway without room', async (t) => {
  const house = buildHouse({ parts: { maxConnections: 65 } });
  const shard = new ScriptedShard(house.world);
  for (let i = 0; i < 64; i++) t.ok((await enter(house, shard)).welcome);
  t.equal((await enter(house, shard)).closed?.reason, 'WORLD_FULL', '64 entities');
  house.connect();
  t.equal(house.connect().closed?.reason, 'WORLD_FULL', '65 sockets');
});

t.test('resume: the same session goes on from its applied id', async (t) => {
  const house = buildHouse({ gateways: 2 });
  const shard = new ScriptedShard(house.world);
  const first = await enter(house, shard);
  first.action(1);
  first.action(2);
  await turn(house, shard);
  first.vanish();
  const slot = shard.slotOf(first.welcome.entity);
  t.equal(house.world.inboxes.presence(slot), PRESENCE_STATE.DISCONNECTED);
  const second = await enter(house, shard, first.key, 1);
  t.match(second.welcome, {
    resumed: true,
    applied: 2,
    session: first.welcome.session,
    entity: first.welcome.entity,
  });
  second.action(3);
  t.equal(second.closed, undefined);
  t.equal(house.world.inboxes.presence(slot), PRESENCE_STATE.CONNECTED);
});

t.test(
  'resume race on two gateways: the newest wins, the other is told at its next write or sweep',
  async (t) => {
    const house = buildHouse({ gateways: 2 });
    const shard = new ScriptedShard(house.world);
    const first = await enter(house, shard);
    const a = house.connect(0).hello(first.key);
    const b = house.connect(1).hello(first.key);
    t.equal(first.closed?.reason, 'SESSION_TAKEN', 'the same gateway knows at once');
    await turn(house, shard);
    t.equal(a.all('welcome').length, 0);
    t.ok(b.welcome.resumed);
    t.equal(a.closed, undefined);
    house.time.pass(260);
    t.equal(a.closed?.reason, 'SESSION_TAKEN', 'by the sweep');
    b.action(1);
    t.equal(b.closed, undefined);
    const c = await enter(house, shard, first.key, 0);
    b.action(2);
    t.equal(b.closed?.reason, 'SESSION_TAKEN', 'by the write');
    t.equal(c.closed, undefined);
    t.equal(house.world.inboxes.presence(shard.slotOf(first.welcome.entity)), PRESENCE_STATE.CONNECTED);
  },
);

t.test('a resume of a session that was followed by another does not disturb the newer one', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const old = await enter(house, shard, { ticket: 'ada' });
  const { key } = old;
  old.vanish();
  const fresh = await enter(house, shard, { ticket: 'ada' });
  t.not(fresh.welcome.session, key.resumeSession);
  const late = await enter(house, shard, key);
  t.equal(late.closed?.reason, 'SESSION_EXPIRED');
  fresh.action(1);
  t.equal(fresh.closed, undefined);
});

t.test('READY that says no closes a resume; one for another session is not for a START', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const first = await enter(house, shard, { ticket: 'ada' });
  const slot = shard.slotOf(first.welcome.entity);
  shard.isDeaf = true;
  const again = await enter(house, shard, first.key);
  shard.push(slot, 3, { ok: 0 });
  await turn(house);
  t.equal(again.closed?.reason, 'SESSION_EXPIRED');
});

t.test('accounts: the entity waits for its player, parked or in the world; newest login wins', async (t) => {
  const house = buildHouse({ gateways: 2 });
  const shard = new ScriptedShard(house.world);
  const first = await enter(house, shard, { ticket: 'ada', spawn: { x: 500, y: 500 } });
  t.match(first.welcome, { x: 10, y: 20 }, 'only guests choose where they appear');
  const { entity, session } = first.welcome;
  const slot = shard.slotOf(entity);
  t.equal(house.accounts.book.get('ada'), entity);

  const other = await enter(house, shard, { ticket: 'ada' }, 1);
  t.match(other.welcome, { entity, applied: 0, resumed: false });
  t.not(other.welcome.session, session);
  house.time.pass(260);
  t.equal(first.closed?.reason, 'SESSION_TAKEN');

  other.goodbye();
  t.equal(other.closed?.reason, 'GOODBYE');
  t.equal(house.world.inboxes.presence(slot), PRESENCE_STATE.GOODBYE);
  shard.park(slot);
  shard.moveTo(slot, 900, 900);
  const third = await enter(house, shard, { ticket: 'ada' });
  t.match(third.welcome, { entity, x: 900, y: 900 }, 'where it was left');
  t.equal(shard.owner(slot).state, OWNER.OWNED);
});

t.test('a login while the owner is letting go waits and then finds the parked entity', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const first = await enter(house, shard, { ticket: 'ada' });
  const slot = shard.slotOf(first.welcome.entity);
  first.vanish();
  t.ok(house.world.inboxes.leave(slot), 'the owner shuts the inbox');
  const second = await enter(house, shard, { ticket: 'ada' });
  t.equal(second.heard.length, 0);
  shard.park(slot);
  await turn(house, shard);
  t.equal(second.welcome.entity, first.welcome.entity);
});

t.test('an owner that lets go just after the login has claimed: the login looks again', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const first = await enter(house, shard, { ticket: 'ada' });
  const slot = shard.slotOf(first.welcome.entity);
  first.vanish();
  const second = house.connect().hello({ ticket: 'ada' });
  await settle(); // START stands in the inbox
  shard.park(slot);
  house.time.pass(260);
  t.equal(second.closed, undefined);
  await turn(house, shard);
  await turn(house, shard);
  t.equal(second.welcome.entity, first.welcome.entity);
});

t.test('two first logins of one account at two gateways end with one entity', async (t) => {
  const house = buildHouse({ gateways: 2 });
  const shard = new ScriptedShard(house.world);
  const a = house.connect(0).hello({ ticket: 'ada' });
  const b = house.connect(1).hello({ ticket: 'ada' });
  await turn(house, shard);
  await turn(house, shard);
  house.time.pass(300);
  const alive = [a, b].filter((socket) => socket.closed === undefined);
  t.equal(alive.length, 1, 'newest wins');
  t.equal(shard.owned.size, 1);
  t.equal(house.accounts.book.get('ada'), alive[0].welcome.entity);
});

t.test('an account whose entity is gone gets a new one', async (t) => {
  const house = buildHouse();
  house.accounts.book.set('ada', 99_999_999);
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { ticket: 'ada' });
  t.equal(house.accounts.book.get('ada'), socket.welcome.entity);
});

t.test('a socket that goes while the account is looked up leaves nothing behind', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  house.accounts.isHeld = true;
  const during = house.connect().hello({ ticket: 'ada' });
  await settle();
  house.accounts.answer(); // found: none; now bind waits
  await settle();
  during.vanish();
  house.accounts.answer();
  await turn(house, shard);
  t.equal(shard.owned.size, 0);
  house.accounts.isHeld = false;
  const next = await enter(house, shard, { ticket: 'ada' });
  t.ok(next.welcome, 'and the account is not stuck');
});

t.test('a player whose socket goes before the arrival is accepted still arrives, as away', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = house.connect().hello();
  await settle();
  socket.vanish();
  shard.run();
  t.equal(shard.owned.size, 1);
  const [slot] = [...shard.owned];
  t.equal(house.world.inboxes.presence(slot), PRESENCE_STATE.DISCONNECTED);
});

t.test('no shard, a full ring, a shard that ends: the arrival is tried again', async (t) => {
  let target = -1;
  const house = buildHouse({ shards: 2, parts: { ensureOwner: () => target } });
  const first = new ScriptedShard(house.world, 0, 11);
  const second = new ScriptedShard(house.world, 1, 12);
  const socket = await enter(house, first);
  const entity = house.world.ids.lookup(4096);
  t.equal(first.owner(entity).state, OWNER.RESERVED, 'nobody to send it to');
  target = 0;
  house.time.pass(20);
  t.match(first.owner(entity), { state: OWNER.TRANSIT, target: 0 });
  target = 1; // shard 0 has ended
  house.time.pass(1100);
  t.match(first.owner(entity), { state: OWNER.TRANSIT, target: 1 });
  second.run();
  await turn(house, second);
  t.ok(socket.welcome);
  first.run();
  t.equal(first.owned.size, 0, 'the entry of the first try is ignored');
});

t.test('deadlines: silence before Hello, a shard that does not answer', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const silent = house.connect();
  house.time.pass(4900);
  t.equal(silent.closed, undefined);
  house.time.pass(400);
  t.equal(silent.closed?.reason, 'FIRST_MESSAGE_TIMEOUT');

  shard.isDeaf = true;
  keepUp(house, 0);
  const waiting = house.connect().hello();
  await settle();
  house.time.pass(4900);
  shard.run();
  t.equal(waiting.closed, undefined);
  t.equal(shard.log.length, 5, 'START was repeated every second');
  t.equal(new Set(shard.log.map((entry) => entry.session)).size, 1, 'for one and the same session');
  house.time.pass(400);
  t.equal(waiting.closed?.reason, 'NOT_READY');
});

t.test(
  'resume of a session whose entity rests in the store: it is fetched, taken, and goes on',
  async (t) => {
    const house = buildHouse();
    const shard = new ScriptedShard(house.world);
    const first = await enter(house, shard);
    first.action(1);
    await turn(house, shard);
    first.vanish();
    const { arena, ids, inboxes } = house.world;
    const slot = shard.slotOf(first.welcome.entity);
    const rest = (epoch: number) => {
      shard.owned.delete(slot);
      arena.u32[(arena.header(slot) + HEADER.epoch) >> 2] = epoch;
      inboxes.reset(slot);
      Atomics.store(arena.owner, slot, packOwner(OWNER.PARKED, NOBODY, NOBODY, epoch));
    };
    // As after a restart: in the store alone, until it is asked for.
    rest(3);
    ids.remove(first.welcome.entity, slot);
    house.accounts.bring = (entity) =>
      entity === first.welcome.entity && ids.insert(entity, slot) ? 'here' : 'absent';
    const second = await enter(house, shard, first.key, 0);
    t.match(second.welcome, { resumed: true, session: first.welcome.session, applied: 1 });
    t.equal(shard.owner(slot).state, OWNER.OWNED);
    second.action(2);
    t.equal(second.closed, undefined);
    second.vanish();
    // Left for good: its flag says so, whoever has the token.
    rest(9);
    arena.u16[(arena.hot(slot) + HOT.flags) >> 1] |= FLAG.OFFLINE;
    t.equal((await enter(house, shard, first.key, 0)).closed?.reason, 'SESSION_EXPIRED');
  },
);

t.test('while the disk fails nobody new is let in; who is in plays on and resumes', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const first = await enter(house, shard);
  house.world.cut.state = STORE_STATE.FAILING;
  for (const ticket of ['', 'ada']) {
    const refused = await enter(house, shard, { ticket });
    t.same(refused.closed, { code: ERRORS.DISK_TROUBLE.number, reason: 'DISK_TROUBLE' });
  }
  t.equal(ERRORS.DISK_TROUBLE.retry, true);
  first.action(1);
  await turn(house, shard);
  t.equal(first.closed, undefined);
  first.vanish();
  const second = await enter(house, shard, first.key);
  t.match(second.welcome, { resumed: true, applied: 1 });
  house.world.cut.state = STORE_STATE.RUNNING;
  t.ok((await enter(house, shard, { ticket: 'ada' })).welcome.entity > 0, 'the disk works again');
});

t.test('an account whose record is damaged, or finds no room, keeps its entity', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  house.accounts.book.set('ada', 4711);
  house.accounts.bring = () => 'refused';
  t.equal((await enter(house, shard, { ticket: 'ada' })).closed?.reason, 'RECORD_DAMAGED');
  house.accounts.bring = () => 'no-room';
  t.equal((await enter(house, shard, { ticket: 'ada' })).closed?.reason, 'WORLD_FULL');
  t.equal(house.accounts.book.get('ada'), 4711);
  t.equal(shard.owned.size, 0);
});

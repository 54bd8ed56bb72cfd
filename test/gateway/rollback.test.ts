/**
 * A world that fell back to an older state (a crash loses what was not durable, an operator restores a snapshot) and a
 * client that still speaks of the newer one: whatever it says, it goes on, and nothing is done twice.
 */
import t from 'tap';
import { HOT } from '../../src/memory/record.js';
import type { HelloWords } from '../../src/wire/client-writer.js';
import { buildHouse, type FakeSocket, type House } from './fakes.js';
import { enter, turn } from './house.js';
import { ScriptedShard } from './scripted-shard.js';

/** What stands in the record when the client comes back. */
interface Fallen {
  applied: number;
  /** Of another session of the same client. */
  isOther?: boolean;
}

async function playThree(words: Partial<HelloWords>) {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, words);
  for (const id of [1, 2, 3]) socket.action(id);
  await turn(house, shard);
  socket.vanish();
  return { house, shard, key: socket.key };
}

/** Puts the record where the world fell back to. */
function fall(house: House, slot: number, { applied, isOther }: Fallen): void {
  const { arena } = house.world;
  const hot = arena.hot(slot);
  arena.u32[(hot + HOT.lastActionId) >> 2] = applied;
  if (isOther) arena.f64[(hot + HOT.sessionId) >> 3] = 77;
}

const ADA = { ticket: 'ada' };
const CASES: readonly {
  what: string;
  who?: Partial<HelloWords>;
  fallen: Fallen;
  durable: number;
  /** What becomes of the session, or why the client has to begin another one by a Hello of its own. */
  outcome: 'resumed' | 'a new session' | 'SESSION_EXPIRED';
}[] = [
  { what: 'nothing is lost', fallen: { applied: 3 }, durable: 3, outcome: 'resumed' },
  { what: 'what was not durable is lost', fallen: { applied: 1 }, durable: 1, outcome: 'resumed' },
  { what: 'all is kept', fallen: { applied: 0 }, durable: 0, outcome: 'resumed' },
  { what: 'what was durable is lost', fallen: { applied: 1 }, durable: 2, outcome: 'a new session' },
  { what: 'the same, all of it', fallen: { applied: 0 }, durable: 3, outcome: 'a new session' },
  { what: 'the same of an account', who: ADA, fallen: { applied: 1 }, durable: 2, outcome: 'a new session' },
  {
    what: 'the session itself, a guest',
    fallen: { applied: 9, isOther: true },
    durable: 1,
    outcome: 'a new session',
  },
  {
    what: 'the session itself, or a newer login',
    who: ADA,
    fallen: { applied: 9, isOther: true },
    durable: 1,
    outcome: 'SESSION_EXPIRED',
  },
];

for (const { what, who = {}, fallen, durable, outcome } of CASES) {
  t.test(`${what}: ${outcome}`, async (t) => {
    const { house, shard, key } = await playThree(who);
    fall(house, shard.slotOf(key.resumeEntity), fallen);
    const before = shard.log.length;
    let socket = await enter(house, shard, { ...key, resumeDurable: durable });
    await turn(house, shard);
    if (outcome === 'SESSION_EXPIRED') {
      t.equal(socket.closed?.reason, outcome);
      socket = await enter(house, shard, who);
    }
    const { welcome } = socket;
    t.equal(socket.all('welcome').length, 1);
    t.equal(welcome.entity, key.resumeEntity, 'the same entity, whatever became of the session');
    t.equal(welcome.resumed, outcome === 'resumed');
    t.equal(welcome.session === key.resumeSession, outcome === 'resumed');
    t.equal(welcome.applied, outcome === 'resumed' ? fallen.applied : 0);
    t.ok(!welcome.resumed || welcome.applied >= durable, 'never below what it was told was durable');
    // It goes on as Welcome says, with an echo of the time before.
    for (let id = welcome.applied + 1; id <= 5; id++) socket.action(id, 1, undefined, 1_000_000);
    socket.ping(0xffffffff);
    await turn(house, shard);
    t.equal(socket.closed, undefined);
    t.same(
      shard.log.slice(before).flatMap(({ session, id }) => (id > 0 ? [[session, id]] : [])),
      [1, 2, 3, 4, 5].filter((id) => id > welcome.applied).map((id) => [welcome.session, id]),
      'each id reaches its owner once',
    );
  });
}

t.test('a Welcome of the new session that is lost: the old key still leads to the entity', async (t) => {
  const { house, shard, key } = await playThree({});
  fall(house, shard.slotOf(key.resumeEntity), { applied: 1 });
  const lost = await enter(house, shard, { ...key, resumeDurable: 3 });
  await turn(house, shard);
  lost.vanish();
  const socket = await enter(house, shard, { ...key, resumeDurable: 3 });
  t.match(socket.welcome, { resumed: false, entity: key.resumeEntity, applied: 0 });
  t.not(socket.welcome.session, lost.welcome.session);
  // And while the START of the first attempt is still on its way: the owner says no to the second one's RESUME.
  const { house: other, shard: owner, key: old } = await playThree({});
  owner.isDeaf = true;
  const second = await enter(other, owner, { ...old, resumeDurable: 3 });
  owner.push(owner.slotOf(old.resumeEntity), 3, { ok: 0 });
  await turn(other);
  owner.isDeaf = false;
  await turn(other, owner);
  t.match(second.welcome, { resumed: false, entity: old.resumeEntity, applied: 0 });
  t.equal(second.closed, undefined);
});

t.test('who keeps nothing of what is asked for, and does not say so, is not asked for ever', async (t) => {
  const resumeAt = async (applied: number): Promise<FakeSocket> => {
    const { house, shard, key } = await playThree({});
    fall(house, shard.slotOf(key.resumeEntity), { applied });
    return enter(house, shard, key);
  };
  const gap = await resumeAt(1);
  gap.action(4);
  t.equal(gap.closed?.reason, 'SESSION_EXPIRED', 'retry would lead here again');
  const later = await resumeAt(1);
  later.action(2);
  later.action(4);
  t.equal(later.closed?.reason, 'ACTION_GAP', 'a gap after the first one is of another kind');
  const low = await resumeAt(1);
  low.action(1);
  t.equal(low.closed?.reason, 'ACTION_GAP');
});

t.test('a client that claims to have read a Welcome that was never sent', async (t) => {
  const house = buildHouse();
  const socket = await enter(house, new ScriptedShard(house.world));
  socket.outgoing.welcomes = 1;
  socket.ping();
  t.equal(socket.closed?.reason, 'BAD_VALUE');
});

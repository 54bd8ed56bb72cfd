/** The census over a hand-made arena: bags, ground, escrow in every state, skew and true loss. */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { tileIndex, tileWest } from '../../src/geo/tile.js';
import { takeCensus } from '../../src/control/census.js';
import { Arena } from '../../src/memory/arena.js';
import { Ids } from '../../src/memory/ids.js';
import { FLAG } from '../../src/memory/player.js';
import {
  ANSWER,
  ANSWER_BYTES,
  COLD,
  GATEWAY_THREAD,
  HEADER,
  HOT,
  OUTBOX,
  OUTBOX_BYTES,
  OWNER,
  packOwner,
} from '../../src/memory/record.js';

function setUp() {
  const arena = Arena.create(64);
  const ids = Ids.create(arena);
  const world = { arena, ids };
  /** An entity in a state, with items of kinds 0, 1, …. */
  const entity = (
    slot: number,
    state: number,
    tile: number,
    kind: number,
    flags: number,
    ...items: number[]
  ) => {
    const id = 1000 + slot;
    arena.f64[(arena.header(slot) + HEADER.id) >> 3] = id;
    // `tile` is the column of a square of the deepest level, in the row below the equator.
    arena.f64[(arena.hot(slot) + HOT.x) >> 3] = tileWest(tile, LIMITS.deepestTileLevel) + 1;
    arena.u16[(arena.hot(slot) + HOT.kind) >> 1] = kind;
    arena.u16[(arena.hot(slot) + HOT.flags) >> 1] = flags;
    for (const [i, n] of items.entries()) arena.u32[((arena.cold(slot) + COLD.items) >> 2) + i] = n;
    ids.insert(id, slot);
    Atomics.store(arena.owner, slot, packOwner(state, 0, 127, 1));
    return id;
  };
  const outbox = (
    slot: number,
    place: number,
    target: number,
    counter: number,
    state: number,
    count: number,
    itemKind = 0,
  ) => {
    const at = arena.cold(slot) + COLD.outbox + place * OUTBOX_BYTES;
    arena.f64[(at + OUTBOX.target) >> 3] = target;
    arena.u32[(at + OUTBOX.counter) >> 2] = counter;
    arena.u8[at + OUTBOX.state] = state;
    arena.u8[at + OUTBOX.itemKind] = itemKind;
    arena.u32[(at + OUTBOX.itemCount) >> 2] = count;
    arena.i32[(arena.hot(slot) + HOT.outboxCount) >> 2]++;
  };
  const answer = (
    slot: number,
    place: number,
    source: number,
    counter: number,
    code: number,
    used: number,
  ) => {
    const at = arena.cold(slot) + COLD.answers + place * ANSWER_BYTES;
    arena.f64[(at + ANSWER.source) >> 3] = source;
    arena.u32[(at + ANSWER.counter) >> 2] = counter;
    arena.u16[(at + ANSWER.answer) >> 1] = code;
    arena.u8[at + ANSWER.used] = used;
  };
  return { arena, world, entity, outbox, answer };
}

const square = (column: number) =>
  tileIndex(tileWest(column, LIMITS.deepestTileLevel) + 1, 0, LIMITS.deepestTileLevel);

t.test('who is counted, where', async (t) => {
  const { world, entity, arena } = setUp();
  entity(0, OWNER.OWNED, 5, 0, 0, 1, 2);
  entity(1, OWNER.TRANSIT, 5, 0, 0, 4);
  entity(2, OWNER.PARKED, 6, 0, FLAG.OFFLINE, 8);
  entity(3, OWNER.OWNED, 6, 2, 0, 0, 0, 16);
  entity(4, OWNER.RESERVED, 6, 0, 0, 1000);
  entity(5, OWNER.FREE, 6, 0, 0, 1000);
  arena.u32[((arena.cold(3) + COLD.items) >> 2) + 15] = 32;
  const census = takeCensus(world, () => ({ created: 70, consumed: 7 })).census;
  t.match(census, { items: 63, entities: 4, players: 2 });
  t.same(
    [...census.squares],
    [
      [square(5), { entities: 2, players: 2 }],
      [square(6), { entities: 2, players: 0 }],
    ],
  );
});

t.test(
  'who is back, and waits with its gateway until a tile takes newcomers again, is not missing',
  async (t) => {
    const { world, arena, entity } = setUp();
    const hold = (slot: number, thread: number) =>
      Atomics.store(arena.owner, slot, packOwner(OWNER.RESERVED, thread, 127, 2));
    entity(0, OWNER.PARKED, 5, 0, FLAG.OFFLINE, 3, 4);
    t.equal(takeCensus(world, () => ({ created: 7, consumed: 0 })).census.items, 7);
    hold(0, GATEWAY_THREAD + 1);
    const { census } = takeCensus(world, () => ({ created: 7, consumed: 0 }));
    t.match(census, { items: 7, entities: 1 });
    hold(0, 3);
    t.equal(
      takeCensus(world, () => ({ created: 7, consumed: 0 })).census.items,
      0,
      'what a shard is making is nobody yet',
    );
    hold(0, GATEWAY_THREAD + 1);
    world.ids.remove(1000, 0);
    t.equal(
      takeCensus(world, () => ({ created: 7, consumed: 0 })).census.items,
      0,
      'a slot without an entity',
    );
  },
);

t.test('items in flight are counted once in every state of a transfer', async (t) => {
  const { world, entity, outbox, answer } = setUp();
  const giver = entity(0, OWNER.OWNED, 0, 0, 0);
  const taker = entity(1, OWNER.OWNED, 0, 0, 0);
  const items = () => takeCensus(world, () => ({ created: 0, consumed: 1 }), 1).census.items;
  outbox(0, 0, taker, 1, 1, 10);
  t.equal(items(), 10, 'waiting');
  outbox(0, 1, taker, 2, 2, 100);
  t.equal(items(), 110, 'sent');
  answer(1, 0, giver, 2, 6, 1);
  t.equal(items(), 110, 'refused, not yet back');
  answer(1, 0, giver, 2, 0, 1);
  t.equal(items(), 10, 'accepted: it is in the bag of the taker, which this test left empty');
  answer(1, 0, giver, 2, 0, 2);
  t.equal(items(), 110, 'a settled answer says nothing about an unsettled place');
  answer(1, 0, giver, 3, 0, 1);
  t.equal(items(), 110, 'nor does another counter');
  outbox(0, 2, 999_999, 3, 2, 1_000);
  t.equal(items(), 1_110, 'on its way to somebody who is gone: it will come back');
  outbox(0, 3, taker, 4, 3, 5_000);
  t.equal(items(), 1_110, 'settling: concluded');
  outbox(0, 4, taker, 5, 2, 5_000, 255);
  t.equal(items(), 1_110, 'a message without items');
});

t.test('a pass that was only skewed is repeated, a true loss stays', async (t) => {
  const { world, entity, arena } = setUp();
  entity(0, OWNER.OWNED, 0, 0, 0, 5);
  let asked = 0;
  const late = () => {
    // Another item appears in the totals before the second pass, and in the bag before the third.
    if (++asked === 3) arena.u32[(arena.cold(0) + COLD.items) >> 2] = 7;
    return { created: 6 + Math.min(asked, 2), consumed: 1 };
  };
  const { census, totals } = takeCensus(world, late);
  t.equal(census.items, 7);
  t.same(totals, { created: 8, consumed: 1 }, 'the totals of that moment');
  t.equal(asked, 3);
  arena.u32[(arena.cold(0) + COLD.items) >> 2] = 6;
  asked = 100;
  t.equal(takeCensus(world, late).census.items, 6, 'a true loss is reported');
  t.equal(asked, 105, 'after four passes');
});

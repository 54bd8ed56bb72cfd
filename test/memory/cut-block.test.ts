/** The durable cut's words: asking and answering, and what of each slot is durable. */
import t from 'tap';
import { CutBlock } from '../../src/memory/cut-block.js';
import { createSharedWorld } from '../../src/memory/shared-world.js';

t.test('a cut is asked for with its tick, answered by each shard', (t) => {
  const store = CutBlock.create(8, 3);
  const shard = CutBlock.from(store.sab);
  t.equal(shard.asked, 0);
  t.equal(store.ask(17), 1);
  t.strictSame([shard.asked, shard.askedTick], [1, 17]);
  shard.open(2);
  t.strictSame(
    [0, 1, 2].map((s) => store.isOpen(s)),
    [false, false, true],
  );
  shard.mark(2, 1);
  shard.miss(1, 1);
  t.strictSame([store.marked(0), store.marked(1), store.marked(2)], [0, 0, 1]);
  t.strictSame([store.missed(0), store.missed(1), store.missed(2)], [0, 1, 0]);
  shard.countFull(0);
  t.strictSame([store.full(0), store.full(1)], [1, 0]);
  shard.close(2);
  t.notOk(store.isOpen(2));
  t.equal(store.ask(20), 2);
  t.end();
});

t.test('the durable point never goes back', (t) => {
  const cut = CutBlock.create(1, 1);
  cut.durableTick = 5;
  cut.durableTick = 5;
  t.throws(() => {
    cut.durableTick = 4;
  }, /I12/);
  t.equal(cut.durableTick, 5);
  t.end();
});

t.test('an action is durable when the cut is that its record was pushed for', (t) => {
  const cut = CutBlock.create(4, 1);
  cut.reset(3, 1);
  t.strictSame([cut.dirty[3], cut.durable(3)], [1, 0]);
  cut.pushed(3, 7, 10);
  t.strictSame([cut.dirty[3], cut.durable(3)], [0, 0]);
  cut.durableTick = 9;
  t.equal(cut.durable(3), 0);
  cut.durableTick = 10;
  t.equal(cut.durable(3), 7);
  cut.pushed(3, 9, 13); // behind the mark of tick 12
  cut.durableTick = 12;
  t.equal(cut.durable(3), 7, 'the older one stays until the newer one is durable');
  cut.durableTick = 13;
  t.equal(cut.durable(3), 9);
  cut.forget(3);
  t.equal(cut.durable(3), 0, 'a new session begins with nothing');
  t.equal(cut.durable(2), 0, 'and another slot knows nothing of it');
  t.end();
});

t.test('shared by slot and by shard, in places of their own', (t) => {
  const world = createSharedWorld({
    shards: 2,
    gateways: 1,
    startMs: 0,
    maxEntities: 5,
    storeRingBytes: 1024,
  });
  const { cut } = world;
  for (let slot = 0; slot < 5; slot++) {
    cut.pushed(slot, 200 + slot, 0);
    cut.dirty[slot] = slot + 1;
  }
  cut.ask(3);
  for (let s = 0; s < 2; s++) cut.mark(s, 7 + s);
  for (let slot = 0; slot < 5; slot++)
    t.strictSame([cut.dirty[slot], cut.durable(slot)], [slot + 1, 200 + slot]);
  t.strictSame([cut.marked(0), cut.marked(1), cut.asked, cut.askedTick], [7, 8, 1, 3]);
  t.end();
});

t.test('the bell is heard', async (t) => {
  const cut = CutBlock.create(1, 1);
  const seen = cut.doorbell;
  const waiting = cut.waitAsync(seen, 60_000);
  cut.ring();
  t.equal(await waiting, 'ok');
  t.equal(cut.waitAsync(seen, 60_000), null, 'rung since');
});

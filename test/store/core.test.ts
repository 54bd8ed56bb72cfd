/** The store over real shards: every durable cut is a consistent world, what rests comes back, troubles lose nothing. */
import fc from 'fast-check';
import t from 'tap';
import { ITEM } from '../../src/game/constants.js';
import { STORE_STATE } from '../../src/memory/cut-block.js';
import { FLAG } from '../../src/memory/player.js';
import { OWNER } from '../../src/memory/record.js';
import { ENTITY_REQUEST } from '../../src/memory/store-ring.js';
import type { StoreParts } from '../../src/store/core.js';
import { sealNumbers, unsealNumbers } from '../../src/store/frame.js';
import { verifyData } from '../../src/store/verify.js';
import type { FaultyEngine } from './faulty-engine.js';
import { type Deed, border, everyCutAddsUp, plan, tile, y } from './deeds.js';
import { type Kept, run } from './keeper.js';

t.test('what happened is durable within a few ticks, and adds up', async (t) => {
  const { planet, store, players, engine, ...rest } = border();
  run({ planet, store, engine, ...rest }, 20);
  planet.act(players[0]!, 'give', { target: players[3]!.id, item: ITEM.coin, count: 4 });
  run({ planet, store, engine, ...rest }, 12);
  t.ok(planet.world.cut.durableTick > planet.tick - 8, 'the durable point follows');
  const verdict = await verifyData(engine, 'the test');
  t.strictSame(verdict.faults, []);
  t.equal(verdict.players, 4);
  t.equal(verdict.items[ITEM.coin]!.held, planet.balance(ITEM.coin));
});

t.test('what a shard made since its last cut counts though it ends before the next one', async (t) => {
  const kept = border();
  const { planet, store, engine, players } = kept;
  run(kept, 12);
  const { cuts } = store.cuts.figures;
  players.push(planet.join(tile.east + 3, y, FLAG.NEW | FLAG.ACCOUNT)); // with what a newcomer is given
  planet.act(players[2]!, 'give', { target: players[0]!.id, item: ITEM.coin, count: 1 });
  planet.run(8); // the store is busy with something else
  planet.shards[1]!.end();
  planet.lose(1);
  t.notOk(planet.world.cut.isOpen(1), 'no cut waits for it');
  run(kept, 12, [0]);
  t.ok(store.cuts.figures.cuts > cuts, 'cuts go on');
  const verdict = await verifyData(engine, 'the test');
  t.strictSame(verdict.faults, []);
  t.equal(verdict.players, 5);
  const lines = [...engine.entries('journal', players[0]!.id)];
  t.ok(lines.length > 0, 'its gift stands in the journal');
});

t.test('any order of shards, any death, a slow disk: every durable cut adds up', async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (deeds) => {
      const faults = await everyCutAddsUp(deeds);
      if (faults.length > 0) throw new Error(faults[0]);
    }),
    { numRuns: 40 },
  );
});

t.test('a replacement that lags takes nothing from ticks that it has still to run', async (t) => {
  // Shard 1 stands still; what shard 0 gives to it two ticks later must not stand in the cut that is asked meanwhile.
  const both: Deed = { kind: 'run', order: [0, 1] };
  const alone: Deed = { kind: 'run', order: [0] };
  const deeds: Deed[] = [
    { kind: 'walk', who: 1, east: true },
    ...[both, both, both, alone],
    { kind: 'kill', shard: 0 },
    { kind: 'give', from: 1, to: 0, count: 1 },
    alone,
    { kind: 'kill', shard: 1 },
  ];
  t.strictSame(await everyCutAddsUp(deeds), []);
});

t.test('planted: a cut that takes one shard further than another is found', async (t) => {
  // One shard stands still while a player of the other drops coins on its way over the border.
  const alone: Deed[] = Array.from({ length: 30 }, (_, i): Deed[] => [
    ...(i % 10 === 0 ? [{ kind: 'walk', who: 1, east: true } as const] : []),
    { kind: 'drop', who: 1 },
    { kind: 'run', order: [0] },
  ]).flat();
  t.strictSame(await everyCutAddsUp(alone), [], 'without the fault');
  const faults = await everyCutAddsUp(alone, 'runs-past-the-mark');
  t.match(faults[0], /item 'coin': \d+ are there, created less consumed is \d+/);
});

t.test('an account that went to rest is unloaded, and comes back as it was', async (t) => {
  const kept = border();
  const { planet, store, players } = kept;
  run(kept, 20);
  const [player] = players;
  const before = planet.items(player!.slot, ITEM.coin);
  planet.leave(player!);
  run(kept, 60);
  t.equal(planet.world.ids.lookup(player!.id), -1, 'out of the arena');
  t.equal(store.residence.unloads > 0, true);
  t.equal(store.loadEntity(player!.id), 'here');
  const slot = planet.world.ids.lookup(player!.id);
  t.equal(planet.stateOf(slot), OWNER.PARKED);
  t.equal(planet.items(slot, ITEM.coin), before);
  t.equal(store.loadEntity(player!.id), 'here', 'asked twice, loaded once');
  t.equal(store.residence.loads, 1);
  planet.clock.time += 40_000;
  store.poll();
  t.equal(planet.world.ids.lookup(player!.id), -1, 'nobody came: at rest again');
  t.equal(store.loadEntity(999_999_999), 'absent');
});

t.test('a full disk: the world goes on, nobody is admitted, nothing is lost', async (t) => {
  const kept = border();
  const { planet, engine, players } = kept;
  run(kept, 20);
  const durable = planet.world.cut.durableTick;
  engine.trouble = Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
  planet.act(players[0]!, 'give', { target: players[1]!.id, item: ITEM.coin, count: 1 });
  run(kept, 200);
  t.equal(planet.world.cut.state, STORE_STATE.FAILING);
  t.match(kept.store.status(), { state: 'failing', trouble: 'no space left on device' });
  t.ok(planet.world.cut.durableTick <= durable + 4, 'nothing is called durable');
  t.equal(planet.applied(players[0]!), 1, 'actions are applied');
  t.ok(engine.attempts < 20, 'tried again with growing pauses, not in a storm');
  t.equal(planet.counter('ticksMissed'), 0);
  engine.trouble = null;
  run(kept, 200);
  t.equal(planet.world.cut.state, STORE_STATE.RUNNING);
  t.ok(planet.world.cut.durableTick > planet.tick - 8);
  t.strictSame((await verifyData(engine, 'the test')).faults, []);
});

t.test('what is gone stays gone though its end is not durable yet', async (t) => {
  const outcome = (fault?: StoreParts['fault']) => {
    const kept: Kept & { engine: FaultyEngine } = border(undefined, fault);
    const guest = kept.planet.join(tile.east + 3, y);
    run(kept, 20);
    kept.planet.leave(guest);
    kept.engine.delay = 1000; // the disk takes its time with whatever comes now
    for (let i = 0; i < 60 && kept.store.cuts.newest(guest.id) !== null; i++) run(kept, 1);
    kept.store.residence.forget(guest.id);
    return kept.store.loadEntity(guest.id);
  };
  t.equal(outcome(), 'absent');
  t.equal(outcome('reads-the-file-first'), 'here', 'planted: the file before the newer write is found');
});

t.test('a flipped bit: the record is refused, nothing overwrites it, and its mail is seen', async (t) => {
  const kept = border();
  const { planet, store, engine, players } = kept;
  run(kept, 20);
  const { id } = players[0]!;
  planet.leave(players[0]!);
  run(kept, 60);
  t.equal(planet.world.ids.lookup(id), -1, 'out of the arena');
  const value = Uint8Array.from(engine.get('entities', id)!);
  value[value.length - 9]! ^= 16;
  engine.commit([{ table: 'entities', key: id, value }], (trouble) => t.equal(trouble, null));
  t.equal(store.loadEntity(id), 'refused');
  t.match(store.status(), { corrupt: 1, refused: [{ entity: id, reason: /checksum/, hasMail: false }] });
  // A shard asks for it, for the sake of a gift that is under way.
  const ring = planet.world.loads[0]!;
  ring.i32.set([ENTITY_REQUEST, 0, id | 0, 0], ring.offer() >> 2);
  ring.commit();
  store.poll();
  t.match(store.status().refused, [{ entity: id, reason: /checksum/, hasMail: true }]);
  t.same(engine.get('entities', id), value, 'as it was found');
});

t.test('an account and its entity become durable in one transaction', async (t) => {
  const look = async (fault?: StoreParts['fault']) => {
    const kept = border(undefined, fault);
    const { store, engine, planet, players } = kept;
    players.forEach(({ id }, i) => {
      t.equal(store.bindAccount(`player ${i}`, 0, id), id);
    });
    const seen = new Set<string>();
    engine.delay = 2;
    t.equal(store.bindAccount('nobody', 0, 4711), 4711, 'agreed at once: it never comes in');
    for (let i = 0; i < 40; i++) {
      if (i < 12) {
        const player = planet.join(tile.east + i, y, FLAG.NEW | FLAG.ACCOUNT);
        store.bindAccount(`player ${players.push(player) - 1}`, 0, player.id);
      }
      planet.step();
      engine.advance();
      store.poll();
      for (const orphan of (await verifyData(engine, 'the test')).orphans) seen.add(orphan);
      players.forEach(({ id }, n) => {
        if (store.findAccount(`player ${n}`) !== id) seen.add(`player ${n} is forgotten`);
      });
    }
    players.forEach((_, i) => {
      if (engine.get('accounts', `player ${i}`) === undefined) seen.add(`player ${i} is not on the disk`);
    });
    return [...seen];
  };
  t.strictSame(await look(), []);
  t.match((await look('writes-bindings-early'))[0], /^account "\w.*": its entity \d+ is not there$/);
  t.match((await look('forgets-what-waits'))[0], /is forgotten/, 'planted: with the older what came later');
});

t.test('an account is bound by compare-and-swap, the newest hides what is on the disk', (t) => {
  const kept = border();
  const { store, players } = kept;
  const [a, b] = players.map(({ id }) => id) as [number, number];
  t.equal(store.findAccount('ada'), 0);
  t.equal(store.bindAccount('ada', 0, a), a);
  t.equal(store.bindAccount('ada', 0, b), a, 'somebody was faster');
  t.equal(store.bindAccount('ada', b, 0), a, 'only what is bound can be taken back');
  t.equal(store.bindAccount('ada', a, 0), 0, 'it never came in');
  t.equal(store.bindAccount('ada', 0, a), a);
  run(kept, 20);
  t.strictSame(kept.engine.get('accounts', 'ada'), sealNumbers([a]));
  t.equal(store.bindAccount('ada', a, b), b, 'the newer before it is durable');
  t.equal(store.findAccount('ada'), b);
  t.end();
});

t.test('nobody is told before exactly its own write is durable: in groups, on any disk', (t) => {
  const group = fc.array(fc.tuple(fc.nat(3), fc.nat(2), fc.boolean()), { minLength: 5, maxLength: 40 });
  const early = (fault?: StoreParts['fault']) =>
    fc.property(group, (turns) => {
      const { store, engine } = border(undefined, fault);
      let asked = 0;
      for (const [asks, delay, isTroubled] of turns) {
        engine.delay = delay;
        engine.trouble = isTroubled ? new Error('no space left') : null;
        for (let i = 0; i < asks; i++) {
          const bound = ++asked;
          const name = bound % 2 === 0 ? 'idLease' : 'incarnation';
          const told = () => {
            const stands = unsealNumbers(engine.get('meta', name)!)![0]!;
            if (stands < bound) throw new Error(`${name} ${bound} was told, ${stands} is on the disk`);
          };
          if (name === 'idLease') store.recordLease(bound, told);
          else store.recordIncarnation(bound, told);
        }
        engine.advance();
        store.poll();
      }
    });
  fc.assert(early(), { numRuns: 25 });
  const planted = fc.check(early('answers-for-what-came-later'), { numRuns: 25, endOnFailure: true });
  t.match(String(planted.errorInstance), /was told/, 'planted: a list that goes on growing is found');
  t.end();
});

t.test('a write that takes longer than three seconds is an alarm, its end is the end of that', async (t) => {
  const kept = border();
  const { planet, store, engine, players } = kept;
  run(kept, 20);
  engine.delay = 1;
  planet.act(players[0]!, 'give', { target: players[1]!.id, item: ITEM.coin, count: 1 });
  run(kept, 10);
  t.equal(planet.world.cut.state, STORE_STATE.RUNNING, 'not yet');
  const durable = planet.world.cut.durableTick;
  run(kept, 100);
  t.equal(planet.world.cut.state, STORE_STATE.FAILING);
  t.match(store.status(), { trouble: /^the disk has not answered for \d s$/, failures: 0 });
  t.equal(planet.world.cut.durableTick, durable);
  engine.delay = 0;
  engine.advance();
  t.equal(planet.world.cut.state, STORE_STATE.RUNNING);
  run(kept, 40);
  t.ok(planet.world.cut.durableTick > planet.tick - 8, 'the next cut does not wait long');
  t.strictSame((await verifyData(engine, 'the test')).faults, []);
});

t.test('a flipped bit in a stored record: that one is refused and counted, all others load', async (t) => {
  const kept = border();
  const { planet, store, players, engine } = kept;
  run(kept, 20);
  for (const player of players) planet.leave(player);
  run(kept, 60);
  t.ok(
    players.every(({ id }) => planet.world.ids.lookup(id) < 0),
    'all rest',
  );
  const [bad, ...good] = players;
  const value = Uint8Array.from(engine.get('entities', bad!.id)!);
  value[value.length >> 1]! ^= 4;
  engine.commit([{ table: 'entities', key: bad!.id, value }], () => {});
  t.equal(store.loadEntity(bad!.id), 'refused');
  t.equal(planet.world.ids.lookup(bad!.id), -1);
  t.strictSame(
    good.map(({ id }) => store.loadEntity(id)),
    good.map(() => 'here'),
  );
  t.equal(store.status().corrupt, 1);
  run(kept, 20);
  t.strictSame(engine.get('entities', bad!.id), value, 'what is left of it is kept as it is');
});

/** A page of the database that cannot be read: who stands behind it is refused and told of, everybody else plays on. */
import t from 'tap';
import { BlueMarbleError } from '../../src/base/errors.js';
import { FLAG } from '../../src/memory/player.js';
import { DAMAGED_ACCOUNT } from '../../src/store/bindings.js';
import { openBook, readFacts } from '../../src/store/book.js';
import type { Engine, Key, TableName } from '../../src/store/engine.js';
import { sealNumbers } from '../../src/store/frame.js';
import { MapEngine } from '../../src/store/map-engine.js';
import { verifyData } from '../../src/store/verify.js';
import { border, tile, y } from './deeds.js';
import { FaultyEngine } from './faulty-engine.js';
import { identityOf, run } from './keeper.js';

/** Tables that cannot be read, as an engine tells it. */
class Damaged extends FaultyEngine implements Engine {
  readonly damaged = new Set<TableName>();

  override get(table: TableName, key: Key) {
    this.look(table);
    return super.get(table, key);
  }
  override *entries(table: TableName, first?: number) {
    this.look(table);
    yield* super.entries(table, first);
  }
  private look(table: TableName): void {
    if (this.damaged.has(table))
      throw new BlueMarbleError('DATA_CORRUPT', `a page of the table '${table}' cannot be read`);
  }
}

/** A planet on such a disk, one account of it at rest. */
function rested() {
  const engine = new Damaged(new MapEngine());
  const kept = border(engine);
  const { planet, store, players } = kept;
  store.bindAccount('ada', 0, players[0]!.id);
  run(kept, 20);
  planet.leave(players[0]!);
  run(kept, 60);
  return { ...kept, engine, id: players[0]!.id };
}

t.test('each table behind a damaged page: refused and told of, cuts go on', async (t) => {
  const cases: [TableName, (kept: ReturnType<typeof rested>) => unknown, unknown][] = [
    ['entities', ({ store, id }) => store.loadEntity(id), 'refused'],
    ['accounts', ({ store }) => store.findAccount('ada'), DAMAGED_ACCOUNT],
    ['accounts', ({ store }) => store.bindAccount('ada', 0, 4711), DAMAGED_ACCOUNT],
    ['journal', ({ planet, players }) => planet.leave(players[1]!), undefined],
    ['places', ({ planet, players }) => planet.leave(players[1]!), undefined],
  ];
  for (const [table, ask, answer] of cases) {
    const kept = rested();
    const { store, engine, planet } = kept;
    engine.damaged.add(table);
    t.same(ask(kept), answer, table);
    const { cuts } = store.cuts.figures;
    const guest = planet.join(tile.east + 3, y, FLAG.NEW);
    run(kept, 10);
    planet.leave(guest);
    if (table === 'places') {
      const ring = planet.world.loads[0]!;
      ring.i32.set([12_345, 0, 0, 0], ring.offer() >> 2);
      ring.commit();
    }
    run(kept, 60);
    t.ok(store.cuts.figures.cuts > cuts, `${table}: the world goes on`);
    if (answer !== undefined || table === 'places') t.ok(store.status().corrupt > 0, `${table}: counted`);
    const { faults } = await verifyData(engine, 'the test');
    t.match(faults.join(' '), /cannot be read/, `${table}: a verification says so, to its end`);
  }
});

t.test('an account whose checksum is wrong is no new player', (t) => {
  const { store, engine } = rested();
  const value = Uint8Array.from(engine.get('accounts', 'ada')!);
  value[7]! ^= 4;
  engine.commit([{ table: 'accounts', key: 'ada', value }], (trouble) => t.equal(trouble, null));
  t.equal(store.findAccount('ada'), DAMAGED_ACCOUNT);
  t.equal(store.bindAccount('ada', 0, 4711), DAMAGED_ACCOUNT);
  t.end();
});

t.test('the mark of a tile whose checksum is wrong: its content is not made once more', (t) => {
  const { engine, planet } = rested();
  const facts = () =>
    readFacts(
      engine,
      openBook(engine, identityOf(planet), () => new Uint8Array(32), 'the test'),
    );
  const made = 4_188_161;
  const mark = (value: Uint8Array) =>
    engine.commit([{ table: 'tiles', key: made, value }], (trouble) => t.equal(trouble, null));
  const value = sealNumbers([7]);
  mark(value);
  t.strictSame([...facts().generated], [made, 7]);
  value[9]! ^= 1;
  mark(value);
  t.equal(facts().generated[0], made);
  t.ok(facts().generated[1]! > 0);
  t.end();
});

/** Reading in one thread, writing in another: what was committed is read, in any order of events; errors come back. */
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { ApartEngine, type ApartFault } from '../../src/store/apart-engine.js';
import { openDataFolder } from '../../src/store/data-folder.js';
import { type Key, TABLES, type Write } from '../../src/store/engine.js';
import { LmdbEngine } from '../../src/store/lmdb-engine.js';
import { packWrites, unpackWrites } from '../../src/store/packed.js';

const number = fc.oneof(
  fc.integer(),
  fc.double({ noNaN: true }).filter((n) => !Object.is(n, -0)),
);
const anyWrite: fc.Arbitrary<Write> = fc.record({
  table: fc.constantFrom(...TABLES),
  key: fc.oneof(
    number,
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.array(number, { minLength: 1, maxLength: 5 }),
  ) as fc.Arbitrary<Key>,
  value: fc.option(fc.uint8Array({ maxLength: 64 })),
});

t.test('a transaction in one buffer is the same transaction', async () => {
  fc.assert(
    fc.property(fc.array(anyWrite, { maxLength: 20 }), (writes) => {
      const text = (some: readonly Write[]) =>
        fc.stringify(some.map(({ table, key, value }) => [table, key, value && Uint8Array.from(value)]));
      return text(unpackWrites(packWrites(writes))) === text(writes);
    }),
  );
});

const entity = (value: number): Write => ({ table: 'entities', key: 7, value: Uint8Array.of(value, 0, 9) });

/** How often what `done` has told of was not read, of 20 commits. */
async function stale(folder: string, fault?: ApartFault): Promise<number> {
  const { engine: reader, release } = await openDataFolder(folder);
  const witness = new LmdbEngine(folder);
  const engine = new ApartEngine(reader, folder, undefined, fault);
  let wrong = 0;
  await new Promise<void>((resolve) => {
    const next = (round: number) => {
      if (round > 20) return resolve();
      engine.get('entities', 7); // a view of now, kept until this turn ends
      engine.commit([entity(round)], () => {
        if (engine.get('entities', 7)?.[0] !== round) wrong++;
        next(round + 1);
      });
      // Until the writer is through: its message is the next event of this turn.
      do witness.refresh();
      while (witness.get('entities', 7)?.[0] !== round);
    };
    engine.commit([entity(0)], () => next(1));
  });
  await engine.close();
  await witness.close();
  release();
  return wrong;
}

t.test('from `done` on reads see what was committed', async (t) => {
  t.equal(await stale(join(t.testdir(), 'right')), 0);
  t.ok((await stale(join(t.testdir(), 'wrong'), 'keeps-its-view')) > 0, 'planted: an older view is found');
});

t.test(
  'commits are answered in their order, by `close` at the latest; what failed left nothing',
  async (t) => {
    const dir = t.testdir();
    const { engine: reader, release } = await openDataFolder(dir);
    const engine = new ApartEngine(reader, dir);
    const told: string[] = [];
    const tell = (name: string) => (trouble: Error | null) =>
      told.push(trouble === null ? name : `${name} failed`);
    engine.commit([entity(1), { table: 'places', key: [5, 7], value: new Uint8Array(0) }], tell('first'));
    // a key that LMDB does not take, behind a write that it does
    engine.commit(
      [entity(2), { table: 'accounts', key: 'x'.repeat(5000), value: Uint8Array.of(1) }],
      tell('second'),
    );
    engine.commit([{ table: 'entities', key: 8, value: Uint8Array.of(3) }], tell('third'));
    engine.commit([], tell('empty'));
    await engine.close();
    t.strictSame(told, ['first', 'second failed', 'third', 'empty']);
    const after = new LmdbEngine(dir);
    t.strictSame(
      [...after.entries('entities')].map(([key, value]) => [key, value[0]]),
      [
        [7, 1],
        [8, 3],
      ],
    );
    t.strictSame(
      [...after.entries('places', 5)].map(([key]) => key),
      [[5, 7]],
    );
    await after.close();
    release();
  },
);

/** Arena record → table → arena record is the identity, whatever the game does with its names in between. */
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { COLD, HOT } from '../../src/memory/record.js';
import { STORED_RECORD as AT } from '../../src/memory/store-ring.js';
import { Codec, RecordBytes, entityOf } from '../../src/store/codec.js';
import { frame, unframe } from '../../src/store/frame.js';
import { Names } from '../../src/store/names.js';
import type { GameNames } from '../../src/store/types.js';
import { anyRecord, GAME, NUMBERS, recordWith } from './records.js';

const there = (codec: Codec, record: RecordBytes): RecordBytes => {
  const back = new RecordBytes();
  t.equal(codec.decode(codec.encode(record), back), null);
  return back;
};

t.test('a record survives the way into a table and back', async () => {
  const codec = new Codec(new Names(GAME));
  fc.assert(
    fc.property(anyRecord, (record) => {
      const back = there(codec, record);
      return back.epoch === record.epoch && Buffer.compare(back.u8, record.u8) === 0 && back.rest === null;
    }),
    { numRuns: 300 },
  );
});

t.test('what a game drops waits under its name, and comes back in another order', async (t) => {
  const first = new Names(GAME);
  const other: GameNames = {
    ...GAME,
    kinds: ['player', 'ghost', 'tree'],
    items: ['salt', 'wood'],
    columns: [
      { name: 'mood', type: 'u8', offset: 8 },
      { name: 'age', type: 'f64', offset: 16 },
    ],
  };
  const second = new Names(other, first.stored);
  t.strictSame(second.stored.items, ['wood', 'stone', 'gold', 'salt'], 'lists only grow');
  const third = new Names(GAME, second.stored);
  fc.assert(
    fc.property(anyRecord, (record) => {
      const bytes = new Codec(first).encode(record);
      const inSecond = new RecordBytes();
      if (new Codec(second).decode(bytes, inSecond) !== null) return record.kind === 2; // 'stone' is dropped
      const age = inSecond.f64[(AT.hot + HOT.components + 16) >> 3];
      const ages = Object.is(age, record.f64[(AT.hot + HOT.components + 8) >> 3]);
      const inThird = new RecordBytes();
      return (
        ages &&
        new Codec(third).decode(new Codec(second).encode(inSecond), inThird) === null &&
        Buffer.compare(sorted(inThird), sorted(record)) === 0
      );
    }),
    { numRuns: 300 },
  );
});

/** Without what a letter carried of a kind that was dropped meanwhile: it went back to its sender. */
function sorted(record: RecordBytes): Buffer {
  const copy = Buffer.from(record.u8);
  copy.fill(0, AT.cold + COLD.items, AT.cold + COLD.items + LIMITS.itemKinds * 4);
  copy.fill(0, AT.cold + COLD.outbox, AT.cold + COLD.answers);
  return copy;
}

t.test('items of a dropped kind are neither lost nor doubled', async () => {
  const first = new Names(GAME);
  const second = new Names({ ...GAME, items: ['gold'] }, first.stored);
  const third = new Names(GAME, second.stored);
  const total = (record: RecordBytes, names: Names) => {
    const entity = entityOf(new Codec(names).encode(record));
    if (typeof entity === 'string') throw new Error(entity);
    const sums = [0, 0, 0];
    for (let i = 0; i < entity.itemsLength(); i++) sums[entity.items(i)!.item()] += entity.items(i)!.count();
    for (let i = 0; i < entity.lettersLength(); i++) {
      const letter = entity.letters(i)!;
      if (letter.item() > 0) sums[letter.item() - 1] += letter.count();
    }
    return sums;
  };
  fc.assert(
    fc.property(anyRecord, (record) => {
      const inSecond = new RecordBytes();
      const inThird = new RecordBytes();
      new Codec(second).decode(new Codec(first).encode(record), inSecond);
      new Codec(third).decode(new Codec(second).encode(inSecond), inThird);
      const sums = [total(record, first), total(inSecond, second), total(inThird, third)];
      return sums.every((sum) => JSON.stringify(sum) === JSON.stringify(sums[0]));
    }),
    { numRuns: 200 },
  );
});

t.test('a component of the same name and another type is another component', async (t) => {
  const first = new Names(GAME);
  const second = new Names({ ...GAME, columns: [{ name: 'mood', type: 'f32', offset: 8 }] }, first.stored);
  const record = recordWith((r) => {
    r.u8[AT.hot + HOT.components] = 7;
  });
  const back = new RecordBytes();
  t.equal(new Codec(second).decode(new Codec(first).encode(record), back), null);
  t.equal(back.f32[(AT.hot + HOT.components + 8) >> 2], 0);
  t.strictSame(back.rest?.columns, [[0, 7]]);
});

t.test('every flipped bit and every cut is noticed', async (t) => {
  const codec = new Codec(new Names(GAME));
  const bytes = codec.encode(fc.sample(anyRecord, { numRuns: 1, seed: 7 })[0]);
  let unnoticed = 0;
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const bad = bytes.slice();
    bad[bit >> 3] ^= 1 << (bit & 7);
    // two bytes of the frame are not used; they change nothing
    if (typeof unframe(bad) !== 'string' && ![2, 3].includes(bit >> 3)) unnoticed++;
  }
  for (let length = 0; length < bytes.length; length++) {
    if (typeof unframe(bytes.slice(0, length)) !== 'string') unnoticed++;
  }
  t.equal(unnoticed, 0);
});

t.test('bytes whose checksum is right and whose sense is not are refused', async (t) => {
  const codec = new Codec(new Names(GAME));
  const into = new RecordBytes();
  t.match(codec.decode(frame(new Uint8Array(64)), into), /no table/);
  const outside = recordWith((r) => {
    r.f64[(AT.hot + HOT.x) >> 3] = Number.NaN;
  });
  t.match(codec.decode(codec.encode(outside), into), /outside the world/);
  const newer = frame(unframe(codec.encode(recordWith(() => {}))) as Uint8Array, 3);
  t.match(codec.decode(newer, into), /format 3 is newer/);
});

t.test('tables of an older schema are read, and those of a newer one but for what is new', async (t) => {
  const names = new Names(GAME);
  for (const age of ['older', 'newer']) {
    const bytes = readFileSync(new URL(`./entity-${age}.bin`, import.meta.url));
    const back = new RecordBytes();
    t.equal(new Codec(names).decode(frame(bytes), back), null, `${age}: accepted`);
    t.equal(back.id, 4711);
    t.strictSame(
      NUMBERS.map((field) => field(back)),
      [4711, 123, 1000.5, -2000.25, 9],
      `${age}: the fields that both know`,
    );
    t.equal(back.u32[(AT.cold + COLD.items + 4) >> 2], 12);
  }
});

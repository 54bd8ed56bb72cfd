/** The comparison with the server's log: each broken promise under its own name. */
import t from 'tap';
import { FNV_BASIS, fnvAction } from '../../src/base/fnv.js';
import { classify, type OwnRecord, type ServerLog } from '../../src/bots/classify.js';
import { ActionRecord } from '../../src/bots/record.js';

const own: OwnRecord = { sent: 10, decided: 10, applied: 8, rejected: 2, hash: 1234 };
const log: ServerLog = { lastAction: 10, applied: 8, rejected: 2, hash: 1234 };
const sound = { lost: 0, duplicated: 0, outOfOrder: 0 };

t.test('what agrees is sound', (t) => {
  t.same(classify(own, log), sound);
  t.same(classify({ sent: 0, decided: 0, applied: 0, rejected: 0, hash: FNV_BASIS }, null), sound);
  t.end();
});

t.test('lost: the server counts fewer, skipped ids, told no outcome, or gives no log', (t) => {
  t.same(classify(own, { ...log, lastAction: 9, applied: 7 }), { ...sound, lost: 1 });
  t.same(classify(own, { ...log, applied: 7 }), { ...sound, lost: 1 });
  t.same(classify({ ...own, decided: 9, applied: 7 }, log), { ...sound, lost: 1 });
  t.same(classify(own, null), { ...sound, lost: 10 });
  t.end();
});

t.test('duplicated: the server has more than was sent, or more outcomes than ids', (t) => {
  t.same(classify(own, { ...log, lastAction: 12, applied: 10 }), { ...sound, duplicated: 2 });
  t.same(classify(own, { ...log, applied: 9 }), { ...sound, duplicated: 1 });
  t.end();
});

t.test('out of order: all counts agree, the contents do not', (t) => {
  t.same(classify(own, { ...log, hash: 99 }), { ...sound, outOfOrder: 1 });
  t.same(
    classify(own, { ...log, applied: 7, rejected: 3 }),
    { ...sound, outOfOrder: 1 },
    'an outcome was told differently',
  );
  t.end();
});

t.test(
  'the record hashes in order of its own ids, folded or not, with the last outcome that was told',
  (t) => {
    const bytes = (n: number) => new Uint8Array([n, n + 1]);
    const make = (foldAt: number) => {
      const record = new ActionRecord();
      for (let i = 1; i <= 6; i++) record.note(i, bytes(i));
      for (let i = 1; i <= 5; i++) record.outcome(i, i === 3 ? 7 : 0);
      record.fold(foldAt);
      record.outcome(5, 4);
      return record.summary();
    };
    let hash = FNV_BASIS;
    for (let i = 1; i <= 5; i++) hash = fnvAction(hash, i, i, bytes(i), 0, 2, i === 3 ? 7 : i === 5 ? 4 : 0);
    for (const foldAt of [0, 1, 4]) {
      t.same(make(foldAt), { sent: 6, decided: 5, applied: 3, rejected: 2, hash }, `folded up to ${foldAt}`);
    }
    t.end();
  },
);

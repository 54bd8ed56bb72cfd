/** Notes of bags: a line a slot, shared by all who attach, nothing else taken for them. */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { BagNotes } from '../../src/memory/bag-notes.js';
import { TransitStamps } from '../../src/memory/transit-stamps.js';

t.test('every kind of every slot has a word of its own, the same for all threads', (t) => {
  const notes = BagNotes.create(3);
  t.equal(notes.u32.length, 3 * LIMITS.itemKinds);
  for (let i = 0; i < notes.u32.length; i++) notes.u32[i] = 0xffffff00 + i;
  const other = BagNotes.from(notes.sab);
  t.ok(other.u32.every((word, i) => word === 0xffffff00 + i));
  other.u32[5] = 1;
  t.equal(notes.u32[5], 1);
  t.throws(() => BagNotes.from(TransitStamps.create(3).sab), /wrong magic/);
  t.end();
});

/** The owner word and the places of a record's fields. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import {
  ANSWER,
  ANSWER_BYTES,
  COLD,
  COLD_BYTES,
  EPOCH_MASK,
  HEADER,
  HEADER_BYTES,
  HOT,
  HOT_BYTES,
  NOBODY,
  OUTBOX,
  OUTBOX_BYTES,
  OWNER,
  epochOf,
  ownerOf,
  ownerState,
  packOwner,
  targetOf,
} from '../../src/memory/record.js';

t.test('an owner word gives back what it was packed of', (t) => {
  fc.assert(
    fc.property(
      fc.constantFrom(...Object.values(OWNER)),
      fc.nat(NOBODY),
      fc.nat(NOBODY),
      fc.nat(0xffffffff),
      (state, owner, target, epoch) => {
        const word = packOwner(state, owner, target, epoch);
        assert.equal(word, word | 0);
        assert.deepEqual([ownerState(word), ownerOf(word), targetOf(word)], [state, owner, target]);
        assert.equal(epochOf(word), epoch & EPOCH_MASK);
      },
    ),
    { numRuns: 200 },
  );
  t.equal(ownerState(0), OWNER.FREE, 'a zeroed word is free');
  t.end();
});

t.test('the epoch in the word wraps and nothing leaks into its neighbours', (t) => {
  for (const epoch of [EPOCH_MASK - 1, EPOCH_MASK, EPOCH_MASK + 1, 0xffffffff]) {
    const word = packOwner(OWNER.TRANSIT, 63, 64, epoch);
    t.strictSame([ownerState(word), ownerOf(word), targetOf(word)], [OWNER.TRANSIT, 63, 64]);
  }
  t.end();
});

t.test('fields are aligned, do not overlap and fit', (t) => {
  // One word of two uses: what is no player has no actions, and players come from no natural content.
  const { origin, ...hot } = HOT;
  t.equal(origin, HOT.appliedCount);
  const parts: [string, Record<string, number>, Record<string, number>, number][] = [
    ['header', HEADER, { id: 8, handoverStamp: 8 }, HEADER_BYTES],
    ['hot', hot, { x: 8, y: 8, sessionId: 8, kind: 2, flags: 2, components: 96 }, HOT_BYTES],
    [
      'cold',
      COLD,
      { outcomes: 128, items: 64, outbox: 8 * OUTBOX_BYTES, answers: 8 * ANSWER_BYTES },
      COLD_BYTES,
    ],
    ['outbox', OUTBOX, { target: 8, kind: 2, state: 1, itemKind: 1, answer: 2, args: 32 }, OUTBOX_BYTES],
    ['answer', ANSWER, { source: 8, answer: 2, used: 1, arg: 8 }, ANSWER_BYTES],
  ];
  for (const [name, fields, sizes, bytes] of parts) {
    let end = 0;
    for (const [field, offset] of Object.entries(fields).sort((a, b) => a[1] - b[1])) {
      const size = sizes[field] ?? 4;
      t.ok(offset >= end, `${name}.${field} begins behind the field before it`);
      t.equal(offset % Math.min(size, 8), 0, `${name}.${field} is aligned`);
      end = offset + size;
    }
    t.ok(end <= bytes, `${name} fits in ${bytes} bytes`);
  }
  t.end();
});

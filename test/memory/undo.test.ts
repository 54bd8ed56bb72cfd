/** Undo copies: whole records go back, committed ones stay, steps and straight code do the same. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Arena } from '../../src/memory/arena.js';
import { COLD_BYTES, HOT_BYTES } from '../../src/memory/record.js';
import { drive } from '../../src/memory/steps.js';
import {
  beginCold,
  beginHot,
  beginSteps,
  coldPart,
  hotPart,
  restoreCold,
  restoreHot,
} from '../../src/memory/undo.js';

const INCARNATION = 4;

/** The three bytes ranges of a slot that undo is about. */
function bytes(arena: Arena, from: number, length: number): string {
  return Buffer.from(new Uint8Array(arena.sab, from, length)).toString('hex');
}
function scribble(arena: Arena, from: number, length: number, seed: number): void {
  for (let i = 0; i < length; i++) arena.u8[from + i] = (i * 31 + seed * 7) & 255;
}

t.test('a record that was not committed goes back, byte for byte', (t) => {
  const arena = Arena.create(2);
  const parts = [
    { begin: beginHot, restore: restoreHot, from: arena.hot(1), length: HOT_BYTES },
    { begin: beginCold, restore: restoreCold, from: arena.cold(1), length: COLD_BYTES },
  ];
  for (const { begin, restore, from, length } of parts) {
    scribble(arena, from, length, 1);
    const before = bytes(arena, from, length);
    begin(arena, 1, INCARNATION, 10);
    scribble(arena, from, length, 2);
    begin(arena, 1, INCARNATION, 10);
    scribble(arena, from, length, 3);
    t.notOk(restore(arena, 1, INCARNATION + 1, 9), 'another incarnation’s');
    t.notOk(restore(arena, 1, INCARNATION, 10), 'committed');
    t.not(bytes(arena, from, length), before);
    t.ok(restore(arena, 1, INCARNATION, 9));
    t.equal(bytes(arena, from, length), before);
    scribble(arena, from, length, 4);
    t.notOk(restore(arena, 1, INCARNATION, 9), 'only once');
  }
  t.end();
});

t.test('neighbours are not touched', (t) => {
  const arena = Arena.create(3);
  for (const slot of [0, 2]) scribble(arena, arena.hot(slot), HOT_BYTES, slot);
  const before = [0, 2].map((slot) => bytes(arena, arena.hotByte(slot), HOT_BYTES + 64));
  beginHot(arena, 1, INCARNATION, 1);
  scribble(arena, arena.hot(1), HOT_BYTES, 9);
  restoreHot(arena, 1, INCARNATION, 0);
  t.strictSame(
    [0, 2].map((slot) => bytes(arena, arena.hotByte(slot), HOT_BYTES + 64)),
    before,
  );
  t.end();
});

t.test('steps and straight code leave the same bytes', (t) => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ tick: fc.integer({ min: 1, max: 3 }), hot: fc.boolean(), seed: fc.nat(255) })),
      fc.integer({ min: 1, max: 300 }),
      (writes, stride) => {
        const straight = Arena.create(1);
        const stepped = Arena.create(1);
        for (const { tick, hot, seed } of writes) {
          if (hot) beginHot(straight, 0, INCARNATION, tick);
          else beginCold(straight, 0, INCARNATION, tick);
          drive(
            beginSteps(stepped, hot ? hotPart(stepped, 0) : coldPart(stepped, 0), INCARNATION, tick, stride),
          );
          for (const arena of [straight, stepped]) {
            scribble(arena, hot ? arena.hot(0) : arena.cold(0), hot ? HOT_BYTES : COLD_BYTES, seed);
          }
        }
        assert.equal(bytes(stepped, 0, stepped.sab.byteLength), bytes(straight, 0, straight.sab.byteLength));
      },
    ),
    { numRuns: 50 },
  );
  t.end();
});

/** Records as a shard might push them, for tests of what becomes of them. */
import fc from 'fast-check';
import { LIMITS } from '../../src/base/limits.js';
import { ANSWER, ANSWER_BYTES, COLD, HOT, OUTBOX, OUTBOX_BYTES } from '../../src/memory/record.js';
import { STORED_RECORD as AT } from '../../src/memory/store-ring.js';
import { RecordBytes } from '../../src/store/codec.js';
import { readValue, writeValue } from '../../src/store/values.js';
import type { GameNames } from '../../src/store/types.js';

export const GAME: GameNames = {
  name: 'test',
  kinds: ['player', 'tree', 'stone'],
  items: ['wood', 'stone', 'gold'],
  columns: [
    { name: 'mood', type: 'u8', offset: 0 },
    { name: 'chill', type: 'i8', offset: 1 },
    { name: 'far', type: 'i16', offset: 2 },
    { name: 'near', type: 'u16', offset: 4 },
    { name: 'age', type: 'f64', offset: 8 },
    { name: 'heat', type: 'f32', offset: 16 },
    { name: 'debt', type: 'i32', offset: 20 },
    { name: 'wealth', type: 'u32', offset: 24 },
  ],
};

export function recordWith(change: (record: RecordBytes) => void): RecordBytes {
  const record = new RecordBytes();
  record.f64[AT.id >> 3] = 4711;
  change(record);
  return record;
}

/** Fields that the fixtures of other schemas hold. */
export const NUMBERS: readonly ((record: RecordBytes) => number)[] = [
  (r) => r.id,
  (r) => r.tick,
  (r) => r.f64[(AT.hot + HOT.x) >> 3],
  (r) => r.f64[(AT.hot + HOT.y) >> 3],
  (r) => r.u32[(AT.hot + HOT.lastActionId) >> 2],
];

const u32 = fc.integer({ min: 0, max: 0xffffffff });
const i32 = fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 });
const u16 = fc.integer({ min: 0, max: 0xffff });
const f32 = fc.float({ noNaN: true });
const id = fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER });
const small = { depthSize: 'small' } as const;

const letter = fc.record({
  target: id,
  counter: u32,
  kind: u16,
  state: fc.integer({ min: 1, max: 3 }),
  item: fc.constantFrom(0, 1, 2, 255),
  count: fc.integer({ min: 0, max: 1000 }),
  sent: i32,
  answer: u16,
  args: fc.array(fc.double({ noNaN: true }), { minLength: 4, maxLength: 4 }),
});
const answer = fc.record({
  source: id,
  counter: u32,
  answer: u16,
  used: fc.integer({ min: 1, max: 2 }),
  arg: fc.double({ noNaN: true }),
});

/** A record that an arena could hold, fields that no table keeps left at 0. */
export const anyRecord: fc.Arbitrary<RecordBytes> = fc
  .record({
    id,
    epoch: u32,
    birth: i32,
    x: fc.double({ min: -2e7, max: 2e7, noNaN: true }),
    y: fc.double({ min: -1e7, max: 1e7, noNaN: true }),
    floats: fc.array(f32, { minLength: 5, maxLength: 5 }),
    words: fc.array(i32, { minLength: 4, maxLength: 4 }),
    kind: fc.integer({ min: 0, max: 2 }),
    flags: u16,
    session: fc.option(fc.record({ id, last: u32, applied: u32, rejected: u32, hash: u32 })),
    outcomes: fc.array(u16, { minLength: 64, maxLength: 64 }),
    items: fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 3, maxLength: 3 }),
    values: fc.array(fc.double({ noNaN: true }), { minLength: 8, maxLength: 8 }),
    letters: fc.array(letter, { maxLength: LIMITS.outboxPlaces, ...small }),
    answers: fc.array(answer, { maxLength: LIMITS.answerPlaces, ...small }),
  })
  .map((made) =>
    recordWith((r) => {
      const hot = AT.hot;
      r.epoch = made.epoch;
      r.f64[AT.id >> 3] = made.id;
      r.i32[AT.birthTick >> 2] = made.birth;
      r.f64[(hot + HOT.x) >> 3] = made.x;
      r.f64[(hot + HOT.y) >> 3] = made.y;
      [HOT.z, HOT.heading, HOT.vx, HOT.vy, HOT.rateTokens].forEach((at, i) => {
        r.f32[(hot + at) >> 2] = made.floats[i];
      });
      [HOT.lastTick, HOT.stayUntilTick, HOT.messageCounter, HOT.stepCount].forEach((at, i) => {
        r.i32[(hot + at) >> 2] = made.words[i];
      });
      r.u16[(hot + HOT.kind) >> 1] = made.kind;
      r.u16[(hot + HOT.flags) >> 1] = made.flags;
      if (made.session !== null) {
        r.f64[(hot + HOT.sessionId) >> 3] = made.session.id;
        r.u32[(hot + HOT.lastActionId) >> 2] = made.session.last;
        r.u32[(hot + HOT.appliedCount) >> 2] = made.session.applied;
        r.u32[(hot + HOT.rejectedCount) >> 2] = made.session.rejected;
        r.u32[(hot + HOT.appliedHash) >> 2] = made.session.hash;
        r.u16.set(made.outcomes, (AT.cold + COLD.outcomes) >> 1);
      }
      r.u32.set(made.items, (AT.cold + COLD.items) >> 2);
      GAME.columns.forEach(({ type, offset }, i) => {
        writeValue(r, hot + HOT.components + offset, type, made.values[i]);
        // what a typed array made of it: a value of the type
        readValue(r, hot + HOT.components + offset, type);
      });
      r.i32[(hot + HOT.tile) >> 2] = r.tile;
      fillMail(r, made);
    }),
  );

interface Mail {
  letters: {
    target: number;
    counter: number;
    kind: number;
    state: number;
    item: number;
    count: number;
    sent: number;
    answer: number;
    args: number[];
  }[];
  answers: { source: number; counter: number; answer: number; used: number; arg: number }[];
}

function fillMail(r: RecordBytes, { letters, answers }: Mail): void {
  r.i32[(AT.hot + HOT.outboxCount) >> 2] = letters.length;
  letters.forEach((one, p) => {
    const at = AT.cold + COLD.outbox + p * OUTBOX_BYTES;
    r.f64[(at + OUTBOX.target) >> 3] = one.target;
    r.u32[(at + OUTBOX.counter) >> 2] = one.counter;
    r.u16[(at + OUTBOX.kind) >> 1] = one.kind;
    r.u8[at + OUTBOX.state] = one.state;
    r.u8[at + OUTBOX.itemKind] = one.item;
    r.u32[(at + OUTBOX.itemCount) >> 2] = one.count;
    r.i32[(at + OUTBOX.sentTick) >> 2] = one.sent;
    r.u16[(at + OUTBOX.answer) >> 1] = one.answer;
    r.f64.set(one.args, (at + OUTBOX.args) >> 3);
  });
  answers.forEach((one, p) => {
    const at = AT.cold + COLD.answers + p * ANSWER_BYTES;
    r.f64[(at + ANSWER.source) >> 3] = one.source;
    r.u32[(at + ANSWER.counter) >> 2] = one.counter;
    r.u16[(at + ANSWER.answer) >> 1] = one.answer;
    r.u8[at + ANSWER.used] = one.used;
    r.f64[(at + ANSWER.arg) >> 3] = one.arg;
  });
}

/** Inboxes: entries, window, wrap, connection epochs at their limit, presence; steps and straight code agree. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import {
  Inboxes,
  LAST_CONNECTION_EPOCH,
  LEAVING,
  PLACE,
  PRESENCE_STATE,
  packWriter,
  writerBusy,
  writerEpoch,
  writerGateway,
} from '../../src/memory/inbox.js';
import { drive } from '../../src/memory/steps.js';

/** Word of slot 0's writer, for what only another thread could do. */
const WRITER = 16;

function claimed(start = 0, places = 4): { inboxes: Inboxes; mine: number } {
  const inboxes = Inboxes.create(2, places, start);
  const mine = inboxes.claim(0, inboxes.writer(0), 3);
  return { inboxes, mine };
}

t.test('a writer word gives back what it was packed of', (t) => {
  for (const epoch of [0, 1, LAST_CONNECTION_EPOCH]) {
    for (const gateway of [0, 31, LEAVING]) {
      const word = packWriter(epoch, gateway);
      t.ok(word >= 0, 'a positive Int32');
      t.strictSame([writerEpoch(word), writerGateway(word), writerBusy(word)], [epoch, gateway, false]);
      t.strictSame(
        [writerEpoch(word | 1), writerGateway(word | 1), writerBusy(word | 1)],
        [epoch, gateway, true],
      );
    }
  }
  t.end();
});

t.test('entries come out as they went in, and the ring never holds more than its places', (t) => {
  const entry = fc.record({
    session: fc.integer({ min: 1, max: 2 ** 53 - 1 }),
    id: fc.nat(0xffffffff),
    kind: fc.nat(0xffff),
    payload: fc.uint8Array({ maxLength: LIMITS.actionPayloadBytes }),
  });
  fc.assert(
    fc.property(
      fc.constantFrom(0, 2 ** 31 - 2, -2),
      fc.array(fc.oneof(entry, fc.constant(null)), { maxLength: 40 }),
      (start, steps) => {
        const { inboxes, mine } = claimed(start);
        const queue: (typeof entry extends fc.Arbitrary<infer E> ? E : never)[] = [];
        let head = start;
        for (const step of steps) {
          if (step === null) {
            assert.equal(inboxes.available(0, head), queue.length);
            const wanted = queue.shift();
            if (wanted === undefined) continue;
            const at = inboxes.entry(0, head);
            assert.equal(inboxes.f64[(at + PLACE.sessionId) >> 3], wanted.session);
            assert.equal(inboxes.u32[(at + PLACE.actionId) >> 2], wanted.id);
            assert.equal(inboxes.u16[(at + PLACE.kind) >> 1], wanted.kind);
            const length = inboxes.u16[(at + PLACE.length) >> 1];
            const from = at + PLACE.payload;
            assert.deepEqual(inboxes.u8.slice(from, from + length), wanted.payload);
            head = (head + 1) | 0;
            inboxes.publishHead(0, head);
          } else {
            const { session, id, kind, payload } = step;
            const full = queue.length === inboxes.places;
            assert.equal(
              inboxes.write(0, mine, session, id, kind, payload, payload.length),
              full ? 'full' : 'ok',
            );
            assert.equal(inboxes.writer(0), mine, 'idle again');
            if (!full) queue.push(step);
          }
        }
        assert.equal(inboxes.available(1, inboxes.head(1)), 0, 'the neighbour is untouched');
      },
    ),
    { numRuns: 100 },
  );
  t.end();
});

t.test('steps and straight code of write leave the same bytes', (t) => {
  const { inboxes, mine } = claimed();
  const stepped = Inboxes.create(2, 4);
  stepped.claim(0, stepped.writer(0), 3);
  const payload = new Uint8Array([1, 2, 3]);
  for (let id = 1; id <= 6; id++) {
    const result = inboxes.write(0, mine, 9, id, 1, payload, 3);
    t.equal(drive(stepped.writeSteps(0, mine, 9, id, 1, payload, 3)), result);
    t.equal(
      drive(stepped.writeSteps(0, mine + 2, 9, id, 1, payload, 3)),
      inboxes.write(0, mine + 2, 9, id, 1, payload, 3),
    );
    t.equal(Buffer.compare(Buffer.from(stepped.sab), Buffer.from(inboxes.sab)), 0);
  }
  t.end();
});

t.test('payloads of limit − 1 and limit are written, limit + 1 is refused and leaves the word idle', (t) => {
  const { inboxes, mine } = claimed();
  const bytes = new Uint8Array(LIMITS.actionPayloadBytes + 1);
  t.equal(inboxes.write(0, mine, 1, 1, 1, bytes, LIMITS.actionPayloadBytes - 1), 'ok');
  t.equal(inboxes.write(0, mine, 1, 2, 1, bytes, LIMITS.actionPayloadBytes), 'ok');
  t.throws(() => inboxes.write(0, mine, 1, 3, 1, bytes, LIMITS.actionPayloadBytes + 1), { message: /I7/ });
  t.equal(inboxes.writer(0), mine);
  t.end();
});

t.test('the default inbox takes a whole window and the control entries beside it', (t) => {
  const inboxes = Inboxes.create(1);
  const mine = inboxes.claim(0, inboxes.writer(0), 0);
  for (let i = 1; i <= LIMITS.inboxPlaces; i++)
    t.equal(inboxes.write(0, mine, 1, i, 1, new Uint8Array(0), 0), 'ok');
  t.equal(inboxes.write(0, mine, 1, LIMITS.inboxPlaces + 1, 1, new Uint8Array(0), 0), 'full');
  t.end();
});

t.test('who lost the word can neither write nor tell a presence', (t) => {
  const { inboxes, mine } = claimed();
  t.ok(inboxes.setPresence(0, mine, PRESENCE_STATE.CONNECTED, 5));
  const next = inboxes.claim(0, mine, 4);
  t.strictSame([writerEpoch(next), writerGateway(next)], [writerEpoch(mine) + 1, 4]);
  t.equal(inboxes.claim(0, mine, 5), 0, 'the old word is nobody’s');
  t.equal(inboxes.write(0, mine, 1, 1, 1, new Uint8Array(0), 0), 'taken');
  t.notOk(inboxes.setPresence(0, mine, PRESENCE_STATE.DISCONNECTED, 6));
  t.strictSame([inboxes.presence(0), inboxes.presenceTick(0)], [PRESENCE_STATE.CONNECTED, 5]);
  t.equal(inboxes.tail(0), 0);
  t.end();
});

t.test('a busy word is neither claimed, nor written, nor left', (t) => {
  const { inboxes, mine } = claimed();
  Atomics.store(inboxes.i32, WRITER, mine | 1);
  t.equal(inboxes.claim(0, mine, 4), 0);
  t.equal(inboxes.claim(0, mine | 1, 4), 0);
  t.equal(inboxes.write(0, mine, 1, 1, 1, new Uint8Array(0), 0), 'taken');
  t.notOk(inboxes.leave(0));
  t.notOk(inboxes.leave(0, mine));
  t.equal(inboxes.writer(0), mine | 1);
  t.end();
});

t.test('leave shuts the inbox with the same epoch; reset opens the slot’s next life, epoch going on', (t) => {
  const { inboxes, mine } = claimed();
  inboxes.write(0, mine, 1, 1, 1, new Uint8Array(0), 0);
  t.notOk(inboxes.leave(0, mine + 2), 'another word was read');
  t.ok(inboxes.leave(0));
  t.equal(inboxes.writer(0), packWriter(writerEpoch(mine), LEAVING));
  t.equal(inboxes.write(0, mine, 1, 2, 1, new Uint8Array(0), 0), 'taken');
  inboxes.reset(0);
  t.strictSame([inboxes.tail(0), inboxes.head(0), inboxes.presence(0)], [0, 0, PRESENCE_STATE.NONE]);
  const next = inboxes.claim(0, inboxes.writer(0), 3);
  t.equal(writerEpoch(next), writerEpoch(mine) + 1, 'I4');
  t.not(next, mine);
  t.end();
});

t.test('connection epochs at limit − 1, limit, beyond', (t) => {
  for (const [epoch, works] of [
    [LAST_CONNECTION_EPOCH - 2, true],
    [LAST_CONNECTION_EPOCH - 1, true],
    [LAST_CONNECTION_EPOCH, false],
  ] as const) {
    const inboxes = Inboxes.create(1, 4);
    Atomics.store(inboxes.i32, WRITER, packWriter(epoch, 2));
    const word = inboxes.claim(0, packWriter(epoch, 2), 3);
    t.equal(word !== 0, works);
    if (works) t.equal(writerEpoch(word), epoch + 1);
    else t.equal(inboxes.writer(0), packWriter(epoch, 2), 'refused, unchanged');
  }
  t.end();
});

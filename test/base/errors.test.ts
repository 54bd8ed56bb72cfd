import t from 'tap';
import { BlueMarbleError, ERRORS, FIRST_GAME_OUTCOME, errorName } from '../../src/base/errors.js';

const entries = Object.entries(ERRORS);

t.test('numbers are unique within their kind and in the range of their kind', async (t) => {
  const seen = new Set<string>();
  for (const [name, { kind, number }] of entries) {
    t.notOk(seen.has(`${kind} ${number}`), `${name} has a number of its own`);
    seen.add(`${kind} ${number}`);
    if (kind === 'close') t.ok(number >= 4000 && number <= 4999, `${name} is a private WebSocket close code`);
    if (kind === 'outcome')
      t.ok(number >= 0 && number < FIRST_GAME_OUTCOME, `${name} leaves the game its numbers`);
    if (kind === 'startup') t.ok(number >= 10 && number <= 125, `${name} is an exit code that no shell uses`);
  }
});

/** What clients and scripts know; below zero: come back. */
const NUMBERS = {
  GOODBYE: 4000,
  PROTOCOL_MISMATCH: 4001,
  BAD_FRAME: 4002,
  BAD_TICKET: 4003,
  FIRST_MESSAGE_TIMEOUT: 4004,
  WINDOW_EXCEEDED: -4005,
  ACTION_GAP: -4006,
  SESSION_TAKEN: 4007,
  SESSION_EXPIRED: 4008,
  TOO_SLOW: -4009,
  RATE_LIMITED: -4010,
  WORLD_FULL: -4011,
  SERVER_STOPPING: -4012,
  BAD_VALUE: 4013,
  UNEXPECTED_MESSAGE: 4014,
  TEXT_FRAME: 4015,
  NOT_READY: -4016,
  INTERNAL: -4017,
  DISK_TROUBLE: -4018,
  RECORD_DAMAGED: 4019,
  ADDRESS_LIMITED: -4020,
  NODE_AWAY: -4030,
  APPLIED: 0,
  UNKNOWN_ACTION: 1,
  BAD_PAYLOAD: 2,
  OUT_OF_REACH: -3,
  NOT_FOUND: -4,
  NOT_ENOUGH: -5,
  BAG_FULL: -6,
  COOLDOWN: -7,
  QUARANTINED: 8,
  GAME_FAULT: 13,
  OUTBOX_FULL: -9,
  NOT_ALLOWED: 10,
  TARGET_OFFLINE: -11,
  TARGET_GONE: 12,
  PORT_TAKEN: 10,
  NO_BINARY: 11,
  BAD_FLAG: 12,
  BAD_CONFIG: 13,
  BAD_GAME: 14,
  BAD_TLS: 15,
  TAKEN_ADMIN_PORT: 16,
  DATA_VERSION: 17,
  DATA_OTHER_WORLD: 18,
  DATA_LOCKED: 19,
  DATA_CORRUPT: 20,
  DATA_READ_ONLY: 21,
  DATA_FULL: 22,
  LINK_REFUSED: 30,
  LINK_PORT: 31,
  LINK_KEY: 1,
  LINK_VERSION: 2,
  LINK_WORLD: 3,
  LINK_LIFE: 4,
  LINK_NONSENSE: -5,
  LINK_SILENT: -6,
  LINK_FULL: -7,
  LINK_STOPPING: -8,
  DATA_MISSING: 23,
  DATA_TAKEN: 24,
  NOT_SAVED: 25,
  DATA_NO_ROOM: 26,
  GATEWAY_HUNG: 27,
};

t.test('numbers stay what clients and scripts know', async (t) => {
  const numbers = Object.fromEntries(
    entries.map(([name, { number, retry }]) => [name, retry ? -number : number]),
  );
  t.strictSame(numbers, NUMBERS);
});

t.test('every text is one sentence for people', async (t) => {
  for (const [name, { text }] of entries) t.match(text, /^[A-Z\d\p{L}][^\n]{10,110}\.$/u, name);
});

t.test('a close reason fits its WebSocket frame', async (t) => {
  for (const [name, { kind, text }] of entries) {
    if (kind === 'close') t.ok(Buffer.byteLength(`${name}: ${text}`) <= 123, `${name} (RFC 6455, 5.5)`);
  }
});

t.test('an error carries its code, and the registry text unless it has a detail', async (t) => {
  const plain = new BlueMarbleError('TOO_SLOW');
  t.match(plain, { name: 'BlueMarbleError', code: 'TOO_SLOW', message: ERRORS.TOO_SLOW.text });
  t.equal(plain.entry, ERRORS.TOO_SLOW);
  const cause = new Error('why');
  t.match(new BlueMarbleError('BAD_GAME', 'no kinds', { cause }), { message: 'no kinds', cause });
});

t.test('a number finds its name', async (t) => {
  t.equal(errorName('close', 4007), 'SESSION_TAKEN');
  t.equal(errorName('outcome', 10), 'NOT_ALLOWED');
  t.equal(errorName('startup', 10), 'PORT_TAKEN');
  t.equal(errorName('close', 1006), undefined);
});

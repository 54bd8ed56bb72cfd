/** The verifiers against prefixes, mutants and random bytes, watched by a reader that shares no code with them. */
import { Builder } from 'flatbuffers';
import t from 'tap';
import { type Random, seededRandom } from '../../src/base/random.js';
import { ClientMessageView, readClientMessage } from '../../src/wire/client-message.js';
import type { CellFrameView } from '../../src/wire/cell-frame-view.js';
import { FAULT } from '../../src/base/fault.js';
import { CLIENT_SCHEMA, SERVER_SCHEMA } from '../../src/wire/generated/schema.js';
import type { Schema } from '../../src/base/schema-shape.js';
import { ServerMessageReader, type ServerSink } from '../../src/wire/server-message.js';
import { Verifier, type VerifierOptions } from '../../src/base/verifier.js';
import {
  CLIENT_VERIFIER_OPTIONS,
  SERVER_VERIFIER_OPTIONS,
  verifyClientMessage,
  verifyServerMessage,
} from '../../src/wire/verify.js';
import { clientSamples, type Sample, serverSamples } from './samples.js';
import { walk } from './walker.js';

const SIDES = [
  { name: 'client', schema: CLIENT_SCHEMA, options: CLIENT_VERIFIER_OPTIONS, samples: clientSamples() },
  { name: 'server', schema: SERVER_SCHEMA, options: SERVER_VERIFIER_OPTIONS, samples: serverSamples() },
];

interface Hunt {
  accepted: number;
  refused: number;
  /** accepted, yet the walker left the message; the first one is described */
  escapes: number;
  first: string;
}

/** Verifies each mutant and lets the walker read what was accepted. */
function hunt(schema: Schema, options: VerifierOptions, mutants: Iterable<[string, Uint8Array]>): Hunt {
  const verifier = new Verifier(schema, options);
  const result: Hunt = { accepted: 0, refused: 0, escapes: 0, first: '' };
  for (const [origin, bytes] of mutants) {
    if (verifier.verify(bytes) !== 0) {
      result.refused++;
      continue;
    }
    result.accepted++;
    try {
      walk(schema, bytes);
    } catch (error) {
      if (result.escapes++ === 0) result.first = `${origin}: ${error}: ${Buffer.from(bytes).toString('hex')}`;
    }
  }
  return result;
}

/** Changes up to `most` bytes of a sample in place, shows it, and puts them back. */
function* mutants(
  samples: Sample[],
  random: Random,
  each: number,
  most: number,
): Generator<[string, Uint8Array]> {
  for (const { name, bytes } of samples) {
    const intact = bytes.slice();
    for (let i = 0; i < each; i++) {
      const changes = 1 + random.int(most);
      // half of the values are small or near the top: those are what offsets and lengths are made of
      for (let c = 0; c < changes; c++) bytes[random.int(bytes.length)] = oddByte(random);
      yield [`${name} ${i}`, bytes];
      bytes.set(intact);
    }
  }
}

function oddByte(random: Random): number {
  if (random.int(2) === 0) return random.int(256);
  return random.int(2) === 0 ? random.int(9) : 255 - random.int(4);
}

function* noise(random: Random, count: number): Generator<[string, Uint8Array]> {
  for (let i = 0; i < count; i++) {
    const bytes = new Uint8Array(random.int(129));
    const sparse = random.int(2) === 0;
    for (let k = 0; k < bytes.length; k++) bytes[k] = sparse ? oddByte(random) & 31 : random.int(256);
    yield [`noise ${i}`, bytes];
  }
}

t.test('every sample is accepted and can be walked', async (t) => {
  for (const { name, bytes } of clientSamples()) {
    t.equal(verifyClientMessage(bytes), FAULT.OK, name);
    t.ok(walk(CLIENT_SCHEMA, bytes) >= 0);
  }
  for (const { name, bytes } of serverSamples()) {
    t.equal(verifyServerMessage(bytes), FAULT.OK, name);
    t.ok(walk(SERVER_SCHEMA, bytes) > 0);
  }
});

t.test('every prefix of a valid message is refused, unless all that it lacks is padding', async (t) => {
  for (const { name, samples, schema, options } of SIDES) {
    const verifier = new Verifier(schema, options);
    for (const sample of samples) {
      const content = walk(schema, sample.bytes);
      let accepted = 0;
      for (let n = 0; n < sample.bytes.length; n++) {
        const prefix = sample.bytes.slice(0, n);
        if (verifier.verify(prefix) !== 0) continue;
        accepted++;
        t.equal(walk(schema, prefix), content, `${name} ${sample.name}: nothing is missing at ${n}`);
      }
      t.ok(accepted < 8, `${name} ${sample.name}: only padding may be missing, ${accepted} accepted`);
    }
  }
});

t.test('what is accepted of mutants and noise can be read without leaving the message', async (t) => {
  for (const [i, { name, schema, options, samples }] of SIDES.entries()) {
    const seed = 20 + i;
    const random = seededRandom(seed);
    const each = Math.ceil(110_000 / samples.length);
    const one = hunt(schema, options, mutants(samples, random, each, 1));
    const few = hunt(schema, options, mutants(samples, random, each / 4, 4));
    const random128 = hunt(schema, options, noise(random, 50_000));
    for (const [what, found] of Object.entries({ one, few, random128 })) {
      t.equal(found.escapes, 0, `${name}, ${what}, seed ${seed}: ${found.first || 'no escape'}`);
      t.ok(found.refused > 0, `${name}, ${what}: ${found.accepted} accepted, ${found.refused} refused`);
    }
    t.ok(one.accepted > 10_000 && one.refused > 10_000, 'both kinds of mutant were tried');
  }
});

t.test('the same hunt finds a hole in a verifier that has one', async (t) => {
  for (const { name, schema, options, samples } of SIDES) {
    for (const hole of ['fields', 'vectors', 'unions'] as const) {
      const tried = mutants(samples, seededRandom(7), 3000, 1);
      t.ok(hunt(schema, { ...options, hole }, tried).escapes > 0, `${name}: ${hole}`);
    }
  }
});

/** Bytes that throw when anything reads beside them. */
function fenced(bytes: Uint8Array): Uint8Array {
  return new Proxy(bytes, {
    get(target, key) {
      if (
        typeof key === 'string' &&
        /^-?\d+$/.test(key) &&
        !(Number(key) >= 0 && Number(key) < target.length)
      ) {
        throw new RangeError(`read of byte ${key} of ${target.length}`);
      }
      const value = Reflect.get(target, key, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

/** A sink that reads everything that it is given. */
function lookAtAll(heard: () => void): ServerSink {
  const look = (view: CellFrameView) => {
    for (let i = 0; i < view.closeCount; i++) view.close(i);
    for (let i = 0; i < view.stateCount; i++) view.id(i) + view.pub1(i);
    for (let i = 0; i < view.removalCount; i++) view.removalId(i) + view.removalY(i);
    for (let i = 0; i < view.eventCount; i++) {
      view.eventId(i) + view.eventSource(i) + view.eventY(i);
      const length = view.eventPayloadLength(i);
      if (length > 0) view.bytes[view.eventPayload(i) + length - 1];
    }
    heard();
  };
  return {
    welcome: heard,
    cellFrame: look,
    selfUpdate(self) {
      for (let i = 0; i < self.outcomeCount; i++) self.outcomeId(i) + self.outcomeCode(i);
      for (let i = 0; i < self.itemCount; i++) self.item(i);
      heard();
    },
    logReply: heard,
    pong: heard,
    closing: heard,
  };
}

t.test('neither the verifiers nor the readers behind them touch a byte outside', async (t) => {
  const random = seededRandom(3);
  const view = new ClientMessageView();
  let accepted = 0;
  for (const [, bytes] of mutants(clientSamples(), random, 1500, 2)) {
    const guarded = fenced(bytes);
    if (verifyClientMessage(guarded) !== 0) continue;
    accepted++;
    readClientMessage(guarded, view);
  }
  const reader = new ServerMessageReader();
  let heard = 0;
  const sink = lookAtAll(() => heard++);
  for (const [, bytes] of mutants(serverSamples(), random, 800, 2)) reader.read(fenced(bytes), sink);
  t.ok(heard > 1000, `${heard} heard`);
  for (const [, bytes] of noise(random, 5000)) verifyClientMessage(fenced(bytes));
  t.ok(accepted > 1000, `${accepted} accepted`);
});

/** An Action of a newer schema: two more fields. */
function newerAction(): Uint8Array {
  const b = new Builder(64);
  const extra = b.createString('from the future');
  b.startObject(5);
  b.addFieldInt32(0, 41, 0);
  b.addFieldInt16(1, 2, 0);
  b.addFieldInt64(3, 99n, 0n);
  b.addFieldOffset(4, extra, 0);
  const action = b.endObject();
  b.startObject(4);
  b.addFieldInt32(0, 7, 0);
  b.addFieldInt8(1, 2, 0);
  b.addFieldOffset(2, action, 0);
  b.addFieldInt32(3, 5, 0);
  b.finish(b.endObject());
  return b.asUint8Array().slice();
}

t.test(
  'a message of a newer schema with unknown fields is accepted and its known fields are read',
  async (t) => {
    const view = new ClientMessageView();
    const bytes = newerAction();
    t.equal(verifyClientMessage(bytes), FAULT.OK);
    t.equal(readClientMessage(bytes, view), FAULT.OK);
    t.match(view, { actionId: 41, actionKind: 2, newestTick: 7, payloadLength: 0 });
  },
);

t.test('the same bytes are judged alike wherever they lie', async (t) => {
  const { bytes } = serverSamples()[1];
  const shared = new Uint8Array(new SharedArrayBuffer(bytes.length + 16));
  for (let offset = 0; offset < 16; offset++) {
    shared.fill(0xaa);
    shared.set(bytes, offset);
    t.equal(verifyServerMessage(shared.subarray(offset, offset + bytes.length)), FAULT.OK);
  }
});

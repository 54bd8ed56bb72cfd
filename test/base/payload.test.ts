import fc from 'fast-check';
import t from 'tap';
import {
  encodePayload,
  FIELD_BYTES,
  type FieldType,
  isUtf8,
  PayloadDecoder,
  structLayout,
} from '../../src/base/payload.js';
import { ERRORS } from '../../src/base/errors.js';

const BAD = ERRORS.BAD_PAYLOAD.number;
const decode = (decoder: PayloadDecoder, bytes: Uint8Array) => decoder.decode(bytes, 0, bytes.length);

t.test('fields lie where FlatBuffers puts the fields of a struct', async (t) => {
  t.strictSame(structLayout({ target: 'id', item: 'u16', count: 'u16' }), {
    fields: [
      { name: 'target', type: 'id', offset: 0 },
      { name: 'item', type: 'u16', offset: 8 },
      { name: 'count', type: 'u16', offset: 10 },
    ],
    bytes: 16,
  });
  t.equal(structLayout({ a: 'u8', b: 'f64', c: 'u8' }).bytes, 24);
  t.equal(structLayout({ a: 'u8', b: 'u16', c: 'u8' }).bytes, 6);
});

const VALUE: Record<FieldType, fc.Arbitrary<number>> = {
  f32: fc.float({ noNaN: true, noDefaultInfinity: true }),
  f64: fc.double({ noNaN: true, noDefaultInfinity: true }),
  u8: fc.integer({ min: 0, max: 0xff }),
  u16: fc.integer({ min: 0, max: 0xffff }),
  u32: fc.integer({ min: 0, max: 0xffffffff }),
  i32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  id: fc.maxSafeNat(),
};

t.test('what is encoded is decoded, at any offset, into the same object', async (t) => {
  const types = fc.array(fc.constantFrom(...(Object.keys(FIELD_BYTES) as FieldType[])), {
    minLength: 1,
    maxLength: 12,
  });
  const cases = types.chain((list) =>
    fc.tuple(fc.constant(list), fc.tuple(...list.map((type) => VALUE[type])), fc.nat(9)),
  );
  fc.assert(
    fc.property(cases, ([list, numbers, offset]) => {
      const shape = Object.fromEntries(list.map((type, i) => [`f${i}`, type]));
      const values = Object.fromEntries(numbers.map((value, i) => [`f${i}`, value]));
      const bytes = encodePayload(shape, values);
      const shifted = new Uint8Array(new SharedArrayBuffer(bytes.length + offset));
      shifted.set(bytes, offset);
      const decoder = new PayloadDecoder(shape);
      const { payload } = decoder;
      t.equal(decoder.decode(shifted, offset, bytes.length), 0);
      t.equal(decoder.payload, payload);
      t.strictSame({ ...payload }, values);
    }),
  );
});

t.test('a wrong length is refused at one less and one more', async (t) => {
  const decoder = new PayloadDecoder({ target: 'id' });
  for (const [length, outcome] of [
    [0, BAD],
    [7, BAD],
    [8, 0],
    [9, BAD],
  ] as const) {
    t.equal(decode(decoder, new Uint8Array(length)), outcome, `${length} bytes`);
  }
  const none = new PayloadDecoder('none');
  t.equal(decode(none, new Uint8Array(0)), 0);
  t.equal(decode(none, new Uint8Array(1)), BAD);
});

t.test('numbers that are none, and ids beyond 2^53, are refused', async (t) => {
  const f32 = new PayloadDecoder({ f: 'f32' });
  const f64 = new PayloadDecoder({ f: 'f64' });
  for (const value of [Number.NaN, Infinity, -Infinity]) {
    t.equal(decode(f32, new Uint8Array(new Float32Array([value]).buffer)), BAD, `f32 ${value}`);
    t.equal(decode(f64, new Uint8Array(new Float64Array([value]).buffer)), BAD, `f64 ${value}`);
  }
  t.equal(decode(f64, new Uint8Array(new Float64Array([1e308]).buffer)), 0);
  const id = new PayloadDecoder({ id: 'id' });
  const bytes = (value: bigint) => new Uint8Array(new BigUint64Array([value]).buffer);
  t.equal(decode(id, bytes(2n ** 53n - 1n)), 0);
  t.equal((id.payload as { id: number }).id, 2 ** 53 - 1);
  t.equal(decode(id, bytes(2n ** 53n)), BAD);
  t.equal(decode(id, bytes(2n ** 64n - 1n)), BAD);
});

t.test('a text is 1…176 bytes of UTF-8', async (t) => {
  const text = new PayloadDecoder('text');
  for (const [length, outcome] of [
    [0, BAD],
    [1, 0],
    [176, 0],
    [177, BAD],
  ] as const) {
    t.equal(decode(text, new Uint8Array(length).fill(0x61)), outcome, `${length} bytes`);
  }
  t.equal(decode(text, encodePayload('text', 'grüß dich 🌍')), 0);
  const { bytes, length } = text.payload as { bytes: Uint8Array; length: number };
  t.equal(new TextDecoder().decode(bytes.slice(0, length)), 'grüß dich 🌍');
});

t.test('UTF-8 is judged as the platform judges it', async (t) => {
  const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const platform = (bytes: Uint8Array) => {
    try {
      strict.decode(bytes);
      return true;
    } catch {
      return false;
    }
  };
  const edges = [
    0x00, 0x7f, 0x80, 0x8f, 0x90, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xf4,
    0xf5, 0xff,
  ];
  for (const a of edges) {
    for (const b of edges) {
      for (const c of edges) {
        for (const d of edges) {
          const bytes = Uint8Array.of(a, b, c, d);
          if (isUtf8(bytes, 4) !== platform(bytes)) t.fail(`differs on ${bytes}`);
        }
        const bytes = Uint8Array.of(a, b, c);
        if (isUtf8(bytes, 3) !== platform(bytes)) t.fail(`differs on ${bytes}`);
      }
    }
  }
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 20 }), (bytes) => isUtf8(bytes, bytes.length) === platform(bytes)),
  );
});

t.test('no bytes make the decoder throw', async () => {
  const decoders = [
    new PayloadDecoder('text'),
    new PayloadDecoder('none'),
    new PayloadDecoder({ a: 'f32', b: 'id', c: 'u8' }),
  ];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) =>
      decoders.every((d) => [0, BAD].includes(decode(d, bytes))),
    ),
  );
});

t.test('a sender is told what does not fit', async (t) => {
  t.throws(() => encodePayload({ n: 'u8' }, { n: 256 }), /field n is an integer of u8/);
  t.throws(() => encodePayload({ n: 'u8' }, { n: 0.5 }), /field n is an integer of u8/);
  t.throws(() => encodePayload({ n: 'id' }, { n: 2 ** 53 }), /field n is an integer of id/);
  t.throws(() => encodePayload({ n: 'f32' }, { n: 1e300 }), /field n is a finite number/);
  t.throws(() => encodePayload({ n: 'f32' }, {}), /field n is a finite number/);
  t.throws(() => encodePayload({ n: 'f32' }), /given as an object/);
  t.throws(() => encodePayload('text', ''), /1…176 bytes/);
  t.throws(() => encodePayload('text', 'é'.repeat(89)), /1…176 bytes/);
  t.equal(encodePayload('text', 'é'.repeat(88)).length, 176);
});

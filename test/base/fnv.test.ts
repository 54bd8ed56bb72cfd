import fc from 'fast-check';
import t from 'tap';
import { FNV_BASIS, fnvAction, fnvBytes } from '../../src/base/fnv.js';

const hex = (text: string) => fnvBytes(FNV_BASIS, Buffer.from(text), 0, Buffer.byteLength(text)).toString(16);

/** FNV-1a as its definition reads, with big integers. */
function definition(hash: number, bytes: Iterable<number>): number {
  let h = BigInt(hash);
  for (const byte of bytes) h = ((h ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
  return Number(h);
}

t.test('the published vectors of 32-bit FNV-1a', async (t) => {
  t.equal(hex(''), '811c9dc5');
  t.equal(hex('a'), 'e40c292c');
  t.equal(hex('foobar'), 'bf9cf968');
});

t.test('an action is its id, kind, payload and outcome in little-endian bytes', async () => {
  const u32 = fc.nat(0xffffffff);
  const u16 = fc.nat(0xffff);
  fc.assert(
    fc.property(
      u32,
      u32,
      u16,
      fc.uint8Array({ maxLength: 176 }),
      u16,
      fc.nat(9),
      (hash, id, kind, payload, code, at) => {
        const head = Buffer.alloc(6);
        head.writeUInt32LE(id, 0);
        head.writeUInt16LE(kind, 4);
        const tail = Buffer.alloc(2);
        tail.writeUInt16LE(code, 0);
        const within = Buffer.concat([Buffer.alloc(at, 0xee), payload, Buffer.alloc(3, 0xee)]);
        const got = fnvAction(hash, id, kind, within, at, payload.length, code);
        return got === definition(hash, Buffer.concat([head, payload, tail]));
      },
    ),
  );
});

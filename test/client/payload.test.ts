/** Payloads as the SDK names and reads them: the structs of schemas/game.fbs, every id to the last of its 53 bits. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { encodePayload, type PayloadShape, structLayout } from '../../src/base/payload.js';
import { BUILT_IN_EVENTS, BUILT_IN_PAYLOADS, readPayload } from '../../src/client/payload.js';
import { GAME_STRUCTS } from '../../src/wire/generated/schema.js';
import { filesBelow, ROOT } from '../house/source.js';

const IDS = [0, 1, 4096, 2 ** 31, 2 ** 32 - 1, 2 ** 32, 2 ** 32 + 5, 2 ** 48 + 3, 2 ** 53 - 1];

/** Struct of the schema → how the SDK lays it out. */
const shapes = new Map<string, PayloadShape>(
  [...Object.entries(BUILT_IN_PAYLOADS), ...Object.entries(BUILT_IN_EVENTS)].map(([name, shape]) => [
    name === 'trade' ? 'TradeState' : `${name[0]!.toUpperCase()}${name.slice(1)}`,
    shape,
  ]),
);
const camel = (name: string) => name.replace(/_(\w)/g, (_, letter: string) => letter.toUpperCase());

t.test('every struct of the schema is laid out as there', async (t) => {
  for (const [name, { size, offsets }] of Object.entries(GAME_STRUCTS)) {
    const shape = shapes.get(name);
    if (shape === undefined || typeof shape === 'string') {
      t.fail(`the SDK does not know ${name}`);
      continue;
    }
    const layout = structLayout(shape);
    t.equal(layout.bytes, size, name);
    const known = Object.entries(offsets).map(([field, at]) => [camel(field), at]);
    t.same(
      Object.fromEntries(layout.fields.map(({ name, offset }) => [name, offset])),
      Object.fromEntries(known),
    );
  }
});

t.test('every id of every struct is read whole, where the schema has it', async (t) => {
  let read = 0;
  for (const [name, shape] of shapes) {
    if (typeof shape === 'string') continue;
    const { bytes: size, fields } = structLayout(shape);
    const ids = fields.filter(({ type }) => type === 'id');
    for (const id of IDS)
      for (const { name: field, offset } of ids) {
        // Written here by the schema's own words: a little-endian ulong.
        const bytes = new Uint8Array(size);
        new DataView(bytes.buffer).setBigUint64(offset, BigInt(id), true);
        const fields = readPayload(shape, bytes) as Record<string, number> | null;
        t.equal(fields?.[field], id, `${name}.${field}`);
        read++;
      }
    for (const { offset } of ids) {
      const bytes = new Uint8Array(size);
      new DataView(bytes.buffer).setBigUint64(offset, 2n ** 53n, true);
      t.equal(readPayload(shape, bytes), null, `${name}: an id that no number holds is no id`);
    }
  }
  t.ok(read >= IDS.length * 10, `${read} ids`);
});

t.test('what is written is read again; what does not fit is not', async (t) => {
  const shape = { id: 'id', half: 'f32', whole: 'f64', small: 'u8', signed: 'i32' } as const;
  const values = { id: 2 ** 40 + 1, half: 0.5, whole: -1e9, small: 255, signed: -7 };
  const bytes = encodePayload(shape, values);
  t.same(readPayload(shape, bytes), values);
  t.equal(readPayload(shape, bytes.subarray(1)), null);
  t.equal(readPayload(shape, new Uint8Array(bytes.length + 1)), null);
  t.equal(readPayload('text', new TextEncoder().encode('héllo')), 'héllo');
  t.equal(readPayload('text', Uint8Array.of(0xff)), null);
  t.same(readPayload('none', new Uint8Array(0)), {});
  t.equal(readPayload('none', Uint8Array.of(1)), null);
});

t.test('pages and bots read no payload by offsets of their own', async (t) => {
  const paths = ['src/pages', 'src/bots']
    .flatMap((folder) => filesBelow(folder))
    .filter((path) => path.endsWith('.ts'));
  t.ok(paths.length > 50, `${paths.length} files`);
  const reading = paths.filter((path) => /\bDataView\b/.test(readFileSync(join(ROOT, path), 'utf8')));
  t.same(
    reading,
    ['src/bots/ws-frames.ts'],
    'readPayload knows where fields lie; a frame of WebSocket is no payload',
  );
});

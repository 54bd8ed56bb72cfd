/** Every fault of structure can happen, and is named as what it is; limits are held at their edges. */
import t from 'tap';
import { ClientWriter } from '../../src/wire/client-writer.js';
import { FAULT, FAULT_TEXT, FIRST_VALUE_FAULT } from '../../src/base/fault.js';
import { CLIENT_SCHEMA, SERVER_SCHEMA } from '../../src/wire/generated/schema.js';
import type { Schema } from '../../src/base/schema-shape.js';
import { Verifier } from '../../src/base/verifier.js';
import {
  CLIENT_VERIFIER_OPTIONS,
  SERVER_VERIFIER_OPTIONS,
  verifyClientMessage,
} from '../../src/wire/verify.js';
import { encodeWelcome } from '../../src/wire/welcome.js';
import { WELCOME, clientSamples } from './samples.js';

t.test('every fault has a sentence of its own, and values come after structure', async (t) => {
  const texts = Object.values(FAULT).map((number) => FAULT_TEXT[number]);
  t.ok(texts.every((text) => typeof text === 'string' && text.length > 0));
  t.equal(new Set(texts).size, texts.length);
  for (const [name, number] of Object.entries(FAULT)) {
    const aboutValues = ['NOT_FINITE', 'OUT_OF_RANGE', 'ID_RANGE', 'UTF8', 'LENGTH'].includes(name);
    t.equal(number >= FIRST_VALUE_FAULT, aboutValues, name);
  }
});

/** A ping laid out by ClientWriter (see its drawing), with words changed. */
function ping(changes: Record<number, number>, bytes: 1 | 2 | 4): Uint8Array {
  const message = new ClientWriter().ping(1, 2).slice();
  const view = new DataView(message.buffer);
  for (const [at, value] of Object.entries(changes)) {
    if (bytes === 4) view.setInt32(Number(at), value, true);
    else if (bytes === 2) view.setUint16(Number(at), value, true);
    else view.setUint8(Number(at), value);
  }
  return message;
}

t.test('each break in a message is named', async (t) => {
  const cases: [string, Uint8Array, number][] = [
    ['nothing', new Uint8Array(0), FAULT.TOO_SHORT],
    ['the root leads out', ping({ 0: 45 }, 4), FAULT.TABLE_BOUNDS],
    ['the root is negative', ping({ 0: -16 }, 4), FAULT.TABLE_BOUNDS],
    ['the root is askew', ping({ 0: 17 }, 4), FAULT.ALIGNMENT],
    ['the vtable lies before the message', ping({ 16: 17 }, 4), FAULT.VTABLE_BOUNDS],
    ['the vtable lies behind it', ping({ 16: -29 }, 4), FAULT.VTABLE_BOUNDS],
    ['the vtable is askew', ping({ 16: 11 }, 4), FAULT.ALIGNMENT],
    ['the vtable has an odd size', ping({ 4: 9 }, 2), FAULT.VTABLE_BOUNDS],
    ['the vtable is too small', ping({ 4: 2 }, 2), FAULT.VTABLE_BOUNDS],
    ['the vtable is too large', ping({ 4: 46 }, 2), FAULT.VTABLE_BOUNDS],
    ['the table is too large', ping({ 6: 33 }, 2), FAULT.TABLE_BOUNDS],
    ['the table is too small', ping({ 6: 3 }, 2), FAULT.TABLE_BOUNDS],
    ['a field lies beyond its table', ping({ 8: 12 }, 2), FAULT.FIELD_BOUNDS],
    ['a field lies on the vtable offset', ping({ 8: 2 }, 2), FAULT.FIELD_BOUNDS],
    ['a field is askew', ping({ 8: 6 }, 2), FAULT.ALIGNMENT],
    ['the tag lies beyond its table', ping({ 10: 14 }, 2), FAULT.FIELD_BOUNDS],
    ['the value lies beyond its table', ping({ 12: 12 }, 2), FAULT.FIELD_BOUNDS],
    ['the value is askew', ping({ 12: 7 }, 2), FAULT.ALIGNMENT],
    ['the value leads out', ping({ 24: 21 }, 4), FAULT.TABLE_BOUNDS],
    ['the value leads to itself', ping({ 24: 0 }, 4), FAULT.TABLE_BOUNDS],
    ['an unknown type', ping({ 28: 7 }, 1), FAULT.UNION_TAG],
    ['a value without a type', ping({ 28: 0 }, 1), FAULT.UNION_VALUE],
    ['a type without a value', ping({ 12: 0 }, 2), FAULT.UNION_VALUE],
  ];
  for (const [name, bytes, fault] of cases) t.equal(verifyClientMessage(bytes), fault, name);
  const without = ping({ 10: 0 }, 2);
  new DataView(without.buffer).setUint16(12, 0, true);
  t.equal(verifyClientMessage(without), FAULT.REQUIRED, 'neither type nor value');
});

t.test('each break in a vector or string is named', async (t) => {
  const change = (name: string, at: number, value: number) => {
    const sample = clientSamples().find((s) => s.name === name) as { bytes: Uint8Array };
    new DataView(sample.bytes.buffer).setInt32(at, value, true);
    return verifyClientMessage(sample.bytes);
  };
  t.equal(change('key request', 48, 3), FAULT.OK);
  t.equal(change('key request', 48, 4), FAULT.VECTOR_BOUNDS);
  t.equal(change('key request', 48, -1), FAULT.VECTOR_BOUNDS);
  t.equal(change('key request', 48, 0x20000003), FAULT.VECTOR_BOUNDS, 'a length that overflows 32 bits');
  t.equal(change('key request', 44, 5), FAULT.ALIGNMENT);
  t.equal(change('key request', 44, 400), FAULT.VECTOR_BOUNDS);
  const hello = new ClientWriter().hello(0, { protocol: 2, client: 'abcd' }).slice();
  t.equal(verifyClientMessage(hello), FAULT.OK);
  const at = Buffer.from(hello).indexOf('abcd');
  hello[at + 4] = 1;
  t.equal(verifyClientMessage(hello), FAULT.STRING_END);
  new DataView(hello.buffer).setInt32(at - 4, hello.length - at, true);
  t.equal(verifyClientMessage(hello), FAULT.VECTOR_BOUNDS, 'no room for the zero byte');
});

t.test('length, number of tables and depth are held at their limits', async (t) => {
  const judge = (schema: Schema, bytes: Uint8Array, options: object) =>
    new Verifier(schema, { ...SERVER_VERIFIER_OPTIONS, ...options }).verify(bytes);
  const welcome = encodeWelcome(WELCOME);
  const n = welcome.length;
  t.equal(judge(SERVER_SCHEMA, welcome, { maxBytes: n - 1 }), FAULT.TOO_LONG);
  t.equal(judge(SERVER_SCHEMA, welcome, { maxBytes: n }), FAULT.OK);
  const tables = 2 + WELCOME.actions.length + WELCOME.columns.length + WELCOME.events.length;
  t.equal(judge(SERVER_SCHEMA, welcome, { maxTables: tables - 1 }), FAULT.TABLES);
  t.equal(judge(SERVER_SCHEMA, welcome, { maxTables: tables }), FAULT.OK);
  t.equal(judge(SERVER_SCHEMA, welcome, { maxDepth: 2 }), FAULT.DEPTH);
  t.equal(judge(SERVER_SCHEMA, welcome, { maxDepth: 3 }), FAULT.OK);
  for (const { name, bytes } of clientSamples()) {
    t.equal(judge(CLIENT_SCHEMA, bytes, { ...CLIENT_VERIFIER_OPTIONS, maxTables: 2 }), FAULT.OK, name);
  }
});

t.test('a missing required field within a table is found', async (t) => {
  const bytes = new ClientWriter().keyRequest(1, [1, 2, 0]).slice();
  new DataView(bytes.buffer).setUint16(36, 0, true);
  t.equal(verifyClientMessage(bytes), FAULT.REQUIRED);
});

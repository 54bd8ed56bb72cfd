/**
 * Hostile bytes, one connection each: every malformed frame and message ends with its documented code or is cut, and an
 * honest client beside them notices nothing (cases 30 to 33: never an exception, never a wrong answer).
 */
import t from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { CLIENT_LIMITS } from '../../src/wire/protocol.js';
import { CUT, frame, OPCODE, RawClient } from './raw.js';
import { pause, Server, within } from './server.js';
import { Witness } from './witness.js';

t.setTimeout(120_000);

/** For a frame that must be ignored: nothing may come of it for so long. */
const QUIET_MS = 300;
const AT_ONCE = 25;

type Attack = (client: RawClient) => void;
type Case = readonly [name: string, code: number | 'stays', attack: Attack];

const bytes = (n: number, value = 0) => new Uint8Array(n).fill(value);
const ping = (client: RawClient) => client.writer.ping(0, 1).slice();
const { BAD_FRAME, BAD_VALUE, TEXT_FRAME, UNEXPECTED_MESSAGE } = ERRORS;
const { ACTION_GAP, WINDOW_EXCEEDED, PROTOCOL_MISMATCH, SESSION_EXPIRED } = ERRORS;

/** A Hello whose name is replaced by other bytes of its length. */
function named(client: RawClient, ...name: number[]): Uint8Array {
  const hello = client.writer.hello(0, { protocol: 2, client: 'name'.slice(0, name.length) }).slice();
  hello.set(name, Buffer.from(hello).indexOf('name'.slice(0, name.length)));
  return hello;
}

/** WebSocket itself, by a client that plays. */
const FRAMES: readonly Case[] = [
  ['text', TEXT_FRAME.number, (c) => c.write(frame(OPCODE.TEXT, bytes(2, 65)))],
  ['text that is not UTF-8', CUT, (c) => c.write(frame(OPCODE.TEXT, bytes(2, 255)))],
  ['empty text', TEXT_FRAME.number, (c) => c.write(frame(OPCODE.TEXT, bytes(0)))],
  ['unknown opcode', CUT, (c) => c.write(frame(3, ping(c)))],
  ['unknown control opcode', CUT, (c) => c.write(frame(11, bytes(0)))],
  ['reserved bit 1', CUT, (c) => c.write(frame(OPCODE.BINARY, ping(c), { reserved: 4 }))],
  ['reserved bit 2', CUT, (c) => c.write(frame(OPCODE.BINARY, ping(c), { reserved: 2 }))],
  ['reserved bit 3', CUT, (c) => c.write(frame(OPCODE.BINARY, ping(c), { reserved: 1 }))],
  ['fragmented ping', CUT, (c) => c.write(frame(OPCODE.PING, bytes(2), { fin: false }))],
  ['fragmented close', CUT, (c) => c.write(frame(OPCODE.CLOSE, bytes(2), { fin: false }))],
  ['long ping', CUT, (c) => c.write(frame(OPCODE.PING, bytes(126)))],
  ['continuation of nothing', CUT, (c) => c.write(frame(OPCODE.CONTINUATION, ping(c)))],
  ['fragments without end', CUT, (c) => c.write(...fragments(11))],
  ['one byte too long', CUT, (c) => c.send(bytes(1025))],
  ['announces 64 KiB', CUT, (c) => c.write(frame(OPCODE.BINARY, bytes(9), { length: 65_536 }))],
  ['announces 2^40 bytes', CUT, (c) => c.write(frame(OPCODE.BINARY, bytes(9), { length: 2 ** 40 }))],
  ['announces 2^63 bytes', CUT, (c) => c.write(frame(OPCODE.BINARY, bytes(9), { length: 2 ** 63 }))],
  ['three frames unmasked', CUT, (c) => c.write(...[1, 2, 3].map(() => unmasked(c)))],
  ['a frame unmasked', 'stays', (c) => c.write(unmasked(c))],
  ['a pong unasked', 'stays', (c) => c.write(frame(OPCODE.PONG, bytes(4)))],
  ['closes by itself', 1000, (c) => c.write(frame(OPCODE.CLOSE, Uint8Array.of(3, 232)))],
  ['closes with half a code', 1005, (c) => c.write(frame(OPCODE.CLOSE, bytes(1)))],
];

const unmasked = (c: RawClient) => frame(OPCODE.BINARY, ping(c), { masked: false });
const fragments = (n: number) =>
  Array.from({ length: n }, (_, i) =>
    frame(i === 0 ? OPCODE.BINARY : OPCODE.CONTINUATION, bytes(100), { fin: false }),
  );

/** Messages of a client that plays. */
const PLAYING: readonly Case[] = [
  ['two bad messages', 'stays', (c) => c.send(bytes(40, 7), bytes(0))],
  ['three bad messages', BAD_FRAME.number, (c) => c.send(bytes(40, 7), bytes(0), bytes(1024, 255))],
  ['second Hello', UNEXPECTED_MESSAGE.number, (c) => c.hello()],
  ['a tick of the future', 'stays', (c) => c.send(c.writer.ping(0xffff_ffff, 1))],
  ['action 0', BAD_VALUE.number, (c) => c.send(c.action(0))],
  ['action 2 first', ACTION_GAP.number, (c) => c.send(c.action(2))],
  ['action 1 twice', ACTION_GAP.number, (c) => c.send(c.action(1), c.action(1))],
  ['actions in reverse', ACTION_GAP.number, (c) => c.send(c.action(1), c.action(3), c.action(2))],
  ['the largest action id', ACTION_GAP.number, (c) => c.send(c.action(0xffff_ffff))],
  ['action kind 0', BAD_VALUE.number, (c) => c.send(c.writer.action(0, 1, 0, bytes(0)))],
  ['a kind of the server', BAD_VALUE.number, (c) => c.send(c.writer.action(0, 1, 0xff01, bytes(0)))],
  ['window exceeded', WINDOW_EXCEEDED.number, (c) => c.send(...actions(c, 95))],
  ['key frames of nowhere', BAD_VALUE.number, (c) => c.send(c.writer.keyRequest(0, [2 ** 18, 0, 0]))],
  ['key frames out of view', 'stays', (c) => c.send(c.writer.keyRequest(0, [1, 1, 0]))],
];

const actions = (c: RawClient, n: number) => Array.from({ length: n }, (_, i) => c.action(i + 1));

/** The first message. */
const GREETING: readonly Case[] = [
  ['ping first', UNEXPECTED_MESSAGE.number, (c) => c.send(ping(c))],
  ['action first', UNEXPECTED_MESSAGE.number, (c) => c.send(c.action(1))],
  ['action before Welcome', UNEXPECTED_MESSAGE.number, (c) => c.hello().send(c.action(1))],
  ['another protocol', PROTOCOL_MISMATCH.number, (c) => c.hello({ protocol: 1 })],
  ['NaN', BAD_VALUE.number, (c) => c.hello({ spawn: { x: Number.NaN, y: 0 } })],
  ['Infinity', BAD_VALUE.number, (c) => c.hello({ spawn: { x: 0, y: Number.POSITIVE_INFINITY } })],
  ['-Infinity', BAD_VALUE.number, (c) => c.hello({ spawn: { x: Number.NEGATIVE_INFINITY, y: 0 } })],
  ['1e308', BAD_VALUE.number, (c) => c.hello({ spawn: { x: 1e308, y: 0 } })],
  ['beyond the wall', BAD_VALUE.number, (c) => c.hello({ spawn: { x: 0, y: -10_018_755 } })],
  ['session 2^53', BAD_VALUE.number, (c) => c.hello({ resumeSession: 2 ** 53 })],
  ['entity 2^63', BAD_VALUE.number, (c) => c.hello({ resumeEntity: 2 ** 63 })],
  ['long name', BAD_VALUE.number, (c) => c.hello({ client: 'x'.repeat(CLIENT_LIMITS.clientNameBytes + 1) })],
  ['long token', BAD_VALUE.number, (c) => c.hello({ resumeToken: 'x'.repeat(129) })],
  ['lone surrogate', BAD_VALUE.number, (c) => c.send(named(c, 0xed, 0xa0, 0x80))],
  ['overlong slash', BAD_VALUE.number, (c) => c.send(named(c, 0xc0, 0xaf))],
  ['half a character', BAD_VALUE.number, (c) => c.send(named(c, 0xe2, 0x82))],
  ['a session of nobody', SESSION_EXPIRED.number, (c) => c.hello({ resumeSession: 7, resumeEntity: 8 })],
  [
    'the largest session',
    SESSION_EXPIRED.number,
    (c) => c.hello({ resumeSession: 2 ** 53 - 1, resumeEntity: 2 ** 53 - 1, resumeToken: 'x'.repeat(43) }),
  ],
];

/** What becomes of an attack: the code of the end, or 'stays' when nothing has ended after a while. */
async function outcome(port: number, plays: boolean, attack: Attack, stays: boolean) {
  const client = await (plays ? RawClient.play(port) : RawClient.open(port));
  attack(client);
  if (stays) await Promise.race([client.ended, pause(QUIET_MS)]);
  else await within('an end', client.ended).catch(() => {});
  const { code = 'stays', closing } = client;
  client.destroy();
  return { code, closing };
}

t.test('malformed frames, messages and values', async (t) => {
  const server = await Server.start(t, ['--shards', '2']);
  const witness = await Witness.enter(t, server);
  const groups: [cases: readonly Case[], plays: boolean][] = [
    [FRAMES, true],
    [PLAYING, true],
    [GREETING, false],
  ];
  for (const [cases, plays] of groups) {
    const outcomes = cases.map(([, code, attack]) => outcome(server.port, plays, attack, code === 'stays'));
    for (const [i, [name, expected]] of cases.entries()) {
      const { code, closing } = await outcomes[i];
      t.equal(code, expected, name);
      if (typeof code === 'number' && code >= 4000)
        t.equal(ERRORS[closing as 'INTERNAL']?.number, code, `${name}: Closing says the same`);
    }
  }
  await witness.finish(t);
  await server.stop();
});

t.test('every prefix of a valid Hello', async (t) => {
  const server = await Server.start(t, ['--shards', '1']);
  const witness = await Witness.enter(t, server);
  const hello = new RawClient(server.port).writer
    .hello(0, { protocol: 2, client: '7 bytes', ticket: 'a ticket', spawn: { x: 1, y: 2 } })
    .slice();
  const lengths = Array.from({ length: hello.length }, (_, i) => i);
  for (let from = 0; from < lengths.length; from += AT_ONCE) {
    const codes = await Promise.all(
      lengths.slice(from, from + AT_ONCE).map(async (length) => {
        const prefix = hello.subarray(0, length);
        return (await outcome(server.port, false, (c) => c.send(prefix, prefix, prefix), false)).code;
      }),
    );
    t.same(new Set(codes), new Set([BAD_FRAME.number]), `prefixes of ${from} … bytes`);
  }
  t.equal((await outcome(server.port, false, (c) => c.send(hello), true)).code, 'stays', 'the whole is fine');
  await witness.finish(t);
  await server.stop();
});

t.test('actions that mean nothing are rejected with their code, and closed is nobody', async (t) => {
  const { UNKNOWN_ACTION, BAD_PAYLOAD, OUT_OF_REACH } = ERRORS;
  const floats = (...values: number[]) => new Uint8Array(Float32Array.from(values).buffer);
  /** An id, then two u16. */
  const gift = (id: number, item: number, count: number) => {
    const view = new DataView(new ArrayBuffer(16));
    view.setBigUint64(0, BigInt(id), true);
    view.setUint16(8, item, true);
    view.setUint16(10, count, true);
    return new Uint8Array(view.buffer);
  };
  const [WALK, GATHER, GIVE, SAY] = [1, 2, 5, 6];
  const actions: readonly [name: string, kind: number, payload: Uint8Array, code: number][] = [
    ['a kind that no game has', 60_000, bytes(0), UNKNOWN_ACTION.number],
    ['NaN', WALK, floats(Number.NaN, 1, 1), BAD_PAYLOAD.number],
    ['Infinity', WALK, floats(0, Number.POSITIVE_INFINITY, 1), BAD_PAYLOAD.number],
    ['-Infinity', WALK, floats(0, 1, Number.NEGATIVE_INFINITY), BAD_PAYLOAD.number],
    ['a payload too short', WALK, bytes(11), BAD_PAYLOAD.number],
    ['a payload too long', WALK, bytes(13), BAD_PAYLOAD.number],
    ['the longest payload', WALK, bytes(176), BAD_PAYLOAD.number],
    ['no payload', WALK, bytes(0), BAD_PAYLOAD.number],
    ['an id of 2^53', GATHER, gift(2 ** 53, 0, 0).subarray(0, 8), BAD_PAYLOAD.number],
    ['the largest id', GATHER, bytes(8, 255), BAD_PAYLOAD.number],
    ['an id of nobody', GATHER, gift(2 ** 53 - 1, 0, 0).subarray(0, 8), OUT_OF_REACH.number],
    ['faster than light', WALK, floats(0, 3e8, 1), 1000],
    ['backwards in time', WALK, floats(0, 1, -1), 1001],
    ['an empty word', SAY, bytes(0), BAD_PAYLOAD.number],
    ['half a character', SAY, Uint8Array.of(0xe2, 0x82), BAD_PAYLOAD.number],
    ['a lone surrogate', SAY, Uint8Array.of(0xed, 0xa0, 0x80), BAD_PAYLOAD.number],
  ];
  const server = await Server.start(t, ['--shards', '2']);
  const client = await RawClient.play(server.port);
  const give = client.writer.action(0, 1, GIVE, gift(client.welcome?.entity ?? 0, 0xffff, 0xffff)).slice();
  client.send(
    give,
    ...actions.map(([, kind, payload], i) => client.writer.action(0, i + 2, kind, payload).slice()),
  );
  await client.until('all are decided', () => client.applied === actions.length + 1);
  t.ok(client.rejected.has(1), 'a gift of nothing to oneself');
  for (const [i, [name, , , code]] of actions.entries()) t.equal(client.rejected.get(i + 2), code, name);
  t.match(await client.askLog(), { applied: 0, rejected: actions.length + 1 });
  client.destroy();
  await server.stop();
});

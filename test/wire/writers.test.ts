/** What the hand-laid writers write, read by the generated code and by the readers without garbage. */
import fc from 'fast-check';
import { ByteBuffer } from 'flatbuffers';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { CellFrameWriter } from '../../src/wire/cell-frame-writer.js';
import type { CellFrameView } from '../../src/wire/cell-frame-view.js';
import { FAULT } from '../../src/base/fault.js';
import * as server from '../../src/wire/generated/server_generated.js';
import { LogReplyWriter, type SelfState, SelfUpdateWriter } from '../../src/wire/self-update.js';
import type { SelfUpdateView } from '../../src/wire/self-update-view.js';
import { type LogFields, ServerMessageReader, type ServerSink } from '../../src/wire/server-message.js';
import { verifyServerMessage } from '../../src/wire/verify.js';
import { encodeClosing, encodePong, encodeWelcome } from '../../src/wire/welcome.js';
import { WELCOME } from './samples.js';

const u16 = () => fc.integer({ min: 0, max: 0xffff });
const i16 = () => fc.integer({ min: -0x8000, max: 0x7fff });
const u32 = () => fc.integer({ min: 0, max: 0xffffffff });
const id = () => fc.maxSafeNat();
const payload = () => fc.uint8Array({ maxLength: LIMITS.actionPayloadBytes });

const frames = fc.record({
  head: fc.tuple(u32(), u32(), u32(), u32(), u32(), fc.nat(84), u16(), u32()),
  closes: fc.array(u32(), { maxLength: 4 }),
  states: fc.array(fc.tuple(id(), u32(), u16(), u16(), i16(), i16(), u16(), u16(), u32(), u32()), {
    maxLength: 9,
  }),
  moves: fc.array(fc.tuple(id(), fc.nat(2047), u16(), u16(), i16(), i16()), { maxLength: 7 }),
  removals: fc.array(fc.tuple(id(), u32(), u32(), u32()), { maxLength: 5 }),
  events: fc.array(fc.tuple(id(), id(), u16(), u16(), u16(), payload()), { maxLength: 5 }),
});
type Frame = typeof frames extends fc.Arbitrary<infer T> ? T : never;

/** Everything a frame holds, as the generated code reads it. */
function generatedFrame(bytes: Uint8Array): Frame {
  const message = server.ServerMessage.getRootAsServerMessage(new ByteBuffer(bytes));
  const f = message.body(new server.CellFrame()) as server.CellFrame;
  const list = <T>(n: number, at: (i: number) => T) => Array.from({ length: n }, (_, i) => at(i));
  return {
    head: [f.cellX(), f.cellY(), f.publisher(), f.tick(), f.previous(), f.square(), f.interval(), f.taken()],
    closes: list(f.closesLength(), (i) => f.closes(i) as number),
    states: list(f.statesLength(), (i) => {
      const s = f.states(i) as server.EntityState;
      const place = [s.x(), s.y(), s.vx(), s.vy()] as const;
      return [Number(s.id()), s.epoch(), ...place, s.kind(), s.flags(), s.pub0(), s.pub1()];
    }),
    moves: list(f.movesLength(), (i) => {
      const m = f.moves(i) as server.EntityMove;
      const who = [Number(m.id() & (2n ** 53n - 1n)), Number(m.id() >> 53n)] as const;
      return [...who, m.x(), m.y(), m.vx(), m.vy()];
    }),
    removals: list(f.removalsLength(), (i) => {
      const r = f.removals(i) as server.Removal;
      return [Number(r.id()), r.epoch(), r.toX(), r.toY()];
    }),
    events: list(f.eventsLength(), (i) => {
      const e = f.events(i) as server.Event;
      const content = Uint8Array.from(e.payloadArray() ?? []);
      return [Number(e.id()), Number(e.source()), e.kind(), e.x(), e.y(), content];
    }),
  };
}

/** The same as CellFrameView reads it. */
function viewedFrame(v: CellFrameView): Frame {
  const list = <T>(n: number, at: (i: number) => T) => Array.from({ length: n }, (_, i) => at(i));
  return {
    head: [
      v.cellX,
      v.cellY,
      v.publisher,
      v.tick,
      v.previous,
      v.square,
      v.interval,
      v.taken === v.tick ? 0 : v.taken,
    ],
    closes: list(v.closeCount, (i) => v.close(i)),
    states: list(v.stateCount, (i) => {
      const place = [v.x(i), v.y(i), v.vx(i), v.vy(i)] as const;
      return [v.id(i), v.epoch(i), ...place, v.kind(i), v.flags(i), v.pub0(i), v.pub1(i)];
    }),
    moves: list(v.moveCount, (i) => {
      const place = [v.moveX(i), v.moveY(i), v.moveVx(i), v.moveVy(i)] as const;
      return [v.moveId(i), v.moveEpoch(i), ...place];
    }),
    removals: list(v.removalCount, (i) => [v.removalId(i), v.removalEpoch(i), v.removalX(i), v.removalY(i)]),
    events: list(v.eventCount, (i) => {
      const at = v.eventPayload(i);
      const content = Uint8Array.from(v.bytes.subarray(at, at + v.eventPayloadLength(i)));
      return [v.eventId(i), v.eventSource(i), v.eventKind(i), v.eventX(i), v.eventY(i), content];
    }),
  };
}

function write(w: CellFrameWriter, f: Frame): number {
  w.begin(...f.head);
  for (const publisher of f.closes) w.close(publisher);
  for (const state of f.states) w.state(...state);
  for (const move of f.moves) w.move(...move);
  for (const removal of f.removals) w.removal(...removal);
  for (const [who, source, kind, x, y, bytes] of f.events) {
    // from the middle of a larger buffer, as the shard passes it
    const around = new Uint8Array(bytes.length + 8).fill(0xee);
    around.set(bytes, 3);
    w.event(who, source, kind, x, y, around, 3, bytes.length);
  }
  return w.finish();
}

/** Collects the last message of each type. */
class Heard implements ServerSink {
  readonly heard: Record<string, unknown> = {};
  constructor(readonly took: (frame: CellFrameView) => unknown = viewedFrame) {}
  welcome = (w: unknown) => void (this.heard.welcome = w);
  cellFrame = (f: CellFrameView) => void (this.heard.frame = this.took(f));
  selfUpdate = (s: SelfUpdateView) => void (this.heard.self = viewedSelf(s));
  logReply = (l: LogFields) => void (this.heard.log = l);
  pong = (nonce: number, tick: number, heldMs: number) => void (this.heard.pong = [nonce, tick, heldMs]);
  closing = (c: unknown) => void (this.heard.closing = c);
}

t.test('a cell frame is read back as it was written', async (t) => {
  const writer = new CellFrameWriter(8192);
  const reader = new ServerMessageReader();
  const sink = new Heard();
  fc.assert(
    fc.property(frames, (frame) => {
      const bytes = writer.bytes.subarray(0, write(writer, frame));
      t.equal(verifyServerMessage(bytes), FAULT.OK);
      t.same(generatedFrame(bytes), frame);
      t.equal(reader.read(bytes, sink), FAULT.OK);
      t.same(sink.heard.frame, frame);
    }),
    { numRuns: 300, seed: 1 },
  );
});

t.test('a reused writer says the same as a fresh one', async (t) => {
  const used = new CellFrameWriter(8192);
  used.bytes.fill(0xff, 100); // what another frame may have left behind
  fc.assert(
    fc.property(frames, (frame) => {
      const fresh = new CellFrameWriter(8192);
      const n = write(fresh, frame);
      t.equal(write(used, frame), n);
      t.same(used.bytes.subarray(0, n), fresh.bytes.subarray(0, n));
    }),
    { numRuns: 100, seed: 2 },
  );
});

t.test('a frame leaves out and counts what does not fit, and stays whole', async (t) => {
  for (let size = 512; size <= 640; size += 8) {
    const w = new CellFrameWriter(size);
    w.begin(1, 2, 3, 4, 0);
    let fitting = 0;
    while (!w.full) {
      w.state(fitting++, 1, 2, 3, 4, 5, 6, 7, 8, 9);
      t.equal(w.states, fitting, 'while it is not full everything fits');
    }
    w.state(99, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    w.removal(99, 1, 2, 3);
    w.event(99, 1, 2, 3, 4, new Uint8Array(176), 0, 176);
    t.same([w.states, w.removals, w.events, w.dropped], [fitting, 0, 0, 3]);
    t.equal(verifyServerMessage(w.view(w.finish())), FAULT.OK);
  }
  const events = new CellFrameWriter(4096);
  events.begin(1, 2, 3, 4, 0);
  for (let i = 0; i < 200; i++) events.event(i, 1, 2, 3, 4, new Uint8Array(176), 0, i % 177);
  t.equal(events.events + events.dropped, 200);
  t.ok(events.events > 10 && events.dropped > 0);
  const bytes = events.view(events.finish());
  t.equal(verifyServerMessage(bytes), FAULT.OK);
  t.equal(generatedFrame(bytes).events.length, events.events);
});

t.test('the parts of a frame come in order, and payloads are bounded', async (t) => {
  const w = new CellFrameWriter(4096);
  w.begin(1, 2, 3, 4, 0);
  w.removal(1, 2, 3, 4);
  t.throws(() => w.state(1, 2, 3, 4, 5, 6, 7, 8, 9, 10), /in this order/);
  t.throws(() => w.event(1, 2, 3, 4, 5, new Uint8Array(177), 0, 177), /I7/);
  w.event(1, 2, 3, 4, 5, new Uint8Array(176), 0, 176);
  t.equal(w.events, 1);
});

function viewedSelf(s: SelfUpdateView) {
  return {
    tick: s.tick,
    epoch: s.epoch,
    x: s.x,
    y: s.y,
    vx: s.vx,
    vy: s.vy,
    applied: s.applied,
    durable: s.durable,
    dilation: s.dilation,
    outcomes: Array.from({ length: s.outcomeCount }, (_, i) => [s.outcomeId(i), s.outcomeCode(i)]),
    items: s.hasItems ? Array.from({ length: s.itemCount }, (_, i) => s.item(i)) : [],
  };
}

function generatedSelf(bytes: Uint8Array) {
  const message = server.ServerMessage.getRootAsServerMessage(new ByteBuffer(bytes));
  const s = message.body(new server.SelfUpdate()) as server.SelfUpdate;
  return {
    tick: s.tick(),
    epoch: s.epoch(),
    x: s.x(),
    y: s.y(),
    vx: s.vx(),
    vy: s.vy(),
    applied: s.applied(),
    durable: s.durable(),
    dilation: s.dilation(),
    outcomes: Array.from({ length: s.outcomesLength() }, (_, i) => [
      s.outcomes(i)?.id(),
      s.outcomes(i)?.code(),
    ]),
    items: Array.from({ length: s.itemsLength() }, (_, i) => s.items(i)),
  };
}

const float = () => fc.float({ noNaN: true, noDefaultInfinity: true }).filter((v) => !Object.is(v, -0));
const double = () => fc.double({ noNaN: true, noDefaultInfinity: true }).filter((v) => !Object.is(v, -0));
const selves = fc.record({
  tick: u32(),
  epoch: u32(),
  x: double(),
  y: double(),
  vx: float(),
  vy: float(),
  applied: u32(),
  durable: u32(),
  dilation: float(),
  outcomes: fc.array(fc.tuple(u32(), u16()), { maxLength: LIMITS.inboxPlaces, size: 'max' }),
  items: fc.array(u32(), { maxLength: LIMITS.itemKinds }),
});

t.test('a self update is written into shared memory at any place and read back', async (t) => {
  const writer = new SelfUpdateWriter();
  const reader = new ServerMessageReader();
  const sink = new Heard();
  const rings = [0, 1].map(() => new Uint8Array(new SharedArrayBuffer(2048), 8));
  fc.assert(
    fc.property(selves, fc.nat(1000), fc.nat(1), (self, offset, ring) => {
      const { outcomes, items, ...rest } = self;
      const state: SelfState = {
        ...rest,
        outcomeIds: Uint32Array.from(outcomes, (o) => o[0]),
        outcomeCodes: Uint32Array.from(outcomes, (o) => o[1]),
        outcomeCount: outcomes.length,
        items: Uint32Array.from(items),
        itemCount: items.length,
      };
      const out = rings[ring].fill(0xaa);
      const n = writer.encode(out, offset, state);
      t.ok(n <= writer.maxBytes);
      t.ok(
        out.subarray(0, offset).every((b) => b === 0xaa) && out.subarray(offset + n).every((b) => b === 0xaa),
      );
      const bytes = out.slice(offset, offset + n);
      t.equal(verifyServerMessage(bytes), FAULT.OK);
      t.same(generatedSelf(bytes), self);
      t.equal(reader.read(out.subarray(offset, offset + n), sink), FAULT.OK);
      t.same(sink.heard.self, self);
    }),
    { numRuns: 200, seed: 3 },
  );
});

t.test('a log reply is written into shared memory at any place and read back', async (t) => {
  const writer = new LogReplyWriter();
  const reader = new ServerMessageReader();
  const sink = new Heard();
  const out = new Uint8Array(new SharedArrayBuffer(1024));
  fc.assert(
    fc.property(fc.tuple(id(), u32(), u32(), u32(), u32()), fc.nat(900), (log, offset) => {
      const n = writer.encode(out, offset, ...log);
      t.equal(n, writer.maxBytes);
      const bytes = out.slice(offset, offset + n);
      t.equal(reader.read(bytes, sink), FAULT.OK);
      const [session, lastAction, applied, rejected, hash] = log;
      t.same(sink.heard.log, { session, lastAction, applied, rejected, hash });
      const message = server.ServerMessage.getRootAsServerMessage(new ByteBuffer(bytes));
      const reply = message.body(new server.LogReply()) as server.LogReply;
      t.same([Number(reply.session()), reply.lastAction(), reply.hash()], [session, lastAction, hash]);
    }),
    { numRuns: 100, seed: 4 },
  );
});

t.test('welcome, pong and closing are read back as they were written', async (t) => {
  const reader = new ServerMessageReader();
  const sink = new Heard();
  t.equal(reader.read(encodeWelcome(WELCOME), sink), FAULT.OK);
  t.equal(reader.read(encodePong(0xffffffff, 8, 0xfffe), sink), FAULT.OK);
  t.equal(reader.read(encodeClosing(4009, 'TOO_SLOW', 'words', true), sink), FAULT.OK);
  t.same(sink.heard.welcome, WELCOME);
  t.same(sink.heard.pong, [0xffffffff, 8, 0xfffe]);
  t.same(sink.heard.closing, { code: 4009, name: 'TOO_SLOW', text: 'words', retry: true });
  const silent = new Heard();
  t.equal(reader.read(new Uint8Array(3), silent), FAULT.TOO_SHORT);
  t.same(silent.heard, {}, 'a refused message reaches no sink');
});

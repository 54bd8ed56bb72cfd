/**
 * What checking untrusted bytes costs: each type of message through the verifier, beside the bare reading of the same
 * fields without any check (the floor), alternating in the same run; and what writing a state costs.
 */
import { monotonicClock } from '../src/base/clock.js';
import { fieldAt, follow } from '../src/wire/bytes.js';
import { CellFrameView } from '../src/wire/cell-frame-view.js';
import { CellFrameWriter } from '../src/wire/cell-frame-writer.js';
import { ClientMessageView, readClientMessage } from '../src/wire/client-message.js';
import { ClientWriter } from '../src/wire/client-writer.js';
import { SelfUpdateView } from '../src/wire/self-update-view.js';
import { type SelfState, SelfUpdateWriter } from '../src/wire/self-update.js';
import { verifyClientMessage, verifyServerMessage } from '../src/wire/verify.js';

export const name = 'verify';
export const describe = 'Microseconds to verify a message, beside the bare reading of the same fields.';

const PAIRS = 9;
const ROUND_MS = 15;
const STATES = 80;

interface Case {
  message: string;
  bytes: Uint8Array;
  verify(bytes: Uint8Array): number;
  read(bytes: Uint8Array): number;
}

const clock = monotonicClock();
/** What the loops compute ends here, so that none of them can be left out. */
const sink = new Float64Array(1);

/** Microseconds per call, over at least ROUND_MS. */
function time(run: () => number): number {
  let calls = 0;
  let sum = 0;
  const start = clock.now();
  let end = start;
  while (end - start < ROUND_MS) {
    for (let i = 0; i < 500; i++) sum += run();
    calls += 500;
    end = clock.now();
  }
  sink[0] += sum;
  return ((end - start) * 1000) / calls;
}

function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

const rounded = (n: number) => Math.round(n * 10_000) / 10_000;

function measure(c: Case): Record<string, unknown> {
  const verify: number[] = [];
  const read: number[] = [];
  for (let pair = 0; pair < PAIRS + 2; pair++) {
    const v = time(() => c.verify(c.bytes));
    const r = time(() => c.read(c.bytes));
    if (pair < 2) continue; // warm
    verify.push(v);
    read.push(r);
  }
  const [us, floorUs] = [median(verify), median(read)];
  return {
    message: c.message,
    bytes: c.bytes.length,
    verifyUs: rounded(us),
    floorUs: rounded(floorUs),
    ratio: Math.round((us / floorUs) * 100) / 100,
  };
}

function clientCases(): Case[] {
  const writer = new ClientWriter();
  const view = new ClientMessageView();
  const hello = { protocol: 2, client: 'bench/1', ticket: 'x'.repeat(300), spawn: { x: 1, y: 2 } };
  const cells = Array.from({ length: 18 }, (_, i) => i);
  const messages = {
    action: writer.action(1000, 42, 1, new Uint8Array(12)).slice(),
    ping: writer.ping(1000, 7).slice(),
    'key request, 9 cells': writer.keyRequest(1000, cells).slice(),
    'hello (its reading allocates)': writer.hello(0, hello).slice(),
    goodbye: writer.goodbye(1000).slice(),
  };
  const read = (bytes: Uint8Array) => readClientMessage(bytes, view) + view.actionId + view.nonce;
  return Object.entries(messages).map(([message, bytes]) => ({
    message,
    bytes,
    verify: verifyClientMessage,
    read,
  }));
}

const body = (bytes: Uint8Array) => follow(bytes, fieldAt(bytes, follow(bytes, 0), 6));

function readFrame(view: CellFrameView, bytes: Uint8Array): number {
  view.open(bytes, body(bytes));
  let sum = view.cellX + view.tick;
  for (let i = 0; i < view.stateCount; i++) {
    sum +=
      view.id(i) +
      view.epoch(i) +
      view.x(i) +
      view.y(i) +
      view.vx(i) +
      view.vy(i) +
      view.kind(i) +
      view.pub0(i);
  }
  for (let i = 0; i < view.eventCount; i++) sum += view.eventId(i) + view.eventPayloadLength(i);
  return sum;
}

function writeFrame(writer: CellFrameWriter, states: number, events: number, payload: Uint8Array): number {
  writer.begin(1, 2, 3, 4, 0);
  for (let i = 0; i < states; i++) writer.state(5000 + i, 1, i, i, -i, i, 0, 0, i, i);
  for (let i = 0; i < events; i++) writer.event(9000 + i, 5000, 1, 2, 3, payload, 0, payload.length);
  return writer.finish();
}

function selfState(): SelfState {
  const numbers = { tick: 9, epoch: 2, x: 1.5, y: 2.5, vx: 1, vy: 2, applied: 12, durable: 11, dilation: 1 };
  const outcomes = { outcomeIds: Uint32Array.of(12), outcomeCodes: Uint32Array.of(4), outcomeCount: 1 };
  return { ...numbers, ...outcomes, items: new Uint32Array(4), itemCount: 4 };
}

function serverCases(): Case[] {
  const payload = new Uint8Array(24);
  const frame = (states: number, events: number) => {
    const writer = new CellFrameWriter(65_536);
    return writer.bytes.slice(0, writeFrame(writer, states, events, payload));
  };
  const view = new CellFrameView();
  const self = new SelfUpdateView();
  const selfBytes = new Uint8Array(1024);
  const length = new SelfUpdateWriter().encode(selfBytes, 0, selfState());
  const verify = verifyServerMessage;
  const read = (bytes: Uint8Array) => readFrame(view, bytes);
  const readSelf = (bytes: Uint8Array) => {
    const s = self.open(bytes, body(bytes));
    return s.x + s.y + s.applied + s.outcomeCode(0) + s.item(3);
  };
  return [
    { message: 'cell frame, 8 states', bytes: frame(8, 0), verify, read },
    { message: `cell frame, ${STATES} states`, bytes: frame(STATES, 0), verify, read },
    { message: `cell frame, ${STATES} states, 10 events`, bytes: frame(STATES, 10), verify, read },
    { message: 'self update', bytes: selfBytes.slice(0, length), verify, read: readSelf },
  ];
}

/** Nanoseconds a state, an event, and a self update. */
function writers(): Record<string, number> {
  const writer = new CellFrameWriter(65_536);
  const payload = new Uint8Array(24);
  const self = new SelfUpdateWriter();
  const state = selfState();
  const ring = new Uint8Array(new SharedArrayBuffer(4096));
  const client = new ClientWriter();
  const walk = new Uint8Array(12);
  const ns = (run: () => number) =>
    Math.round(median(Array.from({ length: PAIRS }, () => time(run))) * 10_000) / 10;
  return {
    stateNs: Math.round((ns(() => writeFrame(writer, STATES, 0, payload)) / STATES) * 10) / 10,
    eventNs: Math.round((ns(() => writeFrame(writer, 0, STATES, payload)) / STATES) * 10) / 10,
    emptyFrameNs: ns(() => writeFrame(writer, 0, 0, payload)),
    selfUpdateNs: ns(() => self.encode(ring, 64, state)),
    actionNs: ns(() => client.action(1000, 42, 1, walk).length),
  };
}

/** @returns `verify {rows: [{message, bytes, verifyUs, floorUs, ratio}], writers}` */
export async function run(): Promise<Record<string, unknown>> {
  const rows = [...clientCases(), ...serverCases()].map(measure);
  return { verify: { rows, writers: writers() }, pairs: PAIRS, roundMs: ROUND_MS };
}

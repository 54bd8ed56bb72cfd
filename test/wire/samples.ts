/**
 * A message of every type, laid out both ways: by BlueMarble's own writers and by the generated code, which is how
 * clients in other languages build them. Exact-sized copies.
 */
import { Builder } from 'flatbuffers';
import { CellFrameWriter } from '../../src/wire/cell-frame-writer.js';
import { ClientWriter } from '../../src/wire/client-writer.js';
import * as client from '../../src/wire/generated/client_generated.js';
import * as server from '../../src/wire/generated/server_generated.js';
import { GONE } from '../../src/wire/protocol.js';
import { LogReplyWriter, type SelfState, SelfUpdateWriter } from '../../src/wire/self-update.js';
import { encodeClosing, encodePong, encodeWelcome, type WelcomeFields } from '../../src/wire/welcome.js';

export const BIG_ID = 2 ** 53 - 1;

export interface Sample {
  name: string;
  bytes: Uint8Array;
}

const text = (s: string) => new TextEncoder().encode(s);

function builtClientMessage(type: client.ClientBody, body: (b: Builder) => number): Uint8Array {
  const b = new Builder(64);
  b.finish(client.ClientMessage.createClientMessage(b, 77, type, body(b), 0));
  return b.asUint8Array().slice();
}

export function clientSamples(): Sample[] {
  const w = new ClientWriter();
  const hello = {
    protocol: 2,
    client: 'sample 1.0 ✓',
    ticket: 'ticket',
    resumeSession: BIG_ID,
    resumeEntity: 4096,
    resumeToken: 'token',
    spawn: { x: 1.5, y: -2.5 },
  };
  return [
    { name: 'hello', bytes: w.hello(0, hello).slice() },
    { name: 'short hello', bytes: w.hello(0, { protocol: 2 }).slice() },
    { name: 'action', bytes: w.action(9, 1, 6, text('good morning')).slice() },
    { name: 'action without payload', bytes: w.action(9, 2, 4, new Uint8Array(0)).slice() },
    { name: 'ping', bytes: w.ping(0xffffffff, 0xfffffffe).slice() },
    { name: 'key request', bytes: w.keyRequest(9, [1, 2, 0, 3, 4, 84, 262143, 131071, 5]).slice() },
    { name: 'log request', bytes: w.logRequest(9).slice() },
    { name: 'goodbye', bytes: w.goodbye(9).slice() },
    {
      name: 'built action',
      bytes: builtClientMessage(client.ClientBody.Action, (b) =>
        client.Action.createAction(b, 5, 1, client.Action.createPayloadVector(b, [1, 2, 3, 4, 5])),
      ),
    },
    {
      name: 'built ping',
      bytes: builtClientMessage(client.ClientBody.Ping, (b) => client.Ping.createPing(b, 12345)),
    },
    {
      name: 'built key request',
      bytes: builtClientMessage(client.ClientBody.KeyRequest, (b) => {
        client.KeyRequest.startCellsVector(b, 2);
        client.CellRef.createCellRef(b, 3, 4, 84);
        client.CellRef.createCellRef(b, 1, 2, 0);
        return client.KeyRequest.createKeyRequest(b, b.endVector());
      }),
    },
  ];
}

export const WELCOME: WelcomeFields = {
  protocol: 2,
  session: BIG_ID,
  entity: 4097,
  token: 'a token',
  resumed: true,
  applied: 7,
  durable: 6,
  window: 60,
  tick: 1234,
  tickRate: 20,
  frameRate: 10,
  viewCells: 3,
  farCells: 7,
  farIntervals: [10, 40],
  routers: ['wss://two.example:7777'],
  cellLevel: 17,
  tileLevel: 11,
  x: -1234.5,
  y: 99.25,
  game: 'a game',
  actions: [
    { name: 'walk', kind: 1 },
    { name: 'say', kind: 6 },
  ],
  kinds: ['player', 'creature'],
  items: ['wood', 'stone', 'größe'],
  columns: [{ name: 'health', type: 'u8', offset: 4 }],
  events: [{ name: 'speech', kind: 1 }],
};

export function selfState(): SelfState {
  return {
    tick: 10,
    epoch: 3,
    x: 1e6 + 0.25,
    y: -5.5,
    vx: 1.5,
    vy: -0.5,
    applied: 12,
    durable: 11,
    dilation: 0.5,
    outcomeIds: Uint32Array.of(11, 12),
    outcomeCodes: Uint32Array.of(4, 1000),
    outcomeCount: 2,
    items: Uint32Array.of(1, 0, 0xffffffff),
    itemCount: 3,
  };
}

/** A frame with some of everything. */
export function sampleFrame(): Uint8Array {
  const w = new CellFrameWriter(4096);
  w.begin(100, 200, 3, 50, 48, 84, 40, 51);
  w.close(1);
  w.close(2);
  w.close(4);
  for (let i = 0; i < 5; i++) w.state(BIG_ID - i, 9, 65535, i, -600, 600, 1, i, 0xffffffff, i);
  for (let i = 0; i < 3; i++) w.move(BIG_ID - i, 0xffffffff - i, 65535, i, -600, 600);
  w.removal(BIG_ID, 10, 101, 200);
  w.removal(7, 10, GONE, GONE);
  w.event(BIG_ID, 7, 1, 5, 6, text('hello there'), 0, 11);
  w.event(8, 0, 2, 5, 6, text(''), 0, 0);
  w.event(9, 1, 3, 5, 6, text('12345678'), 2, 4);
  return w.bytes.slice(0, w.finish());
}

function builtFrame(): Uint8Array {
  const b = new Builder(64);
  const payload = server.Event.createPayloadVector(b, [1, 2, 3]);
  const event = server.Event.createEvent(b, 5n, 6n, 7, 8, 9, payload);
  const events = server.CellFrame.createEventsVector(b, [event]);
  server.CellFrame.startStatesVector(b, 1);
  server.EntityState.createEntityState(b, 1n, 2, 3, 4, 5, 6, 7, 8, 9, 10);
  const states = b.endVector();
  const frame = server.CellFrame.createCellFrame(b, 1, 2, 3, 4, 0, 0, states, 0, events, 7, 0, 40, 5);
  b.finish(server.ServerMessage.createServerMessage(b, server.ServerBody.CellFrame, frame));
  return b.asUint8Array().slice();
}

export function serverSamples(): Sample[] {
  const out = new Uint8Array(1024);
  const self = new SelfUpdateWriter();
  const log = new LogReplyWriter();
  const bare = { ...selfState(), outcomeCount: 0, itemCount: 0 };
  return [
    { name: 'welcome', bytes: encodeWelcome(WELCOME).slice() },
    { name: 'cell frame', bytes: sampleFrame() },
    { name: 'built cell frame', bytes: builtFrame() },
    { name: 'self update', bytes: out.slice(0, self.encode(out, 0, selfState())) },
    { name: 'bare self update', bytes: out.slice(0, self.encode(out, 0, bare)) },
    { name: 'log reply', bytes: out.slice(0, log.encode(out, 0, BIG_ID, 12, 10, 2, 0xdeadbeef)) },
    { name: 'pong', bytes: encodePong(5, 6).slice() },
    { name: 'closing', bytes: encodeClosing(4009, 'TOO_SLOW', 'a sentence', true).slice() },
  ];
}

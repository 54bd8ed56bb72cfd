/** The hot paths of the wire allocate nothing: a property of the product, so it is a test. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import t from 'tap';
import { CellFrameWriter } from '../../src/wire/cell-frame-writer.js';
import type { CellFrameView } from '../../src/wire/cell-frame-view.js';
import { admitClientMessage, ClientMessageView } from '../../src/wire/client-message.js';
import { SelfUpdateWriter } from '../../src/wire/self-update.js';
import { ServerMessageReader, type ServerSink } from '../../src/wire/server-message.js';
import { ClientWriter } from '../../src/wire/client-writer.js';
import { encodePong } from '../../src/wire/welcome.js';
import { selfState } from './samples.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Bytes of heap that one call leaves behind, after warming up. */
function bytesPerCall(run: (i: number) => void): number {
  const calls = 20_000;
  for (let i = 0; i < calls; i++) run(i);
  let least = Number.POSITIVE_INFINITY;
  // the smallest of three: compilation and the runner's own objects come on top now and then
  for (let round = 0; round < 3; round++) {
    collect();
    const before = process.memoryUsage().heapUsed;
    for (let i = 0; i < calls; i++) run(i);
    least = Math.min(least, (process.memoryUsage().heapUsed - before) / calls);
  }
  return least;
}

/** What allocates at all allocates at least 12 bytes a call. */
const NOTHING = 2;

t.test('the measure sees an allocation', async (t) => {
  let kept: object = {};
  t.ok(bytesPerCall((i) => void (kept = { i })) > NOTHING);
  t.ok(kept);
});

t.test('admitting a client message leaves no garbage', async (t) => {
  const view = new ClientMessageView();
  const writer = new ClientWriter();
  const messages = {
    action: writer.action(1e6, 123_456, 1, new Uint8Array(12)).slice(),
    ping: writer.ping(1e6, 123_456).slice(),
    keyRequest: writer.keyRequest(1e6, [1, 2, 0, 3, 4, 5]).slice(),
    goodbye: writer.goodbye(1e6).slice(),
  };
  for (const [name, bytes] of Object.entries(messages)) {
    const cost = bytesPerCall(() => void admitClientMessage(bytes, view));
    t.ok(cost < NOTHING, `${name}: ${cost} bytes`);
  }
});

t.test('writing frames and self updates leaves no garbage', async (t) => {
  const frame = new CellFrameWriter(4096);
  const payload = new Uint8Array(16);
  const cost = bytesPerCall((i) => {
    frame.begin(1, 2, 3, i, i - 1);
    for (let k = 0; k < 8; k++) frame.state(2 ** 40 + k, 1, k, k, -k, k, 1, 0, 0xffffffff, k);
    frame.removal(2 ** 40 + 9, 1, 0xffffffff, 0xffffffff);
    frame.event(2 ** 41, 2 ** 40, 1, 2, 3, payload, 0, 16);
    frame.finish();
  });
  t.ok(cost < NOTHING, `frame: ${cost} bytes`);
  const self = new SelfUpdateWriter();
  const state = selfState();
  const ring = new Uint8Array(new SharedArrayBuffer(4096));
  const selfCost = bytesPerCall(() => void self.encode(ring, 64, state));
  t.ok(selfCost < NOTHING, `self update: ${selfCost} bytes`);
});

t.test('reading frames and self updates leaves no garbage', async (t) => {
  const sum = new Float64Array(1); // a number outside of an array would itself be boxed
  const sink: ServerSink = {
    welcome() {},
    cellFrame(f: CellFrameView) {
      for (let i = 0; i < f.stateCount; i++) sum[0] = (sum[0] + f.id(i) + f.x(i) + f.pub0(i)) % 1000;
      for (let i = 0; i < f.removalCount; i++) sum[0] = (sum[0] + f.removalId(i)) % 1000;
      for (let i = 0; i < f.eventCount; i++) sum[0] = (sum[0] + f.eventPayloadLength(i)) % 1000;
    },
    selfUpdate(s) {
      sum[0] = (sum[0] + s.x + s.applied) % 1000;
    },
    logReply() {},
    pong() {},
    closing() {},
  };
  const reader = new ServerMessageReader();
  const frame = new CellFrameWriter(4096);
  frame.begin(262_143, 131_071, 3, 1e6, 999_998);
  for (let i = 0; i < 20; i++) frame.state(1e6 + i, 2, 65_535 - i, i, -i, i, 1, 0, i, 0);
  frame.removal(2e6, 1, 3, 4);
  frame.event(1e7, 1e6, 1, 2, 3, new Uint8Array(8), 0, 8);
  const messages = {
    frame: frame.view(frame.finish()),
    self: new Uint8Array(1024),
    pong: encodePong(1, 1e6),
  };
  messages.self = messages.self.subarray(0, new SelfUpdateWriter().encode(messages.self, 0, selfState()));
  for (const [name, bytes] of Object.entries(messages)) {
    const cost = bytesPerCall(() => void reader.read(bytes, sink));
    t.ok(cost < NOTHING, `${name}: ${cost} bytes`);
  }
  t.ok(Number.isFinite(sum[0]));
});

/** What clients write, what BlueMarble reads of it, and which values it refuses. */
import fc from 'fast-check';
import { Builder, ByteBuffer } from 'flatbuffers';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { HALF_WIDTH, QUARTER_WIDTH } from '../../src/geo/world.js';
import { isUtf8 } from '../../src/wire/bytes.js';
import { admitClientMessage, ClientMessageView } from '../../src/wire/client-message.js';
import { ClientWriter, type HelloWords } from '../../src/wire/client-writer.js';
import { FAULT } from '../../src/base/fault.js';
import * as client from '../../src/wire/generated/client_generated.js';
import { CLIENT, CLIENT_LIMITS, LARGEST_ACTION_KIND } from '../../src/wire/protocol.js';
import { verifyClientMessage } from '../../src/wire/verify.js';

const u32 = () => fc.integer({ min: 0, max: 0xffffffff });

function generated(bytes: Uint8Array): client.ClientMessage {
  return client.ClientMessage.getRootAsClientMessage(new ByteBuffer(bytes));
}

t.test('an action is read back as it was written, by both readers', async (t) => {
  const writer = new ClientWriter();
  const view = new ClientMessageView();
  const ids = fc.integer({ min: 1, max: 0xffffffff });
  const kinds = fc.integer({ min: 1, max: LARGEST_ACTION_KIND });
  const payloads = fc.uint8Array({ maxLength: LIMITS.actionPayloadBytes, size: 'max' });
  fc.assert(
    fc.property(u32(), ids, kinds, payloads, fc.nat(3), (tick, id, kind, payload, used) => {
      // another message may have stood in the scratch before
      if (used === 0) writer.ping(5, 6);
      if (used === 1) writer.keyRequest(5, [1, 2, 0, 3, 4, 7]);
      const bytes = writer.action(tick, id, kind, payload);
      t.equal(admitClientMessage(bytes, view), FAULT.OK);
      t.match(view, { type: CLIENT.ACTION, newestTick: tick, actionId: id, actionKind: kind });
      t.same(bytes.slice(view.payloadOffset, view.payloadOffset + view.payloadLength), payload);
      const message = generated(bytes);
      const action = message.body(new client.Action()) as client.Action;
      t.same([message.newestTick(), action.id(), action.kind()], [tick, id, kind]);
      t.same(Uint8Array.from(action.payloadArray() ?? []), payload);
    }),
    { numRuns: 200, seed: 1 },
  );
});

t.test('a slice of a larger payload buffer can be sent', async (t) => {
  const view = new ClientMessageView();
  const bytes = new ClientWriter().action(1, 2, 3, Uint8Array.of(9, 8, 7, 6, 5), 1, 3);
  t.equal(admitClientMessage(bytes, view), FAULT.OK);
  t.same([...bytes.subarray(view.payloadOffset, view.payloadOffset + view.payloadLength)], [8, 7, 6]);
});

t.test('the small messages are read back as they were written', async (t) => {
  const writer = new ClientWriter();
  const view = new ClientMessageView();
  const cells = fc.array(fc.tuple(fc.nat(262143), fc.nat(131071), fc.nat(84)), {
    minLength: 1,
    maxLength: 64,
  });
  fc.assert(
    fc.property(u32(), u32(), cells, (tick, nonce, refs) => {
      t.equal(admitClientMessage(writer.ping(tick, nonce), view), FAULT.OK);
      t.match(view, { type: CLIENT.PING, newestTick: tick, nonce });
      const bytes = writer.keyRequest(tick, refs.flat());
      t.equal(admitClientMessage(bytes, view), FAULT.OK);
      t.match(view, { type: CLIENT.KEY_REQUEST, cellCount: refs.length });
      t.same([...view.cells.subarray(0, 3 * view.cellCount)], refs.flat());
      const request = generated(bytes).body(new client.KeyRequest()) as client.KeyRequest;
      t.equal(request.cellsLength(), refs.length);
      t.equal(admitClientMessage(writer.logRequest(tick), view), FAULT.OK);
      t.match(view, { type: CLIENT.LOG_REQUEST, newestTick: tick });
      t.equal(admitClientMessage(writer.goodbye(tick), view), FAULT.OK);
      t.match(view, { type: CLIENT.GOODBYE, newestTick: tick });
    }),
    { numRuns: 100, seed: 2 },
  );
});

t.test('every message tells how many Welcomes its writer had read', async (t) => {
  const writer = new ClientWriter();
  const view = new ClientMessageView();
  for (const welcomes of [0, 1, 255, 0]) {
    writer.welcomes = welcomes;
    for (const bytes of [
      writer.action(7, 1, 2, Uint8Array.of(3)),
      writer.ping(7, 1),
      writer.keyRequest(7, [1, 2, 0]),
      writer.logRequest(7),
      writer.goodbye(7),
    ]) {
      t.equal(admitClientMessage(bytes, view), FAULT.OK);
      t.match(view, { newestTick: 7, welcomes });
      t.same([generated(bytes).welcomes(), generated(bytes).bodyType()], [welcomes, view.type]);
    }
  }
});

t.test('a hello is read back as it was written', async (t) => {
  const writer = new ClientWriter();
  const view = new ClientMessageView();
  const words = (bytes: number) => fc.string({ unit: 'grapheme', maxLength: bytes / 8 });
  const x = fc.double({ min: -HALF_WIDTH, max: HALF_WIDTH, noNaN: true });
  const y = fc.double({ min: -QUARTER_WIDTH, max: QUARTER_WIDTH, noNaN: true });
  const hellos = fc.record({
    protocol: u32(),
    client: words(64),
    ticket: words(256),
    resumeSession: fc.maxSafeNat(),
    resumeEntity: fc.maxSafeNat(),
    resumeToken: words(128),
    resumeDurable: u32(),
    attempt: u32(),
    spawn: fc.option(fc.record({ x, y }), { nil: undefined }),
  });
  fc.assert(
    fc.property(hellos, (hello) => {
      fc.pre(new TextEncoder().encode(hello.client).length <= CLIENT_LIMITS.clientNameBytes);
      fc.pre(new TextEncoder().encode(hello.resumeToken).length <= CLIENT_LIMITS.resumeTokenBytes);
      t.equal(admitClientMessage(writer.hello(0, hello), view), FAULT.OK);
      t.same(view.hello, hello);
    }),
    { numRuns: 200, seed: 3 },
  );
});

/** The fault of a hello with these words. */
function greet(words: Partial<HelloWords>): number {
  const view = new ClientMessageView();
  const fault = admitClientMessage(new ClientWriter().hello(0, { protocol: 2, ...words }), view);
  if (fault !== 0 && view.hello !== undefined) throw new Error('a refused hello was shown');
  return fault;
}

t.test('values that no number of the world can have are refused', async (t) => {
  for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
    t.equal(greet({ spawn: { x: bad, y: 0 } }), FAULT.NOT_FINITE);
    t.equal(greet({ spawn: { x: 0, y: bad } }), FAULT.NOT_FINITE);
  }
  t.equal(greet({ spawn: { x: 1e308, y: 0 } }), FAULT.OUT_OF_RANGE);
  t.equal(greet({ spawn: { x: HALF_WIDTH, y: -QUARTER_WIDTH } }), FAULT.OK);
  t.equal(greet({ spawn: { x: HALF_WIDTH + 1e-6, y: 0 } }), FAULT.OUT_OF_RANGE);
  t.equal(greet({ spawn: { x: 0, y: QUARTER_WIDTH + 1e-6 } }), FAULT.OUT_OF_RANGE);
  t.equal(greet({ resumeSession: 2 ** 53 - 1 }), FAULT.OK);
  t.equal(greet({ resumeSession: 2 ** 53 }), FAULT.ID_RANGE);
  t.equal(greet({ resumeEntity: 2 ** 63 }), FAULT.ID_RANGE);
});

t.test('texts are held at their limits', async (t) => {
  for (const [name, limit] of [
    ['client', CLIENT_LIMITS.clientNameBytes],
    ['resumeToken', CLIENT_LIMITS.resumeTokenBytes],
  ] as const) {
    t.equal(greet({ [name]: 'x'.repeat(limit - 1) }), FAULT.OK);
    t.equal(greet({ [name]: 'x'.repeat(limit) }), FAULT.OK);
    t.equal(greet({ [name]: 'x'.repeat(limit + 1) }), FAULT.LENGTH);
    t.equal(greet({ [name]: `${'x'.repeat(limit - 1)}é` }), FAULT.LENGTH, 'counted in bytes');
  }
  t.equal(greet({ ticket: 'x'.repeat(900) }), FAULT.OK);
  t.equal(greet({ ticket: 'x'.repeat(1024) }), FAULT.TOO_LONG);
});

function helloWithBytes(field: 'client' | 'ticket' | 'token', content: number[]): Uint8Array {
  const b = new Builder(64);
  const text = b.createString(Uint8Array.from(content));
  client.Hello.startHello(b);
  if (field === 'client') client.Hello.addClient(b, text);
  if (field === 'ticket') client.Hello.addTicket(b, text);
  if (field === 'token') client.Hello.addResumeToken(b, text);
  const hello = client.Hello.endHello(b);
  b.finish(client.ClientMessage.createClientMessage(b, 0, client.ClientBody.Hello, hello, 0));
  return b.asUint8Array().slice();
}

t.test(
  'texts that are not UTF-8 are refused: a lone surrogate, an overlong form, half a character',
  async (t) => {
    const view = new ClientMessageView();
    for (const bad of [[0xed, 0xa0, 0x80], [0xc0, 0x80], [0xe2, 0x82], [0xff], [0xf4, 0x90, 0x80, 0x80]]) {
      for (const field of ['client', 'ticket', 'token'] as const) {
        t.equal(admitClientMessage(helloWithBytes(field, bad), view), FAULT.UTF8, `${field} ${bad}`);
      }
    }
  },
);

t.test('the check of UTF-8 agrees with the decoder of the platform', async (t) => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const odd = fc.constantFrom(
    0x00,
    0x7f,
    0x80,
    0x8f,
    0x90,
    0x9f,
    0xa0,
    0xbf,
    0xc1,
    0xc2,
    0xdf,
    0xe0,
    0xed,
    0xef,
    0xf0,
    0xf4,
    0xf5,
  );
  const bytes = fc.oneof(
    fc.array(odd, { maxLength: 6 }).map((a) => Uint8Array.from(a)),
    fc.string({ unit: 'binary', maxLength: 6 }).map((s) => new TextEncoder().encode(s)),
  );
  fc.assert(
    fc.property(bytes, (content) => {
      let valid = true;
      try {
        decoder.decode(content);
      } catch {
        valid = false;
      }
      return isUtf8(content, 0, content.length) === valid;
    }),
    { numRuns: 20_000, seed: 4 },
  );
  t.ok(isUtf8(Uint8Array.of(0xff, 65, 0xff), 1, 2), 'nothing beside its range is looked at');
});

/** An action as any builder may lay it out, also with values that ClientWriter refuses. */
function action(id: number, kind: number, payload: number): Uint8Array {
  const b = new Builder(64);
  const bytes = client.Action.createPayloadVector(b, new Uint8Array(payload));
  const body = client.Action.createAction(b, id, kind, bytes);
  b.finish(client.ClientMessage.createClientMessage(b, 0, client.ClientBody.Action, body, 0));
  return b.asUint8Array().slice();
}

t.test('actions and key requests are held at their limits', async (t) => {
  const view = new ClientMessageView();
  const admit = (bytes: Uint8Array) => admitClientMessage(bytes, view);
  const most = LIMITS.actionPayloadBytes;
  t.equal(admit(action(1, 1, most - 1)), FAULT.OK);
  t.equal(admit(action(1, 1, most)), FAULT.OK);
  t.equal(admit(action(1, 1, most + 1)), FAULT.LENGTH);
  t.equal(admit(action(0, 1, 0)), FAULT.OUT_OF_RANGE, 'ids begin at 1');
  t.equal(admit(action(0xffffffff, 1, 0)), FAULT.OK);
  t.equal(admit(action(1, 0, 0)), FAULT.OUT_OF_RANGE, 'kinds begin at 1');
  t.equal(admit(action(1, LARGEST_ACTION_KIND, 0)), FAULT.OK);
  t.equal(
    admit(action(1, LARGEST_ACTION_KIND + 1, 0)),
    FAULT.OUT_OF_RANGE,
    'control entries are not for clients',
  );
  const keys = (cells: [number, number, number?][]) => {
    const b = new Builder(64);
    client.KeyRequest.startCellsVector(b, cells.length);
    for (const [x, y, square] of cells) client.CellRef.createCellRef(b, x, y, square ?? 0);
    const body = client.KeyRequest.createKeyRequest(b, b.endVector());
    b.finish(client.ClientMessage.createClientMessage(b, 0, client.ClientBody.KeyRequest, body, 0));
    return b.asUint8Array().slice();
  };
  t.equal(admit(keys([])), FAULT.LENGTH);
  t.equal(admit(keys(Array(64).fill([0, 0]))), FAULT.OK);
  t.equal(admit(keys(Array(65).fill([0, 0]))), FAULT.LENGTH);
  t.equal(admit(keys([[262143, 131071]])), FAULT.OK);
  t.equal(admit(keys([[262144, 0]])), FAULT.OUT_OF_RANGE);
  t.equal(admit(keys([[0, 131072]])), FAULT.OUT_OF_RANGE);
  t.equal(admit(keys([[0, 0, 84]])), FAULT.OK);
  t.equal(admit(keys([[0, 0, 85]])), FAULT.OUT_OF_RANGE);
});

t.test('the writer does not write what would be refused', async (t) => {
  const writer = new ClientWriter();
  t.throws(() => writer.action(1, 1, 1, new Uint8Array(177)), /I7/);
  t.throws(() => writer.keyRequest(1, []), /I6/);
  t.throws(() => writer.keyRequest(1, Array(195).fill(0)), /I7/);
  t.equal(verifyClientMessage(writer.action(1, 1, 1, new Uint8Array(176))), FAULT.OK);
});

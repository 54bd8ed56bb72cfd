/** Turns of a link: whatever the sizes of records and wherever the stream is cut, what was said is heard, in order. */
import fc from 'fast-check';
import t from 'tap';
import { readEnd, writeEnd } from '../../../src/wire/link/end.js';
import { readAbout, readCluster, writeAbout, writeCluster } from '../../../src/wire/link/facts.js';
import { readOpen, writeOpen } from '../../../src/wire/link/open.js';
import { readBuffered, writeBuffered, writeDrained, writeDropped } from '../../../src/wire/link/pressure.js';
import { writeClosed, writeMessage, writeSend, writeText } from '../../../src/wire/link/talk.js';
import {
  readIsOwn,
  readTopic,
  writePublish,
  writeSubscribe,
  writeUnsubscribe,
} from '../../../src/wire/link/topics.js';
import { TURN_HEAD_BYTES, TurnReader, type TurnView, TurnWriter } from '../../../src/wire/link/turn.js';
import { LINK } from '../../../src/wire/link/types.js';

const MOST = 2 ** 24;
const ROUTER = {
  name: 'r1',
  pid: 7,
  game: 'ws://a:1',
  admin: 'http://a:2',
  connections: 3,
  channels: 2,
  waiting: 1,
  lateMs: 4,
};
const NODE = {
  name: 'n1',
  life: 'ab',
  pid: 8,
  admin: 'http://b:1',
  link: 'b:2',
  players: 5,
  entities: 6,
  load: 0.5,
};
const bytesOf = (length: number, seed: number) =>
  Uint8Array.from({ length }, (_, i) => (i * 31 + seed) & 0xff);

/** Each record once: how it is written, and what is read of it. */
const RECORDS: readonly {
  type: number;
  write(turn: TurnWriter): void;
  read(turn: TurnView): unknown;
  told: unknown;
}[] = [
  { type: LINK.OPEN, write: (w) => writeOpen(w, 9, '::1'), read: readOpen, told: '::1' },
  {
    type: LINK.MESSAGE,
    write: (w) => writeMessage(w, 9, bytesOf(5, 1)),
    read: (v) => [...v.body()],
    told: [...bytesOf(5, 1)],
  },
  {
    type: LINK.SEND,
    write: (w) => writeSend(w, 9, bytesOf(7, 2)),
    read: (v) => [...v.body()],
    told: [...bytesOf(7, 2)],
  },
  { type: LINK.TEXT, write: (w) => writeText(w, 9), read: (v) => v.length, told: 0 },
  { type: LINK.CLOSED, write: (w) => writeClosed(w, 9), read: (v) => v.length, told: 0 },
  { type: LINK.DROPPED, write: (w) => writeDropped(w, 9), read: (v) => v.length, told: 0 },
  { type: LINK.DRAINED, write: (w) => writeDrained(w, 9), read: (v) => v.length, told: 0 },
  { type: LINK.BUFFERED, write: (w) => writeBuffered(w, 9, 70_000), read: readBuffered, told: 70_000 },
  {
    type: LINK.PUBLISH,
    write: (w) => writePublish(w, 9, bytesOf(3, 4)),
    read: (v) => [...v.body()],
    told: [...bytesOf(3, 4)],
  },
  {
    type: LINK.SUBSCRIBE,
    write: (w) => writeSubscribe(w, 9, 1_000_000, true),
    read: (v) => [readTopic(v), readIsOwn(v)],
    told: [1_000_000, true],
  },
  {
    type: LINK.SUBSCRIBE,
    write: (w) => writeSubscribe(w, 9, 3, false),
    read: (v) => [readTopic(v), readIsOwn(v)],
    told: [3, false],
  },
  { type: LINK.UNSUBSCRIBE, write: (w) => writeUnsubscribe(w, 9, 4), read: readTopic, told: 4 },
  {
    type: LINK.END,
    write: (w) => writeEnd(w, 9, 4008, 'SESSION_EXPIRED'),
    read: readEnd,
    told: { code: 4008, reason: 'SESSION_EXPIRED' },
  },
  { type: LINK.ABOUT, write: (w) => writeAbout(w, ROUTER), read: readAbout, told: ROUTER },
  {
    type: LINK.CLUSTER,
    write: (w) => writeCluster(w, { node: NODE, routers: [ROUTER] }),
    read: readCluster,
    told: { node: NODE, routers: [ROUTER] },
  },
];

t.test('what is written of each record is read, also where the turn has to grow for it', async (t) => {
  for (const filled of [0, 65_536 - TURN_HEAD_BYTES - 8, 65_536 - TURN_HEAD_BYTES - 20])
    for (const { type, write, read, told } of RECORDS) {
      const out = new TurnWriter();
      if (filled > 0) writeSend(out, 1, bytesOf(filled & ~3, 9));
      write(out);
      let heard: unknown;
      new TurnReader(MOST).feed(out.take(0, 0), (turn) => {
        while (turn.next()) if (turn.type === type) heard = read(turn);
        return true;
      });
      t.same(heard, told, `type ${type} behind ${filled} bytes`);
    }
});

t.test('a stream may be cut anywhere', async (t) => {
  const record = fc.record({
    type: fc.integer({ min: 16, max: 40 }),
    subject: fc.nat(),
    length: fc.nat(300),
  });
  const turns = fc.array(fc.array(record, { maxLength: 6 }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(turns, fc.array(fc.integer({ min: 1, max: 400 })), (turns, cuts) => {
      const out = new TurnWriter();
      const all: number[] = [];
      const said: string[] = [];
      for (const [i, records] of turns.entries()) {
        for (const { type, subject, length } of records) {
          out.put(type, subject, bytesOf(length, subject));
          said.push(`${type} ${subject} ${bytesOf(length, subject)}`);
        }
        said.push(`end ${i + 1} ${i * 3} ${i}`);
        const turn = out.take(i * 3, i);
        all.push(...turn);
        out.giveBack(turn);
      }
      const heard: string[] = [];
      const reader = new TurnReader(MOST);
      let at = 0;
      for (let c = 0; at < all.length; c++) {
        const size = cuts[c % Math.max(1, cuts.length)] ?? all.length;
        const chunk = Uint8Array.from(all.slice(at, at + size));
        at += size;
        const taken = reader.feed(chunk, (turn) => {
          while (turn.next()) heard.push(`${turn.type} ${turn.subject} ${turn.body()}`);
          heard.push(`end ${turn.number} ${turn.heard} ${turn.lateMs}`);
          return true;
        });
        if (taken !== chunk.length) return false;
      }
      return heard.join('|') === said.join('|');
    }),
    { seed: 18 },
  );
  t.pass('every stream was heard as it was said');
});

t.test('who wants no more leaves the rest of a piece to others', async (t) => {
  const out = new TurnWriter();
  const pieces = [1, 2].map((n) => {
    writeClosed(out, n);
    return Buffer.from(out.take(0, 0));
  });
  const both = Buffer.concat(pieces);
  const reader = new TurnReader(MOST);
  t.equal(
    reader.feed(both, () => false),
    pieces[0]!.length,
  );
});

t.test('what is no turn is refused before it is kept', async (t) => {
  const sound = () => {
    const out = new TurnWriter();
    writeSend(out, 1, bytesOf(40, 1));
    return out.take(0, 0).slice();
  };
  const spoilt = (change: (turn: Uint8Array) => void) => {
    const turn = sound();
    change(turn);
    return turn;
  };
  const cases: Record<string, Uint8Array> = {
    'longer than allowed': Uint8Array.from(
      spoilt((b) => new DataView(b.buffer).setUint32(0, 4096 + 4, true)),
    ),
    'shorter than its head': spoilt((b) => new DataView(b.buffer).setUint32(0, 12, true)),
    'no multiple of four': spoilt((b) => new DataView(b.buffer).setUint32(0, 63, true)),
    'a record beyond its end': spoilt((b) => new DataView(b.buffer).setUint8(16, 200)),
    'a record that ends before it': spoilt((b) => new DataView(b.buffer).setUint8(16, 33)),
  };
  for (const [what, bytes] of Object.entries(cases))
    for (const size of [bytes.length, 1]) {
      const reader = new TurnReader(4096);
      let taken = 0;
      for (let at = 0; at < bytes.length && taken >= 0; at += size)
        taken = reader.feed(bytes.subarray(at, at + size), () => true);
      // A length of 63 is only noticed as such; a record in a turn once all of it is there.
      t.equal(taken, -1, `${what}, in pieces of ${size}`);
    }
  t.equal(
    new TurnReader(4096).feed(sound(), () => true),
    sound().length,
    'and a sound one is taken',
  );
});

/** The view through the whole client: streams, gaps, key frames, removals, one state per entity, borders of cells. */
import t from 'tap';
import { seededRandom } from '../../src/base/random.js';
import { connect } from '../../src/client/client.js';
import type { GameEvent } from '../../src/client/entity.js';
import { positionAt } from '../../src/client/interpolate.js';
import { ServerTime } from '../../src/client/server-time.js';
import type { ClientHandlers } from '../../src/client/types.js';
import { cellColumn, cellRow, cellSize } from '../../src/geo/cell.js';
import { dx } from '../../src/geo/world.js';
import type { CellFrameWriter } from '../../src/wire/cell-frame-writer.js';
import { GONE } from '../../src/wire/protocol.js';
import { FakeServer, HandClock } from './fake-server.js';

/** The client stands at (10, 10); its own cell, and cells by offset from it. */
const HOME = { x: cellColumn(10), y: cellRow(10) };
const cell = (right: number, down = 0) => ({ x: HOME.x + right, y: HOME.y + down });

function setUp(handlers: ClientHandlers = {}, view: 'full' | 'light' = 'full') {
  const server = new FakeServer();
  const clock = new HandClock();
  const client = connect({
    url: 'ws://fake',
    socket: server.sockets,
    clock,
    random: seededRandom(1),
    pulse: () => () => {},
    handlers,
    view,
  });
  server.deliver();
  const ids = () => [...client.view!].map((entity) => entity.id).sort((a, b) => a - b);
  const frame = (
    at: { x: number; y: number },
    publisher: number,
    tick: number,
    previous: number,
    word?: (w: CellFrameWriter) => void,
    taken = 0,
  ) => {
    server.frame(at, publisher, tick, previous, word, taken);
    server.deliver();
  };
  const beat = (ms: number) => {
    clock.ms += ms;
    client.beat();
    server.deliver();
  };
  return { server, clock, client, ids, frame, beat };
}

/** One state; position as a fraction of the cell. */
const state =
  (id: number, epoch = 1, x = 0.5, y = 0.5) =>
  (w: CellFrameWriter) =>
    w.state(id, epoch, x * 65536, y * 65536, 100, -50, 0, 0, 7, 8);

t.test('handed over and gone in one tick: the owner before shows it late, and nobody comes back', (t) => {
  const { client, frame, ids } = setUp();
  frame(HOME, 1, 10, 0, state(5));
  frame(HOME, 2, 10, 0);
  frame(HOME, 2, 12, 10, (w) => w.removal(5, 2, GONE, GONE));
  t.same(ids(), []);
  frame(HOME, 1, 12, 10, (w) => w.move(5, 1, 100, 100, 0, 0));
  t.same(ids(), []);
  t.equal(client.view!.orphans, 0, 'nothing was lost');
  frame(HOME, 1, 14, 12, state(5));
  t.same(ids(), [], 'in full: still the owner before');
  frame(cell(1), 1, 14, 0, (w) => w.removal(6, 3, GONE, GONE));
  frame(HOME, 1, 16, 14, state(6, 2));
  t.same(ids(), [], 'nor one of which only the end was heard');
  frame(HOME, 2, 16, 12, state(5, 3));
  frame(cell(1), 1, 16, 14, state(6, 3));
  t.same(ids(), [5, 6], 'who comes back under a later epoch, or later under the same, is there');
  t.end();
});

t.test('a key frame shows, a delta changes, a removal ends', (t) => {
  const { client, frame, ids } = setUp();
  frame(HOME, 1, 10, 0, (w) => {
    state(5, 1, 0.25, 0.75)(w);
    state(6)(w);
  });
  t.same(ids(), [5, 6]);
  const entity = client.view!.get(5)!;
  t.match(entity, { epoch: 1, tick: 10, vx: 1, vy: -0.5, pub0: 7, pub1: 8 });
  t.ok(Math.abs(entity.x - 0.25 * cellSize()) < 0.01, `x ${entity.x}`);
  t.ok(Math.abs(entity.y - 0.75 * cellSize()) < 0.01, `y ${entity.y}, from the south edge`);
  frame(HOME, 1, 12, 10, state(5, 1, 0.5, 0.75));
  t.same(ids(), [5, 6], 'absence in a delta means nothing');
  t.equal(entity.tick, 12);
  frame(HOME, 1, 14, 12, (w) => w.removal(6, 1, GONE, GONE));
  t.same(ids(), [5]);
  t.end();
});

t.test('a gap is not believed; a key frame is asked for until it comes', (t) => {
  const { server, client, frame, ids, beat } = setUp();
  frame(HOME, 1, 10, 0, state(5));
  frame(HOME, 1, 14, 12, state(6));
  t.same(ids(), [5]);
  beat(100);
  t.same(server.last.keyRequests, [HOME]);
  frame(HOME, 1, 16, 14, state(7));
  t.same(ids(), [5], 'nor what follows the gap');
  beat(500);
  t.equal(server.last.keyRequests.length, 1, 'asked once a second');
  beat(600);
  t.equal(server.last.keyRequests.length, 2);
  frame(HOME, 1, 18, 0, (w) => {
    state(6)(w);
    state(7)(w);
  });
  t.same(ids(), [6, 7]);
  beat(2000);
  t.equal(server.last.keyRequests.length, 2);
  t.equal(client.stats.openGaps, 0);
  t.end();
});

t.test('a gap that no key frame mends is counted as the server’s fault', (t) => {
  const { client, frame, beat } = setUp({}, 'light');
  frame(HOME, 1, 10, 0);
  frame(HOME, 1, 14, 12);
  for (let i = 0; i < 60; i++) beat(100);
  t.equal(client.stats.openGaps, 1);
  t.end();
});

t.test('old deltas are ignored', (t) => {
  const { client, frame } = setUp();
  frame(HOME, 1, 20, 0, state(5, 1, 0.5));
  frame(HOME, 1, 18, 16, state(5, 1, 0.1));
  t.equal(client.view!.get(5)!.tick, 20);
  t.equal(client.stats.gaps, 0);
  t.end();
});

t.test('a handover sends no removal: the greater epoch wins, whichever frame comes first', (t) => {
  const { client, frame, ids } = setUp();
  frame(HOME, 1, 10, 0, state(5, 1, 0.1));
  frame(HOME, 2, 10, 0, state(5, 2, 0.2));
  t.equal(client.view!.get(5)!.publisher, 2);
  frame(HOME, 1, 12, 10, state(5, 1, 0.1));
  t.equal(client.view!.get(5)!.publisher, 2, 'a late frame of the old owner changes nothing');
  frame(HOME, 1, 14, 0);
  t.same(ids(), [5], 'a key frame of the old owner removes only what it holds');
  t.equal(client.view!.doubles, 0);
  t.end();
});

t.test('to a cell in view: kept until that cell shows it, a second at most', (t) => {
  const { frame, ids, beat } = setUp();
  frame(HOME, 1, 10, 0, (w) => {
    state(5)(w);
    state(6)(w);
  });
  frame(HOME, 1, 12, 10, (w) => {
    w.removal(5, 1, HOME.x + 1, HOME.y);
    w.removal(6, 1, HOME.x + 1, HOME.y);
  });
  t.same(ids(), [5, 6], 'no hole at the border of a cell');
  beat(500);
  frame(cell(1), 1, 12, 0, state(5, 1, 0.01));
  beat(600);
  t.same(ids(), [5], 'what never arrives is dropped');
  t.end();
});

t.test('from cell to cell before any shows it: kept for as long as the news goes on', (t) => {
  const { frame, ids, beat } = setUp();
  const there = cell(1);
  const beyond = cell(1, 1);
  frame(HOME, 1, 10, 0, state(5));
  frame(there, 1, 10, 0);
  frame(beyond, 1, 10, 0);
  frame(HOME, 1, 12, 10, (w) => w.removal(5, 1, there.x, there.y));
  beat(900);
  frame(there, 1, 30, 10, (w) => w.removal(5, 1, beyond.x, beyond.y));
  beat(900);
  t.same(ids(), [5]);
  frame(there, 1, 32, 30, (w) => w.removal(5, 1, beyond.x, beyond.y));
  beat(200);
  t.same(ids(), [], 'told of a cell in which it is not: no news');
  t.end();
});

t.test('to a cell out of view: dropped at once', (t) => {
  const { frame, ids } = setUp();
  frame(cell(1), 1, 10, 0, state(5));
  frame(cell(1), 1, 12, 10, (w) => w.removal(5, 1, HOME.x + 2, HOME.y));
  t.same(ids(), []);
  t.end();
});

t.test('a removal that was overtaken by the new cell changes nothing', (t) => {
  const { client, frame, ids } = setUp();
  frame(HOME, 1, 10, 0, state(5));
  frame(cell(1), 1, 10, 0);
  frame(cell(1), 1, 12, 10, state(5, 1, 0.01));
  frame(HOME, 1, 12, 10, (w) => w.removal(5, 1, HOME.x + 1, HOME.y));
  t.same(ids(), [5]);
  t.equal(client.view!.doubles, 0);
  t.end();
});

t.test('the stream of a dead publisher is closed by its adopter; nobody vanishes meanwhile', (t) => {
  const { client, frame, ids, beat } = setUp();
  frame(HOME, 1, 10, 0, (w) => {
    state(5)(w);
    state(6)(w);
  });
  frame(HOME, 2, 20, 0, (w) => {
    w.close(1);
    state(5, 2)(w);
  });
  t.same(ids(), [5, 6], 'another adopter may show 6 in a moment');
  beat(1100);
  t.same(ids(), [5]);
  frame(HOME, 1, 12, 10, state(5));
  t.equal(client.stats.gaps, 1, 'the closed stream is unknown');
  t.end();
});

t.test('two publishers that both go on showing an entity are noticed', (t) => {
  const { client, frame } = setUp();
  frame(HOME, 1, 10, 0, state(5, 1));
  frame(HOME, 2, 10, 0);
  frame(HOME, 2, 12, 10, state(5, 2));
  for (let tick = 12; tick < 60; tick += 2) frame(HOME, 1, tick, tick - 2, state(5, 1));
  t.ok(client.view!.doubles > 0);
  t.end();
});

t.test('one tick that shows an entity in two cells is noticed', (t) => {
  const { client, frame } = setUp();
  frame(HOME, 1, 10, 0);
  frame(cell(1), 1, 10, 0);
  frame(HOME, 1, 12, 10, state(5));
  frame(cell(1), 1, 12, 10, state(5));
  t.equal(client.view!.doubles, 1);
  t.end();
});

t.test('cells that leave the view take their entities along; frames from afar are ignored', (t) => {
  const { server, client, frame, ids } = setUp();
  frame(cell(-1), 1, 10, 0, state(5));
  frame(cell(1), 1, 10, 0, state(6));
  frame(cell(5), 1, 10, 0, state(7));
  t.same(ids(), [5, 6]);
  server.position = { x: 10 + 2 * cellSize(), y: 10 };
  server.tick = 120;
  server.self();
  server.deliver();
  t.same(ids(), [6]);
  frame(cell(5), 1, 12, 10, state(7));
  t.equal(client.stats.gaps, 0, 'nothing is asked about cells out of view');
  t.end();
});

t.test('a delta that is older than what the key frame before it shows brings nobody back', (t) => {
  const { client, frame, ids } = setUp();
  // The key frame continues the stream after 10, but shows what was there in tick 14: 6 had left by then.
  frame(HOME, 1, 10, 0, state(5), 14);
  frame(HOME, 1, 12, 10, (w) => {
    state(6)(w);
    w.move(7, 1, 100, 100, 0, 0);
    w.removal(5, 1, GONE, GONE);
  });
  t.same(ids(), [5], 'neither its states nor its removals of those shown later');
  frame(HOME, 1, 14, 12, (w) => w.move(7, 1, 100, 100, 0, 0));
  t.match(client.view, { orphans: 0 });
  frame(HOME, 1, 16, 14, state(6));
  t.same(ids(), [5, 6], 'younger ones are taken');
  frame(HOME, 1, 18, 16, (w) => w.move(7, 1, 100, 100, 0, 0));
  t.match(client.view, { orphans: 1 }, 'and a move of nobody is found');
  t.equal(client.stats.gaps, 0);
  t.end();
});

t.test('to and fro on the border of a cell: what the server goes on sending is kept', (t) => {
  const { server, client, frame, ids } = setUp();
  const stand = (x: number) => {
    server.tick += 2;
    server.position = { x, y: 10 };
    server.self();
    server.deliver();
  };
  frame(cell(-1), 1, 10, 0, state(5));
  stand(cellSize() + 5);
  t.same(ids(), [], 'out of view');
  frame(cell(-1), 1, 12, 10, state(6));
  stand(cellSize() - 5);
  t.same(ids(), [5, 6], 'and back without a key frame');
  frame(cell(-1), 1, 14, 12, state(5));
  t.equal(client.stats.gaps, 0);
  stand(cellSize() + 20);
  stand(cellSize() - 5);
  t.same(ids(), [], 'further on it is forgotten');
  t.end();
});

t.test('a key frame that comes before the own move is kept for it', (t) => {
  const { server, frame, ids } = setUp();
  frame(cell(2), 1, 10, 0, state(5));
  t.same(ids(), []);
  server.position = { x: 10 + cellSize(), y: 10 };
  server.tick = 120;
  server.self();
  server.deliver();
  t.same(ids(), [5]);
  t.end();
});

t.test('across the antimeridian the view goes on', (t) => {
  const { server, client, frame, ids } = setUp();
  const west = -20037508.342789244;
  server.position = { x: west + 5, y: 10 };
  server.tick = 120;
  server.self();
  server.deliver();
  frame({ x: 2 ** 18 - 1, y: HOME.y }, 1, 10, 0, state(5));
  frame({ x: 0, y: HOME.y }, 1, 10, 0, state(6));
  t.same(ids(), [5, 6]);
  t.ok(client.view!.get(5)!.x > 0);
  t.end();
});

t.test('after a reconnect any state is newer, and what is not shown again goes', (t) => {
  const { server, client, frame, ids, beat } = setUp();
  frame(HOME, 9, 1000, 0, (w) => {
    state(5, 40)(w);
    state(6, 40)(w);
  });
  server.cut();
  for (let i = 0; i < 4; i++) beat(100);
  t.equal(client.state, 'online');
  frame(HOME, 1, 7, 0, state(5, 1));
  t.match(client.view!.get(5), { epoch: 1, tick: 7 });
  t.same(ids(), [5, 6]);
  beat(1000);
  t.same(ids(), [5]);
  t.end();
});

t.test('events arrive once', (t) => {
  const heard: GameEvent[] = [];
  const { frame } = setUp({ event: (event) => heard.push(event) });
  const said = new TextEncoder().encode('héllo');
  const word = (w: CellFrameWriter) => w.event(77, 5, 1, 100, 200, said, 0, said.length);
  frame(HOME, 1, 10, 0, word);
  frame(cell(1), 1, 10, 0, word);
  t.equal(heard.length, 1);
  t.match(heard[0], { id: 77, source: 5, kind: 1, name: 'say' });
  t.equal(new TextDecoder().decode(heard[0]!.payload), 'héllo');
  t.end();
});

t.test('positions are drawn between states, and a little beyond the last', (t) => {
  const { client, frame } = setUp();
  const time = new ServerTime();
  time.configure(50, 100);
  for (const tick of [10, 12, 14]) time.saw(tick, tick * 50);
  frame(HOME, 1, 10, 0, (w) => w.state(5, 1, 0, 0, 0, 0, 0, 0, 0, 0));
  frame(HOME, 1, 12, 10, (w) => w.state(5, 1, 6553, 0, 100, 0, 0, 0, 0, 0));
  const entity = client.view!.get(5)!;
  const out = { x: 0, y: 0 };
  const metre = entity.x / 2;
  const drawnAt = (now: number, x: number) => Math.abs(dx(positionAt(entity, time, now, out).x, x)) < 1e-6;
  // 150 ms behind: at 700 ms tick 11 is drawn.
  t.ok(drawnAt(700, metre));
  t.ok(drawnAt(750, entity.x));
  t.ok(drawnAt(5000, entity.x + 0.25), 'a quarter of a second, not more');
  t.end();
});

/** What a client is shown: subscriptions around its place, key frames, streams without a gap; slow and choked clients. */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { cellNumber, cellSize, columnOfCell, rowOfCell } from '../../src/geo/cell.js';
import { tileNorth, tileWest } from '../../src/geo/tile.js';
import { WIDTH } from '../../src/geo/world.js';
import { CONTROL } from '../../src/memory/inbox.js';
import { FLAG, RECORD } from '../../src/memory/player.js';
import { HOT } from '../../src/memory/record.js';
import { buildHouse, type FakeSocket, type House } from './fakes.js';
import { enter, frame, turn } from './house.js';
import { ScriptedShard } from './scripted-shard.js';

const SIZE = cellSize();
/** A place in the middle of a cell. */
const HERE = (() => {
  const cell = cellNumber(1000, 1000);
  const x = tileWest(columnOfCell(cell), LIMITS.cellLevel) + SIZE / 2;
  return { cell, x, y: tileNorth(rowOfCell(cell), LIMITS.cellLevel) - SIZE / 2 };
})();

/** Topics of cells; the client's own begins with @. */
const cellsOf = (socket: FakeSocket) => [...socket.topics].filter((topic) => !topic.startsWith('@')).sort();

function stand(house: House, shard: ScriptedShard, socket: FakeSocket, x: number, y: number): Promise<void> {
  const slot = shard.slotOf(socket.welcome.entity);
  shard.moveTo(slot, x, y);
  shard.run();
  shard.push(slot, RECORD.SELF);
  return turn(house);
}

t.test('a newcomer watches 3 × 3 cells; without streams there are no key frames yet', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { spawn: HERE });
  t.equal(cellsOf(socket).length, 9);
  t.ok(socket.topics.has(String(HERE.cell)));
  t.equal(new Set(socket.begun).size, 9, 'each cell is announced');
  t.equal(socket.all('frame').length, 0);
  t.ok(house.world.filters[0].wants(HERE.cell));
  frame(house, shard);
  t.match(
    socket.all('frame'),
    [{ cell: HERE.cell, previous: 0, ids: [socket.welcome.entity] }],
    'the shard begins',
  );
});

t.test('at a wall there are six cells, at the antimeridian nine', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  t.equal(cellsOf(await enter(house, shard, { spawn: { x: 0, y: WIDTH / 4 } })).length, 6);
  t.equal(cellsOf(await enter(house, shard, { spawn: { x: -WIDTH / 2 + 1, y: 0 } })).length, 9);
});

t.test('a later subscriber gets a key frame first, then every delta: no gap', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const first = await enter(house, shard, { spawn: HERE });
  frame(house, shard);
  frame(house, shard);
  const second = await enter(house, shard, { spawn: HERE });
  const [key] = second.all('frame');
  t.match(key, { previous: 0, publisher: 11, tick: first.all('frame').at(-1)?.tick });
  t.same(
    key.ids.toSorted(),
    [first.welcome.entity, second.welcome.entity].toSorted(),
    'from the newest view',
  );
  frame(house, shard);
  frame(house, shard);
  for (const socket of [first, second]) {
    const frames = socket.all('frame');
    for (let i = 1; i < frames.length; i++) t.equal(frames[i].previous, frames[i - 1].tick);
    t.ok(frames.length >= 3);
  }
});

t.test('who has left the world since the view was taken is in no key frame', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const first = await enter(house, shard, { spawn: HERE });
  const third = await enter(house, shard, { spawn: HERE });
  frame(house, shard);
  const { arena } = house.world;
  const offline = shard.slotOf(first.welcome.entity);
  arena.u16[(arena.hot(offline) + HOT.flags) >> 1] |= FLAG.OFFLINE;
  shard.park(shard.slotOf(third.welcome.entity));
  const key = await firstKey(house, shard);
  t.equal(key.ids.length, 1, 'only the newcomer itself');
  t.notOk(key.ids.includes(first.welcome.entity) || key.ids.includes(third.welcome.entity));
});

async function firstKey(house: House, shard: ScriptedShard) {
  const socket = await enter(house, shard, { spawn: HERE });
  return socket.all('frame')[0]!;
}

t.test(
  'a quiet stream that began while nobody here watched its cell: a key frame all the same',
  async (t) => {
    const house = buildHouse();
    const shard = new ScriptedShard(house.world);
    const resident = await enter(house, shard, { spawn: HERE });
    // The resident's client is another gateway's; this one has the cell in its filter for another cell's sake.
    resident.vanish();
    house.time.pass(2000);
    house.world.filters[0].add(HERE.cell);
    frame(house, shard);
    house.world.filters[0].remove(HERE.cell);
    shard.run();
    const newcomer = await enter(house, shard, { spawn: { x: HERE.x + SIZE, y: HERE.y } });
    const keys = newcomer.all('frame').filter(({ cell }) => cell === HERE.cell);
    t.match(keys, [{ previous: 0, publisher: 11, ids: [resident.welcome.entity] }]);
  },
);

t.test('a frame that a dead shard left in the ring is not taken for its successor’s', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  await enter(house, shard, { spawn: HERE });
  shard.run(true); // in the ring, not delivered
  house.world.shardBlocks[0].incarnation = 12;
  const late = await enter(house, shard, { spawn: HERE });
  t.strictSame([...new Set(late.all('frame').map(({ publisher }) => publisher))], [11]);
});

t.test('key frames of two shards that publish one cell', async (t) => {
  const house = buildHouse({ shards: 2 });
  const shards = [new ScriptedShard(house.world, 0, 11), new ScriptedShard(house.world, 1, 12)];
  const first = await enter(house, shards[0], { spawn: HERE });
  const [slot] = [...shards[0].owned];
  shards[1].owned.add(slot); // both show it: only the frames matter here
  for (const shard of shards) frame(house, shard);
  t.same(
    first.all('frame').map((f) => f.publisher),
    [11, 12],
  );
  const second = await enter(house, shards[0], { spawn: HERE });
  t.same(
    second.all('frame').map((f) => [f.publisher, f.previous]),
    [
      [11, 0],
      [12, 0],
    ],
  );
});

t.test('no key frame for a publisher that was replaced: its successor begins with one', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  await enter(house, shard, { spawn: HERE });
  frame(house, shard);
  const replacement = new ScriptedShard(house.world, 0, 12);
  replacement.tick = shard.tick;
  for (const slot of shard.owned) replacement.owned.add(slot);
  replacement.run();
  const second = await enter(house, replacement, { spawn: HERE });
  t.equal(second.all('frame').length, 0);
  frame(house, replacement);
  t.match(second.all('frame'), [{ publisher: 12, previous: 0 }]);
});

t.test('walking on: new cells with key frames, old ones only when out of reach of a step back', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { spawn: HERE });
  const before = cellsOf(socket);
  await stand(house, shard, socket, HERE.x + SIZE / 2 + 1, HERE.y);
  t.equal(cellsOf(socket).length, 12, 'one metre beyond the border: three new, three old');
  await stand(house, shard, socket, HERE.x + SIZE / 2 - 1, HERE.y);
  t.equal(cellsOf(socket).length, 12, 'and back: nothing changes');
  await stand(house, shard, socket, HERE.x + SIZE / 2 + 11, HERE.y);
  t.equal(cellsOf(socket).length, 9);
  t.equal(cellsOf(socket).filter((cell) => before.includes(cell)).length, 6);
  t.ok(house.world.filters[0].wants(HERE.cell + 2));
  t.notOk(house.world.filters[0].wants(HERE.cell - 1), 'the shards need not send what nobody watches');
});

t.test('coming back within a moment finds the streams where they are', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { spawn: HERE });
  frame(house, shard);
  const { tick } = socket.all('frame')[0];
  await stand(house, shard, socket, HERE.x + 10 * SIZE, HERE.y);
  await stand(house, shard, socket, HERE.x, HERE.y);
  t.match(socket.all('frame').at(-1), { cell: HERE.cell, previous: 0, tick });
});

t.test('who leaves takes his subscriptions along; unwatched cells are forgotten', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const a = await enter(house, shard, { spawn: HERE });
  const b = await enter(house, shard, { spawn: HERE });
  a.vanish();
  t.ok(house.world.filters[0].wants(HERE.cell));
  b.goodbye();
  t.notOk(house.world.filters[0].wants(HERE.cell));
  house.time.pass(1600);
  t.equal(house.world.gatewayBlocks[0].gauge(2), 0, 'cells in memory');
});

t.test('a key request is answered for cells in view, ignored for others, and has its own rate', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { spawn: HERE });
  frame(house, shard);
  const before = socket.all('frame').length;
  socket.keyRequest([HERE.cell, HERE.cell + 50]);
  t.match(socket.all('frame').slice(before), [{ cell: HERE.cell, previous: 0 }]);
  t.equal(socket.all('frame').length, before + 1);
  socket.keyRequest(new Array(64).fill(HERE.cell + 50));
  t.equal(socket.closed, undefined);
  socket.keyRequest(new Array(64).fill(HERE.cell + 50));
  t.equal(socket.closed?.reason, 'RATE_LIMITED');
});

t.test('a slow client gets self updates only, and key frames when it has caught up', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { spawn: HERE });
  const slot = shard.slotOf(socket.welcome.entity);
  const play = (ms: number, echo: () => number) => {
    for (const end = house.time.ms + ms; house.time.ms < end; ) {
      house.time.pass(50);
      frame(house, shard);
      shard.push(slot, RECORD.SELF);
      house.gateways[0].poll();
      socket.ping(echo());
    }
  };
  shard.tick = 1;
  play(500, () => shard.tick);
  t.equal(cellsOf(socket).length, 9);
  const stuck = shard.tick;
  play(1200, () => stuck);
  t.equal(cellsOf(socket).length, 0, 'more than a second behind');
  t.notOk(house.world.filters[0].wants(HERE.cell));
  const selfs = socket.all('self').length;
  const frames = socket.all('frame').length;
  play(500, () => stuck);
  t.ok(socket.all('self').length > selfs, 'self updates go on');
  t.equal(socket.all('frame').length, frames);
  socket.keyRequest([HERE.cell]);
  t.equal(socket.all('frame').length, frames, 'no way round');
  play(50, () => shard.tick - 2);
  t.equal(cellsOf(socket).length, 9, 'caught up');
  t.match(socket.all('frame')[frames], { previous: 0 });
  const again = shard.tick;
  play(9800, () => again);
  t.equal(socket.closed, undefined);
  play(500, () => again);
  t.equal(socket.closed?.reason, 'TOO_SLOW');
});

t.test('a gateway that is late to its turns turns away from no client for that', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { spawn: HERE });
  const slot = shard.slotOf(socket.welcome.entity);
  shard.tick = 1;
  const echoes = [1];
  for (let turn = 0; turn < 30; turn++) {
    house.time.ms += 300; // nothing of this thread runs meanwhile: no timer, no message
    for (let i = 0; i < 6; i++) frame(house, shard);
    shard.push(slot, RECORD.SELF);
    house.gateways[0].poll();
    echoes.push(shard.tick);
    socket.ping(echoes[Math.max(0, turn - 4)]!); // 1.5 s old, of which it was late twice 0.28
  }
  t.equal(socket.closed, undefined);
  t.equal(cellsOf(socket).length, 9);
});

t.test('a client that says nothing at all is too slow in the end', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { spawn: HERE });
  house.time.pass(3900);
  t.equal(cellsOf(socket).length, 9, 'it may be far, and its ping may still come');
  house.time.pass(400);
  t.equal(cellsOf(socket).length, 0);
  house.time.pass(8000);
  t.equal(socket.closed?.reason, 'TOO_SLOW');
});

t.test('a gateway that was held up blames no client for it', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { spawn: HERE });
  const greeting = house.connect();
  house.time.pass(1000);
  house.time.ms += 60_000; // the process was stopped: no timer, no message, nothing
  house.time.pass(500);
  t.same([socket.closed, greeting.closed], [undefined, undefined]);
  t.equal(cellsOf(socket).length, 9);
  house.time.pass(11_000);
  t.equal(socket.closed?.reason, 'TOO_SLOW', 'their own time goes on from there');
  t.equal(greeting.closed?.reason, 'FIRST_MESSAGE_TIMEOUT');
});

t.test('a crowd’s key frames come as the socket takes them, the nearest first', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = house.connect();
  socket.buffered = LIMITS.maxBackpressureBytes / 2 + 1;
  socket.hello({ spawn: HERE });
  await turn(house, shard);
  t.same(cellsOf(socket), [String(HERE.cell)]);
  await stand(house, shard, socket, HERE.x, HERE.y);
  t.same(cellsOf(socket), [String(HERE.cell)], 'still full');
  socket.buffered = 0;
  await stand(house, shard, socket, HERE.x, HERE.y);
  t.same(cellsOf(socket), [String(HERE.cell)], 'tried a moment ago');
  house.time.pass(250);
  await stand(house, shard, socket, HERE.x, HERE.y);
  t.equal(cellsOf(socket).length, 9);
});

t.test(
  'skipped messages: nothing more until the buffer is empty, then outcomes and key frames again',
  async (t) => {
    const house = buildHouse();
    const shard = new ScriptedShard(house.world);
    const socket = await enter(house, shard, { spawn: HERE });
    frame(house, shard);
    const heard = socket.heard.length;
    socket.isChoked = true;
    socket.buffered = 1000;
    frame(house, shard);
    t.equal(cellsOf(socket).length, 0, 'a turn later it watches nothing');
    t.equal(socket.heard.length, heard);
    house.time.pass(300);
    t.equal(cellsOf(socket).length, 0);
    socket.drain();
    t.equal(cellsOf(socket).length, 9);
    t.match(socket.heard[heard], { type: 'frame', previous: 0 });
    shard.run();
    t.equal(shard.log.at(-1)?.kind, CONTROL.RESUME, 'READY repeats the outcomes that may have been skipped');
    await turn(house);
    t.equal(socket.heard.at(-1)?.type, 'self');
    t.equal(socket.all('welcome').length, 1);
  },
);

/**
 * The worst second of a client in a crowd, on a clock in the test's hand: what it is sent in any second is bounded, and
 * what had to wait for that comes, the nearest first. The crowd stands in the published view, the streams of what a
 * client watches are played as a shard sends them: a key frame first, then at the turns of their classes.
 */
import t, { type Test } from 'tap';
import { CLASS_FRAMES } from '../../src/base/rates.js';
import { LIMITS } from '../../src/base/limits.js';
import { cellNumber, cellSize, columnOfCell, rowOfCell } from '../../src/geo/cell.js';
import { cellOfKey, isWithin, leafOf, partOfKey, rateOfKey, squareOfKey } from '../../src/geo/square.js';
import { SQUARE_DEPTH, squareOfLeaf } from '../../src/geo/square.js';
import { tileNorth, tileWest } from '../../src/geo/tile.js';
import type { Interest } from '../../src/gateway/interest.js';
import { SECOND_SHARE } from '../../src/gateway/purse.js';
import { RECORD } from '../../src/memory/player.js';
import { CellFrameWriter } from '../../src/wire/cell-frame-writer.js';
import { buildHouse, type FakeSocket, type House } from './fakes.js';
import { enter } from './house.js';
import { ScriptedShard } from './scripted-shard.js';

const TICK_MS = 50;
const BUDGET = LIMITS.clientBytesPerS;
const SIZE = cellSize();
const HERE = (() => {
  const cell = cellNumber(1000, 1000);
  const x = tileWest(columnOfCell(cell), LIMITS.cellLevel) + SIZE / 2;
  return { x, y: tileNorth(rowOfCell(cell), LIMITS.cellLevel) - SIZE / 2 };
})();
const AWAY = { x: HERE.x + 20 * SIZE, y: HERE.y };

/** So many around a place, as evenly as can be. */
function crowdAt(place: { x: number; y: number }, count: number, side: number, speed: number, first = 1e6) {
  const columns = Math.ceil(Math.sqrt(count));
  return Array.from({ length: count }, (_, i) => ({
    id: first + i,
    x: place.x + (((i % columns) + 0.5) / columns - 0.5) * side,
    y: place.y + ((Math.floor(i / columns) + 0.5) / columns - 0.5) * side,
    speed,
  }));
}

/** All that a client is sent, as a line of time. */
class Line {
  private readonly sent: { at: number; bytes: number }[] = [];
  constructor(socket: FakeSocket, house: House) {
    socket.weigh = (bytes) => this.sent.push({ at: house.time.ms, bytes });
  }
  /** Bytes of the second in which most came. */
  get worst(): number {
    let worst = 0;
    let sum = 0;
    let from = 0;
    for (const { at, bytes } of this.sent) {
      sum += bytes;
      while (this.sent[from]!.at <= at - 1000) sum -= this.sent[from++]!.bytes;
      worst = Math.max(worst, sum);
    }
    return worst;
  }
}

/** A gateway with one shard whose streams are played. */
class Scene {
  readonly house = buildHouse({ maxEntities: 8192 });
  readonly shard = new ScriptedShard(this.house.world);
  private readonly byCell = new Map<number, { id: number; speed: number; leaf: number }[]>();
  private readonly interest = (this.house.gateways[0] as unknown as { interest: Interest }).interest;
  private readonly writer = new CellFrameWriter(2 ** 20);
  private readonly begun = new Map<number, number>();
  private frames = 0;

  constructor(crowd: ScriptedShard['crowd']) {
    this.shard.crowd = crowd;
    for (const { id, x, y, speed } of crowd) {
      const cell = cellNumber(x, y);
      const those = this.byCell.get(cell) ?? [];
      those.push({ id, speed, leaf: squareOfLeaf(leafOf(cell, x, y), SQUARE_DEPTH) });
      this.byCell.set(cell, those);
    }
  }

  /** Time goes by, with frames and self updates. */
  pass(ms: number): void {
    const { house, shard } = this;
    for (let at = 0; at < ms; at += TICK_MS) {
      house.time.pass(TICK_MS);
      const tick = house.gateways[0].core.tick();
      shard.tick = tick;
      if (tick % 2 === 0) this.publish();
      if (tick % 5 === 0) {
        // The crowd stays where it is, and to publish it is most of the work.
        shard.tick = tick - 1;
        shard.run();
        for (const slot of shard.owned) shard.push(slot, RECORD.SELF);
      }
      house.gateways[0].poll();
      if (shard.tick % 10 === 0) this.echo();
    }
  }

  /** Who reads says so. */
  private echo(): void {
    const { sockets } = this.house.transports[0];
    for (const socket of sockets)
      if (!socket.isChoked && socket.all('welcome').length > 0) socket.ping(this.shard.tick);
  }

  private publish(): void {
    this.frames++;
    const keys = new Set<number>();
    for (const { topics } of this.house.transports[0].sockets)
      for (const topic of topics) if (!topic.startsWith('@')) keys.add(Number(topic));
    for (const key of this.begun.keys()) if (!keys.has(key)) this.begun.delete(key);
    for (const key of keys) this.publishStream(key);
    this.interest.turn(0);
  }

  private publishStream(key: number): void {
    const { writer, shard } = this;
    const cell = cellOfKey(key);
    const square = squareOfKey(key);
    const previous = this.begun.get(key) ?? 0;
    // Not all slow ones in the same frame.
    const turn = this.frames + columnOfCell(cell) + rowOfCell(cell) + square;
    if (previous !== 0 && turn % CLASS_FRAMES[rateOfKey(key)]! !== 0) return;
    const there = (this.byCell.get(cell) ?? []).filter(({ leaf }) => isWithin(leaf, square));
    const told = previous === 0 ? there : there.filter(({ speed }) => speed > 0);
    if (told.length === 0) return;
    const column = columnOfCell(cell);
    const row = rowOfCell(cell);
    writer.begin(column, row, shard.incarnation, shard.tick, previous, square);
    for (const { id } of told)
      if (previous === 0) writer.state(id, 1, 0, 0, 0, 0, 0, 0, 0, 0);
      else writer.move(id, 1, 0, 0, 0, 0);
    const bytes = writer.view(writer.finish());
    const { incarnation, tick } = shard;
    this.interest.frame(0, column, row, tick, previous, incarnation, partOfKey(key), bytes);
    this.begun.set(key, tick);
  }
}

/** Whether it is shown all that it is to be shown. */
function isWhole(scene: Scene, socket: FakeSocket): boolean {
  const { welcome } = socket;
  const connection = [...scene.house.gateways[0].core.connections].find((c) => c.entity === welcome.entity);
  if (connection === undefined || connection.centre !== cellNumber(HERE.x, HERE.y)) return false;
  return connection.plan !== undefined && !connection.isBehind;
}

interface Situation {
  name: string;
  crowd: ReturnType<typeof crowdAt>;
  /** What happens after the client has entered in the crowd; otherwise it enters, nothing else. */
  after?(scene: Scene, socket: FakeSocket): void;
  spawn?: typeof HERE;
  /** ms until all that can be shown is. */
  within: number;
}

const STANDING = crowdAt(HERE, 4000, 3 * SIZE, 0);
const HEAP = crowdAt(HERE, 4000, SIZE, 0);
const WALKING = crowdAt(HERE, 3000, 2 * SIZE, 1);

function jump(scene: Scene, socket: FakeSocket): void {
  scene.shard.moveTo(scene.shard.slotOf(socket.welcome.entity), HERE.x, HERE.y);
}

const SITUATIONS: Situation[] = [
  { name: 'login among those who stand', crowd: STANDING, within: 6000 },
  { name: 'login into a heap', crowd: HEAP, within: 6000 },
  { name: 'login among those who walk', crowd: WALKING, within: 12_000 },
  {
    name: 'a jump among those who stand',
    crowd: STANDING,
    spawn: AWAY,
    after: jump,
    within: 6000,
  },
  {
    name: 'a jump among those who walk',
    crowd: WALKING,
    spawn: AWAY,
    after: jump,
    within: 12_000,
  },
  {
    name: 'a slow client that has caught up',
    crowd: STANDING,
    after: (scene, socket) => {
      scene.pass(10_000);
      socket.isChoked = true;
      scene.pass(500);
      socket.drain();
    },
    within: 6000,
  },
];

async function play(t: Test, situation: Situation, hasResident: boolean): Promise<void> {
  const scene = new Scene(situation.crowd);
  const spawn = situation.spawn ?? HERE;
  if (hasResident) {
    await enter(scene.house, scene.shard, { spawn: HERE });
    scene.pass(8000);
  }
  const socket = scene.house.connect();
  const line = new Line(socket, scene.house);
  socket.hello({ spawn });
  for (let i = 0; i < 10; i++) {
    await new Promise<void>((resolve) => setImmediate(resolve));
    scene.pass(TICK_MS);
  }
  situation.after?.(scene, socket);
  let wasWhole = false;
  for (let at = 0; at < situation.within; at += 200) {
    scene.pass(200);
    wasWhole ||= isWhole(scene, socket);
  }
  const who = hasResident ? 'beside others' : 'alone';
  t.ok(wasWhole, `${situation.name}, ${who}: nothing is lost by waiting`);
  t.ok(
    line.worst <= SECOND_SHARE * BUDGET,
    `${situation.name}, ${who}: ${line.worst} bytes in the worst second`,
  );
}

for (const situation of SITUATIONS)
  t.test(situation.name, async (t) => {
    await play(t, situation, false);
    await play(t, situation, true);
  });

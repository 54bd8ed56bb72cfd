/**
 * What a view shows for one tick between two frames: whoever takes a key frame from it must learn from the next frames
 * that it is over, whatever value it was. Each kind of value by itself, and all of them by chance.
 */
import { ByteBuffer } from 'flatbuffers';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { seededRandom } from '../../src/base/random.js';
import { KeyFrames } from '../../src/gateway/key-frames.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { cellNumber } from '../../src/geo/cell.js';
import { WHOLE, cellOfKey, leafOf, partOfKey, squareOfLeaf, streamKey } from '../../src/geo/square.js';
import { PRESENCE_STATE } from '../../src/memory/inbox.js';
import { RECORD } from '../../src/memory/player.js';
import * as server from '../../src/wire/generated/server_generated.js';
import type { Entity, GameModule, World } from '../../src/world/facade.js';
import { Planet, type TestPlayer } from './planet.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
/** A metre inside of the south-western leaf of a cell. */
const PLACE = { x: tile.west + 1, y: tile.south + 1 };
const CELL = cellNumber(PLACE.x, PLACE.y);
/** So that the place before a hop there and back is the same number. */
const HOP_M = 32;

const game: GameModule = {
  name: 'glimpses',
  items: [],
  kinds: ['player'],
  components: { first: { type: 'u32', public: true }, second: { type: 'u32', public: true } },
  actions: {
    first: {
      kind: 1,
      payload: { value: 'u32' },
      apply: (world: World, e: Entity, p: { value: number }) => put(world, e, 'first', p.value),
    },
    second: {
      kind: 2,
      payload: { value: 'u32' },
      apply: (world: World, e: Entity, p: { value: number }) => put(world, e, 'second', p.value),
    },
    hop: {
      kind: 3,
      payload: { m: 'f32' },
      apply(world: World, e: Entity, p: { m: number }) {
        world.move(e, p.m, 0);
        return 0;
      },
    },
    speed: {
      kind: 4,
      payload: { mps: 'f32' },
      apply(world: World, e: Entity, p: { mps: number }) {
        world.setVelocity(e, p.mps, 0);
        return 0;
      },
    },
  },
  step() {},
};

function put(world: World, e: Entity, column: string, value: number): number {
  world.column(column as never).set(e, value);
  return 0;
}

type Seen = Record<'epoch' | 'tick' | 'x' | 'y' | 'vx' | 'vy' | 'flags' | 'pub0' | 'pub1', number>;

function frameOf(bytes: Uint8Array): server.CellFrame {
  const message = server.ServerMessage.getRootAsServerMessage(new ByteBuffer(Uint8Array.from(bytes)));
  return message.body(new server.CellFrame()) as server.CellFrame;
}

/** Who begins to watch with key frames of a moment, and takes the deltas that follow. */
class Viewer {
  readonly seen = new Map<number, Seen>();
  private readonly known = new Map<number, { tick: number; taken: number }>();
  private read: number;

  constructor(
    private readonly planet: Planet,
    keys: readonly number[],
  ) {
    this.read = planet.records.length;
    const maker = new KeyFrames(planet.world.arena, LIMITS.frameScratchBytes);
    for (const key of keys) {
      const bytes = maker.makeNewest(planet.world.views[0]!, key);
      if (bytes !== undefined) this.take(frameOf(bytes));
    }
  }

  /** Takes the frames that have come. */
  look(): void {
    const { records } = this.planet;
    for (; this.read < records.length; this.read++)
      if (records[this.read]!.type === RECORD.FRAME) this.take(frameOf(records[this.read]!.bytes));
  }

  private take(frame: server.CellFrame): void {
    const known = this.known.get(frame.square());
    if (frame.previous() !== 0 && (known === undefined || frame.tick() <= known.tick)) return;
    if (frame.previous() !== 0 && frame.previous() !== known!.tick) throw new Error('I6: a gap');
    const taken = frame.taken() || frame.tick();
    if (frame.previous() !== 0 && frame.tick() <= known!.taken) {
      this.known.set(frame.square(), { tick: frame.tick(), taken: known!.taken });
      return;
    }
    this.known.set(frame.square(), { tick: frame.tick(), taken: frame.previous() === 0 ? taken : 0 });
    for (let i = 0; i < frame.statesLength(); i++) {
      const s = frame.states(i)!;
      this.note(Number(s.id()), s.epoch(), taken, {
        x: s.x(),
        y: s.y(),
        vx: s.vx(),
        vy: s.vy(),
        flags: s.flags(),
        pub0: s.pub0(),
        pub1: s.pub1(),
      });
    }
    for (let i = 0; i < frame.movesLength(); i++) {
      const m = frame.moves(i)!;
      const id = Number(m.id() & ((1n << 53n) - 1n));
      const held = this.seen.get(id);
      if (held === undefined) throw new Error('I6: a move of somebody who was never shown');
      this.note(id, held.epoch, taken, { ...held, x: m.x(), y: m.y(), vx: m.vx(), vy: m.vy() });
    }
  }

  private note(id: number, epoch: number, tick: number, state: Omit<Seen, 'epoch' | 'tick'>): void {
    const held = this.seen.get(id);
    if (held !== undefined && (held.epoch > epoch || (held.epoch === epoch && held.tick > tick))) return;
    this.seen.set(id, { ...state, epoch, tick });
  }

  /** What it shows of an entity, without when. */
  shows(id: number): Omit<Seen, 'tick'> | undefined {
    const held = this.seen.get(id);
    if (held === undefined) return undefined;
    const { tick: _, ...state } = held;
    return state;
  }
}

function start(isCut: boolean) {
  const planet = new Planet(game, { shards: 1 });
  planet.assign(PLACE.x, PLACE.y, 0);
  const player = planet.join(PLACE.x, PLACE.y);
  const here = streamKey(CELL, isCut ? squareOfLeaf(leafOf(CELL, PLACE.x, PLACE.y), 2) : WHOLE, 0);
  const there = streamKey(CELL, squareOfLeaf(leafOf(CELL, PLACE.x + HOP_M, PLACE.y), 3), 0);
  const keys = isCut ? [here, there] : [here];
  for (const key of keys) planet.world.filters[0]!.add(cellOfKey(key), partOfKey(key));
  planet.run(planet.tick % 2 === 0 ? 6 : 7);
  return { planet, player, keys };
}

/** Whether the newest connection holds the socket. */
function connect(planet: Planet, player: TestPlayer, isOn: boolean): void {
  const { CONNECTED, DISCONNECTED } = PRESENCE_STATE;
  planet.world.inboxes.setPresence(player.slot, player.word, isOn ? CONNECTED : DISCONNECTED, planet.tick);
}

const KINDS: Record<string, (planet: Planet, player: TestPlayer, isOut: boolean) => void> = {
  'no connection': (planet, player, isOut) => connect(planet, player, !isOut),
  'the first public word': (planet, player, isOut) => planet.act(player, 'first', { value: isOut ? 7 : 0 }),
  'the second public word': (planet, player, isOut) => planet.act(player, 'second', { value: isOut ? 7 : 0 }),
  'a place': (planet, player, isOut) => planet.act(player, 'hop', { m: isOut ? HOP_M : -HOP_M }),
  'a velocity': (planet, player, isOut) => planet.act(player, 'speed', { mps: isOut ? 3 : 0 }),
};

for (const [name, change] of Object.entries(KINDS))
  for (const isCut of [false, true])
    t.test(`${name}, for a tick between two frames${isCut ? ', in a cell that is cut' : ''}`, async (t) => {
      const { planet, player, keys } = start(isCut);
      t.equal(planet.tick % 2, 0, 'a tick with frames');
      const before = new Viewer(planet, keys);
      change(planet, player, true);
      planet.run(1);
      const viewer = new Viewer(planet, keys);
      t.ok(viewer.shows(player.id), 'the key frames of the tick between');
      t.notSame(viewer.shows(player.id), before.shows(player.id), 'show it');
      change(planet, player, false);
      planet.run(3);
      viewer.look();
      t.same(viewer.shows(player.id), new Viewer(planet, keys).shows(player.id), 'and then that it is over');
      before.look();
      t.same(before.shows(player.id), new Viewer(planet, keys).shows(player.id));
    });

t.test(
  'whatever changes, whenever somebody begins to watch, the picture comes to be what is there',
  async (t) => {
    const random = seededRandom(3);
    const changes = Object.values(KINDS);
    for (let run = 0; run < 60; run++) {
      const { planet, player, keys } = start(run % 2 === 1);
      const out = changes.map(() => false);
      const viewers: Viewer[] = [];
      for (let tick = 0; tick < 24; tick++) {
        for (let n = random.int(3); n > 0; n--) {
          const i = random.int(changes.length);
          out[i] = !out[i];
          changes[i]!(planet, player, out[i]!);
        }
        planet.run(1);
        for (const viewer of viewers) viewer.look();
        if (random.int(3) === 0) viewers.push(new Viewer(planet, keys));
      }
      planet.run(6);
      const truth = new Viewer(planet, keys).shows(player.id);
      for (const viewer of viewers) {
        viewer.look();
        if (viewer.shows(player.id) !== undefined) t.same(viewer.shows(player.id), truth, `run ${run}`);
      }
    }
  },
);

/** What one watcher of one cell is told: nobody stays in its picture who has left, whoever published, whoever died. */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { cellNumber, cellOf } from '../../src/geo/cell.js';
import { RECORD } from '../../src/memory/player.js';
import type { Entity, GameModule, World } from '../../src/world/facade.js';
import { ByteBuffer } from 'flatbuffers';
import * as server from '../../src/wire/generated/server_generated.js';
import { Planet } from './planet.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const y = tile.south + 500;

/** Players who jump. */
const jumpers: GameModule = {
  name: 'jumpers',
  items: [],
  kinds: ['player'],
  components: {},
  actions: {
    jump: {
      kind: 1,
      payload: { dx: 'f32' },
      apply(world: World, e: Entity, p: { dx: number }) {
        world.move(e, p.dx, 0);
        return 0;
      },
    },
  },
  step() {},
};

/** Follows the frames of one cell as a client does that sees no other. */
class Watcher {
  private readonly shown = new Map<number, { publisher: number; epoch: number; tick: number }>();
  private readonly streams = new Map<number, number>();
  private read = 0;
  closed: number[] = [];

  constructor(
    private readonly planet: Planet,
    readonly cell: number,
  ) {
    planet.world.filters[0]!.add(cell);
  }

  /** Ids in the picture. */
  look(): number[] {
    const { records } = this.planet;
    for (; this.read < records.length; this.read++) {
      const record = records[this.read]!;
      if (record.type !== RECORD.FRAME) continue;
      const message = server.ServerMessage.getRootAsServerMessage(new ByteBuffer(record.bytes));
      const frame = message.body(new server.CellFrame()) as server.CellFrame;
      if (cellOf(frame.cellX(), frame.cellY()) === this.cell) this.take(frame);
    }
    return [...this.shown.keys()];
  }

  private take(frame: server.CellFrame): void {
    const publisher = frame.publisher();
    const tick = frame.tick();
    for (let i = 0; i < frame.closesLength(); i++) {
      const closed = frame.closes(i)!;
      this.closed.push(closed);
      this.streams.delete(closed);
      for (const [id, s] of this.shown) if (s.publisher === closed) this.shown.delete(id);
    }
    if (frame.previous() === 0) {
      for (const [id, s] of this.shown) if (s.publisher === publisher) this.shown.delete(id);
    } else if (frame.previous() !== this.streams.get(publisher)) throw new Error('I6: a gap');
    this.streams.set(publisher, tick);
    for (let i = 0; i < frame.statesLength(); i++) {
      const s = frame.states(i)!;
      const before = this.shown.get(Number(s.id()));
      if (before && (before.epoch > s.epoch() || (before.epoch === s.epoch() && before.tick > tick)))
        continue;
      this.shown.set(Number(s.id()), { publisher, epoch: s.epoch(), tick });
    }
    for (let i = 0; i < frame.removalsLength(); i++) {
      const r = frame.removals(i)!;
      const before = this.shown.get(Number(r.id()));
      if (before && before.epoch <= r.epoch()) this.shown.delete(Number(r.id()));
    }
  }
}

/** A player on shard 0, near the border with shard 1 in the east. */
function start() {
  const planet = new Planet(jumpers);
  planet.assign(tile.east - 50, y, 0);
  planet.assign(tile.east + 50, y, 1);
  const player = planet.join(tile.east - 50, y);
  return { planet, player };
}

for (const parity of [0, 1]) {
  t.test(
    `handed over in the tick in which it left its cell (${parity ? 'between frames' : 'frame'})`,
    (t) => {
      const { planet, player } = start();
      const watcher = new Watcher(planet, cellNumber(tile.east - 50, y));
      planet.run(6 + ((planet.tick + parity + 1) % 2));
      t.strictSame(watcher.look(), [player.id]);
      planet.act(player, 'jump', { dx: 1000 });
      planet.run(1);
      t.equal(planet.tick % 2, parity);
      planet.run(5);
      t.equal(planet.ownerOf(player.slot), 1);
      t.strictSame(watcher.look(), [], 'its last owner tells where it went');
      t.end();
    },
  );

  t.test(
    `on its way again before its new owner has shown it (${parity ? 'between frames' : 'frame'})`,
    (t) => {
      const { planet, player } = start();
      const watcher = new Watcher(planet, cellNumber(tile.east + 950, y));
      planet.run(6 + ((planet.tick + parity + 1) % 2));
      planet.act(player, 'jump', { dx: 1000 });
      planet.run(1, [1, 0]);
      planet.act(player, 'jump', { dx: 1000 });
      planet.run(6);
      t.strictSame(watcher.look(), [], 'its new owner tells that it is gone from where it was shown');
      t.end();
    },
  );
}

const deaths: [string, (planet: Planet) => void][] = [
  ['in its first tick', (planet) => void planet.dieIn(0, 5)],
  ['before its first frame', (planet) => planet.step()],
  ['at its first frames', (planet) => dieAtFrames(planet)],
];

/** Runs as far as the first word about a frame in a ring, and dies before it is there for all. */
function dieAtFrames(planet: Planet): void {
  planet.step();
  for (let n = 0; planet.dieIn(0, n).died; n++) {
    if (planet.world.frames[0]![0]!.used() > 0) return;
    planet.replace(0);
  }
}

for (const [name, die] of deaths) {
  t.test(`a replacement dies ${name}: the streams of the one before it are closed all the same`, (t) => {
    const { planet, player } = start();
    const watcher = new Watcher(planet, cellNumber(tile.east - 50, y));
    planet.run(6 + (planet.tick % 2));
    t.strictSame(watcher.look(), [player.id]);
    const first = planet.shards[0]!.core.options.incarnation;
    planet.kill(0);
    die(planet);
    planet.kill(0);
    planet.act(player, 'jump', { dx: -1000 });
    planet.run(6);
    t.strictSame(watcher.look(), [], 'nobody is left behind');
    t.ok(watcher.closed.includes(first));
    t.end();
  });
}

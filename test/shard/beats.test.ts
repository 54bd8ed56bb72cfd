/**
 * The heart beats through a shard's own work, however much of it comes in one tick: the supervisor's limit of silence is
 * for what does not go on, and what it ends is blamed on who was in hand. Nobody is, in work that is nobody's.
 */
import t, { type Test } from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { cellNumber } from '../../src/geo/cell.js';
import { STORE_STATE } from '../../src/memory/cut-block.js';
import { LoadTable } from '../../src/memory/load-table.js';
import { ViewWriter } from '../../src/memory/view.js';
import { Actions } from '../../src/shard/actions.js';
import { Core } from '../../src/shard/core.js';
import { Cut } from '../../src/shard/cut.js';
import { FrameEncoder } from '../../src/shard/frame-encoder.js';
import { Frames } from '../../src/shard/frames.js';
import { Ledger } from '../../src/shard/ledger.js';
import { Published } from '../../src/shard/published.js';
import { SelfUpdates } from '../../src/shard/self.js';
import type { Entity, World } from '../../src/world/facade.js';
import { Planet, type TestPlayer } from './planet.js';

t.setTimeout(300_000);

const MANY = 20_000;
const MOST = 16;
const STONE = 1;
const ONE = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
/** Not at the edge of a cell: all stand in one. */
const x = (ONE.west + ONE.east) / 2 + 3;
const y = (ONE.south + ONE.north) / 2 + 3;

/** Whoever asks is surrounded by stones; they go when they are told. */
function quarry(many: number) {
  return {
    name: 'quarry',
    kinds: ['player', 'stone'],
    items: [],
    components: { gone: 'u8' },
    events: { crack: 1 },
    actions: {
      nod: { kind: 1, payload: 'none', apply: () => 0 },
      heap: {
        kind: 2,
        payload: 'none',
        apply: (world: World) => {
          for (let i = 0; i < many; i++) world.spawn(STONE, x + (i % 7) / 10, y + (i % 11) / 10);
          return 0;
        },
      },
    },
    step: (world: World<'gone'>, e: Entity) => {
      if (isOver && world.kind(e) === STONE) world.despawn(e);
    },
  };
}
let isOver = false;

type Methods = Record<string, (...args: unknown[]) => unknown>;

/** Counts calls of a method, and the longest row of them without a heartbeat. */
class Spy {
  calls = 0;
  longest = 0;
  /** Calls in which an entity stood in hand. */
  blamed = 0;
  private row = 0;
  private beat = -1;

  constructor(t: Test, type: { prototype: object }, method: string, planet: Planet) {
    const methods = type.prototype as Methods;
    const original = methods[method];
    if (original === undefined) throw new Error(`there is no ${method}`);
    const spy = this;
    methods[method] = function (...args) {
      spy.called(planet);
      return original.apply(this, args);
    };
    t.teardown(() => void (methods[method] = original));
  }

  private called(planet: Planet): void {
    const { heartbeat, inHandEntity } = planet.world.shardBlocks[0]!;
    this.row = heartbeat === this.beat ? this.row + 1 : 1;
    this.beat = heartbeat;
    this.longest = Math.max(this.longest, this.row);
    this.calls++;
    if (inHandEntity !== 0) this.blamed++;
  }
}

interface Row {
  readonly what: string;
  readonly type: { prototype: object };
  readonly method: string;
  readonly run: (planet: Planet, player: TestPlayer) => void;
  /** Calls at least; left out: as many as there are stones. */
  readonly least?: number;
  /** Units without a beat at most. */
  readonly most?: number;
}

const look = (planet: Planet) => planet.run(3);
const watched = (planet: Planet) => {
  planet.world.filters[0]!.add(cellNumber(x, y));
  planet.run(4);
};
const ended = (planet: Planet) => {
  watched(planet);
  isOver = true;
  planet.run(3);
};

const ROWS: readonly Row[] = [
  { what: 'rows of the view are counted', type: ViewWriter, method: 'addRow', run: look },
  { what: 'rows of the view are written', type: ViewWriter, method: 'putSlot', run: look },
  { what: 'frames: what has changed is looked for', type: Published, method: 'see', run: watched },
  { what: 'frames: rows of a key frame', type: FrameEncoder, method: 'encodeState', run: watched },
  { what: 'frames: removals', type: Frames, method: 'chain', run: ended },
  { what: 'the load is noted', type: LoadTable, method: 'add', run: (planet) => planet.run(6) },
  { what: 'bags are compared', type: Ledger, method: 'verify', run: (planet) => planet.run(20), most: 256 },
  {
    what: 'the cut takes its records',
    type: Cut,
    method: 'push',
    run: (planet) => {
      planet.world.cut.state = STORE_STATE.RUNNING;
      planet.world.cut.ask(planet.tick + 1);
      planet.run(1);
    },
  },
  { what: 'a dead shard is adopted', type: Core, method: 'adopt', run: (planet) => planet.kill(0) },
  {
    what: 'a dead shard is adopted whose tick was not committed',
    type: Core,
    method: 'adopt',
    run: (planet) => {
      planet.dieIn(0, 5_000);
      planet.replace(0);
    },
  },
];

function heaped(many: number, tickRateHz?: number): [Planet, TestPlayer] {
  isOver = false;
  const planet = new Planet(quarry(many), { shards: 1, entities: 32_768, tickRateHz });
  const player = planet.join(x, y);
  planet.run(2);
  return [planet, player];
}

function judge(t: Test, { what, least = MANY, most = MOST }: Omit<Row, 'run'>, spy: Spy): void {
  t.ok(spy.calls >= least, `${what}: ${spy.calls} units`);
  t.ok(spy.longest <= most, `${what}: ${spy.longest} between two beats`);
  t.equal(spy.blamed, 0, `${what}: nobody is in hand`);
}

t.test(`${MANY} entities in one shard`, async (t) => {
  for (const row of ROWS) {
    await t.test(row.what, async (t) => {
      const [planet, player] = heaped(MANY);
      planet.act(player, 'heap');
      planet.run(2);
      const spy = new Spy(t, row.type, row.method, planet);
      row.run(planet, player);
      judge(t, row, spy);
    });
  }
});

t.test('so many are made in one tick', async (t) => {
  const [planet, player] = heaped(MANY);
  const spy = new Spy(t, Core, 'adopt', planet);
  planet.act(player, 'heap');
  planet.run(1);
  judge(t, { what: 'the commit', type: Core, method: 'adopt' }, spy);
});

t.test('the actions of a second, in one tick', async (t) => {
  const [planet, player] = heaped(1, 1);
  for (let i = 0; i < 30; i++) planet.act(player, 'nod');
  const spy = new Spy(t, Actions, 'decide', planet);
  planet.run(2);
  judge(t, { what: 'actions', type: Actions, method: 'decide', least: 30 }, spy);
});

t.test('answers to thousands who come in one tick', async (t) => {
  const [planet] = heaped(1);
  for (let i = 0; i < 3_000; i++) planet.join(x, y);
  const spy = new Spy(t, SelfUpdates, 'push', planet);
  planet.run(1);
  judge(t, { what: 'answers', type: SelfUpdates, method: 'push', least: 3_000 }, spy);
});

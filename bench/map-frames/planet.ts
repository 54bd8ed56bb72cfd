/**
 * A planet that is only shown, never simulated: as many players and tiles as asked, in the largest cities, behind a real
 * admin server. Players walk when they are looked at; every tile has other numbers once a second.
 *
 * Contract: one thread; deterministic but for the time; what it says is shaped like a node's own answers.
 */
import type { NodeView } from '../../src/admin/routes.js';
import type { Box, Dots } from '../../src/admin/sight.js';
import type { Clock } from '../../src/base/clock.js';
import { LIMITS } from '../../src/base/limits.js';
import { type Random, seededRandom } from '../../src/base/random.js';
import { CITIES, CITY_FIELDS } from '../../src/bots/scenarios/city-table.js';
import type { Status, TileStatus } from '../../src/control/status.js';
import {
  boundsOf,
  childrenOf,
  formatTile,
  indexOfTile,
  type TileAddress,
  tileAt,
} from '../../src/geo/address.js';
import { dx, lonLatToXY, wrapX } from '../../src/geo/world.js';

export interface ShownOptions {
  readonly players: number;
  readonly tiles: number;
  readonly shards: number;
  readonly seed: number;
  /** Crossings between shards told at every look, two a second: each is shown as a ring. */
  readonly handovers: number;
}

const SPEED_MPS = 6;
const MOST_DOTS = 1500;
const CAPACITY = 200;
const TICKS_PER_SECOND = 20;

/** Of each: x, y (metres), vx, vy (m/s). */
const FIELDS = 4;

export class ShownPlanet {
  readonly leaves: readonly TileAddress[];
  readonly home: { readonly x: number; readonly y: number };
  private readonly places: Float64Array;
  private readonly random: Random;
  private readonly startedMs: number;
  private movedMs: number;

  constructor(
    private readonly options: ShownOptions,
    private readonly clock: Clock,
  ) {
    this.random = seededRandom(options.seed);
    this.startedMs = this.movedMs = clock.now();
    // A tenth of the tiles is split: four leaves each.
    const split = Math.floor(options.tiles / 13);
    const bases = cityTiles(options.tiles - 3 * split);
    this.leaves = bases.flatMap((tile, i) => (i < split ? childrenOf(tile) : [tile]));
    this.places = new Float64Array(options.players * FIELDS);
    for (let i = 0; i < options.players; i++) this.place(i, bases);
    const { west, south, east, north } = boundsOf(bases[0]);
    this.home = { x: wrapX(west + dx(west, east) / 2), y: (south + north) / 2 };
  }

  /** What an admin server shows. */
  node(): NodeView {
    const refuse = () => 'BAD_TILE' as const;
    return {
      status: () => this.status(),
      cluster: () => ({ nodes: [], routers: [] }) as never,
      tiles: () => ({ tick: this.tick(), tileLevel: LIMITS.baseTileLevel, tiles: this.tiles() }),
      sight: {
        layoutVersion: 1,
        forget: () => {},
        look: () => this.look(),
        dots: (box) => this.dots(box),
        handoverTimes: () => [1, 300, 20, 5000, 40, 3000, 60, 40, 120, 3],
      },
      observatory: {
        metricsText: async () => ({ text: '', type: 'text/plain' }),
        traces: { status: () => ({ handovers: { slowest: [] }, migrations: { slowest: [] } }) as never },
      },
      decisions: () => [],
      notReady: () => [],
      killShard: () => false,
      hangGateway: () => false,
      split: refuse,
      merge: refuse,
      move: refuse,
      journal: () => [],
      plantDuplicate: () => false,
      snapshot: async () => {
        throw new Error('nothing is stored');
      },
      drain: () => {},
    };
  }

  /** Most players stand in the first tiles. */
  private place(i: number, bases: readonly TileAddress[]): void {
    const { random, places } = this;
    const tile = bases[Math.floor(random.next() ** 2 * bases.length)];
    const { west, south, east, north } = boundsOf(tile);
    const heading = random.next() * 2 * Math.PI;
    places.set(
      [
        wrapX(west + random.next() * dx(west, east)),
        south + random.next() * (north - south),
        SPEED_MPS * Math.cos(heading),
        SPEED_MPS * Math.sin(heading),
      ],
      i * FIELDS,
    );
  }

  private tick(): number {
    return Math.floor(((this.clock.now() - this.startedMs) / 1000) * TICKS_PER_SECOND);
  }

  /** Walks on to now; who would leave the tile of the start goes back again after a minute. */
  private walk(): void {
    const now = this.clock.now();
    const seconds = (now - this.movedMs) / 1000;
    const before = Math.floor((this.movedMs - this.startedMs) / 60_000);
    const turns = Math.floor((now - this.startedMs) / 60_000) !== before;
    this.movedMs = now;
    const { places } = this;
    for (let at = 0; at < places.length; at += FIELDS) {
      places[at] = wrapX(places[at] + places[at + 2] * seconds);
      places[at + 1] += places[at + 3] * seconds;
      if (!turns) continue;
      places[at + 2] *= -1;
      places[at + 3] *= -1;
    }
  }

  private look(): { density: Map<number, number>; handovers: number[] } {
    this.walk();
    const density = new Map<number, number>();
    const { places, random, options } = this;
    for (let at = 0; at < places.length; at += FIELDS) {
      const square = indexOfTile(tileAt(places[at], places[at + 1], LIMITS.deepestTileLevel));
      density.set(square, (density.get(square) ?? 0) + 1);
    }
    const handovers: number[] = [];
    for (let i = 0; i < options.handovers; i++) {
      const at = random.int(options.players) * FIELDS;
      const shard = random.int(options.shards);
      handovers.push(Math.round(places[at]), Math.round(places[at + 1]), shard, (shard + 1) % options.shards);
    }
    return { density, handovers };
  }

  private dots(box: Box): Dots {
    this.walk();
    const { places } = this;
    const dots: number[] = [];
    let total = 0;
    const wide = (box.east - box.west + 40_075_016.685578488) % 40_075_016.685578488; // dx-ok: the box says which way round
    for (let at = 0; at < places.length; at += FIELDS) {
      const [x, y] = [places[at], places[at + 1]];
      const east = dx(box.west, x);
      if (east < 0 || east > wide || y < box.south || y > box.north) continue;
      if (total++ >= MOST_DOTS) continue;
      const [vx, vy] = [places[at + 2], places[at + 3]];
      dots.push(at + 1, east, y - box.south, vx, vy, 0, (at / FIELDS) % this.options.shards);
    }
    return { tick: this.tick(), total, dots };
  }

  private tiles(): TileStatus[] {
    const { random, options, leaves } = this;
    const mean = options.players / leaves.length;
    return leaves.map((tile, i) => {
      const players = Math.round(mean * (0.2 + 1.6 * (1 - i / leaves.length)) + random.int(3));
      return {
        tile: formatTile(tile),
        shard: i % options.shards,
        players,
        entities: 4 * players,
        load: (players / CAPACITY) * (1 + 30 * (1 - i / leaves.length)) * (i % 40 === 0 ? 1 : 0.2),
        busy: random.int(100) / 1000,
        dilation: 1,
        nearRate: 1,
        farRate: 1,
        actionsPerSecond: random.int(100),
      };
    });
  }

  private status(): Status {
    const { random, options } = this;
    const shards = Array.from({ length: options.shards }, (_, id) => ({
      id,
      incarnation: 1,
      tiles: Math.round(this.leaves.length / options.shards),
      players: Math.round(options.players / options.shards),
      entities: Math.round((4 * options.players) / options.shards),
      tickMs: { p50: 4 + random.int(3), p99: 12 + random.int(9), max: 40 },
      busy: 0.4 + random.int(20) / 100,
      waiting: 0,
      actionsPerSecond: 600,
      bytesPerSecond: 4_000_000,
      handoversIn: this.tick(),
      handoversOut: this.tick(),
      ringHighWater: { arrivals: 0, messages: 0, frames: 0 },
      gcMaxMs: 3,
      collections: 4,
      frozen: 0,
      state: 'running',
    }));
    return {
      uptimeSeconds: (this.clock.now() - this.startedMs) / 1000,
      tick: this.tick(),
      tickRate: TICKS_PER_SECOND,
      dilation: 1,
      cpuSaturated: false,
      players: options.players,
      entities: 5 * options.players,
      bots: 0,
      shards,
      gateways: [{ id: 0, connections: options.players, bytesOutPerSecond: 30_000_000 + random.int(1e6) }],
      totals: {
        handovers: this.tick() * 10,
        crossings: this.tick() * 3,
        splits: 0,
        merges: 0,
        moves: 0,
        shardRestarts: 0,
        actionsApplied: this.tick() * 250 + random.int(1000),
        actionsRejected: 0,
        itemsCreated: 0,
        itemsConsumed: 0,
        items: 0,
        ticksFrozen: 0,
        gameFaults: 0,
      },
      handoverMs: { p50: 14, p99: 38, max: 120 },
      ticksMissed: 0,
      ticksDoubled: 0,
      durableTick: 0,
      store: null,
      audit: { ok: true, differences: 0, lastCheckTick: 0, last: [] },
      decisions: [],
      forecast: { mode: 'off', horizons: [], total: [], tiles: [] },
      alarms: [],
    };
  }
}

/** The base tiles of the largest cities, each once. */
function cityTiles(count: number): TileAddress[] {
  const tiles = new Map<string, TileAddress>();
  for (let city = 0; tiles.size < count; city++) {
    if ((city + 1) * CITY_FIELDS > CITIES.length) throw new Error(`there are no ${count} tiles with cities`);
    const { x, y } = lonLatToXY(CITIES[city * CITY_FIELDS], CITIES[city * CITY_FIELDS + 1]);
    const tile = tileAt(x, y, LIMITS.baseTileLevel);
    tiles.set(formatTile(tile), tile);
  }
  return [...tiles.values()];
}

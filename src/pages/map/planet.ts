/**
 * What the page knows of the planet: fed with the events of /api/live, asked by everything that draws. Fields that a
 * server does not send are absent, and nothing here needs them but `tile`, `shard`, `players` and `entities`.
 */
import { centreOf, formatTile, parentOf, parseTile, type TileAddress } from '../../geo/address.js';
import { tileColumns } from '../../geo/tile.js';

/** Level of the squares that the density is counted in. */
export const DENSITY_LEVEL = 13;
const BASE_LEVEL = 11;
const DENSITY_COLUMNS = tileColumns(DENSITY_LEVEL);
const KEPT_SECONDS = 300;
const KEPT_DECISIONS = 200;

export interface Tile {
  readonly tile: string;
  readonly shard: number;
  readonly players: number;
  readonly entities: number;
  readonly load?: number;
  readonly [field: string]: unknown;
}

export interface Shard {
  readonly id: number;
  readonly tiles: number;
  readonly players: number;
  readonly entities: number;
  readonly busy: number;
  readonly tickMs: { readonly p50: number; readonly p99: number };
  readonly [field: string]: unknown;
}

export interface Status {
  readonly uptimeSeconds: number;
  readonly tick: number;
  readonly tickRate: number;
  readonly dilation: number;
  readonly players: number;
  readonly entities: number;
  readonly bots: number;
  readonly capacity?: number;
  readonly shards: readonly Shard[];
  readonly gateways: readonly { readonly connections: number; readonly bytesOutPerSecond: number }[];
  readonly totals: Readonly<Record<string, number>>;
  readonly handoverMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly alarms: readonly string[];
  readonly [field: string]: unknown;
}

export interface Decision {
  readonly tick: number;
  readonly reason: string;
  readonly decision?: string;
  readonly kind?: string;
  readonly tile?: unknown;
  readonly outcome?: unknown;
  readonly [field: string]: unknown;
}

export interface LiveEvent {
  full?: true;
  tick: number;
  status?: Status;
  decisions?: Decision[];
  tiles?: Tile[];
  gone?: string[];
  density?: number[];
  handovers?: number[];
  handoverTimes?: number[];
}

/** A leaf with its address read. */
export interface Leaf {
  readonly data: Tile;
  readonly address: TileAddress;
}

export interface Change {
  readonly kind: 'split' | 'merge' | 'move';
  readonly address: TileAddress;
  readonly shard: number;
}

export interface Sample {
  readonly timeS: number;
  readonly players: number;
  readonly load: number;
}

export class Planet {
  readonly leaves = new Map<string, Leaf>();
  readonly density = new Map<number, number>();
  readonly history = new Map<string, Sample[]>();
  status: Status | null = null;
  decisions: Decision[] = [];
  /** Decisions may have been made that no event told: /api/decisions knows them. */
  missesDecisions = false;
  handoverTimes: number[] = [];
  /** Grows with every event that changes what the map shows. */
  version = 0;
  /** Players of one tile that count as its capacity, until the server says a load itself. */
  private readonly capacity = 5000;

  /** Takes an event. @returns what changed in the layout, for animations */
  take(event: LiveEvent): Change[] {
    if (event.full || event.tiles || event.gone || event.density) this.version++;
    if (event.full) {
      this.leaves.clear();
      this.density.clear();
      this.missesDecisions = true;
    }
    if (event.status !== undefined) this.status = event.status;
    if (event.decisions !== undefined) this.addDecisions(event.decisions);
    if (event.handoverTimes !== undefined) this.handoverTimes = event.handoverTimes;
    const changes = event.full ? [] : this.changes(event.tiles ?? [], event.gone ?? []);
    for (const tile of event.gone ?? []) this.leaves.delete(tile);
    for (const data of event.tiles ?? []) {
      const address = parseTile(data.tile);
      if (address !== undefined) this.leaves.set(data.tile, { data, address });
    }
    const { density = [] } = event;
    for (let i = 0; i < density.length; i += 2) {
      if (density[i + 1] === 0) this.density.delete(density[i]);
      else this.density.set(density[i], density[i + 1]);
    }
    if (event.status !== undefined) this.remember(event.status.uptimeSeconds);
    return changes;
  }

  /** Share of capacity, or of the tick budget. */
  loadOf(tile: Tile): number {
    return tile.load ?? tile.players / (this.status?.capacity ?? this.capacity);
  }

  /** The leaf that holds a place given by its tile of the density level. */
  leafAt(column: number, row: number): Leaf | undefined {
    for (let level = DENSITY_LEVEL; level >= BASE_LEVEL; level--) {
      const up = DENSITY_LEVEL - level;
      const leaf = this.leaves.get(formatTile({ z: level, x: column >> up, y: row >> up }));
      if (leaf !== undefined) return leaf;
    }
    return undefined;
  }

  /** The leaf in the north-western corner of a tile: the tile itself, what it is a part of, or a part of it. */
  leafAround({ z, x, y }: TileAddress): Leaf | undefined {
    const up = DENSITY_LEVEL - z;
    return this.leafAt(x << up, y << up);
  }

  /** Middle of a square of the density, metres. */
  middleOf(square: number): { x: number; y: number } {
    return centreOf({ z: DENSITY_LEVEL, x: this.squareColumn(square), y: this.squareRow(square) });
  }

  squareColumn(square: number): number {
    return square % DENSITY_COLUMNS;
  }
  squareRow(square: number): number {
    return Math.floor(square / DENSITY_COLUMNS);
  }

  /** Decisions that name a tile, a part of it or what it is a part of; newest first. */
  decisionsOf(tile: string): Decision[] {
    const address = parseTile(tile);
    const names = new Set<string>();
    for (let at = address; at !== undefined && at.z >= BASE_LEVEL; at = parentOf(at))
      names.add(formatTile(at));
    return this.decisions.filter((decision) => {
      const text = `${decision.decision ?? ''} ${tileName(decision.tile)}`;
      return [...text.matchAll(/\d+\/\d+\/\d+/g)].some(([name]) => names.has(name));
    });
  }

  /** All that are kept, as /api/decisions has them. */
  takeDecisions(all: readonly Decision[]): void {
    this.missesDecisions = false;
    this.addDecisions(all);
  }

  private addDecisions(newest: readonly Decision[]): void {
    // The newest word on a decision wins: its outcome becomes known later.
    const known = new Map(this.decisions.map((d) => [decisionKey(d), d]));
    // An event tells the last few: when none of them is known there may have been more.
    if (known.size > 0 && newest.every((d) => !known.has(decisionKey(d)))) this.missesDecisions = true;
    for (const decision of newest) known.set(decisionKey(decision), decision);
    this.decisions = [...known.values()].sort((a, b) => b.tick - a.tick).slice(0, KEPT_DECISIONS);
  }

  private changes(tiles: readonly Tile[], gone: readonly string[]): Change[] {
    const changes = new Map<string, Change>();
    const vanished = new Set(gone);
    for (const tile of tiles) {
      const address = parseTile(tile.tile);
      if (address === undefined) continue;
      const before = this.leaves.get(tile.tile);
      if (before !== undefined) {
        if (before.data.shard !== tile.shard)
          changes.set(tile.tile, { kind: 'move', address, shard: tile.shard });
        continue;
      }
      const parent = ancestorIn(address, vanished);
      if (parent !== undefined)
        changes.set(formatTile(parent), { kind: 'split', address: parent, shard: -1 });
      else if (gone.some((name) => isBelow(name, address)))
        changes.set(tile.tile, { kind: 'merge', address, shard: tile.shard });
    }
    return [...changes.values()];
  }

  private remember(timeS: number): void {
    for (const [name, { data }] of this.leaves) {
      let samples = this.history.get(name);
      if (samples === undefined) this.history.set(name, (samples = []));
      if (samples.length > 0 && timeS - samples[samples.length - 1].timeS < 0.9) continue;
      samples.push({ timeS, players: data.players, load: this.loadOf(data) });
      if (samples.length > KEPT_SECONDS) samples.shift();
    }
    for (const [name, samples] of this.history)
      if (timeS - samples[samples.length - 1].timeS > KEPT_SECONDS) this.history.delete(name);
  }
}

/** A tile of a decision: an address in text or in parts. */
export function tileName(tile: unknown): string {
  if (typeof tile === 'string') return tile;
  if (typeof tile !== 'object' || tile === null || !('z' in tile)) return '';
  return formatTile(tile as TileAddress);
}

function decisionKey(d: Decision): string {
  return `${d.tick} ${d.kind ?? ''} ${d.decision ?? ''} ${tileName(d.tile)} ${d.shard ?? ''}`;
}

function ancestorIn(address: TileAddress, names: ReadonlySet<string>): TileAddress | undefined {
  for (let at = parentOf(address); at !== undefined && at.z >= BASE_LEVEL; at = parentOf(at))
    if (names.has(formatTile(at))) return at;
  return undefined;
}

function isBelow(name: string, address: TileAddress): boolean {
  const tile = parseTile(name);
  if (tile === undefined || tile.z <= address.z) return false;
  const up = tile.z - address.z;
  return tile.x >> up === address.x && tile.y >> up === address.y;
}

/**
 * Where the players are, for people who look: read from the views that the shards publish, without stopping anyone.
 *
 * Contract: main thread, with view readers of its own; every call is one pass over the published rows. A view that its
 * shard overwrote meanwhile is read once more, then left as it was seen the time before. Results are approximate by
 * one tick: for eyes, never for decisions.
 */
import type { Clock } from '../base/clock.js';
import { LIMITS } from '../base/limits.js';
import { CELL_COLUMNS, cellColumn, cellRow } from '../geo/cell.js';
import { tileColumns, WIDTH as WORLD_WIDTH } from '../geo/tile.js';
import { BUCKETS, HistogramCopy, bucketEnd } from '../memory/histogram.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import { SHARD_STATE } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { ROW, type ViewReader } from '../memory/view.js';

/** Squares of the deepest tile level are the grain of the density. */
const SQUARE_COLUMNS = tileColumns(LIMITS.deepestTileLevel);
const CELL_SHIFT = LIMITS.cellLevel - LIMITS.deepestTileLevel;
/** Most handovers told in one look; more are only counted by the totals. */
const MOST_HANDOVERS = 200;
/** Most entities in one answer; of more, a steady sample. */
export const MOST_DOTS = 1500;
/** Widest box that is answered with dots, metres. */
export const DOTS_BOX_M = 40_000;
const DOT_FIELDS = 7;
/** Boxes read in a second for all viewers together, and how long one answer serves all who look there. */
const LOOKS_PER_SECOND = 40;
const DOTS_KEPT_MS = 200;

/** Players by square (row × columns + column of the deepest tile level). */
export type Density = ReadonlyMap<number, number>;

export interface Look {
  readonly density: Density;
  /** Since the look before: x, y (metres), shard before, shard now, of each; flat. */
  readonly handovers: readonly number[];
}

export interface Box {
  readonly west: number;
  readonly south: number;
  readonly east: number;
  readonly north: number;
}

export interface Dots {
  readonly tick: number;
  /** Entities in the box; `dots` holds a sample when they are more than MOST_DOTS. */
  readonly total: number;
  /** id, metres east of the box's west edge, metres north of its south edge, vx, vy (m/s), kind, shard; flat. */
  readonly dots: readonly number[];
}

type Watched = Pick<SharedWorld, 'arena' | 'shardBlocks' | 'directory' | 'viewReaders' | 'clock'>;

export class Sight {
  private readonly readers: readonly ViewReader[];
  private readonly densities: Map<number, number>[];
  /** By slot: who was there, and whose it was. */
  private readonly ids: Float64Array;
  private readonly owners: Int8Array;
  private hasLooked = false;

  private readonly answers = new Map<string, { at: number; dots: Dots }>();
  private secondStart = Number.NEGATIVE_INFINITY;
  private looksLeft = 0;

  constructor(
    private readonly world: Watched,
    private readonly clock: Clock,
  ) {
    this.readers = world.viewReaders();
    this.densities = this.readers.map(() => new Map());
    this.ids = new Float64Array(world.arena.capacity);
    this.owners = new Int8Array(world.arena.capacity);
  }

  /** Grows with every change of the layout. */
  get layoutVersion(): number {
    return this.world.directory.version;
  }

  /** The next look tells no handovers: what was seen last is too old to compare with. */
  forget(): void {
    this.hasLooked = false;
  }

  /** One pass over all players. */
  look(): Look {
    const handovers: number[] = [];
    for (let shard = 0; shard < this.readers.length; shard++) {
      if (!this.isRunning(shard)) this.densities[shard].clear();
      else this.lookAt(shard, handovers);
    }
    this.hasLooked = true;
    const density = new Map<number, number>();
    for (const part of this.densities)
      for (const [square, players] of part) density.set(square, (density.get(square) ?? 0) + players);
    return { density, handovers };
  }

  /**
   * Entities inside a box; of too many a sample that stays the same from call to call. Viewers of one place share an
   * answer for a while. @returns null when more was asked for than is read in a second
   */
  dots(box: Box): Dots | null {
    const now = this.clock.now();
    const key = `${box.west},${box.south},${box.east},${box.north}`;
    const kept = this.answers.get(key);
    if (kept !== undefined && now - kept.at < DOTS_KEPT_MS) return kept.dots;
    if (now - this.secondStart >= 1000) {
      this.secondStart = now;
      this.looksLeft = LOOKS_PER_SECOND;
      this.answers.clear();
    }
    if (this.looksLeft-- <= 0) return null;
    const dots = this.dotsNow(box);
    this.answers.set(key, { at: now, dots });
    return dots;
  }

  private dotsNow(box: Box): Dots {
    const open = this.readers.map((reader, shard) => ({ reader, shard, rows: [] as number[] }));
    const seen = open.filter(({ reader, shard }) => this.isRunning(shard) && reader.open());
    for (const { reader, rows } of seen) this.rowsWithin(reader, box, rows);
    const total = seen.reduce((sum, { rows }) => sum + rows.length, 0);
    const share = Math.min(1, MOST_DOTS / total);
    const dots: number[] = [];
    let tick = 0;
    for (const { reader, shard, rows } of seen) {
      const part: number[] = [];
      for (const row of rows) if (isSampled(reader, row, share)) dot(reader, row, box, shard, part);
      if (!reader.valid()) continue; // overtaken: this shard's are missing once
      tick = Math.max(tick, reader.tick);
      for (const value of part) dots.push(value);
    }
    return { tick, total, dots: dots.slice(0, MOST_DOTS * DOT_FIELDS) };
  }

  /** Durations of handovers so far: upper edge in ms and count of each bucket that has any; flat. */
  handoverTimes(): number[] {
    const copy = new HistogramCopy();
    for (const block of this.world.shardBlocks) block.handoverMs.addTo(copy);
    const times: number[] = [];
    for (let b = 0; b < BUCKETS; b++) if (copy.counts[b] > 0) times.push(bucketEnd(b), copy.counts[b]);
    return times;
  }

  private isRunning(shard: number): boolean {
    return this.world.shardBlocks[shard].state === SHARD_STATE.RUNNING;
  }

  private lookAt(shard: number, handovers: number[]): void {
    const reader = this.readers[shard];
    for (let tries = 0; tries < 2; tries++) {
      if (!reader.open()) return;
      const density = new Map<number, number>();
      const before = handovers.length;
      for (let c = 0; c < reader.placedCount; c++) {
        const players = this.lookInCell(reader, c, shard, handovers);
        if (players === 0) continue;
        const square = squareOf(reader.cellAt(c));
        density.set(square, (density.get(square) ?? 0) + players);
      }
      if (reader.valid()) {
        this.densities[shard] = density;
        return;
      }
      handovers.length = before;
    }
  }

  private lookInCell(reader: ViewReader, c: number, shard: number, handovers: number[]): number {
    const first = reader.start(c);
    const end = first + reader.count(c);
    let players = 0;
    for (let row = first; row < end; row++) {
      const byte = reader.rowByte(row);
      if (reader.u16[(byte + ROW.kind) >> 1] !== PLAYER_KIND) continue;
      if ((reader.u16[(byte + ROW.flags) >> 1] & FLAG.OFFLINE) !== 0) continue;
      players++;
      const slot = reader.i32[(byte + ROW.slot) >> 2];
      const id = reader.f64[(byte + ROW.id) >> 3];
      if (slot < 0 || slot >= this.ids.length) continue; // an overtaken reader may find anything
      if (this.hasLooked && this.ids[slot] === id && this.owners[slot] !== shard) {
        if (handovers.length < MOST_HANDOVERS * 4) {
          const at = byte >> 3;
          handovers.push(
            Math.round(reader.f64[at + (ROW.x >> 3)]),
            Math.round(reader.f64[at + (ROW.y >> 3)]),
            this.owners[slot],
            shard,
          );
        }
      }
      this.ids[slot] = id;
      this.owners[slot] = shard;
    }
    return players;
  }

  /** Adds the byte offsets of the rows inside a box. */
  private rowsWithin(reader: ViewReader, box: Box, rows: number[]): void {
    const west = cellColumn(box.west);
    const north = cellRow(box.north);
    const across = (cellColumn(box.east) - west + CELL_COLUMNS) % CELL_COLUMNS; // dx-ok: columns, over the antimeridian
    const down = cellRow(box.south) - north;
    for (let c = 0; c < reader.placedCount; c++) {
      const cell = reader.cellAt(c);
      const column = cell % CELL_COLUMNS;
      if ((column - west + CELL_COLUMNS) % CELL_COLUMNS > across) continue;
      const row = Math.floor(cell / CELL_COLUMNS) - north;
      if (row < 0 || row > down) continue;
      const first = reader.start(c);
      const end = first + reader.count(c);
      for (let r = first; r < end; r++) rows.push(reader.rowByte(r));
    }
  }
}

function squareOf(cell: number): number {
  const column = cell % CELL_COLUMNS;
  const row = (cell - column) / CELL_COLUMNS;
  return (row >> CELL_SHIFT) * SQUARE_COLUMNS + (column >> CELL_SHIFT);
}

/** Steady: an entity keeps its slot, and a smaller share only leaves some out. */
function isSampled(reader: ViewReader, byte: number, share: number): boolean {
  if (share >= 1) return true;
  return Math.imul(reader.i32[(byte + ROW.slot) >> 2], 0x9e3779b1) >>> 0 < share * 2 ** 32;
}

function dot(reader: ViewReader, byte: number, box: Box, shard: number, out: number[]): void {
  const { f64, f32, u16 } = reader;
  const east = f64[(byte + ROW.x) >> 3] - box.west; // dx-ok: the box says which way round
  out.push(
    f64[(byte + ROW.id) >> 3],
    tenth(east < 0 ? east + WORLD_WIDTH : east),
    tenth(f64[(byte + ROW.y) >> 3] - box.south),
    tenth(f32[(byte + ROW.vx) >> 2]),
    tenth(f32[(byte + ROW.vy) >> 2]),
    u16[(byte + ROW.kind) >> 1],
    shard,
  );
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}

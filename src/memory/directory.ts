/**
 * Which shard has which tile: read by every thread at any time with one or a few loads; base entries are changed by any
 * thread by compare-and-swap, blocks of children by the supervisor alone; nobody waits. A hint: the owner word is the truth.
 *
 * ```
 *  64 B      64 B       Int32 per base tile          Int32 per base tile   Int32 per base tile   4 Int32 per block
 * ┌────────┬──────────┬────────────────────────────┬─────────────────────┬─────────────────────┬────────────────────┬───────┐
 * │ header │ version  │ 0 nobody · s + 1 shard s   │ touched: last tick  │ generated: tick of  │ children NW NE     │ count │
 * │        │          │ −b: block b of 4 children ─┼─ that wanted it ────┼─ natural content ───┼▶ SW SE, same code  │       │
 * └────────┴──────────┴────────────────────────────┴─────────────────────┴─────────────────────┴────────────────────┴───────┘
 *   count: Int32 for each stretch of 256 base tiles, how many of them somebody has; for searches, which skip the empty ones
 *   behind them: the setting of each entry (service.ts), and which base tiles the last 256 changes concerned
 * ```
 * Order of a split: fill the block, then the one store that shows it; swapped, a reader finds children without owner
 * (I9). A merged block is used again last, so a reader that was on its way into it finds an old answer, not another
 * tile's; even that would only cost one more handover.
 * Order of a placing: count, then the entry; of a release: entry, then count. Swapped, a search misses a tile that is
 * there. A death in between leaves a count too high, which costs a search 256 loads and nothing else.
 * Order of a change: the entry, the version, then the note which tile it was. A reader that finds the version without
 * its note, or the note overwritten, takes it that anything may have changed.
 * A death before the showing store leaves a block in use that nothing shows; the supervisor's death is the process's.
 */
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import { LINE, PARAMETERS, checkHeader, magicOf, writeHeader } from './header.js';
import { Services, leastService } from './service.js';

const MAGIC = magicOf('BMdr');
const CHANGES = LINE >> 2;
const FIRST = (2 * LINE) >> 2;
const BLOCKS = 2 ** 15;
const MAX_LEVELS = 5;
/** Words on the line of the version: it, then the counts of settings (service.ts). */
const SERVICE_COUNTS = CHANGES + 1;
/** Changes whose tile is remembered, a power of two; each note is (tile, version). */
const NOTES = 256;
/** Base tiles that one count stands for: 2^8. */
const STRETCH_BITS = 8;

export class Directory {
  /** Columns of the base level; rows are half as many. */
  readonly columns: number;
  /** Levels below the base tiles that splits may reach. */
  readonly levels: number;
  private readonly i32: Int32Array;
  private readonly baseLevel: number;
  private readonly tiles: number;
  private readonly touchedStart: number;
  private readonly generatedStart: number;
  private readonly blockStart: number;
  private readonly countStart: number;
  private readonly blocks: number;
  private readonly noteStart: number;
  /** Settings by entry: base tiles first, then the places of the blocks. */
  private readonly services: Services;
  /** Supervisor only: blocks free to use, oldest first. */
  private freeBlocks: number[] | null = null;

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'directory');
    this.baseLevel = this.i32[PARAMETERS];
    this.levels = this.i32[PARAMETERS + 1];
    this.blocks = this.i32[PARAMETERS + 2];
    this.columns = 2 ** (this.baseLevel + 1);
    this.tiles = this.columns * 2 ** this.baseLevel;
    this.touchedStart = FIRST + this.tiles;
    this.generatedStart = this.touchedStart + this.tiles;
    this.blockStart = this.generatedStart + this.tiles;
    this.countStart = this.blockStart + 4 * (this.blocks + 1);
    const serviceStart = this.countStart + Math.ceil(this.tiles / 2 ** STRETCH_BITS);
    this.services = new Services(this.i32, serviceStart, SERVICE_COUNTS);
    this.noteStart = serviceStart + this.tiles + 4 * (this.blocks + 1);
  }

  /**
   * @param baseLevel level of the base tiles
   * @param deepestLevel level down to which they may be split
   * @param blocks most splits at a time
   */
  static create(
    baseLevel: number = LIMITS.baseTileLevel,
    deepestLevel: number = LIMITS.deepestTileLevel,
    blocks = BLOCKS,
  ): Directory {
    const levels = deepestLevel - baseLevel;
    assert(baseLevel >= 0 && levels >= 0 && levels <= MAX_LEVELS, 'directory: levels below the base');
    const tiles = 2 ** (2 * baseLevel + 1);
    const words = FIRST + 4 * tiles + 8 * (blocks + 1) + Math.ceil(tiles / 2 ** STRETCH_BITS) + 2 * NOTES;
    assert(words < 2 ** 30, 'directory: offsets are Int32');
    const sab = new SharedArrayBuffer(words * 4);
    writeHeader(new Int32Array(sab), MAGIC, [baseLevel, levels, blocks]);
    return new Directory(sab);
  }

  /** @throws AssertionError when the buffer is not a directory of this version */
  static from(sab: SharedArrayBuffer): Directory {
    return new Directory(sab);
  }

  /** Grows with every change. */
  get version(): number {
    return Atomics.load(this.i32, CHANGES);
  }

  /**
   * Shard of a base tile (one load), or of one of its descendants where it is split.
   * @param tile index of the base tile, row × columns + column
   * @param path two bits a level (0 NW, 1 NE, 2 SW, 3 SE), the first level below the base highest, `levels` of them
   * @returns shard number, or −1 for nobody
   */
  lookup(tile: number, path = 0): number {
    let entry = Atomics.load(this.i32, FIRST + tile);
    for (let shift = (this.levels - 1) * 2; entry < 0; shift -= 2) {
      assert(shift >= 0, 'I9: no tile is split below the deepest level');
      entry = Atomics.load(this.i32, this.blockStart - entry * 4 + ((path >> shift) & 3));
    }
    return entry - 1;
  }

  /** Whether a base tile is split. */
  isSplit(tile: number): boolean {
    return Atomics.load(this.i32, FIRST + tile) < 0;
  }

  /** Levels below its base tile of the leaf that a path leads to, 0 = the base tile is not split. */
  depthOf(tile: number, path: number): number {
    let depth = 0;
    let entry = Atomics.load(this.i32, FIRST + tile);
    for (; entry < 0; depth++) {
      const shift = (this.levels - 1 - depth) * 2;
      entry = Atomics.load(this.i32, this.blockStart - entry * 4 + ((path >> shift) & 3));
    }
    return depth;
  }

  /** The same by column and row of the deepest level. */
  lookupDeepest(column: number, row: number): number {
    const entry = Atomics.load(
      this.i32,
      FIRST + (row >> this.levels) * this.columns + (column >> this.levels),
    );
    if (entry >= 0) return entry - 1;
    let path = 0;
    for (let shift = this.levels - 1; shift >= 0; shift--) {
      path = (path << 2) | (((row >> shift) & 1) << 1) | ((column >> shift) & 1);
    }
    return this.lookup((row >> this.levels) * this.columns + (column >> this.levels), path);
  }

  /**
   * Visits every base tile that somebody has, undivided or split. About 0.2 ms, and 1 µs for each stretch of 256 tiles
   * that is not empty: for a start, and after somebody's death.
   */
  forEachTaken(visit: (tile: number) => void): void {
    const stretch = 2 ** STRETCH_BITS;
    for (let first = 0; first < this.tiles; first += stretch) {
      if (Atomics.load(this.i32, this.countStart + (first >> STRETCH_BITS)) === 0) continue;
      for (let tile = first; tile < Math.min(first + stretch, this.tiles); tile++) {
        if (this.i32[FIRST + tile] !== 0) visit(tile); // plain: who asks sees some moment of each, as with Atomics
      }
    }
  }

  /** Gives an ownerless base tile to a shard. @returns false when somebody has it */
  place(tile: number, shard: number): boolean {
    if (Atomics.load(this.i32, FIRST + tile) !== 0) return false;
    this.services.clear(tile);
    this.count(tile, 1);
    if (this.change(tile, FIRST + tile, 0, shard + 1)) return true;
    this.count(tile, -1);
    return false;
  }
  /** Takes a base tile from the shard that has it. @returns false when that shard does not have it, or it is split */
  release(tile: number, shard: number): boolean {
    if (!this.change(tile, FIRST + tile, shard + 1, 0)) return false;
    this.count(tile, -1);
    this.services.clear(tile);
    return true;
  }
  /** Gives a leaf to another shard; `path`, `depth` as in `split`. @returns false when `from` does not have it as a leaf */
  move(tile: number, from: number, to: number, path = 0, depth = 0): boolean {
    const at = this.entryAt(tile, path, depth);
    return at >= 0 && this.change(tile, at, from + 1, to + 1);
  }

  /**
   * Supervisor: splits a leaf into four.
   * @param depth 0 = the base tile itself, 1 = its child at `path`'s first step …
   * @param owners shards of NW, NE, SW, SE
   * @returns false when the tile is no leaf of `owner`, already at the deepest level, or the blocks are used up
   */
  split(tile: number, path: number, depth: number, owner: number, owners: readonly number[]): boolean {
    assert(owners.length === 4, 'I9: four children cover a tile');
    const at = this.entryAt(tile, path, depth);
    if (depth >= this.levels || at < 0 || Atomics.load(this.i32, at) !== owner + 1) return false;
    this.freeBlocks ??= Array.from({ length: this.blocks }, (_, i) => i + 1);
    const block = this.freeBlocks.shift();
    if (block === undefined) return false;
    // The children inherit before the store that shows them: swapped, a slowed tile would run free for a tick.
    const setting = this.services.at(this.placeOf(at));
    for (let q = 0; q < 4; q++) {
      Atomics.store(this.i32, this.blockStart + block * 4 + q, owners[q] + 1);
      this.services.set(this.tiles + block * 4 + q, setting);
    }
    const shown = this.change(tile, at, owner + 1, -block);
    if (shown) this.services.clear(this.placeOf(at));
    else this.abandon(block);
    return shown;
  }

  private abandon(block: number): void {
    for (let q = 0; q < 4; q++) this.services.clear(this.tiles + block * 4 + q);
    this.freeBlocks?.push(block);
  }

  /** Supervisor: makes a split tile whose four children are leaves one leaf of `owner`. @returns false when it is not so */
  merge(tile: number, path: number, depth: number, owner: number): boolean {
    const at = this.entryAt(tile, path, depth);
    if (at < 0) return false;
    const entry = Atomics.load(this.i32, at);
    if (entry >= 0) return false;
    for (let q = 0; q < 4; q++) if (Atomics.load(this.i32, this.blockStart - entry * 4 + q) < 0) return false;
    const before = this.services.at(this.placeOf(at));
    let setting = 0;
    for (let q = 0; q < 4; q++) setting = leastService(setting, this.services.at(this.tiles - entry * 4 + q));
    this.services.set(this.placeOf(at), setting);
    if (this.change(tile, at, entry, owner + 1)) {
      this.abandon(-entry);
      return true;
    }
    this.services.set(this.placeOf(at), before);
    return false;
  }

  /** Whether any leaf is served less than in full, and how many; 0 lets the fast path skip `service`. */
  get anyService(): number {
    return this.services.any;
  }
  /** How many leaves have their time slowed. */
  get anySlow(): number {
    return this.services.anySlow;
  }

  /** Setting of the leaf that holds a square of the deepest level (service.ts). */
  service(column: number, row: number): number {
    const tile = (row >> this.levels) * this.columns + (column >> this.levels);
    let entry = Atomics.load(this.i32, FIRST + tile);
    let at = tile;
    for (let shift = this.levels - 1; entry < 0; shift--) {
      at = this.tiles - entry * 4 + (((row >> shift) & 1) << 1) + ((column >> shift) & 1);
      entry = Atomics.load(this.i32, this.blockStart + at - this.tiles);
    }
    return this.services.at(at);
  }

  /** The same by base tile and path. */
  serviceOf(tile: number, path = 0): number {
    return this.services.at(this.placeOf(this.entryAt(tile, path, this.depthOf(tile, path))));
  }

  /** Main thread: sets what a leaf gets; `path`, `depth` as in `split`. @returns false when somebody's leaf is not there */
  setService(tile: number, path: number, depth: number, word: number): boolean {
    const at = this.entryAt(tile, path, depth);
    if (at < 0 || Atomics.load(this.i32, at) <= 0) return false;
    this.services.set(this.placeOf(at), word);
    return true;
  }

  /**
   * Visits the base tiles whose entries changed after version `since`, some of them more than once.
   * @returns false when that is not known (any more), even after visits: then anything may have changed
   */
  forEachChanged(since: number, until: number, visit: (tile: number) => void): boolean {
    if (until - since > NOTES) return false;
    for (let version = since + 1; version <= until; version++) {
      const at = this.noteStart + 2 * (version & (NOTES - 1));
      const tile = Atomics.load(this.i32, at);
      // Read behind the tile: a writer that overwrote it in between has taken the version away first.
      if (Atomics.load(this.i32, at + 1) !== version) return false;
      visit(tile);
    }
    return this.version - since <= NOTES; // else two writers may have met in one place meanwhile
  }

  /** Any thread: the tile is wanted in this tick. */
  touch(tile: number, tick: number): void {
    Atomics.store(this.i32, this.touchedStart + tile, tick);
  }
  /** Newest tick in which the base tile was wanted; 0 = never. */
  touchedTick(tile: number): number {
    return Atomics.load(this.i32, this.touchedStart + tile);
  }
  /** Owner: the natural content of the base tile was made in this tick (void if that tick was not committed; 0 = unmade). */
  setGeneratedTick(tile: number, tick: number): void {
    Atomics.store(this.i32, this.generatedStart + tile, tick);
  }
  /** Owner: begins to make the natural content in this tick. @returns false when somebody else does, or it is made */
  beginGenerated(tile: number, tick: number): boolean {
    return Atomics.compareExchange(this.i32, this.generatedStart + tile, 0, -tick) === 0;
  }
  /** Tick in which the natural content of the base tile was made; 0 = not yet. */
  generatedTick(tile: number): number {
    return Atomics.load(this.i32, this.generatedStart + tile);
  }

  /** Word of the entry of a tile `depth` levels below its base tile, or −1 when its parent is a leaf. */
  private entryAt(tile: number, path: number, depth: number): number {
    let at = FIRST + tile;
    for (let level = 0; level < depth; level++) {
      const entry = Atomics.load(this.i32, at);
      if (entry >= 0) return -1;
      at = this.blockStart - entry * 4 + ((path >> ((this.levels - 1 - level) * 2)) & 3);
    }
    return at;
  }

  private count(tile: number, n: number): void {
    Atomics.add(this.i32, this.countStart + (tile >> STRETCH_BITS), n);
  }

  /** Index of the setting that belongs to the word of an entry. */
  private placeOf(at: number): number {
    return at < this.touchedStart ? at - FIRST : this.tiles + at - this.blockStart;
  }

  private change(tile: number, at: number, from: number, to: number): boolean {
    if (Atomics.compareExchange(this.i32, at, from, to) !== from) return false;
    const version = Atomics.add(this.i32, CHANGES, 1) + 1;
    const note = this.noteStart + 2 * (version & (NOTES - 1));
    Atomics.store(this.i32, note + 1, 0);
    Atomics.store(this.i32, note, tile);
    Atomics.store(this.i32, note + 1, version);
    return true;
  }
}

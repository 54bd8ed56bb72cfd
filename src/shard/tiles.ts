/**
 * The base tiles that this shard holds: waking them (natural content made, parked entities back) and putting them
 * to sleep. A sleeping tile costs nothing: of its natural content what nobody has touched is gone, its other entities are
 * parked in the arena, its directory entry is empty.
 *
 * Sleep and wake meet like this: the sleeper parks, releases the directory entry, and *then* looks at the touched
 * word again; a toucher writes the touched word and *then* looks at the directory. Whatever the order, one of them
 * sees the other (both words through Atomics, sequentially consistent).
 */
import { LIMITS } from '../base/limits.js';
import { seededRandom, hash2 } from '../base/random.js';
import { boundsOf, tileOfIndex } from '../geo/address.js';
import { CELL_COLUMNS, CELL_ROWS } from '../geo/cell.js';
import { columnAt, rowAt, tileColumns } from '../geo/tile.js';
import { NATURE_STATE } from '../memory/nature.js';
import { HOT } from '../memory/record.js';
import type { TileArea } from '../world/facade.js';
import { leavesOf, maskOf } from '../world/layout.js';
import type { Placer } from '../world/placing.js';
import { TOUCH_CELLS } from '../world/waking.js';
import { BULK } from './bulk.js';
import type { Core } from './core.js';
import { inHand } from './in-hand.js';
import { Waking } from './waking.js';

const BASE_COLUMNS = tileColumns(LIMITS.baseTileLevel);
const CELL_SHIFT = LIMITS.cellLevel - LIMITS.baseTileLevel;

/** What tiles need from the leaving steps: whether an entity may rest now, and parking one that may. */
export interface Resting {
  mayRest(slot: number): boolean;
  /** @returns false when it cannot be now */
  park(slot: number): boolean;
}

export class Tiles {
  /** Base tile index → squares of it that were this shard's when it took the tile. */
  private readonly held = new Map<number, number>();
  private readonly populateNext = new Set<number>();
  private readonly populated: number[] = [];
  /** Tiles whose content was left out, or has thrown: tried again when they are taken anew. */
  private readonly bare = new Set<number>();
  /** Tiles whose untouched content goes with the running tick's commit. */
  private readonly unmade: number[] = [];
  /** Little room is left in the arena: tiles sleep sooner. */
  isCrowded = false;
  private readonly waking: Waking;
  /** Tiles taken since Migration has looked. */
  readonly fresh = new Set<number>();
  /** Tiles that go to sleep, in as many ticks as that needs, and how many entities were counted in each. */
  private readonly idle = new Map<number, number>();
  /** Those of them whose entities go to rest in the running tick, and those that have some left at its end. */
  private readonly resting = new Set<number>();
  private readonly unfinished = new Set<number>();
  /** How many of their entities nobody has touched. */
  private readonly untouched = new Map<number, number>();
  private committedByDead = 0;
  /** What the blocks of all shards said of starts and ends at the last search. */
  private lives = 0;

  constructor(
    private readonly core: Core,
    private readonly placer: Placer,
  ) {
    this.waking = new Waking(core);
  }

  get count(): number {
    return this.held.size;
  }

  /** Whether nothing is held, and nothing is left to be done for what was. */
  get isQuiet(): boolean {
    const { held, populated, populateNext, waking } = this;
    return held.size + waking.sought + populated.length + populateNext.size === 0;
  }

  /** Base tiles held, in whole or in part, with the squares that were this shard's when it took them (world/layout.ts). */
  get taken(): ReadonlyMap<number, number> {
    return this.held;
  }

  /** Leaves of this shard; one look at each tile held. */
  countLeaves(): number {
    const { world, shard } = this.core;
    let leaves = 0;
    for (const tile of this.held.keys()) leaves += leavesOf(world.directory, tile, shard);
    return leaves;
  }

  /** Called whenever something concerns a tile here; wakes it if it is this shard's and not yet held. */
  hold(tile: number): void {
    const { directory } = this.core.world;
    if (this.held.has(tile)) return;
    const squares = maskOf(directory, tile, this.core.shard);
    if (squares === 0) return;
    this.held.set(tile, squares);
    this.fresh.add(tile);
    directory.touch(tile, this.core.tick);
    this.waking.want(tile);
    this.core.asking.wantTile(tile);
    this.settleGeneration(tile);
    this.bare.delete(tile);
    this.wantContent(tile);
  }

  private wantContent(tile: number): void {
    const isMade = this.core.world.directory.generatedTick(tile) !== 0;
    if (!isMade && !this.bare.has(tile)) this.populateNext.add(tile);
  }

  /** The store has brought back what rested in a tile. Whoever has it by now, they come from here. */
  loaded(tile: number): void {
    this.waking.want(tile);
  }

  /** After a death: takes all tiles that the directory says are this shard's, before the first tick. */
  adoptHeld(committedTick: number): void {
    // All of them now: of a minus sign that a later death would find, nobody knew any more which commit it waits for.
    this.committedByDead = committedTick;
    this.core.world.directory.forEachTaken((tile) => this.hold(tile));
  }

  /**
   * Takes what this shard was given without being told: whoever places a tile may die before it says so. Looks only
   * after some shard has died or begun.
   */
  searchHeld(): void {
    // Grows with each of these events: a number's incarnation grows whenever its state begins anew.
    let lives = 0;
    const { shardBlocks } = this.core.world;
    for (let s = 0; s < shardBlocks.length; s++)
      lives += shardBlocks[s]!.incarnation * 8 + shardBlocks[s]!.state;
    if (lives === this.lives) return;
    this.lives = lives;
    this.core.world.directory.forEachTaken((tile) => this.hold(tile));
  }

  /** A minus sign: natural content whose tick was not rolled forward before its maker died; or was removed so. */
  private settleGeneration(tile: number): void {
    const { directory, nature } = this.core.world;
    const removed = nature.state(tile);
    if (removed > 0 && this.committedByDead > 0) {
      if (removed > this.committedByDead) nature.setState(tile, NATURE_STATE.ALIVE);
      else if (directory.generatedTick(tile) > 0) this.unmade.push(tile);
    }
    const made = directory.generatedTick(tile);
    if (made >= 0) return;
    if (-made <= this.committedByDead) this.populated.push(tile);
    else directory.setGeneratedTick(tile, 0);
  }

  /**
   * Natural content of newly held tiles, of so many as a tick takes on and as there is room for; part of the tick's
   * transaction: noted as −tick until the commit.
   */
  populate(make: (tile: number, area: TileArea) => unknown): void {
    let left = BULK.populated;
    for (const tile of this.populateNext) {
      if (left === 0 || this.core.roomForNature <= 0) return; // players and what they lay down go first
      this.populateNext.delete(tile);
      // Who goes to sleep would have it taken away again; whoever stays awake after all asks anew.
      if (!this.held.has(tile) || this.idle.has(tile)) continue;
      left--;
      this.makeContent(tile, make);
      this.core.block.beat();
    }
  }

  private makeContent(tile: number, make: (tile: number, area: TileArea) => unknown): void {
    const { core } = this;
    const { directory } = core.world;
    if (!directory.beginGenerated(tile, core.tick)) return;
    const first = core.created.count;
    core.nature.begin(tile);
    if (inHand(core, -1 - tile, 'populate', () => make(tile, this.area(tile)))) {
      this.populated.push(tile);
      core.nature.end(first);
      return;
    }
    // Left out, or thrown and undone: not made.
    core.nature.abandon();
    directory.setGeneratedTick(tile, 0);
    this.bare.add(tile);
  }

  /** After the commit: what was made is made, what was removed may be made again. @returns whether the store could be told of all of it */
  rollForward(): boolean {
    const { directory, nature } = this.core.world;
    for (let tile = this.unmade.pop(); tile !== undefined; tile = this.unmade.pop()) {
      // In this order: from the second store on anybody may make it again. Its state stays what it is until then.
      nature.begin(tile);
      directory.setGeneratedTick(tile, 0);
    }
    for (let tile = this.populated.pop(); tile !== undefined; tile = this.populated.pop()) {
      const tick = Math.abs(directory.generatedTick(tile));
      // Of what follows from the seed the store hears nothing.
      if (nature.state(tile) === NATURE_STATE.WHOLE && !this.core.cut.tile(tile, tick)) {
        this.populated.push(tile); // its minus sign stays until there is room
        return false;
      }
      directory.setGeneratedTick(tile, tick);
    }
    return true;
  }

  /** @returns the tile's area and a random source that depends on (world seed, tile) alone */
  area(tile: number): TileArea {
    const address = tileOfIndex(tile, LIMITS.baseTileLevel);
    return { ...address, ...boundsOf(address) };
  }

  random(tile: number) {
    return seededRandom(hash2(this.core.options.worldSeed, tile));
  }

  /** A player's view, far rings and a cell more on each side, keeps the tiles it touches awake; ownerless ones are placed. */
  touchAround(slot: number): void {
    const { arena, world, tick } = this.core;
    const hot = arena.hot(slot);
    const column = columnAt(arena.f64, (hot + HOT.x) >> 3, LIMITS.cellLevel);
    const row = rowAt(arena.f64, (hot + HOT.y) >> 3, LIMITS.cellLevel);
    let last = -1;
    for (let south = -TOUCH_CELLS; south <= TOUCH_CELLS; south += 2 * TOUCH_CELLS) {
      for (let east = -TOUCH_CELLS; east <= TOUCH_CELLS; east += 2 * TOUCH_CELLS) {
        const r = Math.min(Math.max(row + south, 0), CELL_ROWS - 1) >> CELL_SHIFT;
        const c = ((column + east) & (CELL_COLUMNS - 1)) >> CELL_SHIFT;
        const tile = r * BASE_COLUMNS + c;
        if (tile === last) continue;
        last = tile;
        world.directory.touch(tile, tick);
        this.placer.ensureTile(tile);
      }
    }
  }

  /**
   * In the tick, before its commit: of the tiles that nobody has looked at for a while chooses those that go to rest in
   * it, as much as a tick takes on, and removes their untouched content.
   * @param isDue once a second: looks for such tiles
   */
  unmakeIdle(leaving: Resting, isDue: boolean): void {
    if (isDue && this.idle.size === 0) this.findIdle(leaving);
    if (this.resting.size > 0) this.resting.clear(); // a Set that is cleared gets a new table
    if (this.idle.size === 0) return;
    this.chooseResting();
    const { core, resting } = this;
    const { owned } = core;
    this.countUntouched();
    for (const tile of resting) this.unmake(tile);
    for (let i = 0; i < owned.count && resting.size > 0; i++) {
      const slot = owned.slots[i]!;
      if (!core.isNatural(slot) || core.isFreed(slot) || !resting.has(this.tileOf(slot))) continue;
      core.nature.unmake(slot);
      core.progress();
    }
  }

  private countUntouched(): void {
    const { core, resting, untouched } = this;
    const { owned } = core;
    untouched.clear();
    for (let i = 0; i < owned.count && resting.size > 0; i++) {
      const slot = owned.slots[i]!;
      core.progress();
      if (!core.isNatural(slot) || core.isFreed(slot)) continue;
      const tile = this.tileOf(slot);
      if (!resting.has(tile)) continue;
      if (core.nature.isDoubtful(slot)) core.touch(slot);
      else untouched.set(tile, (untouched.get(tile) ?? 0) + 1);
    }
  }

  /** All of what is untouched has to be here: what is still on its way from another shard would be there twice. */
  private unmake(tile: number): void {
    const { directory, nature } = this.core.world;
    const there = this.untouched.get(tile) ?? 0;
    const made = nature.state(tile) === NATURE_STATE.WHOLE ? 0 : nature.untouched(tile);
    const isMade = directory.generatedTick(tile) > 0;
    if (there !== made || (there > 0 && !isMade)) return this.stayAwake(tile);
    if (!isMade || nature.state(tile) === NATURE_STATE.WHOLE) return;
    nature.setState(tile, this.core.tick);
    this.unmade.push(tile);
  }

  /**
   * After the commit of the same tick: what else is in the tiles chosen goes to rest, as much of it as a tick takes on.
   * All of a tile rests or nothing does: who stayed parked in a tile that is awake would be found by nobody. A tile that
   * is touched while its entities go to rest, or changes hands, or has one that cannot, takes back those that rest
   * already, and its content is made again.
   */
  sleepIdle(leaving: Resting): void {
    if (this.resting.size === 0) return;
    const { core } = this;
    const { owned } = core;
    let room = BULK.parked;
    this.unfinished.clear();
    for (let i = owned.count - 1; i >= 0; i--) {
      const slot = owned.slots[i]!;
      const tile = this.tileOf(slot);
      if (!this.resting.has(tile)) continue;
      if (room === 0) this.unfinished.add(tile);
      else if (core.isNatural(slot) || !leaving.mayRest(slot) || !leaving.park(slot)) this.stayAwake(tile);
      else {
        room--;
        core.progress();
      }
    }
    for (const tile of this.resting) if (!this.unfinished.has(tile)) this.release(tile);
  }

  /** The first of the idle tiles, as many as a tick takes on; those that are idle no more stay awake. */
  private chooseResting(): void {
    const { directory } = this.core.world;
    let entities = 0;
    for (const [tile, count] of this.idle) {
      const isOurs = !directory.isSplit(tile) && maskOf(directory, tile, this.core.shard) !== 0;
      if (!isOurs || !this.isIdle(tile)) this.stayAwake(tile);
      else if (this.resting.size > 0 && entities + count > BULK.parked) return;
      else {
        entities += count;
        this.resting.add(tile);
      }
    }
  }

  /** Those that rest already come back. */
  private stayAwake(tile: number): void {
    this.idle.delete(tile);
    this.resting.delete(tile);
    this.waking.want(tile);
    if (this.held.has(tile)) this.wantContent(tile);
  }

  private tileOf(slot: number): number {
    const { arena } = this.core;
    return arena.i32[(arena.hot(slot) + HOT.tile) >> 2]!;
  }

  private findIdle(leaving: Resting): void {
    const { idle } = this;
    const { owned, world, shard } = this.core;
    const { directory } = world;
    for (const tile of this.held.keys()) {
      if (directory.isSplit(tile)) continue; // it is merged before it may sleep
      if (maskOf(directory, tile, shard) === 0) this.held.delete(tile);
      // What comes back is not sent to rest again before all of it is back.
      else if (this.isIdle(tile) && !this.waking.isSought(tile)) idle.set(tile, 0);
      // Removed by whoever meant to let it sleep, and then it did not.
      else this.wantContent(tile);
    }
    for (let i = 0; i < owned.count && idle.size > 0; i++) {
      const slot = owned.slots[i]!;
      this.core.progress();
      const tile = this.tileOf(slot);
      const count = idle.get(tile);
      if (count === undefined) continue;
      if (leaving.mayRest(slot)) idle.set(tile, count + 1);
      else idle.delete(tile);
    }
  }

  private isIdle(tile: number): boolean {
    const { directory, clock } = this.core.world;
    const { tileSleepS = LIMITS.tileSleepS } = this.core.options;
    const seconds = this.isCrowded ? Math.min(tileSleepS, LIMITS.crowdedSleepS) : tileSleepS;
    return this.core.tick - directory.touchedTick(tile) > (seconds * 1000) / clock.tickMs;
  }

  private release(tile: number): void {
    this.idle.delete(tile);
    if (!this.core.world.directory.release(tile, this.core.shard)) {
      this.waking.want(tile); // the layout has changed meanwhile: whoever has the tile now gets them as usual
      return;
    }
    this.held.delete(tile);
    this.core.block.addTiles(-1);
    // Release before this look: see the head of the file.
    if (!this.isIdle(tile)) this.placer.ensureTile(tile);
  }

  /** Takes back what rests in woken tiles. Once a tick. */
  unpark(): void {
    this.waking.unpark();
  }

  /** Takes one parked entity. @returns whether it is ours now */
  claim(slot: number, word: number): boolean {
    return this.waking.claim(slot, word);
  }
}

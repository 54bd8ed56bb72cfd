/**
 * The base tiles that this shard holds: waking them (natural content once for ever, parked entities back) and putting
 * them to sleep. A sleeping tile costs nothing: its entities are parked in the arena, its directory entry is empty.
 *
 * Sleep and wake meet like this: the sleeper parks, releases the directory entry, and *then* looks at the touched
 * word again; a toucher writes the touched word and *then* looks at the directory. Whatever the order, one of them
 * sees the other (both words through Atomics, sequentially consistent).
 */
import { LIMITS } from '../base/limits.js';
import { seededRandom, hash2 } from '../base/random.js';
import { boundsOf, tileOfIndex } from '../geo/address.js';
import { tileColumns, tileIndex, tileRows } from '../geo/tile.js';
import { wrapX, clampY } from '../geo/world.js';
import { HOT, OWNER, ownerState, packOwner, epochOf } from '../memory/record.js';
import type { TileArea } from '../world/facade.js';
import { maskOf } from '../world/layout.js';
import type { Placer } from '../world/placing.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import type { Core } from './core.js';

const TILES = tileColumns(LIMITS.baseTileLevel) * tileRows(LIMITS.baseTileLevel);
/** Directory entries looked at in a tick: all of them within about three seconds. */
const SEARCH_TILES = TILES >> 6;

/** What tiles need from the leaving steps: parking one entity. */
export type ParkSlot = (slot: number) => boolean;

export class Tiles {
  /** Base tile index → tick at which it was taken. */
  private readonly held = new Map<number, number>();
  private readonly populateNext: number[] = [];
  private readonly populated: number[] = [];
  private committedByDead = 0;
  /** How far the search for held tiles has come; TILES = done. */
  private searched = TILES;

  constructor(
    private readonly core: Core,
    private readonly placer: Placer,
  ) {}

  get count(): number {
    return this.held.size;
  }

  /** Base tiles held, in whole or in part. */
  get tiles(): IterableIterator<number> {
    return this.held.keys();
  }

  /** Called whenever something concerns a tile here; wakes it if it is this shard's and not yet held. */
  hold(tile: number): void {
    const { directory } = this.core.world;
    if (this.held.has(tile) || maskOf(directory, tile, this.core.shard) === 0) return;
    this.held.set(tile, this.core.tick);
    directory.touch(tile, this.core.tick);
    this.unpark(tile);
    this.settleGeneration(tile);
    if (directory.generatedTick(tile) === 0) this.populateNext.push(tile);
  }

  /**
   * After a death: the tiles of adopted entities at once, the others (nobody is in them) a part of the directory each
   * tick, so that taking over is not held up by reading all of it.
   */
  adoptHeld(committedTick: number): void {
    const { core } = this;
    this.committedByDead = committedTick;
    for (let i = 0; i < core.owned.count; i++) {
      this.hold(core.arena.i32[(core.arena.hot(core.owned.slots[i]!) + HOT.tile) >> 2]!);
    }
    this.searched = 0;
  }

  /** The next part of the search that `adoptHeld` began. Once a tick. */
  searchHeld(): void {
    const { directory } = this.core.world;
    for (const end = Math.min(this.searched + SEARCH_TILES, TILES); this.searched < end; this.searched++) {
      if (directory.lookup(this.searched) >= 0) this.hold(this.searched);
    }
  }

  /** A minus sign: natural content whose tick was not rolled forward before its maker died. */
  private settleGeneration(tile: number): void {
    const { directory } = this.core.world;
    const made = directory.generatedTick(tile);
    if (made < 0) directory.setGeneratedTick(tile, -made <= this.committedByDead ? -made : 0);
  }

  /** Natural content of newly held tiles; part of the tick's transaction: noted as −tick until the commit. */
  populate(make: (tile: number, area: TileArea) => void): void {
    for (let tile = this.populateNext.pop(); tile !== undefined; tile = this.populateNext.pop()) {
      this.core.world.directory.setGeneratedTick(tile, -this.core.tick);
      this.populated.push(tile);
      make(tile, this.area(tile));
    }
  }

  /** After the commit: what was made is made for ever. */
  rollForward(): void {
    for (let tile = this.populated.pop(); tile !== undefined; tile = this.populated.pop()) {
      this.core.world.directory.setGeneratedTick(tile, this.core.tick);
    }
  }

  /** @returns the tile's area and a random source that depends on (world seed, tile) alone */
  area(tile: number): TileArea {
    const address = tileOfIndex(tile, LIMITS.baseTileLevel);
    return { ...address, ...boundsOf(address) };
  }

  random(tile: number) {
    return seededRandom(hash2(this.core.options.worldSeed, tile));
  }

  /**
   * A player's view keeps the tiles it touches awake; ownerless ones are placed.
   * @param reach metres around the player that its view may touch
   */
  touchAround(x: number, y: number, reach: number): void {
    let last = -1;
    for (let i = -1; i <= 1; i++) {
      for (let j = -1; j <= 1; j++) {
        const tile = tileIndex(wrapX(x + i * reach), clampY(y + j * reach), LIMITS.baseTileLevel);
        if (tile === last) continue;
        last = tile;
        this.core.world.directory.touch(tile, this.core.tick);
        this.placer.ensureTile(tile);
      }
    }
  }

  /** Puts tiles to sleep that nobody has looked at for a while. Once a second is enough. */
  sleepIdle(park: ParkSlot): void {
    const { directory, clock } = this.core.world;
    const idleTicks = (LIMITS.tileSleepS * 1000) / clock.tickMs;
    for (const tile of this.held.keys()) {
      if (directory.isSplit(tile)) continue; // it is merged before it may sleep
      if (maskOf(directory, tile, this.core.shard) === 0) this.held.delete(tile);
      else if (this.core.tick - directory.touchedTick(tile) > idleTicks) this.sleep(tile, idleTicks, park);
    }
  }

  private sleep(tile: number, idleTicks: number, park: ParkSlot): void {
    const { core } = this;
    const { directory } = core.world;
    let left = 0;
    for (let i = core.owned.count - 1; i >= 0; i--) {
      const slot = core.owned.slots[i]!;
      if (core.arena.i32[(core.arena.hot(slot) + HOT.tile) >> 2] !== tile) continue;
      if (!park(slot)) left++;
    }
    if (left > 0) return;
    if (!directory.release(tile, core.shard)) {
      this.unpark(tile); // the layout has changed meanwhile: whoever has the tile now gets them as usual
      return;
    }
    this.held.delete(tile);
    core.block.addTiles(-1);
    // Release before this look: see the head of the file.
    if (core.tick - directory.touchedTick(tile) <= idleTicks) this.placer.ensureTile(tile);
  }

  /** Takes back what was parked when the tile went to sleep; players who are away stay parked. */
  private unpark(tile: number): void {
    const { arena } = this.core;
    for (let slot = 0; slot < arena.capacity; slot++) {
      const word = Atomics.load(arena.owner, slot);
      if (ownerState(word) !== OWNER.PARKED) continue;
      if (this.core.kind(slot) === PLAYER_KIND || arena.i32[(arena.hot(slot) + HOT.tile) >> 2] !== tile)
        continue;
      this.claim(slot, word);
    }
  }

  /** Takes one parked entity. @returns whether it is ours now */
  claim(slot: number, word: number): boolean {
    const { arena, shard } = this.core;
    const epoch = epochOf(word) + 1;
    const mine = packOwner(OWNER.OWNED, shard, 127, epoch);
    if (Atomics.compareExchange(arena.owner, slot, word, mine) !== word) return false;
    this.core.setEpochFromWord(slot, mine);
    this.core.adopt(slot);
    const hot = this.core.writeHot(slot);
    arena.u16[(hot + HOT.flags) >> 1]! |= FLAG.RESTED;
    return true;
  }
}

/**
 * What a shard wants of the store: the resting entities of a tile that wakes, and single entities that its mail needs.
 * Questions go into the shard's ring to the store, answers come with its arrivals; local, so a replacement asks again.
 * Nobody waits: what is not answered is not here yet.
 */
import { OWNER, ownerState } from '../memory/record.js';
import { ENTITY_REQUEST } from '../memory/store-ring.js';
import type { Core } from './core.js';
import type { Tiles } from './tiles.js';

/** What is known of an entity that is not in the arena. `asked`: nothing yet. */
export type Whereabouts = 'asked' | 'absent';

export class Asking {
  /** Tiles and entities to ask for as soon as the ring has room. */
  private readonly tiles: number[] = [];
  private readonly entities: number[] = [];
  private readonly known = new Map<number, Whereabouts>();

  constructor(private readonly core: Core) {}

  /** A tile of this shard was woken: what rests in the store belongs into it. */
  wantTile(tile: number): void {
    if (this.core.cut.isOn) this.tiles.push(tile);
  }

  /**
   * Whether an entity that the id table does not know is gone for ever. If only the store can tell, it is asked: it
   * may be resting there, with an answer in it that must not be given twice (I2).
   */
  isGone(id: number): boolean {
    if (!this.core.cut.isOn) return true;
    const known = this.known.get(id);
    if (known === 'absent') {
      this.known.delete(id); // each question has its answer; the next one asks anew
      return true;
    }
    this.want(id);
    return false;
  }

  /** An entity is wanted here, whether somebody waits for it or not. */
  want(id: number): void {
    if (this.known.has(id) || !this.core.cut.isOn) return;
    this.known.set(id, 'asked');
    this.entities.push(id);
  }

  /** Whether everything has been asked. Answers come with the arrivals. */
  get isQuiet(): boolean {
    return this.tiles.length + this.entities.length === 0;
  }

  /** Once a tick: asks what could not be asked yet. */
  ask(): void {
    const { entities, tiles } = this;
    if (tiles.length + entities.length === 0) return;
    while (tiles.length > 0 && this.push(tiles[tiles.length - 1]!, 0)) tiles.pop();
    while (entities.length > 0 && this.push(ENTITY_REQUEST, entities[entities.length - 1]!)) entities.pop();
    this.core.world.cut.ring();
  }

  /** An answer of the store: the entity is in the arena, or nowhere. It was wanted here, so it is taken. */
  answered(id: number, isThere: boolean, tiles: Tiles): void {
    if (!isThere) {
      this.known.set(id, 'absent');
      return;
    }
    this.known.delete(id);
    const { arena, ids } = this.core.world;
    const slot = ids.lookup(id);
    if (slot < 0) return; // it rests again: who still wants it asks again
    const word = Atomics.load(arena.owner, slot);
    if (ownerState(word) === OWNER.PARKED) tiles.claim(slot, word);
  }

  private push(tile: number, id: number): boolean {
    const ring = this.core.world.loads[this.core.shard]!;
    const at = ring.offer();
    if (at < 0) return false;
    ring.i32[at >> 2] = tile;
    ring.i32[(at >> 2) + 1] = this.core.tick;
    ring.i32[(at >> 2) + 2] = id | 0;
    ring.i32[(at >> 2) + 3] = Math.floor(id / 4294967296);
    ring.commit();
    return true;
  }
}

import type { TellFaults } from './faults.js';

/** What a shard is started with. */
export interface CoreOptions {
  shard: number;
  incarnation: number;
  worldSeed: number;
  /** Frames go out every `frameEvery` ticks. */
  frameEvery: number;
  /** Players that one tile carries; a load of 1 for placement. */
  capacity: number;
  /** Seconds after which a tile sleeps at which nobody looks; default: base/limits.ts. */
  tileSleepS?: number;
  /**
   * What killed a shard twice. (entity id, action id): that action is answered QUARANTINED. (entity id, 0): the entity
   * is frozen. (−1 − base tile, 0): its natural content is not made. (SETUP_IN_HAND, 0): the game's setup is left out.
   */
  quarantine: readonly { entity: number; action: number }[];
  /** Is told, a moment later, what the game did wrong; default: nobody. */
  tellFaults?: TellFaults;
}

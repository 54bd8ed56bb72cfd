/**
 * What a gateway thread and the main thread say to each other: typed once for both sides. Shared memory carries
 * everything else.
 */
import type { CloseName, ErrorName } from '../base/errors.js';
import type { SharedWorldHandles } from '../memory/shared-world.js';
import type { GatewaySettings } from './build.js';

/** `workerData` of worker.ts. */
export interface GatewayWorkerData {
  handles: SharedWorldHandles;
  settings: GatewaySettings;
}

/** Main thread → gateway thread. */
export type ToGateway =
  /** Say goodbye to the clients, close, end. The only way in which the thread ends. */
  | { type: 'stop'; code: CloseName }
  /** Tests: hang. */
  | { type: 'hang' }
  /** Answer to `find` and `bind`: the entity, 0 = none; to `load`: 1 = it is there, 0 = there is none. */
  | { type: 'answer'; request: number; entity: number };

/** Gateway thread → main thread. */
export type FromGateway =
  /** Accepts clients. */
  | { type: 'open'; port: number }
  /** Cannot start; the thread ends by itself. */
  | { type: 'failed'; code: ErrorName; detail: string }
  /** No client is left and the transport is closed; the thread ends by itself. */
  | { type: 'stopped' }
  /** Account book: which entity does the player have? */
  | { type: 'find'; request: number; playerId: string }
  /** Account book: bind it if `expected` is bound still. */
  | { type: 'bind'; request: number; playerId: string; expected: number; entity: number }
  /** Account book: an entity that rests in the store is wanted in the arena. */
  | { type: 'load'; request: number; entity: number };

/** A planet of test/shard with a store over it, all in one thread; and a fresh planet from what such a store kept. */
import { LIMITS } from '../../src/base/limits.js';
import type { Log } from '../../src/base/log.js';
import { openBook, readFacts } from '../../src/store/book.js';
import { StoreCore, type StoreParts } from '../../src/store/core.js';
import type { Engine } from '../../src/store/engine.js';
import type { StoreFacts, WorldIdentity } from '../../src/store/types.js';
import { Planet, type PlanetOptions } from '../shard/planet.js';

export const QUIET: Log = {
  debug() {},
  info() {},
  warn() {},
  error() {},
  fatal() {},
} as unknown as Log;

export interface Kept {
  planet: Planet;
  store: StoreCore;
  facts: StoreFacts;
  engine: Engine;
}

export function identityOf(planet: Planet, seed = 1): WorldIdentity {
  return { seed, baseLevel: LIMITS.baseTileLevel, game: planet.game };
}

/** A planet whose store uses this engine; what is in it rests there. */
export function keep(
  game: unknown,
  engine: Engine,
  options: PlanetOptions = {},
  fault?: StoreParts['fault'],
): Kept {
  const planet = new Planet(game, options);
  const book = openBook(engine, identityOf(planet), () => new Uint8Array(32), 'the test');
  const facts = readFacts(engine, book);
  const store = new StoreCore({ world: planet.world, engine, book, clock: planet.clock, log: QUIET, fault });
  return { planet, store, facts, engine };
}

/** Ticks, the store between them. */
export function run({ planet, store }: Kept, ticks: number, order?: readonly number[]): void {
  for (let i = 0; i < ticks; i++) {
    planet.step(order);
    store.poll();
  }
}

/**
 * Ties a node to its store at the start: opens the data, lets the world go on where the data ends, and keeps what must
 * never be used twice ahead of its use. Call `openDurability` before any other thread has seen the world.
 */
import { LIMITS } from '../base/limits.js';
import type { Clock, Timers } from '../base/clock.js';
import { ERRORS, type StartupName } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { AccountBook } from '../gateway/accounts.js';
import { indexOfOrigin, tileOfOrigin } from '../memory/nature.js';
import { STORE_STATE } from '../memory/cut-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { openStore, type StoreThread } from '../store/thread.js';
import type { SnapshotInfo, StoreStatus } from '../store/types.js';
import type { CompiledGame } from '../world/game.js';
import { reasonOf } from './log.js';

/** Shard starts that one process may make; recorded as a whole before the first. */
const INCARNATIONS = 65_536;

export interface DurabilityOptions {
  /** Data directory; null = in memory, on the same path. */
  readonly folder: string | null;
  /** Snapshot to go back to first. */
  readonly restore: string | null;
  /** Seconds between snapshots, 0 = none; how many of them stay. */
  readonly snapshotEvery: number;
  readonly snapshotsKept: number;
  readonly seed: number;
  readonly game: CompiledGame;
  readonly world: SharedWorld;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly env: NodeJS.ProcessEnv;
  readonly log: Log;
  readonly lost: (reason: string, code: StartupName | null) => void;
}

/** @throws BlueMarbleError DATA_… of kind startup */
export async function openDurability(options: DurabilityOptions): Promise<Durability> {
  const { folder, restore, game, seed, world, clock, timers, env, lost } = options;
  const names = {
    name: game.module.name,
    kinds: game.kinds,
    items: game.module.items,
    columns: game.columns.map(({ name, type, offset }) => ({ name, type, offset })),
  };
  const identity = { seed, baseLevel: LIMITS.baseTileLevel, game: names };
  const store = await openStore({ folder, restore, identity, clock, timers, env, lost });
  const { facts } = store;
  // The world's clock goes on behind what is durable; what came after it never was.
  world.clock.begin(clock.now() - (facts.durableTick + 1) * world.clock.tickMs);
  world.ids.begin(facts.idLease + 1);
  for (let i = 0; i < facts.generated.length; i += 2)
    world.directory.setGeneratedTick(facts.generated[i], facts.generated[i + 1]);
  for (const origin of facts.touched) world.nature.take(tileOfOrigin(origin), indexOfOrigin(origin));
  facts.itemsCreated.forEach((created, kind) => {
    world.cut.resting[kind] = created - (facts.itemsConsumed[kind] ?? 0);
  });
  world.cut.durableTick = facts.durableTick;
  world.cut.isVolatile = folder === null;
  world.cut.state = STORE_STATE.RUNNING; // before any shard runs: from here everything is told to the store
  store.attach(world);
  await store.recordIncarnation(facts.incarnation + INCARNATIONS);
  return new Durability(store, options);
}

/**
 * Closes the data of a node that stops. Data that are just being opened are closed by its start, which sees that it stops.
 * @param end waits, but not for ever @returns the exit code that follows, 0 = all is saved
 */
export async function closeData(
  durability: Durability | null,
  starting: Promise<unknown>,
  end: <T>(ending: Promise<T>) => Promise<T | undefined>,
): Promise<number> {
  if (durability === null) {
    await end(starting);
    return 0;
  }
  const isSaved = await end(durability.close());
  return isSaved !== true && durability.tellUnsaved() ? ERRORS.NOT_SAVED.number : 0;
}

export class Durability {
  private readonly cancel: () => void;

  constructor(
    private readonly store: StoreThread,
    private readonly options: DurabilityOptions,
  ) {
    const { snapshotEvery, timers, log } = options;
    let isTaking = false;
    const take = async () => {
      if (isTaking) return; // a slow disk: the next one is soon enough
      isTaking = true;
      try {
        const snapshot = await this.snapshot(null);
        log.info({ snapshot }, 'a snapshot was made');
        if (snapshot.orphans > 0)
          log.error({ snapshot }, 'accounts and entities have lost each other: inspect --verify names them');
      } catch (error) {
        log.error({ reason: reasonOf(error) }, 'no snapshot was made');
      } finally {
        isTaking = false;
      }
    };
    this.cancel = snapshotEvery > 0 ? timers.every(snapshotEvery * 1000, () => void take()) : () => {};
  }

  /** @param name null = of its tick @throws Error with a sentence that says why there is none */
  snapshot(name: string | null): Promise<SnapshotInfo> {
    return this.store.snapshot({ name, keep: this.options.snapshotsKept });
  }

  /** Of session tokens. */
  get secret(): Uint8Array {
    return this.store.facts.secret;
  }
  /** The newest incarnation that was ever used. */
  get incarnation(): number {
    return this.store.facts.incarnation;
  }
  /** Guests who were in the world when it stopped: they are given the grace of a lost connection. */
  get guests(): readonly number[] {
    return [...this.store.facts.guests];
  }
  /** Items of all kinds that were created and consumed before this process. */
  get before(): { created: number; consumed: number } {
    const sum = (values: readonly number[]) => values.reduce((a, b) => a + b, 0);
    return { created: sum(this.store.facts.itemsCreated), consumed: sum(this.store.facts.itemsConsumed) };
  }

  readonly recordLease = (bound: number): Promise<void> => this.store.recordLease(bound);

  accounts(): AccountBook {
    const { store } = this;
    return {
      find: (playerId) => store.findAccount(playerId),
      bind: (playerId, expected, entity) => store.bindAccount(playerId, expected, entity),
      load: (entity) => store.loadEntity(entity),
    };
  }

  status(): StoreStatus {
    return this.store.status();
  }

  /** After the shards have ended in good order. @returns whether everything that they pushed is durable now */
  close(): Promise<boolean> {
    this.cancel();
    return this.store.close();
  }

  /** What the disk did not take is lost with this process: that is no orderly stop. @returns whether there is a disk */
  tellUnsaved(): boolean {
    const { world, clock, folder, log } = this.options;
    if (folder === null) return false;
    const { durableTick, trouble, pendingRecords } = this.status();
    const lostMs = Math.max(0, (world.clock.tickAt(clock.now()) - durableTick) * world.clock.tickMs);
    log.error(
      { durableTick, lostMs: Math.round(lostMs), pendingRecords, reason: trouble },
      'the disk did not take the last of the world: it will go on from its durable tick',
    );
    return true;
  }
}

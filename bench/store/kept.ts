/** Real shard threads whose world is kept by a real store thread; players in pairs give each other tokens. */
import { createLog } from '../../src/base/log.js';
import { systemTimers } from '../../src/base/clock.js';
import { type Durability, openDurability } from '../../src/control/durability.js';
import { LeaseKeeper } from '../../src/control/leases.js';
import { HOT } from '../../src/memory/record.js';
import { Threads } from '../split/planet.js';
import givers from './givers.js';

const RULES = { module: givers as unknown, file: new URL('./givers.js', import.meta.url).pathname };

export interface Wish {
  slot: number;
  action: number;
  at: number;
}

export class KeptThreads {
  readonly threads: Threads;
  private next = 0;

  private constructor(
    shards: number,
    readonly lost: (reason: string) => void,
  ) {
    this.threads = new Threads(shards, RULES);
  }

  durability!: Durability;

  /** @param folder null = in memory, on the same path @param more for tests */
  static async start(
    shards: number,
    folder: string | null,
    more: { restore?: string | null } = {},
  ): Promise<KeptThreads> {
    const kept = new KeptThreads(shards, (reason) => {
      throw new Error(`the store's thread ended: ${reason}`);
    });
    const { threads, lost } = kept;
    const { world, clock, game } = threads;
    kept.durability = await openDurability({
      folder,
      restore: null,
      snapshotEvery: 0,
      snapshotsKept: 8,
      seed: 1,
      game,
      world,
      clock,
      timers: systemTimers(),
      env: { ...process.env, BLUEMARBLE_LOG_LEVEL: 'silent' },
      log: createLog({ level: 'silent' }),
      lost,
      ...more,
    });
    await new LeaseKeeper(world.ids, kept.durability.recordLease).keep();
    await threads.start();
    return kept;
  }

  /** The next player gives a token to the one beside it. @returns null when its inbox is full */
  give(): Wish | null {
    const { threads } = this;
    const { players } = threads;
    const player = players[this.next]!;
    const partner = players[this.next ^ 1]!;
    this.next = (this.next + 1) % (players.length & ~1);
    const payload = new Uint8Array(8);
    new DataView(payload.buffer).setBigUint64(0, BigInt(threads.idOf(partner)), true);
    const at = threads.clock.now();
    const action = threads.wishOf(player, payload);
    return action === 0 ? null : { slot: player.slot, action, at };
  }

  /** @throws Error when not every action so far moved a token: then the figures mean nothing */
  check(): void {
    const { players, world } = this.threads;
    for (const { slot, sent } of players) {
      const applied = world.arena.u32[(world.arena.hot(slot) + HOT.appliedCount) >> 2]!;
      if (applied !== sent) throw new Error(`slot ${slot}: ${applied} of ${sent} transfers were made`);
    }
  }

  async stop(): Promise<void> {
    await this.threads.stop();
    await this.durability.close();
  }
}

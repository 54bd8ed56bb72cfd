/**
 * The store's thread as the main thread sees it: `openStore` reads the data and tells what it holds, `attach` gives it
 * the world, then it answers. Contract: every question is answered or rejected; `lost` is called when the thread ends
 * without having been closed.
 */
import { Worker } from 'node:worker_threads';
import type { Clock, Timers } from '../base/clock.js';
import { BlueMarbleError, type StartupName } from '../base/errors.js';
import { type CutBlock, STORE_STATE } from '../memory/cut-block.js';
import { paced } from '../memory/pace.js';
import type { SharedWorld } from '../memory/shared-world.js';
import type {
  SnapshotInfo,
  SnapshotWish,
  StoreFacts,
  StorePort,
  StoreStatus,
  WorldIdentity,
} from './types.js';
import type { Load } from './residence.js';
import type { Answer, FromStore, StoreQuestion, StoreWorkerData, ToStore } from './worker.js';

export interface StoreOptions {
  /** null = in memory. */
  readonly folder: string | null;
  /** Name of a snapshot that takes the place of the data first; null = none. */
  readonly restore: string | null;
  readonly identity: WorldIdentity;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly env: NodeJS.ProcessEnv;
  /** @param code why, where the registry knows it */
  readonly lost: (reason: string, code: StartupName | null) => void;
}

/** A thread that is silent for so many looks waits for its disk. Looks, not time: this thread may be held up as well. */
const SILENT_LOOKS = 6;
const LOOK_MS = 250;

/** @throws BlueMarbleError DATA_… of kind startup */
export function openStore(options: StoreOptions): Promise<StoreThread> {
  const { folder, restore, identity, env } = options;
  const workerData: StoreWorkerData = { folder, restore, identity };
  const worker = new Worker(new URL('./worker.js', import.meta.url), {
    name: 'store',
    workerData,
    env,
    stdin: false, // not read
    stdout: false, // the log is written to its descriptor, not through the main thread
    stderr: false, // the same
    trackUnmanagedFds: true,
  });
  return new Promise((resolve, reject) => {
    const failed = (error: unknown) => reject(error instanceof Error ? error : new Error(String(error)));
    worker.once('error', failed);
    worker.once('exit', (code) => failed(new Error(`the store's thread ended in its start (${code})`)));
    worker.once('message', (message: FromStore) => {
      // By name: the worker listens to its own listeners, to know whether somebody hears its messages.
      for (const event of ['error', 'exit', 'message']) worker.removeAllListeners(event);
      if (message.type === 'facts') return resolve(new StoreThread(worker, message.facts, options));
      void worker.terminate();
      const text = message.type === 'refused' ? message.message : 'the store did not answer';
      const code = message.type === 'refused' ? message.code : null;
      reject(code === null ? new Error(text) : new BlueMarbleError(code, text));
    });
  });
}

export class StoreThread implements StorePort {
  private readonly waiting = new Map<number, { resolve: (a: Answer) => void; reject: (e: Error) => void }>();
  private asks = 0;
  private latest: StoreStatus | null = null;
  private heardAt: number;
  private silentLooks = 0;
  private cut: CutBlock | null = null;
  private cancel = () => {};
  private isClosed = false;
  private closing: Promise<boolean> | null = null;

  constructor(
    private readonly worker: Worker,
    readonly facts: StoreFacts,
    private readonly options: StoreOptions,
  ) {
    this.heardAt = options.clock.now();
    worker.on('message', (message: FromStore) => this.onMessage(message));
    let reason = 'it ended';
    worker.on('error', (error) => {
      reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    });
    worker.on('exit', () => this.onExit(reason));
  }

  /** Gives the store the world; from here it takes what shards push, and loads. */
  attach(world: SharedWorld): void {
    this.cut = world.cut;
    this.worker.postMessage({ type: 'world', handles: world.handles() } satisfies ToStore);
    this.cancel = paced({ ...this.options, world }, LOOK_MS, () => this.look());
  }

  findAccount(playerId: string): Promise<number> {
    return this.ask({ type: 'find', playerId }) as Promise<number>;
  }
  bindAccount(playerId: string, expected: number, entity: number): Promise<number> {
    return this.ask({ type: 'bind', playerId, expected, entity }) as Promise<number>;
  }
  loadEntity(id: number): Promise<Load> {
    return this.ask({ type: 'load', id }) as Promise<Load>;
  }
  async recordLease(bound: number): Promise<void> {
    await this.ask({ type: 'lease', bound });
  }
  async recordIncarnation(bound: number): Promise<void> {
    await this.ask({ type: 'incarnation', bound });
  }
  snapshot(wish: SnapshotWish): Promise<SnapshotInfo> {
    return this.ask({ type: 'snapshot', wish }) as Promise<SnapshotInfo>;
  }

  status(): StoreStatus {
    const status = this.latest ?? this.fresh();
    if (this.silentLooks < SILENT_LOOKS || status.state === 'failing') return status;
    const silent = this.options.clock.now() - this.heardAt;
    return { ...status, state: 'failing', trouble: `the disk has not answered for ${Math.round(silent)} ms` };
  }

  close(): Promise<boolean> {
    this.closing ??= this.closeOnce();
    return this.closing;
  }

  private async closeOnce(): Promise<boolean> {
    if (this.isClosed) return false; // it was lost
    const isSaved = await this.ask({ type: 'close' }).catch(() => false);
    this.isClosed = true;
    this.cancel();
    await this.worker.terminate();
    return isSaved === true;
  }

  private ask(question: StoreQuestion): Promise<Answer> {
    if (this.isClosed) return Promise.reject(new Error('the store is closed'));
    const ask = ++this.asks;
    return new Promise((resolve, reject) => {
      this.waiting.set(ask, { resolve, reject });
      this.worker.postMessage({ ask, question } satisfies ToStore);
    });
  }

  private onMessage(message: FromStore): void {
    this.heardAt = this.options.clock.now();
    this.silentLooks = 0;
    if (message.type === 'status') this.latest = message.status;
    if (message.type === 'taken') this.options.lost(message.message, 'DATA_TAKEN');
    if (message.type !== 'answer') return;
    const waiting = this.waiting.get(message.ask);
    this.waiting.delete(message.ask);
    if (message.error === undefined) waiting?.resolve(message.answer);
    else waiting?.reject(new Error(message.error));
  }

  /** The thread cannot say itself that it waits for the disk. Its next cut that succeeds ends the alarm. */
  private look(): void {
    this.silentLooks++;
    if (this.silentLooks >= SILENT_LOOKS && this.cut !== null && !this.isClosed)
      this.cut.state = STORE_STATE.FAILING;
  }

  private onExit(reason: string): void {
    this.cancel();
    for (const { reject } of this.waiting.values()) reject(new Error('the store has ended'));
    this.waiting.clear();
    if (this.isClosed) return;
    this.isClosed = true;
    this.options.lost(reason, null);
  }

  private fresh(): StoreStatus {
    return {
      engine: this.options.folder === null ? 'memory' : 'lmdb',
      state: 'running',
      trouble: null,
      durableTick: this.facts.durableTick,
      resting: this.facts.entities,
      pendingBytes: 0,
      pendingRecords: 0,
      cuts: 0,
      cutMs: { last: 0, max: 0 },
      recordsWritten: 0,
      bytesWritten: 0,
      loads: 0,
      unloads: 0,
      corrupt: 0,
      refused: [],
      failures: 0,
    };
  }
}

/**
 * The store's thread: opens the data, tells what it holds, is given the world, and then runs the core between bells and
 * messages. It is ended only in good order: a death of this thread is the process's.
 */
import { randomBytes } from 'node:crypto';
import { setImmediate as turn } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';
import { monotonicClock, systemTimers } from '../base/clock.js';
import { kernelThreadId } from '../base/thread-id.js';
import { BlueMarbleError, type ErrorName } from '../base/errors.js';
import { createLog, type Log } from '../base/log.js';
import { paced } from '../memory/pace.js';
import { attachSharedWorld, type SharedWorldHandles } from '../memory/shared-world.js';
import { ApartEngine } from './apart-engine.js';
import { type Book, openBook, readFacts } from './book.js';
import { StoreCore } from './core.js';
import { asDataError } from './data-file.js';
import { openDataFolder } from './data-folder.js';
import type { Engine } from './engine.js';
import { MapEngine } from './map-engine.js';
import type { Load } from './residence.js';
import { takeSnapshot } from './snapshots.js';
import type { SnapshotInfo, SnapshotWish, StoreFacts, StoreStatus, WorldIdentity } from './types.js';

/** What the thread is started with. */
export interface StoreWorkerData {
  /** null = in memory. */
  folder: string | null;
  /** Snapshot that takes the place of the data. */
  restore: string | null;
  identity: WorldIdentity;
}

/** What the main thread asks; `ask` is answered with the same number. */
export type StoreQuestion =
  | { type: 'find'; playerId: string }
  | { type: 'bind'; playerId: string; expected: number; entity: number }
  | { type: 'load'; id: number }
  | { type: 'lease'; bound: number }
  | { type: 'incarnation'; bound: number }
  | { type: 'snapshot'; wish: SnapshotWish }
  | { type: 'close' };
export type ToStore =
  | { type: 'world'; handles: SharedWorldHandles }
  | { ask: number; question: StoreQuestion };
export type FromStore =
  | { type: 'facts'; facts: StoreFacts }
  | { type: 'refused'; code: ErrorName | null; message: string }
  | { type: 'status'; status: StoreStatus }
  | { type: 'taken'; message: string }
  | { type: 'answer'; ask: number; answer: Answer; error?: string };
export type Answer = number | boolean | Load | SnapshotInfo | null;

const STATUS_MS = 250;

const port = parentPort!;
const send = (message: FromStore) => port.postMessage(message);

interface Data {
  engine: Engine;
  book: Book;
  warnings: readonly string[];
  release(): void;
}

/** A disk that failed is tried for so long before the rest of the world is given up. */
const FINISH_MS = 2_000;
const FINISH_LOOK_MS = 50;

/** Once a second is enough where nothing outlives the process: each cut is a record of everybody who has moved. */
const MEMORY_CUT_MS = 1000;

async function openData({ folder, restore, identity }: StoreWorkerData): Promise<Data> {
  const where = folder ?? 'the memory';
  const open = (engine: Engine) =>
    asDataError(where, () => openBook(engine, identity, () => randomBytes(32), where));
  if (folder === null) {
    const engine = new MapEngine(MEMORY_CUT_MS);
    return { engine, book: open(engine), warnings: [], release: () => {} };
  }
  const { engine, hold, warnings, release } = await openDataFolder(folder, restore);
  try {
    // The book first, in this thread: what is wrong with the data is an error of the start.
    const book = open(engine);
    asDataError(folder, () => engine.claim());
    return { engine: new ApartEngine(engine, folder, hold), book, warnings, release };
  } catch (error) {
    release();
    throw error;
  }
}

class Thread {
  private core: StoreCore | null = null;
  private isClosing = false;
  private isTaken = false;
  private readonly log: Log;
  /** The last one asked for; they are made one after the other. */
  private snapshots: Promise<unknown> = Promise.resolve();

  constructor(
    private readonly data: Data,
    private readonly folder: string | null,
  ) {
    this.log = createLog({ facts: { thread: 'store' } });
    for (const warning of data.warnings) this.log.warn({}, warning);
  }

  onMessage(message: ToStore): void {
    if ('type' in message) {
      void this.run(message.handles);
      return;
    }
    const { ask, question } = message;
    const reply = (answer: Answer) => send({ type: 'answer', ask, answer });
    this.answer(question, reply).catch((error: unknown) => {
      const reason = error instanceof Error ? error.message : String(error);
      send({ type: 'answer', ask, answer: null, error: reason });
    });
  }

  private async answer(question: StoreQuestion, reply: (answer: Answer) => void): Promise<void> {
    const core = this.core;
    if (question.type === 'close') return this.close().then(reply);
    if (core === null) throw new Error('the store has no world yet');
    switch (question.type) {
      case 'find':
        return reply(core.findAccount(question.playerId));
      case 'bind':
        return reply(core.bindAccount(question.playerId, question.expected, question.entity));
      case 'load':
        return reply(core.loadEntity(question.id));
      case 'lease':
        return core.recordLease(question.bound, () => reply(true));
      case 'incarnation':
        return core.recordIncarnation(question.bound, () => reply(true));
      case 'snapshot':
        return reply(await this.snapshot(question.wish));
    }
  }

  private snapshot(wish: SnapshotWish): Promise<SnapshotInfo> {
    const pause = async () => {
      if (this.isClosing) throw new Error('the server stops');
      await turn();
    };
    const made = this.snapshots
      .then(pause)
      .then(() => takeSnapshot(this.data.engine, this.folder, wish, pause));
    this.snapshots = made.catch(() => {});
    return made;
  }

  private async run(handles: SharedWorldHandles): Promise<void> {
    const world = attachSharedWorld(handles);
    const { engine, book } = this.data;
    const core = new StoreCore({ world, engine, book, clock: monotonicClock(), log: this.log });
    this.core = core;
    if (engine instanceof ApartEngine) {
      engine.onSettled = () => world.cut.ring();
      engine.onTaken = ({ message }) => {
        if (!this.isTaken) send({ type: 'taken', message });
        this.isTaken = true;
      };
    }
    const threadId = kernelThreadId();
    const tell = () => {
      world.cut.setThreadIds(threadId, engine instanceof ApartEngine ? engine.writerThreadId : 0);
      send({ type: 'status', status: core.status() });
    };
    const cancel = paced({ clock: monotonicClock(), timers: systemTimers(), world }, STATUS_MS, tell);
    while (!this.isClosing) {
      // The bell before the look: a ring in between is not slept through.
      const bell = world.cut.doorbell;
      const ms = core.poll();
      const waiting = world.cut.waitAsync(bell, Math.max(1, ms));
      // A turn of the event loop in any case: messages are read there.
      await (waiting ?? turn());
    }
    cancel();
  }

  /** @returns whether everything that was pushed is durable */
  private async close(): Promise<boolean> {
    this.isClosing = true;
    const isSaved = this.core === null || (await this.finish(this.core));
    await this.snapshots; // a copy that is being made reads the file
    await this.data.engine.close();
    this.data.release();
    return isSaved;
  }

  private async finish(core: StoreCore): Promise<boolean> {
    const clock = monotonicClock();
    const until = clock.now() + FINISH_MS;
    if (!this.isTaken) await core.finish(() => turn());
    while (core.cuts.hasFailed && !this.isTaken && clock.now() < until) {
      core.cuts.hurry();
      core.poll();
      await new Promise<void>((resolve) => void systemTimers().after(FINISH_LOOK_MS, resolve));
      if (!core.cuts.hasFailed) await core.finish(() => turn());
    }
    send({ type: 'status', status: core.status() });
    return !core.cuts.hasFailed && !this.isTaken;
  }
}

try {
  const options = workerData as StoreWorkerData;
  const data = await openData(options);
  const thread = new Thread(data, options.folder);
  port.on('message', (message: ToStore) => thread.onMessage(message));
  const facts = asDataError(options.folder ?? 'the memory', () => readFacts(data.engine, data.book));
  send({ type: 'facts', facts });
} catch (error) {
  const code = error instanceof BlueMarbleError ? error.code : null;
  send({ type: 'refused', code, message: error instanceof Error ? error.message : String(error) });
}

/**
 * The thread that waits for the disk: takes transactions from the store's thread, one buffer each, and commits them one
 * after the other with an engine of its own on the same file. Knows nothing else. Ended by `close`, in good order.
 */
import { parentPort, workerData } from 'node:worker_threads';
import { kernelThreadId } from '../base/thread-id.js';
import type { HoldMark } from './hold.js';
import { LmdbEngine } from './lmdb-engine.js';
import { unpackWrites } from './packed.js';

export interface WriterData {
  folder: string;
  /** Whose the folder is; undefined: nobody else knows it. */
  hold: HoldMark | undefined;
  /** Where it writes its number in the kernel. */
  thread: Int32Array;
}
/** null = close. */
export type ToWriter = ArrayBuffer | null;
/** What came of the oldest transaction that has no answer yet. */
export interface FromWriter {
  trouble: { message: string; code: string | undefined } | null;
}

const port = parentPort!;
const { folder, hold, thread } = workerData as WriterData;
const engine = new LmdbEngine(folder, hold === undefined ? {} : { hold });
Atomics.store(thread, 0, kernelThreadId());

port.on('message', (message: ToWriter) => {
  if (message === null) {
    port.close(); // nothing else keeps the thread
    void engine.close();
    return;
  }
  engine.commit(unpackWrites(message), (trouble) => {
    const code = (trouble as NodeJS.ErrnoException | null)?.code;
    port.postMessage({
      trouble: trouble === null ? null : { message: trouble.message, code },
    } satisfies FromWriter);
  });
});

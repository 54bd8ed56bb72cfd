/**
 * A thread that makes a disk slow for real: a commit of its own to the same file that does not end before it is told, so
 * that every other commit waits, as long, inside of LMDB.
 */
import { parentPort, workerData } from 'node:worker_threads';
import type { Write } from '../../src/store/engine.js';
import { LmdbEngine } from '../../src/store/lmdb-engine.js';

/** Of the shared word. */
export const WAITS = 0;
export const HOLDS = 1;
export const RELEASED = 2;

export interface HolderData {
  folder: string;
  word: Int32Array;
}

if (parentPort !== null) {
  const { folder, word } = workerData as HolderData;
  const engine = new LmdbEngine(folder);
  const writes: Iterable<Write> = {
    [Symbol.iterator]() {
      Atomics.store(word, 0, HOLDS);
      Atomics.wait(word, 0, HOLDS);
      return [][Symbol.iterator]();
    },
  };
  engine.commit(writes as readonly Write[], () => {});
  await engine.close();
}

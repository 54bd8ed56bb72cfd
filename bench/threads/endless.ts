/** A shard in small: once told to, it ticks for ever, and dies as it is asked. For a plain Worker and for a piscina pool. */
import { isMainThread, parentPort, workerData } from 'node:worker_threads';

export const WORD = { ticks: 0, death: 1, words: 2 } as const;
export const ENDS = ['throw', 'exit', 'heap', 'terminate'] as const;
export type End = (typeof ENDS)[number];
const TICK_MS = 5;

/** @param shared one Int32 a word: ticks so far, and 1 + index in ENDS once it is to die */
export default function run(shared: SharedArrayBuffer): void {
  const words = new Int32Array(shared);
  for (;;) {
    Atomics.add(words, WORD.ticks, 1);
    Atomics.notify(words, WORD.ticks);
    Atomics.wait(words, WORD.death, 0, TICK_MS);
    const end = ENDS[Atomics.load(words, WORD.death) - 1];
    if (end === 'throw') throw new Error('asked for');
    if (end === 'exit') process.exit(3);
    if (end === 'heap')
      for (const kept: number[][] = []; ; ) kept.push(new Array<number>(10_000).fill(kept.length));
    if (end === 'terminate') Atomics.store(words, WORD.death, 0); // it is ended from outside
  }
}

// A plain Worker brings its buffer along; piscina calls the function.
const own = (workerData as { endless?: SharedArrayBuffer } | null)?.endless;
if (!isMainThread && parentPort !== null && own !== undefined) run(own);

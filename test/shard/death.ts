/**
 * Deaths of a thread at any point: while `until` runs some work, every change of shared memory is counted (Atomics that
 * write, and each permission to write a record), and before the n-th of them the work ends where it stands, as
 * `worker.terminate()` would end it. What the work did before stays done; nothing after it happens. A death before a
 * read is the same as one before the next change. One thread, one work at a time.
 */
import { AssertionError } from '../../src/base/assert.js';
import { CutBlock } from '../../src/memory/cut-block.js';
import { Core } from '../../src/shard/core.js';

/** Thrown at the point of death; caught by `until` alone, since the shard takes it for a fault of its own. */
class Death extends AssertionError {
  constructor(readonly at: number) {
    super(`dead before change ${at} of shared memory`);
  }
}

type Operation = (this: unknown, ...args: unknown[]) => unknown;
type Operations = Record<string, Operation>;
const POINTS: readonly [object, string][] = [
  ...['store', 'compareExchange', 'exchange', 'add', 'sub', 'or'].map((name): [object, string] => [
    Atomics,
    name,
  ]),
  [Core.prototype, 'writeHot'],
  [Core.prototype, 'writeCold'],
  [Core.prototype, 'writeClock'],
  [CutBlock.prototype, 'pushed'],
];

/** Does some work; told before each change of shared memory that it makes. */
function watched(beforeChange: () => void, work: () => void): void {
  const originals = POINTS.map(([owner, name]) => (owner as Operations)[name] as Operation);
  const restore = () =>
    POINTS.forEach(([owner, name], i) => {
      (owner as Operations)[name] = originals[i] as Operation;
    });
  POINTS.forEach(([owner, name], i) => {
    const original = originals[i] as Operation;
    (owner as Operations)[name] = function (...args) {
      beforeChange();
      return original.apply(this, args);
    };
  });
  try {
    work();
  } finally {
    restore();
  }
}

/**
 * Runs `work` up to its n-th change of shared memory.
 * @returns how many changes it made, and whether it died
 */
export function until(n: number, work: () => void): { changes: number; died: boolean } {
  let changes = 0;
  try {
    watched(() => {
      // A dead thread does nothing more, not even in a `finally`.
      if (changes >= n) throw new Death(n);
      changes++;
    }, work);
    return { changes, died: false };
  } catch (error) {
    // Where game code was running the shard has put a sentence above it.
    if (!(error instanceof Death) && !((error as Error).cause instanceof Death)) throw error;
    return { changes, died: true };
  }
}

/** Runs `work`, and before its n-th change of shared memory all of `other`, as if the system had changed threads there. */
export function interrupted(n: number, work: () => void, other: () => void): void {
  let changes = 0;
  watched(() => {
    if (changes++ === n) other();
  }, work);
}

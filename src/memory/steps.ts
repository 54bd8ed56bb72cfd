/**
 * Protocols in steps: a generator that yields before each shared-memory operation. Production drives it to its end in
 * one go; a model drives every interleaving and every death of it. No state of its own; usable by any thread.
 */

/** A protocol in steps: yields before each shared-memory operation, returns its outcome. */
export type Steps<T> = Generator<void, T, void>;

/** Runs a protocol to its end, as production does. */
export function drive<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next();
    if (step.done) return step.value;
  }
}

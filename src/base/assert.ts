/** Assertions that stay on in production: a broken invariant stops the work before it spreads. */

export class AssertionError extends Error {
  override readonly name = 'AssertionError';
}

/**
 * Throws AssertionError unless the condition holds. The text names the invariant, such as "I1 one owner"; it is
 * a constant string, so that a check on the tick path allocates nothing while it holds.
 */
export function assert(condition: boolean, text: string): asserts condition {
  if (!condition) throw new AssertionError(text);
}

/** How a checker says that an invariant broke. */

/** @throws Error whose message begins with the invariant's number */
export function fail(invariant: string, what: string): never {
  throw new Error(`${invariant}: ${what}`);
}

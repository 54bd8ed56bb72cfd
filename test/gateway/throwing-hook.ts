/** An authentication hook of the worst kind: it throws where nobody can catch it. */
export function authenticate(): Promise<never> {
  setImmediate(() => {
    throw new Error('thrown by a hook, out of reach');
  });
  return new Promise(() => {});
}

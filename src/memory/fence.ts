/**
 * A full fence for the calling thread: every access before it is performed before every atomic access after it, and
 * before every plain access that follows such an atomic load. Local, waits for nobody.
 *
 * On ARM64 a plain load may be served after a later load-acquire, and a plain store may show before an earlier
 * store-release; neither `Atomics.load` nor `Atomics.store` alone forbids it. A read-modify-write orders all accesses
 * before it (its release half); the *atomic load after it* is ordered behind that half, and orders what follows. Without
 * the large-system extensions the read-modify-write is a loop of two instructions and does not hold back later accesses
 * by itself, so callers always go on with an atomic load. On x64 the read-modify-write is the fence.
 */
const word = new Int32Array(new SharedArrayBuffer(64));

/** Follow with an `Atomics.load`. */
export function fence(): void {
  Atomics.add(word, 0, 1);
}

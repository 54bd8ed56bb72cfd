/** What the handshake of a link needs of cryptography: see wire/link/handshake.ts. */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { LinkCrypto } from '../wire/link/handshake.js';

const NONCE_BYTES = 32;
const LIFE_BYTES = 16;

export const linkCrypto: LinkCrypto = {
  hmac: (key, parts) => {
    const sum = createHmac('sha256', key);
    for (const part of parts) sum.update(part);
    return sum.digest();
  },
  // Constant time: how long the comparison takes must not tell how many bytes were right.
  isSame: (a, b) => a.length === b.length && timingSafeEqual(a, b),
  nonce: () => randomBytes(NONCE_BYTES).toString('hex'),
};

/** Number of the life of a process that has no truth to give it one. */
export function randomLife(): string {
  return randomBytes(LIFE_BYTES).toString('hex');
}

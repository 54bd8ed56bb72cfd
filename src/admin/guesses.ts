/**
 * The token of the commands, and how often one may be wrong about it: so seldom that nobody guesses it, by address and in
 * all. While an address must wait its tokens are not even compared, since an answer to the right one would be one to a
 * guess; others are not kept waiting by it.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { isIP } from 'node:net';
import type { Clock } from '../base/clock.js';
import { plainAddress } from './hosts.js';

/** Wrong tokens of one address at once, and how long until one of them is forgotten. */
export const ADDRESS_GUESSES = 5;
export const ADDRESS_FORGETS_MS = 10_000;
/** Likewise of all addresses together. Who has once known the token waits for its own mistakes only. */
export const ALL_GUESSES = 20;
export const ALL_FORGET_MS = 1_000;
/** Addresses that are remembered; of more the one that was wrong longest ago is forgotten, and the sum still holds. */
const MOST_ADDRESSES = 1024;
const MOST_KNOWN = 64;

/** Mistakes that fade with time. */
class Mistakes {
  private count = 0;
  private at = 0;

  constructor(
    private readonly most: number,
    private readonly forgetMs: number,
  ) {}

  /** Milliseconds until there is room for another one; 0 = now. */
  wait(now: number): number {
    this.fade(now);
    return Math.max(0, (this.count - (this.most - 1)) * this.forgetMs);
  }

  add(now: number): void {
    this.fade(now);
    this.count++;
  }

  private fade(now: number): void {
    this.count = Math.max(0, this.count - (now - this.at) / this.forgetMs);
    this.at = now;
  }
}

export class Guesses {
  /** By address; the one that was wrong last stands last. */
  private readonly byAddress = new Map<string, Mistakes>();
  private readonly all = new Mistakes(ALL_GUESSES, ALL_FORGET_MS);
  private readonly known = new Set<string>();
  /** So that what is compared is not even derived from the token alone. */
  private readonly salt = randomBytes(32);
  private readonly right: Buffer;

  constructor(
    token: string,
    private readonly clock: Clock,
  ) {
    this.right = this.digest(token);
  }

  /** @returns milliseconds that this address must wait before its next token is looked at; 0 = none */
  wait(from: string): number {
    const now = this.clock.now();
    const address = networkOf(from);
    const own = this.byAddress.get(address)?.wait(now) ?? 0;
    return this.known.has(address) ? own : Math.max(own, this.all.wait(now));
  }

  /** Compares in a time that tells nothing. Asked only when `wait` is 0. @returns whether it is the token */
  isRight(given: string, from: string): boolean {
    const address = networkOf(from);
    if (timingSafeEqual(this.digest(given), this.right)) {
      if (this.known.size < MOST_KNOWN) this.known.add(address);
      return true;
    }
    const now = this.clock.now();
    const mistakes = this.byAddress.get(address) ?? new Mistakes(ADDRESS_GUESSES, ADDRESS_FORGETS_MS);
    mistakes.add(now);
    this.all.add(now);
    this.byAddress.delete(address);
    this.byAddress.set(address, mistakes);
    if (this.byAddress.size > MOST_ADDRESSES) this.byAddress.delete(this.byAddress.keys().next().value ?? '');
    return false;
  }

  /** Digests have one length, so that the comparison tells nothing about the token's. */
  private digest(text: string): Buffer {
    return createHmac('sha256', this.salt).update(text).digest();
  }
}

/** An IPv4 address itself; of an IPv6 address the 64 bits of its network, which one machine fills at will. */
export function networkOf(address: string): string {
  const plain = plainAddress(address);
  if (isIP(plain) !== 6) return plain;
  const [head, tail] = plain.split('::');
  const groups = head === '' ? [] : head.split(':');
  if (tail !== undefined) {
    const last = tail === '' ? [] : tail.split(':');
    while (groups.length + last.length < 8) groups.push('0');
    groups.push(...last);
  }
  return `${groups.slice(0, 4).join(':')}::/64`;
}

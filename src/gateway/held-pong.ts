/**
 * The answer to a Ping while it waits for the client's next self update: in a write of its own a Pong costs as much as a
 * whole frame, nearly all of it in the kernel (10 000 clients, one Ping a second each: an eighth of the gateway's CPU
 * time, 15 µs a Pong). How long it waited stands in it, so that a client can still measure its round trip.
 */
import type { Replies } from './replies.js';

/** Self updates come four times a second; where none does, the answer leaves alone. */
const LONGEST_WAIT_MS = 500;

export class HeldPong {
  private nonce = 0;
  /** Clock ms; -1 = no Ping waits for an answer. */
  private since = -1;

  get isHeld(): boolean {
    return this.since >= 0;
  }

  hold(nonce: number, now: number): void {
    this.nonce = nonce;
    this.since = now;
  }

  isOverdue(now: number): boolean {
    return this.isHeld && now - this.since >= LONGEST_WAIT_MS;
  }

  /** @returns the message, valid until the next one; only while one is held */
  take(replies: Replies, tick: number, now: number): Uint8Array {
    const held = Math.round(now - this.since);
    this.since = -1;
    return replies.pong(this.nonce, tick, held);
  }
}

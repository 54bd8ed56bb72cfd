/**
 * The rules of a session, pure: which message is allowed when, which action id may come next, how fast a client may
 * talk, how far it lags. No clock, no socket, no memory: the connection feeds in what happened and obeys the answer.
 *
 * ```
 *  GREETING ──Hello──▶ AUTHENTICATING ──ticket good──▶ ENTERING ──READY──▶ PLAYING
 *     │                     │                             │                  │
 *     └──────── deadline, refusal, socket gone, Goodbye ──┴──────────────────┴──▶ CLOSED
 * ```
 */
import type { CloseName } from '../base/errors.js';
import { CLIENT } from '../wire/protocol.js';

export const STATE = {
  /** The socket is open, Hello has not come. */
  GREETING: 0,
  /** Hello was good; the ticket and the account are looked at. */
  AUTHENTICATING: 1,
  /** The entity is known and its inbox is ours; its owner has not answered READY. */
  ENTERING: 2,
  PLAYING: 3,
  CLOSED: 4,
} as const;

/** By state: bit n says that a client message of type n is allowed. */
const ALLOWED: readonly number[] = [
  /* GREETING       */ 1 << CLIENT.HELLO,
  /* AUTHENTICATING */ (1 << CLIENT.PING) | (1 << CLIENT.GOODBYE),
  /* ENTERING       */ (1 << CLIENT.PING) | (1 << CLIENT.GOODBYE),
  /* PLAYING        */
  (1 << CLIENT.ACTION) |
    (1 << CLIENT.PING) |
    (1 << CLIENT.KEY_REQUEST) |
    (1 << CLIENT.LOG_REQUEST) |
    (1 << CLIENT.GOODBYE),
  /* CLOSED         */ 0,
];

/** Whether a message of this kind may come in this state; if not: UNEXPECTED_MESSAGE. */
export function isAllowed(state: number, type: number): boolean {
  return ((ALLOWED[state] as number) & (1 << type)) !== 0;
}

/**
 * May this action id come now?
 * @param next the id that follows the last one taken
 * @param decided newest id that the owner is known to have decided
 * @param window how far ids may run ahead of `decided`
 * @returns 0 or the reason to close; an id is never skipped
 */
export function checkAction(id: number, next: number, decided: number, window: number): 0 | CloseName {
  if (id !== next) return 'ACTION_GAP';
  return id > decided + window ? 'WINDOW_EXCEEDED' : 0;
}

/** A bucket that fills with time and is emptied by use. It decides when to close, it never drops anything. */
export class TokenBucket {
  private tokens: number;
  private at: number;

  /** @param perS refill a second; @param burst size; @param now ms */
  constructor(
    private readonly perS: number,
    private readonly burst: number,
    now: number,
  ) {
    this.tokens = burst;
    this.at = now;
  }

  /** @returns false when there is not enough: the client has talked too fast */
  take(amount: number, now: number): boolean {
    this.tokens = Math.min(this.burst, this.tokens + ((now - this.at) / 1000) * this.perS);
    this.at = now;
    if (this.tokens < amount) return false;
    this.tokens -= amount;
    return true;
  }
}

/** Out to the client and back. */
const WAYS = 2;

export const PACE = { GOOD: 0, SLOW: 1, LOST: 2 } as const;

/**
 * How far behind a client reads. The kernel hides megabytes before the socket's own buffer is felt, so slowness is
 * measured by what the client echoes: each of its messages carries the newest tick that it has seen.
 *
 * A probe is one tick that was sent, with the time of its sending; only one is out at a time. Its age when a message
 * comes that still echoes less is the client's lag. A client that says nothing at all is given `silenceMs` more, since
 * it owes a message only that often.
 *
 * What a gateway is late by itself is not the client's lag: a tick waits in it on its way out, the echo on its way in. A
 * busy gateway that took its own lateness for theirs would send key frames to all of them, and be busier still.
 */
export class LagMeter {
  private probeTick = 0;
  private probeAt = 0;
  private newest = 0;
  slow = false;

  constructor(
    private readonly slowMs: number,
    private readonly lostMs: number,
    private readonly silenceMs: number,
  ) {}

  /** A tick went out to this client. */
  sent(tick: number, now: number): void {
    if (tick > this.newest) this.newest = tick;
    if (this.probeTick !== 0) return;
    this.probeTick = tick;
    this.probeAt = now;
  }

  /** A message came with this echo. @param tickMs length of a tick @param late of the gateway, ms @returns PACE; GOOD ends slowness */
  echoed(tick: number, now: number, tickMs: number, late: number): number {
    if (tick >= this.probeTick) {
      this.probeTick = 0;
      // Caught up: half of what made it slow, so that it does not flap.
      if ((this.newest - tick) * tickMs - WAYS * late <= this.slowMs / 2) this.slow = false;
      return this.pace();
    }
    const age = now - this.probeAt - WAYS * late;
    if (age > this.lostMs) return PACE.LOST;
    if (age > this.slowMs) this.slow = true;
    return this.pace();
  }

  /** Time went by. @param late of the gateway, ms */
  elapsed(now: number, late: number): number {
    if (this.probeTick === 0) return this.pace();
    const age = now - this.probeAt - WAYS * late;
    if (age > this.lostMs) return PACE.LOST;
    if (age > this.slowMs + this.silenceMs) this.slow = true;
    return this.pace();
  }

  private pace(): number {
    return this.slow ? PACE.SLOW : PACE.GOOD;
  }
}

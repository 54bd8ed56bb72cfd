/**
 * The rules of a session, pure: which message is allowed when, which action id may come next, how fast a client may
 * talk (how far it lags: lag-meter.ts). No clock, no socket, no memory: the connection feeds in what happened and obeys the answer.
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

  /**
   * @param now ms, of the machine's clock: a client goes on while the gateway does not
   * @param pile ms for which what is read now may have lain unread: so much more may come at once
   * @returns false when there is not enough: the client has talked too fast
   */
  take(amount: number, now: number, pile = 0): boolean {
    const most = this.burst + (pile / 1000) * this.perS;
    const filled = this.tokens + ((now - this.at) / 1000) * this.perS;
    this.tokens = Math.max(this.tokens, Math.min(most, filled)); // what was granted for a pile is not taken back
    this.at = now;
    if (this.tokens < amount) return false;
    this.tokens -= amount;
    return true;
  }
}

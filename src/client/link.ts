/**
 * When to connect, when to give up: the state of a client's connection as plain arithmetic on times. Knows neither
 * sockets nor messages; the client asks it what a close means and when the next attempt is due.
 *
 *   closed ──due──▶ connecting ──opened──▶ greeting ──Welcome──▶ online
 *      ▲                 │                     │                    │
 *      └───── lost ◀─────┴─────────────────────┴────────────────────┘ ──▶ ended
 */
import type { Random } from '../base/random.js';
import { type ClientError, ClientError as Failure, clientError, closeRule } from './errors.js';

export type LinkState = 'closed' | 'connecting' | 'greeting' | 'online' | 'ended';

export interface LinkTimes {
  /** First pause before a new attempt; doubles with each one that fails. */
  backoffMs: number;
  backoffMaxMs: number;
  /** For the socket to open. */
  connectMs: number;
  /** From then on for the Welcome. A server that cannot let somebody in closes with a code, and that comes sooner. */
  greetMs: number;
  /** Without any message from the server (a Pong comes each second) the connection counts as lost. */
  silenceMs: number;
  /** Without a Welcome for so long the client ends with UNREACHABLE. */
  giveUpMs: number;
}

export const LINK_TIMES: LinkTimes = {
  backoffMs: 100,
  backoffMaxMs: 3000,
  connectMs: 10_000,
  greetMs: 45_000,
  silenceMs: 15_000,
  giveUpMs: 120_000,
};

/**
 * Of the time between two looks so much counts as the server's silence. A client that did not get to run for longer has
 * not listened either: what came meanwhile still lies in its socket, and is read after this look.
 */
const LONGEST_LOOK_MS = 1_000;

/** What follows from a close. */
export type AfterClose = { what: 'retry' } | { what: 'renew' } | { what: 'end'; error: ClientError | null };

export class Link {
  state: LinkState = 'closed';
  private since: number;
  private lastOnline: number;
  private attempts = 0;
  /** Of waiting for the socket, the Welcome or any message: time that was spent listening, and when it was last looked at. */
  private waited = 0;
  private lookedAt = 0;

  constructor(
    private readonly times: LinkTimes,
    private readonly random: Random,
    now: number,
  ) {
    this.since = now;
    this.lastOnline = now;
  }

  /** Whether to open a socket now. */
  due(now: number): boolean {
    return this.state === 'closed' && now >= this.since;
  }

  connecting(now: number): void {
    this.state = 'connecting';
    this.since = now;
    this.hear(now);
  }

  opened(): void {
    this.state = 'greeting';
    this.waited = 0;
  }

  welcomed(now: number): void {
    this.state = 'online';
    this.attempts = 0;
    this.hear(now);
    this.lastOnline = now;
  }

  /** Any message has come. */
  hear(now: number): void {
    this.waited = 0;
    this.lookedAt = now;
  }

  /** Whether the present socket must be considered dead. Asked at every beat: what lies between two counts, bounded. */
  isDead(now: number): boolean {
    this.waited += Math.min(Math.max(0, now - this.lookedAt), LONGEST_LOOK_MS);
    this.lookedAt = now;
    const { connectMs, greetMs, silenceMs } = this.times;
    if (this.state === 'connecting') return this.waited > connectMs;
    if (this.state === 'greeting') return this.waited > greetMs;
    return this.state === 'online' && this.waited > silenceMs;
  }

  /**
   * The socket is gone.
   * @param renew whether an expired session may be followed by a new one
   */
  lost(code: number, reason: string, renew: boolean, now: number): AfterClose {
    if (this.state === 'online') this.lastOnline = now;
    const rule = closeRule(code);
    if (rule.name === 'GOODBYE') return this.end(null);
    if (rule.name === 'SESSION_EXPIRED' && renew) {
      this.wait(now);
      return { what: 'renew' };
    }
    if (!rule.retry) return this.end(new Failure(rule.name, reason === '' ? rule.text : reason, code));
    if (now - this.lastOnline > this.times.giveUpMs) {
      return this.end(clientError('UNREACHABLE', `last close ${code} ${rule.name}`));
    }
    this.wait(now);
    return { what: 'retry' };
  }

  end(error: ClientError | null): AfterClose {
    this.state = 'ended';
    return { what: 'end', error };
  }

  /** Half of the pause is chance: a restarted server must not see all its clients in the same instant. */
  private wait(now: number): void {
    const { backoffMs, backoffMaxMs } = this.times;
    const ceiling = Math.min(backoffMaxMs, backoffMs * 2 ** Math.min(this.attempts, 16));
    this.attempts++;
    this.state = 'closed';
    this.since = now + ceiling * (0.5 + 0.5 * this.random.next());
  }
}

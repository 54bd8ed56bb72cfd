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
  /** For the socket to open and the Welcome to come. */
  connectMs: number;
  /** Without any message from the server (a Pong comes each second) the connection counts as lost. */
  silenceMs: number;
  /** Without a Welcome for so long the client ends with UNREACHABLE. */
  giveUpMs: number;
}

export const LINK_TIMES: LinkTimes = {
  backoffMs: 100,
  backoffMaxMs: 3000,
  connectMs: 10_000,
  silenceMs: 15_000,
  giveUpMs: 120_000,
};

/** What follows from a close. */
export type AfterClose = { what: 'retry' } | { what: 'renew' } | { what: 'end'; error: ClientError | null };

export class Link {
  state: LinkState = 'closed';
  private since: number;
  private lastOnline: number;
  private attempts = 0;
  private heard = 0;

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
  }

  opened(): void {
    this.state = 'greeting';
  }

  welcomed(now: number): void {
    this.state = 'online';
    this.attempts = 0;
    this.heard = now;
    this.lastOnline = now;
  }

  /** Any message has come. */
  hear(now: number): void {
    this.heard = now;
  }

  /** Whether the present socket must be considered dead. */
  isDead(now: number): boolean {
    if (this.state === 'connecting' || this.state === 'greeting')
      return now - this.since > this.times.connectMs;
    return this.state === 'online' && now - this.heard > this.times.silenceMs;
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

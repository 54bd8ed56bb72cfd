/**
 * One end of a link that has been agreed on: joins what is said into turns, hears the other end's, notices its silence, and
 * knows how much is under way. The same for node and router; what the records mean they know.
 *
 * Bounded: beyond `linkFullBytes` waiting in this process the link is *full*, and who has something to say that can be
 * left out must leave it out; beyond `linkMostBytes` it is reset. Time in which this process did not run is not the other
 * end's silence.
 */
import type { Clock, Timers } from '../../base/clock.js';
import type { LinkName } from '../../base/errors.js';
import { LIMITS } from '../../base/limits.js';
import type { LinkStream } from './stream.js';
import { TurnReader, type TurnView, TurnWriter } from './turn.js';

/** Turns whose time of sending is remembered. */
const REMEMBERED = 64;
const BEAT_MS = 250;
/** Nothing was said for so long: a sign of life. */
const QUIET_MS = 500;
/** A beat that is later than this was held up: this process did not run. */
const HELD_UP_MS = 1000;
/** How much a new round trip counts in the mean. */
const FRESH_SHARE = 0.2;

export interface LinkEndParts {
  readonly clock: Clock;
  readonly timers: Timers;
  /** Calls back at the end of the present turn of the event loop, or a little later: what is said until then is joined. */
  readonly soon: (flush: () => void) => void;
  /** An answer to a turn waits so long for something to be said, ms. */
  readonly answerMs: number;
  /** How late this process is to its turns, ms. */
  readonly late: () => number;
}

export interface LinkEvents {
  /** A whole turn of the other end that says something. */
  turn(turn: TurnView): void;
  /** The link has become full, or has room again. */
  full(isFull: boolean): void;
  /** Once. @param why null = the stream ended without a word */
  closed(why: LinkName | null): void;
}

export class LinkEnd {
  readonly out = new TurnWriter();
  /** How late the other end says that it is, ms. */
  otherLateMs = 0;
  /** There and back, ms, smoothed. */
  roundTripMs = 0;
  isClosed = false;
  isFull = false;
  bytesOut = 0;
  bytesIn = 0;
  turnsIn = 0;
  private readonly reader = new TurnReader(LIMITS.linkTurnBytes);
  private readonly cancelBeat: () => void;
  private cancelAnswer: (() => void) | null = null;
  private isDue = false;
  private heard = 0;
  /** Newest of our turns that the other end has applied, and when each of the last ones left. */
  private acknowledged = 0;
  private readonly sentMs = new Float64Array(REMEMBERED);
  private heardMs: number;
  private saidMs: number;
  private beatMs: number;

  constructor(
    private readonly stream: LinkStream,
    private readonly parts: LinkEndParts,
    private readonly events: LinkEvents,
  ) {
    this.heardMs = this.saidMs = this.beatMs = parts.clock.now();
    this.cancelBeat = parts.timers.every(BEAT_MS, () => this.beat());
  }

  /** Newest turn that left, and newest that was applied at the other end. */
  get newestSent(): number {
    return this.out.newest;
  }
  get newestApplied(): number {
    return this.acknowledged;
  }

  /** What lies between this end's saying and the other end's hearing, ms: the way, and what either is late by. */
  lateMs(now: number): number {
    const { acknowledged, out } = this;
    const first = acknowledged + 1;
    // What has not been answered is at least as late as it is old.
    const open = first <= out.newest ? now - this.sentAt(first) : 0;
    return Math.max(this.roundTripMs / 2 + this.otherLateMs, open - this.roundTripMs);
  }

  /** Something was written: it leaves with this turn. */
  said(): void {
    if (this.isDue || this.isClosed) return;
    this.isDue = true;
    this.parts.soon(() => {
      if (this.isDue) this.flush();
    });
  }

  /** Bytes that wait in this process. */
  get waiting(): number {
    return this.stream.waiting() + this.out.length;
  }

  /** Whether what may be left out must be left out. */
  get hasNoRoom(): boolean {
    if (!this.isFull && this.waiting > LIMITS.linkFullBytes) {
      this.isFull = true;
      this.events.full(true);
    }
    return this.isFull;
  }

  /** Writes the turn in hand, an empty one as well. */
  flush(): void {
    if (this.isClosed) return;
    this.isDue = false;
    this.cancelAnswer?.();
    this.cancelAnswer = null;
    const { out, stream, parts } = this;
    if (stream.waiting() + out.length > LIMITS.linkMostBytes) return this.close('LINK_FULL');
    const turn = out.take(this.heard, parts.late());
    this.saidMs = parts.clock.now();
    this.sentMs[out.newest % REMEMBERED] = this.saidMs;
    this.bytesOut += turn.length;
    stream.write(turn, () => {
      out.giveBack(turn);
      this.look();
    });
  }

  /** Bytes of the stream. */
  received(bytes: Uint8Array): void {
    if (this.isClosed) return;
    this.heardMs = this.parts.clock.now();
    this.bytesIn += bytes.length;
    const taken = this.reader.feed(bytes, (turn) => this.hear(turn));
    if (taken < 0 && !this.isClosed) this.close('LINK_NONSENSE');
  }

  /** Ends the link. @param why null = the stream has ended already */
  close(why: LinkName | null): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.cancelBeat();
    this.cancelAnswer?.();
    this.stream.destroy();
    this.events.closed(why);
  }

  private hear(turn: TurnView): boolean {
    this.heard = turn.number;
    this.otherLateMs = turn.lateMs;
    if (turn.heard > this.acknowledged && turn.heard <= this.out.newest) {
      this.acknowledged = turn.heard;
      const trip = this.parts.clock.now() - this.sentAt(turn.heard);
      this.roundTripMs += (trip - this.roundTripMs) * FRESH_SHARE;
    }
    if (turn.isEmpty) return !this.isClosed;
    this.turnsIn++;
    this.cancelAnswer ??= this.parts.timers.after(this.parts.answerMs, () => this.flush());
    this.events.turn(turn);
    return !this.isClosed;
  }

  private sentAt(turn: number): number {
    const { newest } = this.out;
    return this.sentMs[Math.max(turn, newest - REMEMBERED + 1, 1) % REMEMBERED];
  }

  private beat(): void {
    const now = this.parts.clock.now();
    const gap = now - this.beatMs;
    this.beatMs = now;
    if (gap > HELD_UP_MS) this.heardMs += gap; // what came meanwhile has not been read yet
    if (now - this.heardMs > LIMITS.linkSilenceS * 1000) return this.close('LINK_SILENT');
    this.look();
    if (now - this.saidMs >= QUIET_MS || this.out.newest === 0) this.flush();
  }

  /** Whether there is room again. */
  private look(): void {
    if (!this.isFull || this.isClosed || this.waiting > LIMITS.linkFullBytes / 2) return;
    this.isFull = false;
    this.events.full(false);
  }
}

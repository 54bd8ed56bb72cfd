/**
 * What one client may be sent in key frames: its byte budget less what really passes on its streams, saved up to half a
 * second's worth. It may run into debt: for a square that holds more than it can ever save, for what nothing shown yet
 * covers, and to get rid of streams that take more than there is. Pure.
 *
 * That is the mean. In any second, debts or not, key frames take no more than half of the budget, and what its streams
 * leave of the whole: together one and a half budgets at most, while the streams keep within theirs. Only one square that
 * is larger than that comes nevertheless, alone in its second.
 */
import { Second } from './second.js';

/** Seconds of the whole budget that can be saved up, and owed. */
const SAVED_S = 0.5;
const OWED_S = 2;
/** Between two loans. */
const LEND_MS = 2000;
/** Self updates and answers. */
export const OTHER_BYTES_PER_S = 2048;
/** How much the newest stretch counts in the mean of what passes, a second. */
const FRESH_PER_S = 0.5;
/** Budgets that a client is sent in any second, at most. */
export const SECOND_SHARE = 1.5;

export class Purse {
  /** Bytes a second that pass on the streams, smoothed. */
  rate = 0;
  /** The same as they are expected once all is shown that is to be. */
  expected = 0;
  private bytes: number;
  private at: number;
  private passed = 0;
  private lentAt = Number.NEGATIVE_INFINITY;
  private readonly streamed = new Second();
  private readonly keyed = new Second();

  constructor(
    private readonly bytesPerS: number,
    private now: number,
  ) {
    this.bytes = bytesPerS * SAVED_S;
    this.at = now;
  }

  /** Whether its streams alone take more than there is. */
  get isOverrun(): boolean {
    return this.rate > this.bytesPerS - OTHER_BYTES_PER_S;
  }

  /** Comes before anything is taken out. @param passed bytes on its streams since it came @param now ms */
  note(passed: number, now: number): void {
    this.now = now;
    const seconds = (now - this.at) / 1000;
    if (seconds <= 0) return;
    const bytes = passed - this.passed;
    this.streamed.add(bytes / Math.max(1, seconds), now);
    this.rate += (bytes / seconds - this.rate) * Math.min(1, FRESH_PER_S * seconds);
    const saved = this.bytes + seconds * (this.bytesPerS - OTHER_BYTES_PER_S) - bytes;
    this.bytes = Math.max(-OWED_S * this.bytesPerS, Math.min(this.bytesPerS * SAVED_S, saved));
    this.at = now;
    this.passed = passed;
  }

  /** @returns false: not now */
  spend(bytes: number): boolean {
    if (this.bytes < Math.min(bytes, this.bytesPerS * SAVED_S)) return false;
    return this.owe(bytes);
  }

  /** The same, on credit now and then: who lacks something must not wait for ever because too much passes. */
  borrow(bytes: number, now: number): boolean {
    if (this.spend(bytes)) return true;
    if (now - this.lentAt < LEND_MS || !this.owe(bytes)) return false;
    this.lentAt = now;
    return true;
  }

  /** For what lies far away: only from what is saved beyond a half. @returns false: not now */
  spare(bytes: number): boolean {
    if (this.bytes - bytes < (this.bytesPerS * SAVED_S) / 2) return false;
    return this.owe(bytes);
  }

  /** What it was owed for did not reach it: it was too slow, and gets nothing for a while. */
  forgive(): void {
    this.bytes = Math.max(0, this.bytes);
    this.rate = 0;
  }

  /** On credit; as much as fits its second. @returns false: not now */
  owe(bytes: number): boolean {
    const keyed = this.keyed.sum(this.now);
    const streams = Math.max(this.expected, this.streamed.sum(this.now)) + OTHER_BYTES_PER_S;
    const room = SECOND_SHARE * this.bytesPerS - Math.min(this.bytesPerS, streams);
    if (keyed > 0 && keyed + bytes > room) return false;
    this.keyed.add(bytes, this.now);
    this.bytes -= bytes;
    return true;
  }
}

/**
 * What one client may be sent in key frames: its byte budget less what its streams take, saved up to half a second's
 * worth. It may run into debt once, for a square that holds more than it can ever save. Pure.
 */

/** Streams may take the whole budget, but pictures must come at last. */
const LEAST_SHARE = 1 / 8;
/** Seconds of the whole budget that can be saved up. */
const SAVED_S = 0.5;

export class Purse {
  private bytes: number;
  private at: number;

  constructor(
    private readonly bytesPerS: number,
    now: number,
  ) {
    this.bytes = bytesPerS * SAVED_S;
    this.at = now;
  }

  /** @param streams bytes a second that they are thought to take @returns false: not now */
  spend(bytes: number, streams: number, now: number): boolean {
    const full = this.bytesPerS * SAVED_S;
    const rate = Math.max(this.bytesPerS * LEAST_SHARE, this.bytesPerS - streams);
    this.bytes = Math.min(full, this.bytes + ((now - this.at) / 1000) * rate);
    this.at = now;
    if (this.bytes < Math.min(bytes, full)) return false;
    this.bytes -= bytes;
    return true;
  }
}

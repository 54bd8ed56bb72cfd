/**
 * Who was turned away at the door of the admin port: counted for ever, and told in the log as one line for all that came
 * within ten seconds, so that whoever knocks a thousand times a second fills no disk.
 */
import type { Timers } from '../base/clock.js';
import type { Log } from '../control/log.js';
import type { AdminErrorName } from './errors.js';

/** Refusals that say that somebody tries what is not theirs. */
export const DOOR_CODES = ['FOREIGN_HOST', 'FOREIGN_ORIGIN', 'UNAUTHORIZED', 'TOO_MANY_GUESSES'] as const;
export type DoorCode = (typeof DOOR_CODES)[number];

export const LINE_MS = 10_000;
/** Addresses and names are remembered for one line only, and so many. */
const MOST_ADDRESSES = 1024;
const SHOWN_CHARS = 100;

export function isDoorCode(code: AdminErrorName): code is DoorCode {
  return (DOOR_CODES as readonly string[]).includes(code);
}

export class Refusals {
  private readonly totals = new Map<DoorCode, number>(DOOR_CODES.map((code) => [code, 0]));
  private readonly counts = new Map<DoorCode, number>();
  private readonly from = new Map<string, number>();
  /** Host or origin that was refused last. */
  private example: string | null = null;
  private cancel: (() => void) | null = null;

  constructor(
    private readonly timers: Timers,
    private readonly log: Log,
  ) {}

  /** How many there were since the start, by code. */
  get all(): ReadonlyMap<DoorCode, number> {
    return this.totals;
  }

  /** @param example the Host or Origin that was not served; null = the token was wrong */
  note(code: DoorCode, address: string, example: string | null): void {
    this.totals.set(code, (this.totals.get(code) ?? 0) + 1);
    this.counts.set(code, (this.counts.get(code) ?? 0) + 1);
    const known = this.from.get(address);
    if (known !== undefined || this.from.size < MOST_ADDRESSES) this.from.set(address, (known ?? 0) + 1);
    this.example = example?.slice(0, SHOWN_CHARS) ?? this.example;
    this.cancel ??= this.timers.after(LINE_MS, () => this.tell());
  }

  /** Tells what has not been told. */
  close(): void {
    if (this.cancel === null) return;
    this.cancel();
    this.tell();
  }

  private tell(): void {
    this.cancel = null;
    const [address, times] = [...this.from].reduce((most, row) => (row[1] > most[1] ? row : most));
    this.log.warn(
      {
        refused: Object.fromEntries(this.counts),
        addresses: this.from.size,
        most: { address, times },
        ...(this.example === null ? {} : { example: this.example }),
      },
      'the admin port turned requests away',
    );
    this.counts.clear();
    this.from.clear();
    this.example = null;
  }
}

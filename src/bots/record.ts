/**
 * A bot's own record of what it did in one session, kept beside the SDK and not from it: ids are counted here, in the
 * order in which the bot acted. Actions whose outcome is final (durable) are folded into the hash and forgotten.
 */
import { FNV_BASIS, fnvAction } from '../base/fnv.js';
import type { OwnRecord } from './classify.js';

interface Entry {
  kind: number;
  payload: Uint8Array;
  /** −1 = undecided */
  outcome: number;
}

export class ActionRecord {
  private entries: Entry[] = [];
  private folded = 0;
  private foldedApplied = 0;
  private hash = FNV_BASIS;
  sent = 0;

  /** @returns the id that this action must get */
  note(kind: number, payload: Uint8Array): number {
    this.entries.push({ kind, payload, outcome: -1 });
    return ++this.sent;
  }

  /** The outcome that was told for an id; a later one (after a restart of the server) replaces an earlier one. */
  outcome(id: number, code: number): void {
    const entry = this.entries[id - this.folded - 1];
    if (entry !== undefined) entry.outcome = code;
  }

  /** Everything up to `id` is decided for ever. */
  fold(id: number): void {
    let n = 0;
    while (this.folded < id && n < this.entries.length && this.entries[n]!.outcome >= 0) {
      const entry = this.entries[n++]!;
      this.folded++;
      if (entry.outcome === 0) this.foldedApplied++;
      this.hash = fold(this.hash, this.folded, entry);
    }
    if (n > 0) this.entries.splice(0, n);
  }

  /** The record up to the first action without an outcome. */
  summary(): OwnRecord {
    let { hash, folded: decided, foldedApplied: applied } = this;
    for (const entry of this.entries) {
      if (entry.outcome < 0) break;
      hash = fold(hash, ++decided, entry);
      if (entry.outcome === 0) applied++;
    }
    return { sent: this.sent, decided, applied, rejected: decided - applied, hash };
  }
}

function fold(hash: number, id: number, entry: Entry): number {
  return fnvAction(hash, id, entry.kind, entry.payload, 0, entry.payload.length, entry.outcome);
}

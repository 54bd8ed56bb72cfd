/**
 * Compares what a bot did with the server's own log of the same session: which promise of exactly-once (I3) broke, and
 * how often. Pure.
 */

/** The bot's own record of one session; `decided` = those that were acknowledged with an outcome. */
export interface OwnRecord {
  sent: number;
  decided: number;
  applied: number;
  rejected: number;
  /** FNV-1a over id, kind, payload, outcome of the decided ones in order. */
  hash: number;
}

/** The server's: a LogReply, or null when none could be had although the session should have one. */
export interface ServerLog {
  lastAction: number;
  applied: number;
  rejected: number;
  hash: number;
}

export interface Verdict {
  lost: number;
  duplicated: number;
  outOfOrder: number;
}

/**
 * - lost: sent, but the server counts fewer, or has counted ids without an outcome, or told no outcome
 * - duplicated: the server has decided more than was sent, or more outcomes than ids
 * - outOfOrder: all counts agree, but the contents in order do not (also an outcome that was told differently)
 */
export function classify(own: OwnRecord, log: ServerLog | null): Verdict {
  if (log === null) return { lost: own.sent, duplicated: 0, outOfOrder: 0 };
  const outcomes = log.applied + log.rejected;
  const missing = Math.max(0, own.sent - log.lastAction);
  const skipped = Math.max(0, log.lastAction - outcomes);
  const untold = Math.max(0, Math.min(own.sent, log.lastAction) - own.decided);
  const lost = missing + skipped + untold;
  const duplicated = Math.max(0, log.lastAction - own.sent) + Math.max(0, outcomes - log.lastAction);
  const agrees = own.applied === log.applied && own.rejected === log.rejected && own.hash === log.hash;
  return { lost, duplicated, outOfOrder: lost + duplicated === 0 && !agrees ? 1 : 0 };
}

export function addVerdict(to: Verdict, from: Verdict): void {
  to.lost += from.lost;
  to.duplicated += from.duplicated;
  to.outOfOrder += from.outOfOrder;
}

/**
 * What the bots read from the server's admin port, and the arithmetic that turns samples into differences over a run.
 * The reading is injected, so that the arithmetic is tested without a server.
 */
import type { Quantiles } from './histogram.js';

/** The part of /api/status that is used here. */
export interface Status {
  uptimeSeconds: number;
  /** Of the world; with a data directory it goes on over a restart, and the item totals with it. */
  tick?: number;
  tickRate?: number;
  players: number;
  totals: {
    handovers: number;
    crossings: number;
    itemsCreated: number;
    itemsConsumed: number;
    items: number;
    shardRestarts?: number;
  };
  handoverMs: Quantiles;
  ticksMissed: number;
  ticksDoubled: number;
}

export type ReadStatus = () => Promise<Status | null>;

/** Reads over HTTP; null when the server does not answer within two seconds or says something else. */
export function httpStatus(admin: string): ReadStatus {
  return async () => {
    try {
      const response = await fetch(`${admin}/api/status`, { signal: AbortSignal.timeout(2000) });
      return response.ok ? ((await response.json()) as Status) : null;
    } catch {
      return null;
    }
  };
}

/** Whether the world is older than the process that hosts it. */
function goesOn({ tick = 0, tickRate = 1, uptimeSeconds }: Status): boolean {
  return tick / tickRate > uptimeSeconds + OLDER_S;
}

/** What the server did during a run. */
export interface ServerFigures {
  handovers: number;
  crossings: number;
  handoverMs: Quantiles;
  itemsBefore: number;
  itemsAfter: number;
  ticksMissed: number;
  ticksDoubled: number;
  serverRestarts: number;
  shardRestarts: number;
}

/** Counters that begin at zero again when the server is started again. */
const COUNTERS = ['handovers', 'crossings', 'shardRestarts'] as const;

const balance = ({ totals }: Status) => totals.itemsCreated - totals.itemsConsumed;

const ITEMS: ReadonlySet<string> = new Set(['itemsCreated', 'itemsConsumed']);
/** A world that is older than its process by this goes on from its data. */
const OLDER_S = 3;

/** Sums counters over samples; what was counted between the last sample and a restart is unknown and left out. */
export class StatusMeter {
  private readonly sums = { handovers: 0, crossings: 0, shardRestarts: 0 };
  private readonly first: Status;
  private last: Status;
  private restarts = 0;
  private missed = 0;
  private doubled = 0;

  constructor(first: Status) {
    this.first = first;
    this.last = first;
  }

  sample(next: Status): void {
    const restarted = next.uptimeSeconds < this.last.uptimeSeconds;
    if (restarted) this.restarts++;
    const base = restarted ? null : this.last;
    for (const name of COUNTERS) {
      const from = restarted && ITEMS.has(name) && goesOn(next) ? this.last : base;
      this.sums[name] += (next.totals[name] ?? 0) - (from?.totals[name] ?? 0);
    }
    this.missed += next.ticksMissed - (base?.ticksMissed ?? 0);
    this.doubled += next.ticksDoubled - (base?.ticksDoubled ?? 0);
    this.last = next;
  }

  /** Whether everything that was created and not consumed is still there (as of the last sample). */
  get itemsAgree(): boolean {
    const { itemsBefore, itemsAfter } = this.figures();
    return itemsBefore === itemsAfter;
  }

  figures(): ServerFigures {
    const { sums, first, last } = this;
    return {
      handovers: sums.handovers,
      crossings: sums.crossings,
      handoverMs: last.handoverMs,
      // Not of sums over restarts: a server with a data directory goes on with the totals that it had.
      itemsBefore: first.totals.items - balance(first) + balance(last),
      itemsAfter: last.totals.items,
      ticksMissed: this.missed,
      ticksDoubled: this.doubled,
      serverRestarts: this.restarts,
      shardRestarts: sums.shardRestarts,
    };
  }
}

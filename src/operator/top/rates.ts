/** What `top` shows of two looks at a server: pure, from two answers of its admin port. */
import type { Status, TilesStatus } from '../../control/status.js';
import type { TracesStatus } from '../../control/traces.js';

/** One look. */
export interface Look {
  readonly atMs: number;
  readonly status: Status;
  readonly tiles: TilesStatus;
  /** Null with a server that has none. */
  readonly traces: TracesStatus | null;
}

export interface Rates {
  readonly actionsPerSecond: number;
  readonly handoversPerSecond: number;
  readonly crossingsPerSecond: number;
  readonly bytesOutPerSecond: number;
  /** Of ticks begun against ticks due: 1 = the world runs at full speed. */
  readonly speed: number;
}

/** @param before null: the first look, rates are 0 */
export function ratesOf(before: Look | null, now: Look): Rates {
  const seconds = before === null ? 0 : (now.atMs - before.atMs) / 1000;
  const old = before?.status;
  // A counter that went back belongs to another process: its rate begins anew.
  const rate = (pick: (status: Status) => number) =>
    old === undefined || seconds <= 0 || now.status.uptimeSeconds < old.uptimeSeconds
      ? 0
      : Math.max(0, pick(now.status) - pick(old)) / seconds;
  const due = now.status.tickRate;
  return {
    actionsPerSecond: round(rate(({ totals }) => totals.actionsApplied + totals.actionsRejected)),
    handoversPerSecond: round(rate(({ totals }) => totals.handovers)),
    crossingsPerSecond: round(rate(({ totals }) => totals.crossings)),
    bytesOutPerSecond: now.status.gateways.reduce((sum, { bytesOutPerSecond }) => sum + bytesOutPerSecond, 0),
    speed: before === null || due <= 0 ? 1 : round(rate(({ tick }) => tick) / due),
  };
}

const round = (value: number) => Math.round(value * 100) / 100;

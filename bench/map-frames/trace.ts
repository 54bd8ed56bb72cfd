/**
 * What a page's main thread did, out of a trace that Chromium recorded: CPU time between one picture and the next. Pure.
 * Source of the format: Trace Event Format, phases X (complete, dur and tdur in µs) and M (names of threads).
 */

export interface TraceEvent {
  readonly ph: string;
  readonly name: string;
  readonly pid: number;
  readonly tid: number;
  /** µs */
  readonly ts?: number;
  readonly dur?: number;
  /** CPU time of the thread within it, µs. */
  readonly tdur?: number;
  readonly args?: Readonly<Record<string, unknown>>;
}

export interface Frames {
  readonly frames: number;
  /** CPU time of the main thread a frame (script, style, layout, paint, whatever ran since the frame before), ms. */
  readonly p50Ms: number;
  readonly p95Ms: number;
  readonly maxMs: number;
  /** Between the starts of two pictures, ms of wall time. */
  readonly everyMs: { readonly p50: number; readonly p95: number };
  /** Single tasks of 50 ms of CPU time and more. */
  readonly longTasks: number;
}

const FRAME = 'FireAnimationFrame';
/** Chromium tells each task twice, by the scheduler and for its developer tools. */
const TASK = 'RunTask';
const SCHEDULER = /RunTask$/;
const LONG_US = 50_000;

/** @param from, to wall time of the part that counts, µs of the trace */
export function framesOf(events: readonly TraceEvent[], from = -Infinity, to = Infinity): Frames {
  const pictures = events.filter((e) => e.name === FRAME && e.ph === 'X');
  const main = busiest(pictures);
  const own = (e: TraceEvent) => `${e.pid} ${e.tid}` === main && e.ph === 'X';
  const within = (e: TraceEvent) => (e.ts ?? 0) >= from && (e.ts ?? 0) < to;
  const tasks = events.filter((e) => own(e) && e.name === TASK && within(e));
  tasks.sort((a, b) => (a.ts ?? 0) - (b.ts ?? 0));
  const starts = pictures
    .filter((e) => own(e) && within(e))
    .map((e) => e.ts ?? 0)
    .sort((a, b) => a - b);
  const costs: number[] = [];
  let cost = 0;
  let next = 0;
  let longTasks = 0;
  for (const task of tasks) {
    const end = (task.ts ?? 0) + (task.dur ?? 0);
    const cpu = task.tdur ?? task.dur ?? 0;
    cost += cpu;
    if (cpu >= LONG_US) longTasks++;
    if (next >= starts.length || starts[next] >= end) continue;
    while (next < starts.length && starts[next] < end) next++;
    costs.push(cost / 1000);
    cost = 0;
  }
  const gaps = starts.slice(1).map((ts, i) => (ts - starts[i]) / 1000);
  return {
    frames: costs.length,
    p50Ms: percentile(costs, 0.5),
    p95Ms: percentile(costs, 0.95),
    maxMs: percentile(costs, 1),
    everyMs: { p50: percentile(gaps, 0.5), p95: percentile(gaps, 0.95) },
    longTasks,
  };
}

/** The kinds of work that took most of the main thread's CPU time, ms; one may lie within another. */
export function busiestTasks(events: readonly TraceEvent[], most: number): Record<string, number> {
  const main = busiest(events.filter((e) => e.name === FRAME));
  const sums = new Map<string, number>();
  for (const e of events)
    if (`${e.pid} ${e.tid}` === main && e.ph === 'X' && !SCHEDULER.test(e.name))
      sums.set(e.name, (sums.get(e.name) ?? 0) + (e.tdur ?? e.dur ?? 0) / 1000);
  return Object.fromEntries(
    [...sums]
      .sort(([, a], [, b]) => b - a)
      .slice(0, most)
      .map(([k, v]) => [k, Math.round(v)]),
  );
}

/** The thread with most of these events. */
function busiest(events: readonly TraceEvent[]): string {
  const counts = new Map<string, number>();
  for (const { pid, tid } of events) counts.set(`${pid} ${tid}`, (counts.get(`${pid} ${tid}`) ?? 0) + 1);
  return [...counts].sort(([, a], [, b]) => b - a)[0]?.[0] ?? '';
}

function percentile(values: readonly number[], share: number): number {
  if (values.length === 0) return 0;
  const sorted = [...values].sort((a, b) => a - b);
  return Math.round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] * 10) / 10;
}

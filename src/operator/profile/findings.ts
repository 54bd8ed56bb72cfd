/** What stands out in a recording, in plain sentences with their numbers; pure, so that each rule has its test. */
import type { Recorded } from './session.js';
import { shares } from './watch.js';

export interface Finding {
  readonly level: 'look' | 'fine';
  readonly text: string;
}

/** From where on something is worth a look. */
export const LIMIT = Object.freeze({
  threadBusy: 0.9,
  waiting: 0.2,
  loopDelayMs: 50,
  gcShare: 0.05,
  gcPauseMs: 25,
  heapGrowthShare: 0.5,
  heapGrowthBytes: 16 * 2 ** 20,
});

const percent = (share: number) => `${Math.round(share * 100)} %`;
const ms = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

/** @param tickMs length of a tick */
export function findings(recorded: Recorded, tickMs: number): Finding[] {
  const found = [
    ...cpuFindings(recorded),
    ...tickFindings(recorded, tickMs),
    ...loopFindings(recorded),
    ...gcFindings(recorded),
    ...heapFindings(recorded),
    ...recorded.remarks.map((text) => look(text)),
  ];
  if (found.some(({ level }) => level === 'look')) return found;
  return [
    ...found,
    { level: 'fine', text: 'Nothing stands out: no thread at its limit, ticks on time, no long pauses.' },
  ];
}

const look = (text: string): Finding => ({ level: 'look', text });

function cpuFindings({ samples, names }: Recorded): Finding[] {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || last === first) return [look('Nothing was recorded.')];
  return shares(first, last, names).flatMap(({ name, user, system, wait }) => {
    const out: Finding[] = [];
    if (user + system > LIMIT.threadBusy)
      out.push(
        look(
          `The thread "${name}" uses ${percent(user + system)} of a core and can do no more: ${advice(name)}`,
        ),
      );
    if (wait > LIMIT.waiting)
      out.push(
        look(
          `The thread "${name}" was ready to run and had no core for ${percent(wait)} of the time: the machine is full (the bots run on it, too).`,
        ),
      );
    return out;
  });
}

function advice(name: string): string {
  if (name.startsWith('shard')) return 'more shards (--shards) can share its tiles.';
  if (name === 'main' || name.startsWith('gateway'))
    return 'more gateways (--gateways) can share its sockets.';
  return 'the flame graph says with what.';
}

function tickFindings({ statuses }: Recorded, tickMs: number): Finding[] {
  const last = statuses.at(-1)?.status;
  if (last === undefined) return [];
  return last.shards
    .filter(({ tickMs: { p99 } }) => p99 > tickMs)
    .map(({ id, tickMs: { p50, p99 } }) =>
      look(
        `Ticks of shard ${id} take ${ms(p50)} (p50) and ${ms(p99)} (p99): longer than a tick may last (${ms(tickMs)}).`,
      ),
    );
}

function loopFindings({ beats }: Recorded): Finding[] {
  const worst = new Map<string, number>();
  for (const { thread, loopDelayMs } of beats)
    if (loopDelayMs !== null) worst.set(thread, Math.max(worst.get(thread) ?? 0, loopDelayMs.p99));
  return [...worst]
    .filter(([, delay]) => delay > LIMIT.loopDelayMs)
    .map(([thread, delay]) =>
      look(
        `The event loop of "${thread}" was late by up to ${ms(delay)} (p99 of a second): clients of this thread waited.`,
      ),
    );
}

function gcFindings({ beats }: Recorded): Finding[] {
  const out: Finding[] = [];
  for (const thread of new Set(beats.map((beat) => beat.thread))) {
    const own = beats.filter((beat) => beat.thread === thread);
    const [first, last] = [own[0], own[own.length - 1]];
    const passed = last.atMs - first.atMs;
    const share = passed > 0 ? (last.gc.ms - first.gc.ms) / passed : 0;
    const longest = Math.max(...own.slice(1).map(({ gc }) => gc.maxMs), 0);
    if (share > LIMIT.gcShare)
      out.push(
        look(
          `Garbage collection takes ${percent(share)} of the time of "${thread}": see profile heap for what makes it.`,
        ),
      );
    if (longest > LIMIT.gcPauseMs)
      out.push(look(`A garbage collection stopped "${thread}" for ${ms(longest)}.`));
  }
  return out;
}

/** Lowest value of the last third against that of the first: what collections leave behind. */
function heapFindings({ beats }: Recorded): Finding[] {
  const out: Finding[] = [];
  for (const thread of new Set(beats.map((beat) => beat.thread))) {
    const used = beats.filter((beat) => beat.thread === thread).map(({ heapUsed }) => heapUsed);
    if (used.length < 9) continue;
    const third = Math.floor(used.length / 3);
    const before = Math.min(...used.slice(0, third));
    const after = Math.min(...used.slice(-third));
    const grown = after - before;
    if (grown > LIMIT.heapGrowthBytes && grown > before * LIMIT.heapGrowthShare)
      out.push(
        look(`The heap of "${thread}" grew from ${mib(before)} to ${mib(after)}: a leak, if it goes on.`),
      );
  }
  return out;
}

export const mib = (bytes: number) => `${(bytes / 2 ** 20).toFixed(1)} MiB`;

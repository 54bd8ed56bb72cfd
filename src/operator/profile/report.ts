/** The report of a recording: one HTML file that needs nothing else, and the same figures as text. */
import { readFileSync } from 'node:fs';
import { chart, escapeHtml, type Line } from './charts.js';
import { type Finding, mib } from './findings.js';
import type { Recorded } from './session.js';
import { pack, type Profile, topFunctions } from './tree.js';
import { shares, type ThreadShare } from './watch.js';

const TEMPLATE = new URL('./report.html', import.meta.url);
/** Share of a thread's work below which a node is not drawn. */
const LEAST_SHARE = 0.0005;
const TOP = 15;

export interface Report {
  readonly title: string;
  /** Bots, seconds, machine. */
  readonly conditions: string;
  readonly recorded: Recorded;
  readonly findings: readonly Finding[];
  readonly profiles: readonly { readonly thread: string; readonly profile: Profile }[];
  readonly unit: 'time' | 'bytes';
}

const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

export function threadShares({ samples, names }: Recorded): ThreadShare[] {
  const [first, last] = [samples[0], samples.at(-1)];
  return first === undefined || last === undefined ? [] : shares(first, last, names);
}

/** For the terminal. */
export function textReport(report: Report): string {
  const lines = [
    report.title,
    report.conditions,
    '',
    'thread                  share   cores    user  kernel  waiting',
  ];
  for (const { name, share, user, system, wait } of threadShares(report.recorded)) {
    const cells = [
      percent(share),
      (user + system).toFixed(2),
      user.toFixed(2),
      system.toFixed(2),
      percent(wait),
    ];
    lines.push(name.padEnd(22) + cells.map((cell) => cell.padStart(8)).join(''));
  }
  for (const { thread, profile } of report.profiles) {
    const all = profile.root.total;
    lines.push('', `${thread}: ${amount(report, all)} ${report.unit === 'time' ? 'of work' : 'allocated'}`);
    for (const { name, place, self, total } of topFunctions(profile.root, 8))
      lines.push(
        `  ${percent(all === 0 ? 0 : self / all).padStart(7)} itself ${percent(all === 0 ? 0 : total / all).padStart(7)} in all  ${name} ${place}`,
      );
  }
  lines.push('', ...report.findings.map(({ level, text }) => `${level === 'look' ? '!' : ' '} ${text}`));
  return `${lines.join('\n')}\n`;
}

export function htmlReport(report: Report): string {
  const { title, conditions, recorded, findings, profiles, unit } = report;
  const threads = profiles.map(({ thread, profile }) => ({
    name: thread,
    root: pack(profile.root, profile.root.total * LEAST_SHARE),
  }));
  const flame =
    profiles.length === 0
      ? ''
      : `<h2>Flame graph</h2><section><div class="tabs" id="tabs" role="group" aria-label="Threads"></div>
<p><input type="search" id="find" placeholder="find a function" aria-label="Find a function"> <span class="soft">width = ${unit === 'time' ? 'time' : 'bytes allocated'}, the caller above; a click zooms in, a click on the same out</span></p>
<div id="flame"></div><p class="mono" id="detail"></p></section>`;
  const body = [
    `<section>${findings.map(({ level, text }) => `<p class="${level}">${escapeHtml(text)}</p>`).join('')}</section>`,
    '<h2>Threads</h2>',
    `<section>${shareTable(recorded)}<p class="soft">CPU time by the kernel's own account (/proc). Kernel: what the system does for the thread, sending above all. Waiting: ready to run, no core free.</p></section>`,
    '<h2>Over time</h2>',
    `<section>${charts(recorded)}</section>`,
    ...profiles.map(({ thread, profile }) => topTable(thread, profile)),
  ].join('\n');
  const parts: Record<string, string> = {
    TITLE: escapeHtml(title),
    CONDITIONS: escapeHtml(conditions),
    BODY: body,
    FLAME: flame,
    DATA: JSON.stringify({ unit, threads }).replaceAll('<', '\\u003c'), // ends no script element
  };
  return readFileSync(TEMPLATE, 'utf8').replace(/"?\{\{([A-Z]+)\}\}"?/g, (_, name: string) => parts[name]);
}

function shareTable(recorded: Recorded): string {
  const rows = threadShares(recorded).map(
    ({ name, share, user, system, wait }) =>
      `<tr><td>${escapeHtml(name)}</td><td class="n">${percent(share)}</td><td class="n">${(user + system).toFixed(2)}</td><td class="n">${user.toFixed(2)}</td><td class="n">${system.toFixed(2)}</td><td class="n">${percent(wait)}</td><td><span class="bar" style="width:${Math.round(user * 160)}px"></span><span class="bar k" style="width:${Math.round(system * 160)}px"></span></td></tr>`,
  );
  return `<table><thead><tr><th>thread</th><th class="n">share of all</th><th class="n">cores</th><th class="n">user</th><th class="n">kernel</th><th class="n">waiting</th><th></th></tr></thead><tbody>${rows.join('')}</tbody></table>`;
}

function amount({ unit }: Report, value: number): string {
  return unit === 'time' ? `${(value / 1000).toFixed(0)} ms` : mib(value);
}

function topTable(thread: string, profile: Profile): string {
  const all = Math.max(profile.root.total, 1);
  const rows = topFunctions(profile.root, TOP).map(
    ({ name, place, self, total }) =>
      `<tr><td class="n">${percent(self / all)}</td><td class="n">${percent(total / all)}</td><td class="mono">${escapeHtml(name)}</td><td class="mono soft">${escapeHtml(place || 'native')}</td></tr>`,
  );
  const slept =
    profile.wall > 0
      ? `at work ${percent(all / Math.max(profile.wall, 1))} of the time, asleep ${percent(profile.sleep / Math.max(profile.wall, 1))}`
      : `${mib(all)} allocated, what was thrown away included`;
  return `<h2>${escapeHtml(thread)}</h2><section><p class="soft">${slept}</p><table><thead><tr><th class="n">itself</th><th class="n">with callees</th><th>function</th><th>where</th></tr></thead><tbody>${rows.join('')}</tbody></table></section>`;
}

function charts(recorded: Recorded): string {
  const start = recorded.samples[0]?.atMs ?? 0;
  const seconds = (atMs: number) => (atMs - start) / 1000;
  const threads = [...new Set(recorded.beats.map(({ thread }) => thread))];
  const perBeat = (pick: (beat: Recorded['beats'][number]) => number | null): Line[] =>
    threads.map((name) => ({
      name,
      points: recorded.beats
        .filter(({ thread }) => thread === name)
        .flatMap((beat) => {
          const value = pick(beat);
          return value === null ? [] : [[seconds(beat.atMs), value] as const];
        }),
    }));
  const cpu = new Map<string, (readonly [number, number])[]>();
  for (const [i, sample] of recorded.samples.entries()) {
    if (i === 0) continue;
    for (const { name, user, system } of shares(recorded.samples[i - 1], sample, recorded.names))
      cpu.set(name, [...(cpu.get(name) ?? []), [seconds(sample.atMs), user + system]]);
  }
  const ticks = new Map<string, (readonly [number, number])[]>();
  for (const { atMs, status } of recorded.statuses)
    for (const { id, tickMs } of status.shards)
      ticks.set(`shard ${id}`, [...(ticks.get(`shard ${id}`) ?? []), [seconds(atMs), tickMs.p99]]);
  const lines = (map: Map<string, (readonly [number, number])[]>): Line[] =>
    [...map].map(([name, points]) => ({ name, points }));
  const rss = {
    name: 'resident',
    points: recorded.samples.map((s) => [seconds(s.atMs), s.rssBytes] as const),
  };
  return [
    chart('CPU of threads, cores', lines(cpu), (v) => v.toFixed(2)),
    chart('Tick p99', lines(ticks), (v) => `${v.toFixed(1)} ms`),
    chart(
      'Event loop late, p99',
      perBeat(({ loopDelayMs }) => loopDelayMs?.p99 ?? null),
      (v) => `${v.toFixed(0)} ms`,
    ),
    chart(
      'Longest garbage collection',
      perBeat(({ gc }) => gc.maxMs),
      (v) => `${v.toFixed(1)} ms`,
    ),
    chart(
      'Heap in use',
      perBeat(({ heapUsed }) => heapUsed),
      mib,
    ),
    chart(
      'External memory',
      perBeat(({ external }) => external),
      mib,
    ),
    chart('Resident memory of the server', [rss], mib),
  ].join('\n');
}

/**
 * The swarms of a run, in this process or in child processes, seen as one: started together, asked for progress, told
 * to leave. Messages between the processes are these types and nothing else.
 */
import { fork, type ChildProcess } from 'node:child_process';
import type { Timers } from '../base/clock.js';
import { Histogram } from './histogram.js';
import { Measures } from './measures.js';
import type { BotOptions } from './options.js';
import { type Phase, ROUND_MS, type Swarm, type SwarmPart } from './swarm.js';

export type ToChild =
  | { type: 'start'; options: BotOptions; part: SwarmPart }
  | { type: 'stop' }
  | { type: 'leave' };
export type FromChild =
  | { type: 'progress'; phase: Phase; started: number; online: number }
  | { type: 'measures'; measures: Measures }
  | { type: 'over' };

export interface Progress {
  phase: Phase;
  started: number;
  online: number;
}

/** One member: a swarm here, or one behind a child process. */
export interface Member {
  readonly progress: Progress;
  /** Resolves with what was measured when all is counted; rejects when the process died. */
  readonly measured: Promise<Measures>;
  readonly over: Promise<void>;
  stop(): void;
  leave(): void;
}

const PROGRESS_MS = 1000;

/** Divides the bots into parts of nearly the same size. */
export function parts(options: BotOptions): SwarmPart[] {
  const n = Math.min(options.processes, options.players);
  return Array.from({ length: n }, (_, i) => ({
    from: Math.floor((options.players * i) / n),
    to: Math.floor((options.players * (i + 1)) / n),
    ramp: options.ramp / n,
  }));
}

/** Runs a swarm on a timer; `tell` hears of progress each second. */
export function drive(swarm: Swarm, timers: Timers, tell: (progress: Progress) => void): Member {
  let measured!: (m: Measures) => void;
  let over!: () => void;
  const member: Member = {
    progress: { phase: 'ramp', started: 0, online: 0 },
    measured: new Promise((resolve) => {
      measured = resolve;
    }),
    over: new Promise((resolve) => {
      over = resolve;
    }),
    stop: () => swarm.stop(),
    leave: () => swarm.leave(),
  };
  let counted = false;
  const stopRounds = timers.every(ROUND_MS, () => {
    swarm.round();
    if (swarm.phase === 'still' && !counted) {
      counted = true;
      measured(swarm.measures);
    }
    if (swarm.phase !== 'over') return;
    stopRounds();
    stopProgress();
    over();
  });
  const stopProgress = timers.every(PROGRESS_MS, () => {
    Object.assign(member.progress, { phase: swarm.phase, started: swarm.bots.length, online: swarm.online });
    tell(member.progress);
  });
  return member;
}

/** A swarm in a child process that runs `file`. */
export function forked(file: string, options: BotOptions, part: SwarmPart): Member {
  const child: ChildProcess = fork(file, ['--child'], {
    serialization: 'advanced', // typed arrays and maps travel as they are
    stdio: ['ignore', 2, 2, 'ipc'], // stdout belongs to the report
  });
  const say = (message: ToChild) => {
    if (child.connected) child.send(message);
  };
  const progress: Progress = { phase: 'ramp', started: 0, online: 0 };
  const measured = new Promise<Measures>((resolve, reject) => {
    child.on('message', (message: FromChild) => {
      if (message.type === 'progress') Object.assign(progress, message);
      if (message.type === 'measures') resolve(revived(message.measures));
    });
    child.on('exit', (code, signal) => reject(new Error(`a process of bots ended early: ${signal ?? code}`)));
    child.on('error', reject);
  });
  measured.catch(() => {}); // whoever waits for it hears of it
  const over = new Promise<void>((resolve) => child.on('exit', () => resolve()));
  say({ type: 'start', options, part });
  return { progress, measured, over, stop: () => say({ type: 'stop' }), leave: () => say({ type: 'leave' }) };
}

/** The other end: what a child process does. */
export function serveParent(
  makeSwarm: (options: BotOptions, part: SwarmPart) => Swarm,
  timers: Timers,
): void {
  const say = (message: FromChild) => {
    if (process.connected) process.send!(message);
  };
  let member: Member | null = null;
  process.on('message', (message: ToChild) => {
    if (message.type === 'stop') member?.stop();
    if (message.type === 'leave') member?.leave();
    if (message.type !== 'start') return;
    member = drive(makeSwarm(message.options, message.part), timers, (p) => say({ type: 'progress', ...p }));
    void member.measured.then((measures) => say({ type: 'measures', measures }));
    void member.over.then(() => process.disconnect());
  });
  // What is sent to a process group reaches all of it; the parent says what is to be done.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => {});
  // The parent is gone: nobody will read the report.
  process.on('disconnect', () => process.exit(0));
}

/** Objects lose their class on the way between processes. */
function revived(plain: Measures): Measures {
  const { selfGapMs, selfGapSlices, worstGapMs, deathGapMs, rttMs, staleMs, lateMs } = plain;
  const histogram = (data: Histogram) => Object.assign(new Histogram(), data);
  return Object.assign(new Measures(), plain, {
    selfGapMs: histogram(selfGapMs),
    worstGapMs: histogram(worstGapMs),
    deathGapMs: histogram(deathGapMs),
    selfGapSlices: new Map([...selfGapSlices].map(([slice, gaps]) => [slice, histogram(gaps)])),
    rttMs: histogram(rttMs),
    staleMs: histogram(staleMs),
    lateMs: histogram(lateMs),
  });
}

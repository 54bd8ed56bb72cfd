/**
 * The supervisor: starts the shard threads, watches them, replaces the dead ones, ends them in good order.
 *
 * Contract: main thread only, driven by injected clock, timers and launcher; touches no shard memory but through
 * `ShardWatch`. Whatever a thread dies of, recovery is the same: a replacement with a fresh incarnation adopts what
 * the dead one held. A shard number is never given up silently: crashes in a row only make the waits longer
 * (bounded) and raise an alarm.
 */
import { assert } from '../base/assert.js';
import type { Clock, Timers } from '../base/clock.js';
import { Breakpoints } from './breakpoints.js';
import { type Log, reasonOf } from './log.js';
import { Quarantine } from './quarantine.js';
import { Silence } from './silence.js';
import { WATCH } from './watch-times.js';
import type { LaunchShard, Phase, ShardReport, ShardThread, ShardWatch } from './shard-thread.js';

export { WATCH };
export type {
  LaunchShard,
  Phase,
  ShardReport,
  ShardStart,
  ShardThread,
  ShardWatch,
  ThreadEvents,
} from './shard-thread.js';

export interface SupervisorParts {
  readonly shards: number;
  /** How many of them `start` starts, the lowest numbers; default: all. The others wait for `startShard`. */
  readonly initial?: number;
  readonly launch: LaunchShard;
  readonly watch: ShardWatch;
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Log;
  /** Whether nobody is there. */
  readonly isQuiet?: () => boolean;
  /** Whether a debugger may be attached (breakpoints.ts). */
  readonly isDebugged?: () => boolean;
}

interface Life {
  readonly shard: number;
  incarnation: number;
  phase: Phase;
  thread: ShardThread | null;
  /** Incarnation whose state still has to be adopted, 0 = none. */
  adoptFrom: number;
  /** Started because load asked for it: one that never came up is given up, and nothing was lost. */
  onDemand: boolean;
  readonly silence: Silence;
  condemned: boolean;
  /** Terminated because somebody asked for it: what was in hand is not to blame. */
  asked: boolean;
  crashes: number[];
  /** Lives in a row that were short. */
  shortLives: number;
  /** When it last was ready. */
  readyMs: number;
  failedStarts: number;
  restarts: number;
  alarm: string | null;
  /** What it said at its newest death, '' = nothing. */
  fault: string;
  cancelWait: (() => void) | null;
}

export class Supervisor {
  private readonly lives: Life[] = [];
  private readonly quarantine = new Quarantine();
  private readonly breakpoints: Breakpoints;
  private incarnations = 0;
  private lastCheck = 0;
  private stopping = false;
  private cancelCheck: (() => void) | null = null;
  private onAllReady: (() => void) | null = null;
  private onAllEnded: (() => void) | null = null;

  constructor(private readonly parts: SupervisorParts) {
    this.breakpoints = new Breakpoints(parts.isDebugged ?? (() => false), parts.log);
    for (let shard = 0; shard < parts.shards; shard++) {
      this.lives.push({
        shard,
        incarnation: 0,
        phase: 'ended',
        thread: null,
        adoptFrom: 0,
        onDemand: false,
        silence: new Silence(),
        condemned: false,
        asked: false,
        crashes: [],
        shortLives: 0,
        readyMs: Number.NEGATIVE_INFINITY,
        failedStarts: 0,
        restarts: 0,
        alarm: null,
        fault: '',
        cancelWait: null,
      });
    }
  }

  /** Before the first start: the newest incarnation that an earlier process used. */
  goOnFrom(incarnation: number): void {
    this.incarnations = incarnation;
  }

  /** Starts the initial shards; resolves when each of them has been ready once, or when `stop` came first. */
  start(): Promise<void> {
    assert(this.cancelCheck === null && !this.stopping, 'a supervisor is started once');
    this.lastCheck = this.parts.clock.now();
    this.look();
    const ready = new Promise<void>((resolve) => {
      this.onAllReady = resolve;
    });
    for (const life of this.lives.slice(0, this.parts.initial)) this.launch(life);
    return ready;
  }

  private look(): void {
    const ms = this.parts.isQuiet?.() === true ? WATCH.quietCheckMs : WATCH.checkMs;
    this.cancelCheck = this.parts.timers.after(ms, () => {
      this.look();
      this.check();
    });
  }

  /** Ends every shard in good order; what has not ended after `deadlineMs` is terminated. Leaves no thread behind. */
  stop(deadlineMs: number): Promise<void> {
    assert(!this.stopping, 'a supervisor is stopped once');
    this.stopping = true;
    this.onAllReady?.();
    const ended = new Promise<void>((resolve) => {
      this.onAllEnded = resolve;
    });
    for (const life of this.lives) this.close(life);
    const cancel = this.parts.timers.after(deadlineMs, () => this.terminateTheRest());
    this.endIfAllEnded();
    return ended.finally(() => {
      cancel();
      this.cancelCheck?.();
    });
  }

  /** Whether `startShard` would start it: it does not run, and nobody is about to replace it. */
  canStart(shard: number): boolean {
    const life = this.lives[shard];
    return !this.stopping && life !== undefined && life.phase === 'ended' && life.thread === null;
  }

  /** Starts the thread of a shard that does not run. If it does not come up it is given up, with an alarm. */
  startShard(shard: number): boolean {
    if (!this.canStart(shard)) return false;
    const life = this.lives[shard];
    life.onDemand = true;
    this.launch(life);
    return true;
  }

  /**
   * Ends the thread of a shard in good order, by the steps of world/retirement.ts. If anything is found to be its own
   * after the end, a replacement adopts it: nothing is lost, and it may be retired again.
   */
  retire(shard: number): boolean {
    const life = this.lives[shard];
    if (this.stopping || life === undefined || life.phase !== 'running') return false;
    this.close(life);
    return true;
  }

  /** Whether a shard that is needed does not come back: it died, and its replacements do not come up. */
  isStuck(shard: number): boolean {
    const life = this.lives[shard];
    return life !== undefined && life.phase === 'waiting' && life.failedStarts > 0 && life.alarm !== null;
  }

  /** Terminates the thread of a shard, as a fault: its replacement follows. False when it has none. */
  kill(shard: number): boolean {
    const life = this.lives[shard];
    if (life === undefined || life.thread === null) return false;
    life.asked = true;
    life.thread.terminate();
    return true;
  }

  get restarts(): number {
    return this.lives.reduce((sum, life) => sum + life.restarts, 0);
  }

  /** True when every shard runs and none is alarmed about. */
  get healthy(): boolean {
    return !this.stopping && this.lives.every(({ phase }) => phase === 'running' || phase === 'ended');
  }

  report(): ShardReport[] {
    return this.lives.map(({ shard, incarnation, phase, restarts, alarm }) => ({
      shard,
      incarnation,
      phase,
      restarts,
      alarm,
    }));
  }

  private launch(life: Life): void {
    life.cancelWait = null;
    life.incarnation = ++this.incarnations;
    life.phase = 'starting';
    life.silence.begin(0);
    life.condemned = false;
    life.asked = false;
    life.fault = '';
    const start = {
      shard: life.shard,
      incarnation: life.incarnation,
      previousIncarnation: life.adoptFrom,
      quarantine: this.quarantine.list,
    };
    this.parts.watch.starting(start);
    const mine = () => life.incarnation === start.incarnation;
    try {
      life.thread = this.parts.launch(start, {
        ready: () => {
          if (mine()) this.ready(life);
        },
        fault: (reason) => {
          if (mine()) life.fault = reason.split('\n', 1)[0];
          this.parts.log.error({ shard: life.shard, incarnation: start.incarnation, reason }, 'shard fault');
        },
        exit: (code) => {
          if (mine()) this.exited(life, `exit code ${code}`);
        },
      });
    } catch (error) {
      this.exited(life, `could not be started: ${reasonOf(error)}`);
    }
  }

  private ready(life: Life): void {
    life.failedStarts = 0;
    life.silence.begin(this.parts.watch.heartbeat(life.shard));
    if (this.stopping) {
      this.parts.watch.close(life.shard); // it may have overwritten the word on its way up
      return;
    }
    if (life.phase === 'closing') return; // asked to end while it was on its way up
    life.phase = 'running';
    life.readyMs = this.parts.clock.now();
    if (life.onDemand && life.crashes.length === 0) life.alarm = null;
    this.parts.log.info(
      { shard: life.shard, incarnation: life.incarnation, adopted: life.adoptFrom },
      'shard runs',
    );
    if (this.lives.slice(0, this.parts.initial).every((l) => l.phase === 'running')) this.onAllReady?.();
  }

  private exited(life: Life, how: string): void {
    const { shard, incarnation } = life;
    const hadRun = life.phase === 'running' || this.parts.watch.running(shard);
    life.thread = null;
    // A start that died while adopting leaves its predecessor's unfinished tick to the next one.
    if (hadRun || life.adoptFrom === 0) life.adoptFrom = incarnation;
    const inHand = this.parts.watch.inHand(shard);
    this.parts.watch.dead(shard);
    if (this.stopping) {
      life.phase = 'ended';
      this.endIfAllEnded();
      return;
    }
    if (life.phase === 'closing') return this.retired(life);
    if (!hadRun && life.onDemand && this.giveUp(life, how)) return;
    life.restarts++;
    if (inHand !== null && !life.asked && this.quarantine.blame(inHand))
      this.parts.log.error({ shard, ...inHand }, 'killed a shard twice: quarantined');
    if (!hadRun) life.failedStarts++;
    const waitMs = this.noteCrash(life);
    const facts = { shard, incarnation, how, silent: life.condemned, inHand, waitMs };
    this.parts.log.error(
      facts,
      hadRun ? 'shard died, a replacement adopts' : 'shard could not be started, trying again',
    );
    life.phase = 'waiting';
    // Never at once: a launcher that fails synchronously would otherwise recurse.
    life.cancelWait = this.parts.timers.after(waitMs, () => this.launch(life));
  }

  /** A thread that was asked to end has ended, however. */
  private retired(life: Life): void {
    const { shard, incarnation } = life;
    life.phase = 'ended';
    this.parts.watch.ended(shard);
    const isNeeded = this.parts.watch.holds(shard);
    this.parts.log.info({ shard, incarnation, isNeeded }, 'shard ended');
    if (isNeeded) this.launch(life);
  }

  /** A start that load asked for came to nothing. @returns false when something waits for this shard all the same */
  private giveUp(life: Life, how: string): boolean {
    const { shard } = life;
    this.parts.watch.ended(shard);
    if (this.parts.watch.holds(shard)) {
      this.parts.watch.dead(shard);
      return false;
    }
    life.phase = 'ended';
    life.alarm = `shard ${shard} could not be started: load stays where it is${life.fault && ` (${life.fault})`}`;
    this.parts.log.error({ shard, how, alarm: true }, life.alarm);
    return true;
  }

  /** Remembers a death and says how long to wait: nothing at first, longer and longer when they come in a row. */
  private noteCrash(life: Life): number {
    const now = this.parts.clock.now();
    life.crashes = [...life.crashes, now].filter((at) => now - at < WATCH.crashWindowMs);
    const wait = (first: number, doublings: number) =>
      Math.min(first * 2 ** Math.min(doublings, 20), WATCH.longestWaitMs);
    // Who lived for a while is replaced at once, however often: waiting is for those who die as they begin.
    life.shortLives = now - life.readyMs < WATCH.shortLifeMs ? life.shortLives + 1 : 0;
    const tooMany = life.shortLives - WATCH.crashesForAlarm;
    let waitMs = life.failedStarts > 0 ? wait(WATCH.failedStartWaitMs, life.failedStarts - 1) : 0;
    if (tooMany >= 0) waitMs = Math.max(waitMs, wait(WATCH.alarmWaitMs, tooMany));
    if (life.crashes.length >= WATCH.crashesForAlarm) {
      const why = life.fault && `: ${life.fault}`;
      life.alarm = `shard ${life.shard} died ${life.crashes.length} times within ${WATCH.crashWindowMs / 1000} s${why}`;
      this.parts.log.fatal(
        { shard: life.shard, deaths: life.crashes.length, waitMs, alarm: true },
        life.alarm,
      );
    }
    return waitMs;
  }

  /**
   * Looks at every heartbeat. Silence is added up in bounded steps: when the whole process was frozen, this thread was
   * silent as well and must blame nobody for it.
   */
  private check(): void {
    const now = this.parts.clock.now();
    const gap = Math.min(now - this.lastCheck, WATCH.longestGapMs);
    this.lastCheck = now;
    for (const life of this.lives) {
      if (life.alarm !== null) this.clearAlarm(life, now);
      if (life.thread === null || this.stopping) continue;
      const heartbeat = this.parts.watch.heartbeat(life.shard);
      this.breakpoints.look(life.shard, heartbeat);
      if (!this.isHung(life, heartbeat, gap) || life.condemned) continue;
      if (this.breakpoints.excuses(life.shard, heartbeat)) life.silence.begin(heartbeat);
      else this.condemn(life);
    }
  }

  private isHung({ shard, phase, silence }: Life, heartbeat: number, gap: number): boolean {
    if (phase !== 'running') return silence.isTooLong(heartbeat, gap);
    return silence.hangs(heartbeat, gap, () => this.parts.watch.activity(shard));
  }

  private condemn(life: Life): void {
    life.condemned = true;
    const { shard, incarnation, silence, phase } = life;
    this.parts.log.error(
      { shard, incarnation, silentMs: Math.round(silence.ms), phase },
      'shard is silent, terminating it',
    );
    life.thread?.terminate();
  }

  private clearAlarm(life: Life, now: number): void {
    life.crashes = life.crashes.filter((at) => now - at < WATCH.crashWindowMs);
    if (life.crashes.length > 0 || life.phase !== 'running') return;
    life.alarm = null;
    this.parts.log.info({ shard: life.shard }, 'shard has been well for a minute, alarm ends');
  }

  private close(life: Life): void {
    life.cancelWait?.();
    life.phase = life.thread === null ? 'ended' : 'closing';
    if (life.thread !== null) this.parts.watch.close(life.shard);
  }

  private terminateTheRest(): void {
    for (const life of this.lives) {
      if (life.thread === null) continue;
      this.parts.log.warn(
        { shard: life.shard, incarnation: life.incarnation },
        'shard did not end in time, terminating it',
      );
      life.thread.terminate();
    }
  }

  private endIfAllEnded(): void {
    if (this.stopping && this.lives.every((life) => life.thread === null)) this.onAllEnded?.();
  }
}

/**
 * All bots of one process: starts them at the given rate, keeps them busy, lets everything settle, compares logs, says
 * goodbye. One scheduler for all; `round` is called every ROUND_MS and does what is due. No timers, no processes here.
 *
 *   ramp ──all started──▶ full ──seconds over──▶ drain ──all decided──▶ logs ──▶ still ──leave()──▶ leaving ──▶ over
 */
import type { Clock } from '../base/clock.js';
import type { Random } from '../base/random.js';
import type { SocketFactory } from '../client/socket.js';
import { cellSize } from '../geo/cell.js';
import { Bot, type Commons } from './bot.js';
import { Measures } from './measures.js';
import type { BotOptions } from './options.js';
import { scenario } from './scenarios/index.js';
import { Things } from './things.js';
import { ViewChecker, type Shown, type Subject, type Watcher } from './view-checker.js';

export const ROUND_MS = 50;
/** The SDK's own beat; ours comes with every second round. */
const BEAT_ROUNDS = 2;
const CHECK_MS = 250;
/** For the last of a ramp to be let in. */
const ADMISSION_MS = 60_000;
/** For actions under way to be decided, reconnects included, and for logs to come. */
const DRAIN_MS = 60_000;
const LOGS_MS = 60_000;
const LEAVE_MS = 5000;

export type Phase = 'ramp' | 'full' | 'drain' | 'logs' | 'still' | 'leaving' | 'over';

/** Bots [from, to) of the run's. */
export interface SwarmPart {
  from: number;
  to: number;
  /** Bots started a second by this process. */
  ramp: number;
}

export class Swarm {
  readonly measures = new Measures();
  readonly bots: Bot[] = [];
  phase: Phase = 'ramp';
  private readonly commons: Commons;
  private readonly watchers: WatchingBot[] = [];
  private checker: ViewChecker | null = null;
  private readonly startMs: number;
  private since: number;
  private rounds = 0;
  private roundMs = 0;
  private checkMs = 0;
  private bytesBefore = 0;
  private updatesBefore = 0;
  private actionsBefore = 0;
  private logsLeft = 0;

  constructor(
    private readonly options: BotOptions,
    private readonly part: SwarmPart,
    private readonly parts: { clock: Clock; random: Random; sockets: SocketFactory },
  ) {
    this.startMs = parts.clock.now();
    this.since = this.startMs;
    this.commons = {
      ...parts,
      options,
      scenario: scenario(options.scenario, options),
      measures: this.measures,
      things: new Things(),
      share: 0,
      timeS: 0,
      botAt: (index) => this.bots[index - part.from],
    };
  }

  get online(): number {
    let n = 0;
    for (const bot of this.bots) if (bot.online) n++;
    return n;
  }

  /** Ends the time under full load now. */
  stop(): void {
    if (this.phase === 'ramp') this.beginFull(this.parts.clock.now());
    if (this.phase === 'full') this.endFull(this.parts.clock.now());
  }

  /** All is counted: say goodbye. */
  leave(): void {
    if (this.phase !== 'still') return;
    this.enter('leaving');
    for (const bot of this.bots) void bot.client.goodbye();
  }

  round(): void {
    const now = this.parts.clock.now();
    if (this.rounds > 0) this.measures.lateMs.record(Math.max(0, now - this.roundMs - ROUND_MS));
    this.roundMs = now;
    this.commons.timeS = (now - this.startMs) / 1000;
    const beats = this.rounds++ % BEAT_ROUNDS === 0;
    for (const bot of this.bots) {
      if (beats) bot.client.beat();
      bot.step(now);
    }
    if (now - this.checkMs >= CHECK_MS) this.check(now);
    this.advance(now, now - this.since);
  }

  private advance(now: number, passed: number): void {
    switch (this.phase) {
      case 'ramp':
        this.startDue(passed);
        if (this.bots.length < this.part.to - this.part.from) return;
        if (this.bots.every((bot) => bot.welcomed) || passed > this.rampMs + ADMISSION_MS)
          this.beginFull(now);
        return;
      case 'full': {
        const { seconds } = this.options;
        this.commons.share = seconds === 0 ? 0 : passed / (seconds * 1000);
        const over = seconds > 0 && passed >= seconds * 1000;
        // Without a server for minutes every client gives up: there is nothing left to wait for.
        if (over || this.bots.every((bot) => bot.client.state === 'ended')) this.endFull(now);
        return;
      }
      case 'drain':
        if (this.bots.every((bot) => bot.settled) || passed > DRAIN_MS) this.askLogs();
        return;
      case 'logs':
        if (this.logsLeft === 0 || passed > LOGS_MS) this.finishLogs();
        return;
      case 'leaving':
        if (this.bots.every((bot) => bot.client.state === 'ended') || passed > LEAVE_MS) this.enter('over');
    }
  }

  private get rampMs(): number {
    return ((this.part.to - this.part.from) / this.part.ramp) * 1000;
  }

  private startDue(passed: number): void {
    const due = Math.min(this.part.to - this.part.from, Math.ceil((passed / 1000) * this.part.ramp));
    while (this.bots.length < due) {
      const bot = new Bot(this.commons, this.part.from + this.bots.length);
      this.bots.push(bot);
      if (bot.fullView) this.watchers.push(new WatchingBot(bot, this.parts.clock.now));
    }
  }

  private beginFull(now: number): void {
    this.enter('full');
    this.since = now;
    [this.bytesBefore, this.updatesBefore, this.actionsBefore] = this.traffic();
  }

  private endFull(now: number): void {
    const { measures } = this;
    const [bytes, updates, actions] = this.traffic();
    measures.players = this.bots.length;
    measures.connected = this.online;
    measures.clientSeconds = (this.bots.length * (now - this.since)) / 1000;
    measures.bytes = bytes - this.bytesBefore;
    measures.updates = updates - this.updatesBefore;
    measures.actions = actions - this.actionsBefore;
    for (const bot of this.bots) bot.rest();
    this.enter('drain');
  }

  private askLogs(): void {
    this.enter('logs');
    this.logsLeft = this.bots.length;
    for (const bot of this.bots) {
      void bot.compare().finally(() => {
        this.logsLeft--;
      });
    }
  }

  private finishLogs(): void {
    const { measures, checker } = this;
    for (const bot of this.bots) {
      bot.judge(null); // counts nothing for a bot whose log has come: its record is empty
      bot.tally();
    }
    if (checker !== null) {
      measures.viewMissing = checker.missing;
      measures.viewDuplicates = checker.duplicates;
      measures.viewPairs = checker.pairs;
      measures.viewLooks = checker.looks;
      measures.viewLagging = checker.lagging;
      measures.viewFarPairs = checker.farPairs;
      measures.staleMs = checker.staleMs;
      measures.troubles.push(...checker.told);
    }
    this.enter('still');
  }

  private check(now: number): void {
    this.checkMs = now;
    const welcome = this.bots.find((bot) => bot.welcomed)?.client.welcome;
    if (this.watchers.length === 0 || !welcome) return;
    this.checker ??= new ViewChecker({
      graceMs: 1000,
      wrongMs: 2000,
      marginM: 8,
      reportMs: 1000,
      cellSize: cellSize(welcome.cellLevel),
      viewRadiusCells: (welcome.viewCells - 1) / 2,
      farRadiusCells: (welcome.farCells - 1) / 2,
      tickMs: 1000 / welcome.tickRate,
    });
    this.checker.check(this.watchers, this.bots, now, CHECK_MS);
  }

  /** Bytes and updates received, actions handed in, so far. */
  private traffic(): [number, number, number] {
    let bytes = 0;
    let updates = 0;
    let actions = 0;
    for (const { client } of this.bots) {
      bytes += client.stats.bytesIn;
      updates += client.stats.frames + client.stats.selfUpdates;
      actions += client.lastActionId;
    }
    return [bytes, updates, actions];
  }

  private enter(phase: Phase): void {
    this.phase = phase;
    this.since = this.parts.clock.now();
  }
}

/** A bot with a full view, as the checker wants to see it. */
class WatchingBot implements Watcher {
  constructor(
    private readonly bot: Bot,
    private readonly now: () => number,
  ) {}
  get id(): number {
    return this.bot.id;
  }
  get ready(): boolean {
    return this.bot.ready;
  }
  get track() {
    return this.bot.track;
  }
  get doubles(): number {
    const view = this.bot.client.view!;
    return view.doubles + view.orphans;
  }
  get lags(): boolean {
    return this.bot.lags;
  }
  get newestTick(): number {
    return this.bot.client.scene.newestTick;
  }
  slowMsAt(x: number, y: number): number {
    return this.bot.client.scene.slowMsAt(x, y);
  }
  describe({ id, track }: Subject): string {
    const { client } = this.bot;
    const view = client.view!;
    const { x, y, tick } = this.bot.track;
    const own = `it is at (${x.toFixed(1)}, ${y.toFixed(1)}) in tick ${tick}, doubles ${view.doubles}, orphans ${view.orphans}`;
    const place = client.scene.describe(track.x, track.y);
    const e = view.peek(id);
    if (e === undefined) return `not held; ${place}; ${own}`;
    const leaving = e.leavingMs < 0 ? '' : `, leaves for ${Math.round(this.now() - e.leavingMs)} ms`;
    const shown = `(${e.x.toFixed(1)}, ${e.y.toFixed(1)}) of tick ${e.tick}, epoch ${e.epoch}`;
    const from = `cell ${e.cell}, square ${e.square}, publisher ${e.publisher}, ${e.slowTicks} ticks slow${leaving}`;
    return `${shown}, ${from}; ${place}; ${own}`;
  }
  countOf(id: number): number {
    return this.bot.client.view!.get(id) === undefined ? 0 : 1;
  }
  find(id: number): Shown | undefined {
    return this.bot.client.view!.get(id);
  }
  isShown(x: number, y: number): boolean {
    return this.bot.client.scene.intervalAt(x, y) > 0;
  }
  forEachShown(visit: (id: number, shown: Shown) => void): void {
    for (const entity of this.bot.client.view!) visit(entity.id, entity);
  }
}

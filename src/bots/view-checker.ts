/**
 * Holds what some bots see against what all bots of this process report of themselves (I6). A bot that stands well
 * within another's view must be shown there, once, where it is; for longer than the grace it may not be missing. In
 * the far rings that holds for the squares that the watcher was told it is shown.
 *
 * What slow squares allow: two of their intervals more, the slower of where somebody is shown and where it is. For it may
 * leave a square just before that one's turn, pass the corner of a second one between two turns, and enter a third just
 * after its turn. Time is counted by the watcher's own news, tick by tick: while nothing reaches it, it misses nobody (that is a gap, and
 * measured elsewhere). A watcher that lags by more than a second is not judged, as the protocol says (self updates only);
 * a run in which that is most of them says nothing. No clock and no sockets: the caller calls `check` at intervals.
 */
import { dx } from '../geo/world.js';
import { Histogram } from './histogram.js';
import { Neighbourhood } from './neighbourhood.js';
import type { Track } from './track.js';

export interface Shown {
  readonly x: number;
  readonly y: number;
  readonly tick: number;
  /** Ticks by which its square is slower than frames come. */
  readonly slowTicks?: number;
}

/** A bot as a subject: `ready` while it is online long enough that everyone ought to know it. */
export interface Subject {
  readonly id: number;
  readonly ready: boolean;
  readonly track: Track;
}

/** A bot with a full view. */
export interface Watcher extends Subject {
  /** It waits for answers for so long that the server sends it self updates only, or did a moment ago. */
  readonly lags: boolean;
  /** Greatest tick of anything that it was told. */
  readonly newestTick: number;
  /** ms by which the slowest square of the cell at a place is slower than frames come. */
  slowMsAt(x: number, y: number): number;
  /** How often an id is shown (a sound view never says more than 1). */
  countOf(id: number): number;
  find(id: number): Shown | undefined;
  forEachShown(visit: (id: number, shown: Shown) => void): void;
  /** Whether it was told that some square shows a place. */
  isShown(x: number, y: number): boolean;
  /** Doubles, and moves of nobody, that the view itself has found in the streams so far. */
  readonly doubles: number;
  /** All that it knows of somebody and of where that one is, for people. */
  describe(subject: Subject): string;
}

export interface CheckRules {
  /** Continuous time for which a bot may be missing, ms. */
  graceMs: number;
  /** A picture that has been wrong for longer counts as not shown, ms; in a slow square by that much longer. */
  wrongMs: number;
  /** Cells within this distance of a border, metres, are not judged: both bots move while news travels. */
  marginM: number;
  /** A self report older than this says nothing, ms. */
  reportMs: number;
  cellSize: number;
  viewRadiusCells: number;
  farRadiusCells: number;
  tickMs: number;
}

/** Metres by which a picture may differ from the report of the same time (positions in frames are quantised). */
const TOLERANCE_M = 0.5;
/** The far rings follow a client when it has gone ten metres beyond the border of a cell, looked at every two. */
const FAR_LAG_M = 12;

interface Part {
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

function isWithin({ west, east, south, north }: Part, right: number, up: number): boolean {
  return up >= south && up <= north && right >= west && right <= east;
}

/** Intervals of a slow square by which a picture may be older (see the head of the file). */
const SLOW_TURNS = 2;
/** So many troubles are told in words. */
const MOST_TOLD = 20;

interface Trouble {
  ms: number;
  counted: boolean;
  seen: number;
}

export class ViewChecker {
  missing = 0;
  duplicates = 0;
  /** Judged pairs: a run in which nobody saw anybody proves nothing. */
  pairs = 0;
  /** Looks at a watcher, and how many of them were not judged because it lagged. */
  looks = 0;
  lagging = 0;
  /** The same of pairs whose one stands in the other's far rings. */
  farPairs = 0;
  readonly staleMs = new Histogram();
  /** The first troubles, in words. */
  readonly told: string[] = [];
  private readonly holes = new Map<string, Trouble>();
  private readonly ghosts = new Map<string, Trouble>();
  private readonly doubles = new Map<number, number>();
  /** Newest tick of each watcher at the last look. */
  private readonly ticks = new Map<number, number>();
  private round = 0;
  private lastMs = -1;

  constructor(private readonly rules: CheckRules) {}

  /** Judges all watchers against all subjects. A pause of the caller counts as at most two of its intervals. */
  check(watchers: readonly Watcher[], subjects: readonly Subject[], now: number, intervalMs: number): void {
    const passed = this.lastMs < 0 ? 0 : Math.min(now - this.lastMs, 2 * intervalMs);
    this.lastMs = now;
    this.round++;
    const byId = new Map<number, Subject>();
    for (const subject of subjects) if (this.isKnown(subject, now)) byId.set(subject.id, subject);
    const { cellSize, viewRadiusCells, farRadiusCells } = this.rules;
    const reach = (Math.max(viewRadiusCells, farRadiusCells) + 1) * cellSize;
    const neighbourhood = new Neighbourhood(byId.values(), reach);
    for (const watcher of watchers) {
      const news = (watcher.newestTick - (this.ticks.get(watcher.id) ?? 0)) * this.rules.tickMs;
      this.ticks.set(watcher.id, watcher.newestTick);
      if (!byId.has(watcher.id)) continue;
      this.looks++;
      if (watcher.lags) {
        this.lagging++;
        continue;
      }
      const step = Math.max(0, Math.min(passed, news));
      this.checkDoubles(watcher);
      this.checkShown(watcher, neighbourhood, step);
      this.checkGhosts(watcher, byId, step);
    }
    forgetUntouched(this.holes, this.round);
    forgetUntouched(this.ghosts, this.round);
  }

  private isKnown(subject: Subject, now: number): boolean {
    return subject.ready && subject.track.known && now - subject.track.arrivedMs <= this.rules.reportMs;
  }

  private checkDoubles(watcher: Watcher): void {
    const before = this.doubles.get(watcher.id) ?? 0;
    if (watcher.doubles > before) this.tell('double in a stream', watcher, watcher);
    this.duplicates += Math.max(0, watcher.doubles - before);
    this.doubles.set(watcher.id, watcher.doubles);
  }

  private checkShown(watcher: Watcher, subjects: Neighbourhood, step: number): void {
    const { marginM, viewRadiusCells, farRadiusCells } = this.rules;
    const { x, y } = watcher.track;
    const near = this.partOf(x, y, viewRadiusCells, marginM);
    const far = this.partOf(x, y, farRadiusCells, Math.max(marginM, FAR_LAG_M));
    subjects.forEachAround(x, y, (subject) => {
      if (subject.id === watcher.id) return;
      const up = subject.track.y - y;
      const right = dx(x, subject.track.x);
      const isNear = isWithin(near, right, up);
      if (!isNear && !isWithin(far, right, up)) return;
      if (!isNear && !watcher.isShown(subject.track.x, subject.track.y)) return;
      this.checkPair(watcher, subject, isNear, step);
    });
  }

  private checkPair(watcher: Watcher, subject: Subject, isNear: boolean, step: number): void {
    const { wrongMs } = this.rules;
    if (isNear) this.pairs++;
    else this.farPairs++;
    const count = watcher.countOf(subject.id);
    if (count > 1) this.duplicates += this.lasts(this.ghosts, watcher, subject, Infinity, 0) ? 1 : 0;
    const shown = count > 0 ? watcher.find(subject.id) : undefined;
    const stale = this.staleness(subject, shown);
    if (stale < Infinity && isNear) this.staleMs.record(stale);
    const isHole = stale > wrongMs && stale > wrongMs + this.slowMs(watcher, subject, shown);
    if (isHole && this.lasts(this.holes, watcher, subject, step, this.graceFor(watcher, subject, shown))) {
      this.missing++;
      this.tell('missing', watcher, subject);
    }
  }

  /** Whichever cell somebody is in, or was a moment ago: what the view contains in any case, from where it stands. */
  private partOf(x: number, y: number, radius: number, marginM: number): Part {
    const { cellSize } = this.rules;
    const column = Math.floor((x - marginM) / cellSize);
    const columnHigh = Math.floor((x + marginM) / cellSize);
    const row = Math.floor((y - marginM) / cellSize);
    const rowHigh = Math.floor((y + marginM) / cellSize);
    return {
      west: (columnHigh - radius) * cellSize + marginM - x,
      east: (column + radius + 1) * cellSize - marginM - x,
      south: (rowHigh - radius) * cellSize + marginM - y,
      north: (row + radius + 1) * cellSize - marginM - y,
    };
  }

  /** Bots that are shown where they have not been for a long time, wherever that is. */
  private checkGhosts(watcher: Watcher, byId: Map<number, Subject>, step: number): void {
    const { wrongMs, graceMs } = this.rules;
    watcher.forEachShown((id, shown) => {
      const subject = byId.get(id);
      if (subject === undefined || id === watcher.id) return;
      const stale = this.staleness(subject, shown);
      if (stale <= wrongMs || stale <= wrongMs + this.slowMs(watcher, subject, shown)) return;
      if (!this.lasts(this.ghosts, watcher, subject, step, graceMs)) return;
      this.duplicates++;
      this.tell('ghost', watcher, subject);
    });
  }

  private tell(what: string, watcher: Watcher, subject: Subject): void {
    if (this.told.length >= MOST_TOLD) return;
    const { x, y, tick } = subject.track;
    const place = `(${x.toFixed(1)}, ${y.toFixed(1)})`;
    this.told.push(
      `${what}: ${subject.id} at ${place} in tick ${tick}, for ${watcher.id}: ${watcher.describe(subject)}`,
    );
  }

  /** By how much a picture may be older, and who is not shown may be so for longer. */
  private slowMs(watcher: Watcher, subject: Subject, shown: Shown | undefined): number {
    const { x, y } = subject.track;
    const shownMs = (shown?.slowTicks ?? 0) * this.rules.tickMs;
    return SLOW_TURNS * Math.max(shownMs, watcher.slowMsAt(x, y));
  }

  private graceFor(watcher: Watcher, subject: Subject, shown: Shown | undefined): number {
    return this.rules.graceMs + (shown === undefined ? this.slowMs(watcher, subject, shown) : 0);
  }

  private staleness(subject: Subject, shown: Shown | undefined): number {
    if (shown === undefined) return Infinity;
    return subject.track.staleTicks(shown.x, shown.y, shown.tick, TOLERANCE_M) * this.rules.tickMs;
  }

  /** Adds to a pair's trouble; true once per episode, when it has lasted longer than the grace. */
  private lasts(
    troubles: Map<string, Trouble>,
    watcher: Watcher,
    subject: Subject,
    step: number,
    graceMs: number,
  ): boolean {
    const key = `${watcher.id} ${subject.id}`;
    let trouble = troubles.get(key);
    if (trouble === undefined) {
      trouble = { ms: step === Infinity ? Infinity : 0, counted: false, seen: this.round };
      troubles.set(key, trouble);
    } else if (trouble.seen !== this.round) {
      trouble.ms += step;
      trouble.seen = this.round;
    }
    if (trouble.counted || trouble.ms <= graceMs) return false;
    trouble.counted = true;
    return true;
  }
}

function forgetUntouched(troubles: Map<string, Trouble>, round: number): void {
  for (const [key, trouble] of troubles) if (trouble.seen !== round) troubles.delete(key);
}

/** What the bots of one process measure together; merges over processes as plain data. */
import type { Verdict } from './classify.js';
import { addVerdict } from './classify.js';
import { Histogram } from './histogram.js';
import { SLICE_MS } from './reshapes.js';

export class Measures {
  readonly selfGapMs = new Histogram();
  /** The longest gap of each bot in each WINDOW_MS: freezes that the mass of ordinary gaps would hide. */
  readonly worstGapMs = new Histogram();
  /** Of each death of what served a bot: its last own update before, to the first after. */
  readonly deathGapMs = new Histogram();
  /** The same gaps by slice of time (reshapes.ts). */
  readonly selfGapSlices = new Map<number, Histogram>();
  readonly rttMs = new Histogram();
  staleMs = new Histogram();
  /** How late the bots' own rounds came: a process without a core measures itself. */
  readonly lateMs = new Histogram();
  readonly verdict: Verdict = { lost: 0, duplicated: 0, outOfOrder: 0 };
  players = 0;
  connected = 0;
  disconnects = 0;
  /** Sockets that the bots broke themselves. */
  drops = 0;
  /** Restarts of the server as one bot saw them: the most that any did. */
  serverRestarts = 0;
  sessionsExpired = 0;
  /** Logs that the server did not give. */
  logsMissing = 0;
  actionsSent = 0;
  actionsApplied = 0;
  actionsRejected = 0;
  viewMissing = 0;
  viewDuplicates = 0;
  viewPairs = 0;
  /** Looks at a view, and how many of them were not judged because its bot lagged. */
  viewLooks = 0;
  viewLagging = 0;
  viewFarPairs = 0;
  /** Gaps in a stream that no key frame mended. */
  openGaps = 0;
  gaps = 0;
  badMessages = 0;
  /** Largest step of a bot between two ticks, metres; and the largest that walking explains. */
  maxJumpM = 0;
  allowedJumpM = 0;
  /** Over the time under full load. */
  clientSeconds = 0;
  updates = 0;
  actions = 0;
  bytes = 0;
  /** Two-sided trades that were settled, and that came to nothing. */
  trades = 0;
  tradesAborted = 0;
  /** Items in the bots' own bags at the end. */
  carried = 0;
  /** How often each outcome but 0, and each reason of a close, was told. */
  readonly rejections = new Map<number, number>();
  readonly closes = new Map<string, number>();
  /** What was wrong in views, the first of it, in words. */
  readonly troubles: string[] = [];

  /** A gap between a player's own updates. @param now by the clock that all processes of the machine share */
  selfGap(ms: number, now: number): void {
    this.selfGapMs.record(ms);
    this.slice(Math.floor(now / SLICE_MS)).record(ms);
  }

  private slice(number: number): Histogram {
    let slice = this.selfGapSlices.get(number);
    if (slice === undefined) this.selfGapSlices.set(number, (slice = new Histogram()));
    return slice;
  }

  add(other: Measures): void {
    for (const [number, gaps] of other.selfGapSlices) this.slice(number).add(gaps);
    this.selfGapMs.add(other.selfGapMs);
    this.worstGapMs.add(other.worstGapMs);
    this.deathGapMs.add(other.deathGapMs);
    this.rttMs.add(other.rttMs);
    this.staleMs.add(other.staleMs);
    this.lateMs.add(other.lateMs);
    addVerdict(this.verdict, other.verdict);
    for (const name of SUMS) this[name] += other[name];
    for (const name of GREATEST) this[name] = Math.max(this[name], other[name]);
    for (const [code, n] of other.rejections) count(this.rejections, code, n);
    this.troubles.push(...other.troubles);
    for (const [code, n] of other.closes) count(this.closes, code, n);
  }
}

const SUMS = [
  'players',
  'connected',
  'disconnects',
  'drops',
  'sessionsExpired',
  'logsMissing',
  'actionsSent',
  'actionsApplied',
  'actionsRejected',
  'viewMissing',
  'viewDuplicates',
  'viewPairs',
  'viewLooks',
  'viewLagging',
  'viewFarPairs',
  'openGaps',
  'gaps',
  'badMessages',
  'clientSeconds',
  'updates',
  'actions',
  'bytes',
  'carried',
  'trades',
  'tradesAborted',
] as const;
const GREATEST = ['serverRestarts', 'maxJumpM', 'allowedJumpM'] as const;

export function count<K>(map: Map<K, number>, key: K, n = 1): void {
  map.set(key, (map.get(key) ?? 0) + n);
}

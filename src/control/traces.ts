/**
 * Traces of crossings for people: of every handover that a shard found worth keeping, and of every change of layout, when
 * each of its steps was taken. Keeps the slowest and the latest of each kind; `/api/traces` shows them.
 *
 * Contract: main thread only. `poll` reads the shards' trace rings, a few times a second; what was overwritten before is
 * counted in `lost`. Bounded: KEPT of each list. Times in `steps` are ms since the decision.
 */
import type { Clock } from '../base/clock.js';
import { LIMITS } from '../base/limits.js';
import { formatTile } from '../geo/address.js';
import { tileIndex } from '../geo/tile.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { HANDOVER_TRACE as H, LAYOUT_TRACE as L, TRACE_KIND, TraceReader } from '../memory/trace-ring.js';
import { leafAt } from '../world/layout.js';

export const KEPT = 32;
/** A change of layout whose end nobody tells is forgotten behind so many others. */
const UNDER_WAY = 256;

export interface Step {
  readonly step: string;
  /** Since the first step; null = has not happened. */
  readonly ms: number | null;
}

interface Trace {
  /** Of the first step, since the node began. */
  readonly atSeconds: number;
  /** Of the first step, clock ms: for exporters. */
  readonly startMs: number;
  readonly tick: number;
  /** Decision to the step that counts: the acceptance of a handover, the end of a migration. */
  readonly totalMs: number;
  readonly steps: readonly Step[];
}

export interface HandoverTrace extends Trace {
  readonly kind: 'handover';
  readonly entity: number;
  readonly from: number;
  readonly to: number;
  /** Leaf in which the entity stood, null when it had moved on before its first frame. */
  readonly tile: string | null;
  readonly x: number | null;
  readonly y: number | null;
  /** Slower than nearly all of late; otherwise one of the ordinary ones. */
  readonly slow: boolean;
}

export interface MigrationTrace extends Trace {
  readonly kind: 'migration';
  /** Such as "split 11/1100/350 of shard 0 to shards 1, 2, 3, 0". */
  readonly decision: string;
  readonly reason: string;
  readonly entities: number;
}

export interface TracesStatus {
  readonly handovers: {
    readonly slowest: readonly HandoverTrace[];
    readonly latest: readonly HandoverTrace[];
  };
  readonly migrations: {
    readonly underWay: number;
    readonly slowest: readonly MigrationTrace[];
    readonly latest: readonly MigrationTrace[];
  };
  /** Overwritten before they were read. */
  readonly lost: number;
}

/** The slowest and the latest of one kind. */
class Shelf<T extends Trace> {
  readonly slowest: T[] = [];
  readonly latest: T[] = [];

  put(trace: T): void {
    this.latest.unshift(trace);
    if (this.latest.length > KEPT) this.latest.pop();
    if (this.slowest.length === KEPT && trace.totalMs <= this.slowest[KEPT - 1].totalMs) return;
    const at = this.slowest.findIndex((other) => other.totalMs < trace.totalMs);
    this.slowest.splice(at < 0 ? this.slowest.length : at, 0, trace);
    if (this.slowest.length > KEPT) this.slowest.pop();
  }
}

interface Migration {
  readonly decision: string;
  readonly reason: string;
  readonly tick: number;
  readonly version: number;
  readonly decided: number;
  readonly stored: number;
  firstSeen: number;
  lastSeen: number;
  lastMoved: number;
  entities: number;
}

/** What carries out changes of layout tells of their steps. */
export interface LayoutWatch {
  /** Before anything is done. */
  decided(): void;
  /** The directory shows it. @param key of the change until it is done */
  stored(key: number, change: { decision: string; reason: string; tick: number; version: number }): void;
  done(key: number): void;
}

export class Traces implements LayoutWatch {
  private readonly handovers = new Shelf<HandoverTrace>();
  private readonly migrations = new Shelf<MigrationTrace>();
  private readonly underWay = new Map<number, Migration>();
  private readonly readers: TraceReader[];
  private readonly startedMs: number;
  private decidedMs = 0;
  /** Told of every trace that is complete. */
  onTrace: (trace: HandoverTrace | MigrationTrace) => void = () => {};

  constructor(
    private readonly world: SharedWorld,
    private readonly clock: Clock,
  ) {
    this.readers = world.traces.map((ring) => new TraceReader(ring));
    this.startedMs = clock.now();
  }

  /** Takes what the shards have written since the last time. */
  poll(): void {
    for (const reader of this.readers) reader.read((entry) => this.take(entry));
  }

  get counts(): { kept: number; lost: number } {
    const shelves = [this.handovers, this.migrations];
    const kept = shelves.reduce((n, { slowest, latest }) => n + new Set([...slowest, ...latest]).size, 0);
    return { kept, lost: this.readers.reduce((n, reader) => n + reader.lost, 0) };
  }

  status(): TracesStatus {
    this.poll();
    const { handovers, migrations } = this;
    return {
      handovers: { slowest: handovers.slowest, latest: handovers.latest },
      migrations: {
        underWay: this.underWay.size,
        slowest: migrations.slowest,
        latest: migrations.latest,
      },
      lost: this.counts.lost,
    };
  }

  decided(): void {
    this.decidedMs = this.clock.now();
  }

  stored(key: number, change: { decision: string; reason: string; tick: number; version: number }): void {
    const none = { firstSeen: 0, lastSeen: 0, lastMoved: 0, entities: 0 };
    this.underWay.set(key, { ...change, decided: this.decidedMs, stored: this.clock.now(), ...none });
    if (this.underWay.size > UNDER_WAY) this.underWay.delete([...this.underWay.keys()][0]);
  }

  done(key: number): void {
    this.poll();
    const m = this.underWay.get(key);
    if (m === undefined || !this.underWay.delete(key)) return;
    const end = this.clock.now();
    const { decision, reason, tick, entities } = m;
    const steps = stepsSince(m.decided, {
      decided: m.decided,
      stored: m.stored,
      'first shard saw it': m.firstSeen,
      'last shard saw it': m.lastSeen,
      'last entity moved': m.lastMoved,
      done: end,
    });
    const trace: MigrationTrace = {
      kind: 'migration',
      decision,
      reason,
      entities,
      tick,
      ...this.base(m.decided, end),
      steps,
    };
    this.migrations.put(trace);
    this.onTrace(trace);
  }

  private take(entry: Float64Array): void {
    const kind = entry[H.kind];
    if (kind === TRACE_KIND.handover) return this.handover(entry);
    for (const m of this.underWay.values()) {
      if (entry[L.version] < m.version || entry[L.at] < m.decided) continue;
      if (kind === TRACE_KIND.layoutSeen) {
        if (m.firstSeen === 0 || entry[L.at] < m.firstSeen) m.firstSeen = entry[L.at];
        m.lastSeen = Math.max(m.lastSeen, entry[L.at]);
      } else if (kind === TRACE_KIND.layoutLeft) {
        m.lastMoved = Math.max(m.lastMoved, entry[L.at]);
        m.entities += entry[L.moved];
      }
    }
  }

  private handover(e: Float64Array): void {
    const { directory } = this.world;
    const isPlaced = Number.isFinite(e[H.x]);
    const leaf = isPlaced ? leafAt(directory, tileIndex(e[H.x], e[H.y], LIMITS.deepestTileLevel)) : null;
    const trace: HandoverTrace = {
      kind: 'handover',
      entity: e[H.entity],
      from: e[H.from],
      to: e[H.to],
      tile: leaf === null ? null : formatTile(leaf.address),
      x: isPlaced ? e[H.x] : null,
      y: isPlaced ? e[H.y] : null,
      slow: e[H.slow] === 1,
      tick: e[H.tick],
      ...this.base(e[H.decided], e[H.accepted]),
      steps: stepsSince(e[H.decided], {
        decided: e[H.decided],
        locked: e[H.locked],
        pushed: e[H.pushed],
        accepted: e[H.accepted],
        'first tick': e[H.firstTick],
        'first frame': e[H.firstFrame],
      }),
    };
    this.handovers.put(trace);
    this.onTrace(trace);
  }

  private base(start: number, end: number): { atSeconds: number; startMs: number; totalMs: number } {
    return { atSeconds: round((start - this.startedMs) / 1000), startMs: start, totalMs: round(end - start) };
  }
}

/** @param times clock ms by step, 0 = has not happened */
function stepsSince(start: number, times: Record<string, number>): Step[] {
  return Object.entries(times).map(([step, at]) => ({ step, ms: at === 0 ? null : round(at - start) }));
}

function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}

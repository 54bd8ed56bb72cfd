/**
 * What a run saw of tiles that breathe: decisions and tiles as the admin port told them, held against each other. The
 * reading is injected; the arithmetic is pure.
 */
import { LIMITS } from '../base/limits.js';
import { Histogram, type Quantiles, rounded } from './histogram.js';

/** The part of a decision that is used here; `timeS` in seconds of the server's uptime. */
export interface SeenDecision {
  readonly timeS: number;
  readonly kind: string;
  readonly tile?: string;
  readonly shard?: number;
  readonly outcome: string;
  readonly ms: number;
  readonly numbers: Readonly<Record<string, number>>;
}
export interface SeenTile {
  readonly tile: string;
  readonly players: number;
}

/** One look at the server. */
export interface Look {
  readonly uptimeSeconds: number;
  /** By the clock of the bots. */
  readonly atMs: number;
  readonly decisions: readonly SeenDecision[];
  readonly tiles: readonly SeenTile[];
}

/** What scripts judge a crowd by. Times are in seconds since the run began. */
export interface ElasticFigures {
  splits: number;
  merges: number;
  moves: number;
  degrades: number;
  threadsStarted: number;
  threadsEnded: number;
  failed: number;
  /** Reshapes of one tile closer together than the dwell; an emergency may go on below a tile just split. */
  reshapesWithinDwell: number;
  firstSplitSeconds: number | null;
  /** Players of the first tile that was split, when that was decided; and its capacity. */
  firstSplitPlayers: number | null;
  capacity: number | null;
  /** Most players that were seen in a tile that could still be split, and in one of the deepest level. */
  peakSplittable: number;
  peakDeepest: number;
  longestReshapeMs: number;
  firstMergeSeconds: number | null;
  /** From the goodbye of the last bot; null while they were there, or none came. */
  firstMergeAfterLeavingSeconds: number | null;
  /** All tiles were whole again at the last look. */
  whole: boolean;
}

const RESHAPES = ['split', 'merge', 'move'];

export class ReshapeMeter {
  private readonly first: Look;
  private last: Look;
  private readonly decisions = new Map<string, SeenDecision>();
  private peakSplittable = 0;
  private peakDeepest = 0;
  private leftS = Number.POSITIVE_INFINITY;

  constructor(first: Look) {
    this.first = this.last = first;
  }

  sample(look: Look): void {
    this.last = look;
    for (const d of look.decisions) {
      if (d.timeS > this.first.uptimeSeconds)
        this.decisions.set(`${d.timeS} ${d.kind} ${d.tile ?? ''} ${d.shard ?? ''}`, d);
    }
    for (const { tile, players } of look.tiles) {
      if (levelOf(tile) === LIMITS.deepestTileLevel) this.peakDeepest = Math.max(this.peakDeepest, players);
      else this.peakSplittable = Math.max(this.peakSplittable, players);
    }
  }

  /** The last bot has said goodbye. */
  left(): void {
    this.leftS = this.last.uptimeSeconds;
  }

  get isWhole(): boolean {
    return this.last.tiles.every(({ tile }) => levelOf(tile) === LIMITS.baseTileLevel);
  }

  figures(): ElasticFigures {
    const all = [...this.decisions.values()].sort((a, b) => a.timeS - b.timeS);
    const of = (kind: string) => all.filter((d) => d.kind === kind);
    const reshapes = all.filter((d) => RESHAPES.includes(d.kind));
    const [split] = of('split');
    const merges = of('merge');
    const since = (d: SeenDecision | undefined, fromS: number) =>
      d === undefined ? null : rounded(d.timeS - fromS);
    return {
      splits: of('split').length,
      merges: merges.length,
      moves: of('move').length,
      degrades: of('degrade').length,
      threadsStarted: of('start').length,
      threadsEnded: of('stop').length,
      failed: all.filter((d) => d.outcome === 'failed').length,
      reshapesWithinDwell: reshapes.filter((d, i) => follows(reshapes.slice(0, i), d)).length,
      firstSplitSeconds: since(split, this.first.uptimeSeconds),
      firstSplitPlayers: split?.numbers.players ?? null,
      capacity: split?.numbers.capacity ?? null,
      peakSplittable: this.peakSplittable,
      peakDeepest: this.peakDeepest,
      longestReshapeMs: Math.max(0, ...reshapes.map((d) => d.ms)),
      firstMergeSeconds: since(merges[0], this.first.uptimeSeconds),
      firstMergeAfterLeavingSeconds: since(
        merges.find((d) => d.timeS >= this.leftS),
        this.leftS,
      ),
      whole: this.isWhole,
    };
  }

  /**
   * Gaps between a player's own updates, in those slices of time in which a change of layout was under way (and a second
   * after it), and in the others.
   * @param slices by number of the slice of SLICE_MS of the bots' clock
   */
  gaps(slices: ReadonlyMap<number, Histogram>): { reshape: Quantiles; calm: Quantiles } {
    const [reshape, calm] = [new Histogram(), new Histogram()];
    const offsetMs = this.last.atMs - this.last.uptimeSeconds * 1000;
    const windows = [...this.decisions.values()]
      .filter((d) => RESHAPES.includes(d.kind))
      .map((d) => [offsetMs + d.timeS * 1000, offsetMs + d.timeS * 1000 + d.ms + AFTER_MS] as const);
    for (const [slice, histogram] of slices) {
      const fromMs = slice * SLICE_MS;
      const isIn = windows.some(([from, to]) => fromMs < to && fromMs + SLICE_MS > from);
      (isIn ? reshape : calm).add(histogram);
    }
    return { reshape: reshape.summary(), calm: calm.summary() };
  }
}

/** Length of the slices that gaps are sorted into. */
export const SLICE_MS = 500;
const AFTER_MS = 1000;

/** Whether a tile was reshaped again before the dwell after its last reshape had passed. */
function follows(before: readonly SeenDecision[], d: SeenDecision): boolean {
  const same = before.filter((other) => other.tile === d.tile).at(-1);
  return same !== undefined && d.timeS - (same.timeS + same.ms / 1000) < LIMITS.dwellS - 0.001;
}

function levelOf(tile: string): number {
  return Number(tile.split('/')[0]);
}

/** Reads decisions and tiles over HTTP; null when the server does not answer or knows neither. */
export function httpLook(admin: string, now: () => number): () => Promise<Look | null> {
  const read = async (path: string) => {
    const response = await fetch(`${admin}${path}`, { signal: AbortSignal.timeout(2000) });
    if (!response.ok) throw new Error(`${path} says ${response.status}`);
    return response.json();
  };
  return async () => {
    try {
      const { uptimeSeconds } = (await read('/api/status')) as { uptimeSeconds: number };
      const atMs = now();
      const { decisions } = (await read('/api/decisions')) as { decisions: SeenDecision[] };
      const { tiles } = (await read('/api/tiles')) as { tiles: SeenTile[] };
      return { uptimeSeconds, atMs, decisions, tiles };
    } catch {
      return null;
    }
  };
}

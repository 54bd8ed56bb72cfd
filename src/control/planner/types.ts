/**
 * What goes into the planner and what comes out: plain data, never changed once made. Loads are shares (1 = the
 * capacity, or the tick budget), times are seconds of one monotonic clock.
 */
import { LIMITS, type Limits } from '../../base/limits.js';
import type { TileAddress } from '../../geo/address.js';

/** A leaf of the directory as it was seen. */
export interface TileSample {
  readonly tile: TileAddress;
  /** −1 = nobody has it. */
  readonly shard: number;
  /** Players that stand in it, whoever owns them. */
  readonly players: number;
  readonly entities: number;
  /**
   * CPU time of its entities per tick in which it was due ÷ tick budget: what it asks for, whatever its dilation
   * leaves out. Without a due tick since the sample before: the figure of that one.
   */
  readonly busy: number;
  /**
   * Players in each square of the deepest level below it, in Morton order: 4^(deepest − z) figures, those of child q
   * are the q-th quarter. A tile of the deepest level has one.
   */
  readonly squares: ArrayLike<number>;
}

/** A shard number as it was seen; the sample has one for each number that may ever run. */
export interface ShardSample {
  /** Runs and may be given tiles. */
  readonly alive: boolean;
  /** Does not run, and could be started. */
  readonly canStart: boolean;
  /** CPU time of its thread per tick ÷ tick budget, as measured. */
  readonly busy: number;
  /** Share of wall time in which its thread waited for a core, since the sample before. */
  readonly waiting: number;
  readonly players: number;
  /** Tiles that the directory gives to it, with those that the sample leaves out. */
  readonly tiles: number;
}

export interface Sample {
  /** Never goes back. */
  readonly timeS: number;
  /**
   * Every leaf of every split base tile, and every base tile that a shard holds and in which anything is. Any order;
   * no two overlap (I9).
   */
  readonly tiles: readonly TileSample[];
  readonly shards: readonly ShardSample[];
  /** Share of the last seconds in which a thread with work waited for a core, the most of all: not shards alone. */
  readonly waiting: number;
  /**
   * Of the CPU time that the machine gave away in the last seconds, the share that this server had; 1 where that is not
   * known. Of the waiting for cores only so much can be relieved by serving less: the rest is other programs'.
   */
  readonly ownShare: number;
}

type LoadLimits = Pick<
  Limits,
  | 'baseTileLevel'
  | 'deepestTileLevel'
  | 'capacityPlayers'
  | 'loadSmoothingS'
  | 'dwellS'
  | 'startLoadShare'
  | 'splitLoadShare'
  | 'emergencyLoadShare'
  | 'mergeLoadShare'
  | 'coolLoadShare'
  | 'foreseenShare'
  | 'foreseenSplitShare'
  | 'moveGainShare'
  | 'splitLevelsAtOnce'
  | 'reshapesAtOnce'
  | 'startWaitS'
  | 'packLoadShare'
  | 'packAfterS'
  | 'fullWaitingShare'
  | 'fullWindowS'
  | 'fullOwnShare'
  | 'minDilationShare'
  | 'degradeStepS'
  | 'degradeBackS'
>;

export interface PlannerLimits extends LoadLimits {
  /** Threads neither start nor end, and nothing is packed. */
  readonly pinShards: boolean;
}

/** The limits of a node, with the options it was started with. */
export function plannerLimits(options: Partial<PlannerLimits> = {}): PlannerLimits {
  return { ...LIMITS, pinShards: false, ...options };
}

/** What the planner remembers of a tile. */
export interface TileMemory {
  /** Players ÷ capacity, smoothed. */
  readonly players: number;
  /** Busy, smoothed. */
  readonly busy: number;
  /** When it was last split, merged, moved or born of one of these; −Infinity = never. */
  readonly reshapedS: number;
  /** That was its birth by a split: an emergency may go on downwards without waiting for the dwell. */
  readonly bornOfSplit: boolean;
  /** Rung of the degrade ladder; 0 = all is well. */
  readonly rung: number;
  readonly rungS: number;
}

export interface ShardMemory {
  readonly players: number;
  /** Smoothed, with what dilation leaves out at present: what its tiles ask for. */
  readonly busy: number;
  /** Mean over fullWindowS. */
  readonly waiting: number;
  /** Since when its load is below packLoadShare; Infinity = it is not. */
  readonly idleS: number;
  /** When its thread was last asked to start, and to end; −Infinity = never. */
  readonly startAskedS: number;
  readonly stopAskedS: number;
}

/** A tile and the shard that is to have it, with the load expected in it. */
export interface Placed {
  readonly tile: TileAddress;
  readonly shard: number;
  readonly load: number;
}

/** A reshape that was decided and not yet reported as done. It holds its tile, all above it and all below it. */
export interface Pending {
  readonly kind: 'split' | 'merge' | 'move';
  readonly tile: TileAddress;
  readonly sinceS: number;
  /** Target of a merge or move; −1 for a split. */
  readonly shard: number;
  /** Of a split; they cover the tile exactly. */
  readonly children: readonly Placed[];
}

export interface PlannerState {
  /** Time of the newest sample; −Infinity before the first. */
  readonly timeS: number;
  /** By tileKey. */
  readonly tiles: ReadonlyMap<number, TileMemory>;
  readonly shards: readonly ShardMemory[];
  readonly pending: readonly Pending[];
  /** The most that anything waits for a core, as a share of time; by this the machine is full or not. */
  readonly waiting: number;
  /** The machine is full: `cpuSaturated` of the status. */
  readonly saturated: boolean;
  /** Shard that is being emptied, −1 = none. */
  readonly emptying: number;
}

/** What a tile on a rung of the ladder is served with; shares of the ordinary rate, and of time. */
export interface Degrade {
  readonly rung: number;
  readonly farRate: number;
  readonly nearRate: number;
  readonly dilation: number;
}

/** One store in the directory: the leaf `tile` of `from` gets four children (NW, NE, SW, SE). */
export interface SplitStep {
  readonly tile: TileAddress;
  readonly from: number;
  readonly owners: readonly number[];
}

/** Why: the figures that caused the decision, and a sentence for people. */
interface Cause {
  readonly timeS: number;
  readonly numbers: Readonly<Record<string, number>>;
  readonly reason: string;
}

export type Decision = Cause &
  (
    | {
        readonly kind: 'split';
        readonly tile: TileAddress;
        readonly from: number;
        readonly children: readonly Placed[];
        /** In the order in which the directory must store them. */
        readonly steps: readonly SplitStep[];
        /** Setting that the children begin with: the tile's. */
        readonly degrade: Degrade;
      }
    | {
        readonly kind: 'merge';
        /** The parent; its four children are leaves. */
        readonly tile: TileAddress;
        readonly shard: number;
        readonly degrade: Degrade;
      }
    | {
        readonly kind: 'move';
        readonly tile: TileAddress;
        readonly from: number;
        readonly shard: number;
      }
    | { readonly kind: 'degrade'; readonly tile: TileAddress; readonly degrade: Degrade }
    | { readonly kind: 'start' | 'stop'; readonly shard: number }
    | { readonly kind: 'saturated'; readonly on: boolean }
    | { readonly kind: 'forecast'; readonly horizonS: number; readonly trusted: boolean }
  );

/** What is foreseen of tiles, as the planner asks; nothing is where a forecast is not trusted. */
export interface Foresight {
  /** Chance that a leaf's load reaches the split threshold within 30 s, 60 s, 300 s (h = 0, 1, 2); 0 = not foreseen. */
  chance(tile: TileAddress, h: 0 | 1 | 2): number;
}

export interface Plan {
  readonly state: PlannerState;
  readonly decisions: readonly Decision[];
}

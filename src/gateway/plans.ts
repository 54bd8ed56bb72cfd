/**
 * What clients at a place are to watch: one plan for all who stand in the same cell while the whole view fits the budget
 * at the frame rate (nearly everywhere), else one for each leaf square with its cut. What lies further out (far.ts) takes
 * what they leave over. Plans are kept as long as they are good enough, since each change costs key frames. Local to one
 * gateway.
 */
import { LIMITS } from '../base/limits.js';
import { CLASS_FRAMES } from '../base/rates.js';
import { cellNumber, cellsAround, columnOfCell, rowOfCell } from '../geo/cell.js';
import { LEAVES, WHOLE, leafOf, rateOfKey, streamKey } from '../geo/square.js';
import type { Directory } from '../memory/directory.js';
import { farRate } from '../memory/service.js';
import {
  FRAME_BYTES,
  type Reach,
  RINGS,
  addToRings,
  chooseReach,
  costOf,
  cutAround,
  inParts,
  isCrowded,
  isWhole,
} from './cut.js';
import type { CellCount, Crowds } from './crowds.js';
import { FIRST_CLASS, type FarCells, type FarPlan, NO_FAR, chooseFar, farCells } from './far.js';
import { OTHER_BYTES_PER_S } from './purse.js';

const SIDE = LIMITS.viewCells;
/** From cells to squares of the deepest level. */
const SHIFT = LIMITS.cellLevel - LIMITS.deepestTileLevel;
/** Plans are looked over this often. */
const LOOK_AGAIN_MS = 500;
/** The far rings: what they show is up to two seconds old in any case. */
const LOOK_FAR_MS = 1000;
/** The same where all that is seen takes less than this share of the budget: a crowd does not come out of nothing. */
const CALM_SHARE = 0.25;
const LOOK_CALM_MS = 2000;
const KEEP_MS = 1000;
const FORGET_MS = 5000;
/** There may be as many places as clients. */
const SWEEP_MS = 2000;
/** A gateway that is so late to its turns waits twice as long with calm places; at most so many times as long. */
const LATE_MS = 100;
const MOST_PATIENT = 4;
/** Of the budget for streams: more is too much; a new plan takes so much; an old one that takes less is looked over. */
const FULL_SHARE = 0.9;
const NEW_SHARE = 0.82;
const LOW_SHARE = 0.6;
/** The same for the far rings, of what the near view leaves over. */
const FAR_NEW_SHARE = 0.8;
/** Where far cells are served at a smaller share than this, the outer cells of the near view are slowed as well. */
const OUTER_PERCENT = 50;
const FULL_PERCENT = 100;

export interface Plan {
  /** Stream keys, nearest first. */
  readonly keys: readonly number[];
  readonly set: ReadonlySet<number>;
  /** All of the view at its full rate: it is the same for all in the cell. */
  readonly isWhole: boolean;
  /** Slowest class in it. */
  readonly slowest: number;
  /** Bytes a second, as far as one can tell. */
  cost: number;
}

interface LeafPlan {
  plan: Plan;
  reach: Reach;
  madeAt: number;
}

/** Cells, and what stood in them at the last look. */
interface Seen {
  readonly cells: Float64Array;
  readonly counts: CellCount[];
}

interface Place {
  readonly cell: number;
  /** The near view. */
  readonly near: Seen;
  /** Of all in the cell, while that is enough. */
  whole: Plan | undefined;
  /** Outer cells at half the rate: the leaf gets less than all of it. */
  isEased: boolean;
  leaves: (LeafPlan | undefined)[];
  lookedAt: number;
  askedAt: number;
  /** Little is seen from here; little that is near, and all of it. */
  isNearCalm: boolean;
  isCalm: boolean;
  /** Beyond the near view; its cells, nearest first, once somebody has asked. */
  far: FarPlan;
  farCells: (Seen & FarCells) | undefined;
  farAt: number;
}

export class Plans {
  private readonly places = new Map<number, Place>();
  private readonly around = new Float64Array(SIDE * SIDE);
  private readonly rings = { bytes: new Float64Array(RINGS), leaves: new Float64Array(RINGS) };
  private readonly budget: number;
  /** How much longer calm places wait for a look: more than 1 where the gateway has more to do than it can. */
  private patient = 1;
  private sweptAt = 0;

  constructor(
    private readonly crowds: Crowds,
    private readonly directory: Directory,
    bytesPerS: number,
    private readonly framesPerS: number,
    private readonly farSide: number,
  ) {
    this.budget = Math.max(bytesPerS / 2, bytesPerS - OTHER_BYTES_PER_S);
  }

  planFor(x: number, y: number, now: number): Plan {
    const cell = cellNumber(x, y);
    const place = this.placeOf(cell, now);
    return place.whole ?? this.leafPlan(cell, place, leafOf(cell, x, y), now);
  }

  /** How long a view from a cell may stay as it is for who stands still, ms. */
  patience(cell: number): number {
    return this.places.get(cell)?.isCalm === true ? LOOK_CALM_MS * this.patient : LOOK_AGAIN_MS;
  }

  /** What all who stand in a cell are shown beyond their near view. */
  farFor(cell: number, now: number): FarPlan {
    if (this.farSide <= SIDE) return NO_FAR;
    const place = this.placeOf(cell, now);
    if (now - place.farAt < (place.isCalm ? LOOK_CALM_MS * this.patient : LOOK_FAR_MS)) return place.far;
    place.farAt = now;
    // While nobody here has a plan one does not know what it takes: nothing changes.
    const near = place.whole ?? dearest(place.leaves, now);
    if (near === undefined) return place.far;
    place.farCells ??= seenRings(cell, this.farSide);
    const { cells, counts } = place.farCells;
    const { budget } = this;
    const room = { kept: budget * FULL_SHARE - near.cost, added: budget * FAR_NEW_SHARE - near.cost };
    let bytes = 0; // as if all came at the class of the first ring
    const weights = this.crowds.countAll(cells, counts, now);
    for (const { allBytes } of weights) if (allBytes > 0) bytes += allBytes + FRAME_BYTES;
    place.far = chooseFar(place.farCells, weights, room, near.slowest, this.framesPerS, place.far);
    const cost = near.cost + (bytes * this.framesPerS) / CLASS_FRAMES[FIRST_CLASS]!;
    place.isCalm = place.isNearCalm && cost < budget * CALM_SHARE;
    return place.far;
  }

  private placeOf(cell: number, now: number): Place {
    let place = this.places.get(cell);
    if (place === undefined) {
      const cells = this.around.slice(0, cellsAround(cell, SIDE, this.around));
      place = {
        cell,
        near: { cells, counts: [] },
        whole: undefined,
        isEased: false,
        leaves: [],
        lookedAt: Number.NEGATIVE_INFINITY,
        askedAt: now,
        isNearCalm: false,
        isCalm: false,
        far: NO_FAR,
        farCells: undefined,
        farAt: Number.NEGATIVE_INFINITY,
      };
      this.places.set(cell, place);
    }
    place.askedAt = now;
    const interval = place.isNearCalm ? LOOK_CALM_MS * this.patient : LOOK_AGAIN_MS;
    if (now - place.lookedAt >= interval) this.lookAt(cell, place, now);
    return place;
  }

  /** @param late of the gateway, ms: what comes next goes before a second look at calm places */
  sweep(now: number, late: number): void {
    this.patient = Math.min(MOST_PATIENT, 1 + late / LATE_MS);
    const forgetMs = FORGET_MS * this.patient;
    if (now - this.sweptAt < SWEEP_MS) return;
    this.sweptAt = now;
    for (const place of this.places.values())
      if (now - place.askedAt > forgetMs) this.places.delete(place.cell);
  }

  /** Whether the whole view of a cell still fits, or fits again. */
  private lookAt(cell: number, place: Place, now: number): void {
    place.lookedAt = now;
    const isEased = this.isEased(cell);
    const { cells, counts } = place.near;
    let bytes = 0;
    for (const { allBytes, cell: other } of this.crowds.countAll(cells, counts, now))
      if (allBytes > 0) bytes += (allBytes + FRAME_BYTES) * (isEased && other !== cell ? 0.5 : 1);
    const cost = bytes * this.framesPerS;
    place.isNearCalm = cost < this.budget * CALM_SHARE;
    const share = place.whole === undefined && place.leaves.length > 0 ? LOW_SHARE : FULL_SHARE;
    if (cost > this.budget * share) {
      place.whole = undefined;
      return;
    }
    const standingIn = (at: number) => this.crowds.count(at, now);
    const isAsBefore = isEased === place.isEased;
    if (place.whole === undefined || !isAsBefore || isCrowded(place.whole.keys, standingIn)) {
      const keys = wholeCells(cell, cells, isEased);
      place.whole = planOf(inParts(keys, standingIn), true, isEased ? 1 : 0, cost);
      place.isEased = isEased;
      place.leaves = [];
    }
    place.whole.cost = cost;
  }

  private isEased(cell: number): boolean {
    const { directory } = this;
    if (directory.anyService === 0) return false;
    const least = this.farSide > SIDE ? OUTER_PERCENT : FULL_PERCENT;
    return farRate(directory.service(columnOfCell(cell) >> SHIFT, rowOfCell(cell) >> SHIFT)) < least;
  }

  private leafPlan(cell: number, place: Place, leaf: number, now: number): Plan {
    if (place.leaves.length === 0) place.leaves = new Array<LeafPlan | undefined>(LEAVES).fill(undefined);
    const known = place.leaves[leaf];
    if (known !== undefined && now - known.madeAt < KEEP_MS) return known.plan;
    this.fillRings(cell, leaf, place.near, now);
    const reach = this.reachFor(known?.reach ?? place.leaves.find((other) => other !== undefined)?.reach);
    const cost = costOf(this.rings, reach, this.framesPerS);
    const standingIn = (at: number) => this.crowds.count(at, now);
    const isSame = known !== undefined && String(known.reach) === String(reach);
    if (isSame && !isCrowded(known.plan.keys, standingIn)) {
      known.madeAt = now;
      known.plan.cost = cost;
      return known.plan;
    }
    const keys = inParts(cutAround(cell, leaf, reach), standingIn);
    const plan = planOf(keys, isWhole(reach), Math.max(...keys.map(rateOfKey)), cost);
    place.leaves[leaf] = { plan, reach, madeAt: now };
    return plan;
  }

  /** A reach that was good and still is stays; a new one leaves room to grow. */
  private reachFor(known: Reach | undefined): Reach {
    if (known !== undefined) {
      const share = costOf(this.rings, known, this.framesPerS) / this.budget;
      if (share <= FULL_SHARE && share >= LOW_SHARE) return known;
    }
    return chooseReach(this.rings, this.budget * NEW_SHARE, this.framesPerS);
  }

  private fillRings(cell: number, leaf: number, { cells, counts }: Seen, now: number): void {
    const { rings } = this;
    rings.bytes.fill(0);
    rings.leaves.fill(0);
    for (const count of this.crowds.countAll(cells, counts, now))
      if (count.allBytes > 0) addToRings(rings, cell, leaf, count.cell, count);
  }
}

function seenRings(cell: number, side: number): NonNullable<Place['farCells']> {
  return { ...farCells(cell, side), counts: [] };
}

/** The view in whole cells, its middle first. */
function wholeCells(cell: number, cells: Float64Array, isEased: boolean): number[] {
  const keys = [cell];
  for (const other of cells) if (other !== cell) keys.push(streamKey(other, WHOLE, isEased ? 1 : 0));
  return keys;
}

function planOf(keys: readonly number[], isWhole: boolean, slowest: number, cost: number): Plan {
  return { keys, set: new Set(keys), isWhole, slowest, cost };
}

/** The worst of the plans of a cell's leaves that somebody has asked for lately. */
function dearest(
  leaves: readonly (LeafPlan | undefined)[],
  now: number,
): Pick<Plan, 'cost' | 'slowest'> | undefined {
  let cost = -1;
  let slowest = 0;
  for (const leaf of leaves) {
    if (leaf === undefined || now - leaf.madeAt > 2 * KEEP_MS) continue;
    cost = Math.max(cost, leaf.plan.cost);
    slowest = Math.max(slowest, leaf.plan.slowest);
  }
  return cost < 0 ? undefined : { cost, slowest };
}

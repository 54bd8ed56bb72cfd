/**
 * A world of a few base tiles for the planner to reshape: crowds that come and go by a rule, an executor that takes
 * its time and sometimes fails, and a checker that holds every decision against the promises. No real time.
 */
import { formatTile, parseTile, type TileAddress } from '../../src/geo/address.js';
import { seededRandom } from '../../src/base/random.js';
import { done, initialState } from '../../src/control/planner/observe.js';
import { plan } from '../../src/control/planner/plan.js';
import { covers, overlaps } from '../../src/control/planner/squares.js';
import type {
  Decision,
  Placed,
  PlannerLimits,
  PlannerState,
  Sample,
} from '../../src/control/planner/types.js';
import { plannerLimits } from '../../src/control/planner/types.js';

/** The planner, or a mutant of it. */
export interface Planner {
  plan: typeof plan;
  done: typeof done;
}
export const PLANNER: Planner = { plan, done };

/** A crowd on one base tile: between `low` and `high` of the capacity, in its own rhythm. */
export interface Crowd {
  base: number;
  low: number;
  high: number;
  periodS: number;
  /** Square of the deepest level where all stand, −1 = all over the tile. */
  spot: number;
  /** CPU share of a full capacity of players. */
  cost: number;
}

export interface Scenario {
  seed: number;
  shards: number;
  alive: number;
  pinShards: boolean;
  crowds: readonly Crowd[];
  /** Noise of loads, ± share. */
  noise: number;
  /** Executing a reshape takes up to this long. */
  delayS: number;
  failures: number;
  /** The machine is full between these times. */
  full: readonly [number, number];
  /** Then this share of its CPU time is the server's, and each shard waits for a core so much of the time. */
  ownShare: number;
  waits: number;
  /** From then on nobody is there. */
  emptyS: number;
  endS: number;
}

export const CAPACITY = 500;
export const BASES = ['11/100/100', '11/101/100', '11/0/512', '11/4095/512'].map((a) => parseTile(a)!);
const SQUARES = 16;
const STEP_S = 0.25;

interface Execution {
  decision: Extract<Decision, { kind: 'split' | 'merge' | 'move' }>;
  showS: number;
  endS: number;
  fails: boolean;
  shown: boolean;
}

export interface Outcome {
  faults: string[];
  decisions: Decision[];
  states: PlannerState[];
  leaves: string[];
  alive: number;
}

export class PlannedWorld {
  readonly faults: string[] = [];
  readonly decisions: Decision[] = [];
  readonly limits: PlannerLimits;
  state = initialState();
  timeS = 0;
  private readonly random;
  private leaves = new Map<string, number>();
  private readonly alive: boolean[];
  private readonly startS: number[];
  private executions: Execution[] = [];
  /** By address: end of its last reshape or its birth, and whether it was a birth by split. */
  private readonly rested = new Map<string, { atS: number; born: boolean }>();
  private readonly rungs = new Map<string, { rung: number; dilation: number }>();

  constructor(
    readonly scenario: Scenario,
    private readonly planner: Planner = PLANNER,
  ) {
    this.random = seededRandom(scenario.seed);
    this.limits = plannerLimits({ capacityPlayers: CAPACITY, pinShards: scenario.pinShards });
    this.alive = Array.from({ length: scenario.shards }, (_, s) => scenario.pinShards || s < scenario.alive);
    this.startS = this.alive.map(() => Infinity);
    for (const base of BASES) this.leaves.set(formatTile(base), 0);
  }

  /** Runs to the end of the scenario. */
  run(): this {
    while (this.timeS < this.scenario.endS) this.step();
    return this;
  }

  step(): void {
    this.timeS += STEP_S;
    this.execute();
    const made = this.planner.plan(this.state, this.sample(), this.limits);
    this.state = made.state;
    for (const decision of made.decisions) this.take(decision);
    this.check(this.isPartition(), 'I9: the leaves do not cover the base tiles exactly');
  }

  get leafNames(): string[] {
    return [...this.leaves.keys()];
  }
  get aliveCount(): number {
    return this.alive.filter(Boolean).length;
  }
  reshapes(): Execution['decision'][] {
    return this.decisions.flatMap((d) =>
      d.kind === 'split' || d.kind === 'merge' || d.kind === 'move' ? [d] : [],
    );
  }

  sample(): Sample {
    const counts = BASES.map((_, b) => this.squaresOf(b));
    const [from, to] = this.scenario.full;
    const isFull = this.timeS >= from && this.timeS < to;
    const { ownShare, waits } = this.scenario;
    const tiles = [...this.leaves].map(([name, shard]) => this.leafSample(parseTile(name)!, shard, counts));
    // In whatever order: nothing may depend on it.
    for (let i = tiles.length - 1; i > 0; i--) {
      const j = this.random.int(i + 1);
      [tiles[i], tiles[j]] = [tiles[j], tiles[i]];
    }
    const shards = this.alive.map((alive, s) => {
      const mine = tiles.filter((leaf) => leaf.shard === s);
      const dilation = (tile: TileAddress) => this.rungs.get(formatTile(tile))?.dilation ?? 1;
      const busy = mine.reduce((n, leaf) => n + leaf.busy * dilation(leaf.tile), 0);
      const players = mine.reduce((n, leaf) => n + leaf.players, 0);
      const canStart = !alive && this.startS[s] === Infinity;
      return { alive, canStart, busy, waiting: isFull ? waits : 0, players, tiles: mine.length };
    });
    return { timeS: this.timeS, tiles, shards, waiting: isFull ? 1 : 0, ownShare: isFull ? ownShare : 1 };
  }

  private squaresOf(b: number): number[] {
    const squares = new Array<number>(SQUARES).fill(0);
    if (this.timeS >= this.scenario.emptyS) return squares;
    for (const crowd of this.scenario.crowds) {
      if (crowd.base !== b) continue;
      const high = Math.floor((this.timeS * 2) / crowd.periodS) % 2 === 0;
      const wobble = 1 + (this.random.next() * 2 - 1) * this.scenario.noise;
      const players = Math.round((high ? crowd.high : crowd.low) * CAPACITY * wobble);
      for (let i = 0; i < SQUARES; i++) {
        if (crowd.spot < 0) squares[i] += players / SQUARES;
        else if (crowd.spot === i) squares[i] += players;
      }
    }
    return squares;
  }

  private leafSample(tile: TileAddress, shard: number, counts: number[][]) {
    const b = BASES.findIndex((base) => covers(base, tile));
    const depth = tile.z - 11;
    let from = 0;
    for (let level = depth - 1, size = 4; level >= 0; level--, size /= 4) {
      from += size * (((tile.x >> level) & 1) | (((tile.y >> level) & 1) << 1));
    }
    const squares = counts[b].slice(from, from + SQUARES / 4 ** depth);
    const players = squares.reduce((a, n) => a + n, 0);
    const cost = Math.max(0, ...this.scenario.crowds.filter((c) => c.base === b).map((c) => c.cost));
    const busy = (players / CAPACITY) * cost;
    return { tile, shard, players, entities: Math.round(players), busy, squares };
  }

  private check(holds: boolean, fault: string): void {
    if (!holds) this.faults.push(`at ${this.timeS} s: ${fault}`);
  }

  private isPartition(): boolean {
    const tiles = this.leafNames.map((name) => parseTile(name)!);
    return BASES.every((base) => {
      const inside = tiles.filter((tile) => covers(base, tile));
      const area = inside.reduce((n, tile) => n + 4 ** (base.z - tile.z), 0);
      return area === 1 && inside.every((a, i) => inside.every((b, j) => i === j || !overlaps(a, b)));
    });
  }

  /** Reshapes show in the directory some time after the decision, and are reported some time after that. */
  private execute(): void {
    for (const [s, atS] of this.startS.entries()) {
      if (this.timeS < atS) continue;
      this.alive[s] = true;
      this.startS[s] = Infinity;
    }
    for (const execution of this.executions) {
      if (this.timeS < execution.showS || execution.shown || execution.fails) continue;
      execution.shown = true;
      this.show(execution.decision);
    }
    const ended = this.executions.filter((e) => this.timeS >= e.endS);
    this.executions = this.executions.filter((e) => this.timeS < e.endS);
    for (const { decision, fails } of ended) {
      this.state = this.planner.done(this.state, decision.tile, this.timeS, fails ? 'failed' : 'done');
      this.rested.set(formatTile(decision.tile), { atS: this.timeS, born: false });
      if (decision.kind !== 'split' || fails) continue;
      for (const child of decision.children) {
        this.rested.set(formatTile(child.tile), { atS: this.timeS, born: true });
      }
    }
  }

  private show(decision: Execution['decision']): void {
    const inherit = (tile: TileAddress) =>
      'degrade' in decision && this.rungs.set(formatTile(tile), decision.degrade);
    for (const name of this.leafNames)
      if (overlaps(decision.tile, parseTile(name)!)) this.leaves.delete(name);
    if (decision.kind === 'split') {
      for (const { tile, shard } of leavesAfter(decision.steps, decision.children)) {
        this.leaves.set(formatTile(tile), shard);
        inherit(tile);
      }
    } else {
      this.leaves.set(formatTile(decision.tile), decision.shard);
      inherit(decision.tile);
    }
  }

  private take(decision: Decision): void {
    this.decisions.push(decision);
    this.check(
      decision.reason.endsWith('.') && Object.values(decision.numbers).every(Number.isFinite),
      'no reason',
    );
    if (decision.kind === 'start') {
      this.check(!this.alive[decision.shard], 'a running shard was started');
      if (this.random.next() >= this.scenario.failures) this.startS[decision.shard] = this.timeS + 0.5;
    } else if (decision.kind === 'stop') {
      const owned = [...this.leaves.values()].includes(decision.shard);
      this.check(!owned && this.aliveCount > 1 && !this.scenario.pinShards, 'a shard in use was ended');
      this.alive[decision.shard] = false;
    } else if (decision.kind === 'degrade') {
      const name = formatTile(decision.tile);
      const before = this.rungs.get(name)?.rung ?? 0;
      this.check(Math.abs(decision.degrade.rung - before) === 1, `${name} skips a rung of the ladder`);
      this.rungs.set(name, decision.degrade);
    } else if (decision.kind === 'split' || decision.kind === 'merge' || decision.kind === 'move') {
      this.takeReshape(decision);
    }
  }

  private takeReshape(decision: Execution['decision']): void {
    const { tile, kind } = decision;
    const name = formatTile(tile);
    const held = this.executions.some((e) => overlaps(e.decision.tile, tile));
    this.check(!held, `${kind} of ${name} while another reshape holds it`);
    const targets = kind === 'split' ? decision.children.map((c) => c.shard) : [decision.shard];
    this.check(
      targets.every((s) => this.alive[s]),
      `${kind} of ${name} to a shard that does not run`,
    );
    if (kind === 'merge') this.checkMerge(tile);
    else {
      this.check(this.leaves.has(name), `${kind} of ${name}, which is no leaf`);
      this.checkRest(name, kind === 'split' && decision.numbers.load >= this.limits.emergencyLoadShare);
    }
    if (kind === 'split') {
      this.check(tile.z < this.limits.deepestTileLevel, `split of ${name} at the deepest level`);
      this.check(isCover(tile, decision.children), `children of ${name} do not cover it`);
    }
    const showS = this.timeS + this.random.next() * this.scenario.delayS;
    const endS = showS + this.random.next() * this.scenario.delayS;
    this.executions.push({
      decision,
      showS,
      endS,
      fails: this.random.next() < this.scenario.failures,
      shown: false,
    });
  }

  private checkMerge(parent: TileAddress): void {
    const inside = this.leafNames.map((n) => parseTile(n)!).filter((leaf) => covers(parent, leaf));
    this.check(
      inside.length === 4 && inside.every((l) => l.z === parent.z + 1),
      'merge of more or less than siblings',
    );
    this.checkRest(formatTile(parent), false);
    for (const leaf of inside) this.checkRest(formatTile(leaf), false);
  }

  /** @param emergency a tile just born of a split may be split on */
  private checkRest(name: string, emergency: boolean): void {
    const last = this.rested.get(name);
    if (last === undefined || (last.born && emergency)) return;
    this.check(this.timeS - last.atS >= this.limits.dwellS, `${name} is reshaped twice within a dwell`);
  }
}

export function isCover(tile: TileAddress, children: readonly Placed[]): boolean {
  const area = children.reduce((n, child) => n + 4 ** (tile.z - child.tile.z), 0);
  const apart = children.every((a, i) => children.every((b, j) => i === j || !overlaps(a.tile, b.tile)));
  return area === 1 && apart && children.every((child) => covers(tile, child.tile) && child.tile.z > tile.z);
}

/** What the directory shows once the steps are stored; the owners must be those that the children were promised. */
function leavesAfter(
  steps: Extract<Decision, { kind: 'split' }>['steps'],
  children: readonly Placed[],
): { tile: TileAddress; shard: number }[] {
  let leaves: { tile: TileAddress; shard: number }[] = [{ tile: steps[0].tile, shard: steps[0].from }];
  for (const { tile, from, owners } of steps) {
    const name = formatTile(tile);
    leaves = leaves.flatMap((leaf) => {
      if (formatTile(leaf.tile) !== name || leaf.shard !== from) return [leaf];
      return owners.map((shard, q) => ({
        tile: { z: tile.z + 1, x: tile.x * 2 + (q & 1), y: tile.y * 2 + (q >> 1) },
        shard,
      }));
    });
  }
  const told = (list: readonly { tile: TileAddress; shard: number }[]) =>
    list
      .map(({ tile, shard }) => `${formatTile(tile)}@${shard}`)
      .sort()
      .join();
  return told(leaves) === told(children) ? leaves : [];
}

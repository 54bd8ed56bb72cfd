/**
 * Elastic: feeds the planner with what is measured and carries out what it decides, four times a second.
 *
 * ```
 *  load.ts ─▶ sample ─▶ planner (pure) ─▶ decisions, in order ─▶ reshape.ts · threads · settings of leaves · admission
 *                          ▲                                        │
 *                          └────────────── settled ─────────────────┘
 * ```
 * Contract: main thread, injected time; `step` may be called at any time. What a person asks for goes through `ask`,
 * so that one plan at a time touches a tile. Every decision is logged with its numbers and kept for a while.
 */
import type { Clock } from '../base/clock.js';
import { type TileAddress, formatTile, parseTile } from '../geo/address.js';
import { SHARD_GAUGE } from '../memory/shard-block.js';
import { packService } from '../memory/service.js';
import type { SharedWorld } from '../memory/shared-world.js';
import type { Change } from './forecast/forecast.js';
import type { Foreseer } from './forecast/foreseer.js';
import type { LoadSample } from './load.js';
import { type Log, reasonOf } from './log.js';
import { done, initialState } from './planner/observe.js';
import { type Refusal, type Request, admissionWaits, ask, plan, titleOf } from './planner/plan.js';
import type { Decision, Degrade, PlannerLimits, PlannerState } from './planner/types.js';
import {
  type Entry,
  type Outcome,
  type Reshape,
  type ReshapeRefusal,
  type Reshaper,
  entryOf,
} from './reshape.js';

/** A decision, and what became of it. */
export interface DecisionRecord {
  readonly tick: number;
  /** Since the start of the node. */
  readonly timeS: number;
  readonly kind: Decision['kind'];
  /** For people: "split 11/2048/1023". */
  readonly decision: string;
  readonly tile?: string;
  readonly shard?: number;
  readonly numbers: Readonly<Record<string, number>>;
  readonly reason: string;
  outcome: 'running' | Outcome;
  /** From the decision to its end. */
  ms: number;
}

export interface ElasticParts {
  readonly world: SharedWorld;
  readonly clock: Clock;
  /** Clock ms that times count from, as in the samples. */
  readonly startedMs: number;
  readonly log: Log;
  readonly limits: PlannerLimits;
  readonly reshaper: Reshaper;
  readonly foreseer: Foreseer;
  readonly load: {
    measure(): void;
    sample(also?: number): LoadSample;
  };
  readonly threads: { startShard(shard: number): boolean; retire(shard: number): boolean };
}

type DegradeDecision = Extract<Decision, { kind: 'degrade' }>;

const KEPT = 200;
/** Tiles that change their rung at one time and are told each for itself. */
const SINGLE = 4;
const REFUSALS: Readonly<Record<Refusal, ReshapeRefusal | null>> = {
  RESHAPE_IN_PROGRESS: 'RESHAPE_IN_PROGRESS',
  NOT_A_LEAF: 'NOT_A_LEAF',
  NOT_SPLIT_ONCE: 'NOT_SPLIT',
  DEEPEST_LEVEL: 'DEEPEST_LEVEL',
  SHARD_NOT_ALIVE: 'UNKNOWN_SHARD',
  ALREADY_THERE: null,
};

export class Elastic {
  /** The last ones, oldest first. */
  readonly decisions: DecisionRecord[] = [];
  private state: PlannerState = initialState();
  /** By address of the tile: the decision whose change of layout is under way. */
  private readonly running = new Map<string, DecisionRecord>();
  /** Decisions that the log has not heard of. */
  private readonly untold: DecisionRecord[] = [];
  private waiting = '';
  private complained = false;

  constructor(private readonly parts: ElasticParts) {
    parts.reshaper.onSettled = (address, outcome) => this.settle(address, outcome);
  }

  /** The machine is full. */
  get saturated(): boolean {
    return this.state.saturated;
  }

  /** One turn: measure, decide, do. Never throws: what cannot be planned is complained of once, and tried again. */
  step(): void {
    try {
      this.parts.load.measure();
      const sample = this.parts.load.sample();
      const { foreseer } = this.parts;
      for (const change of foreseer.look(sample)) this.noteForecast(sample.timeS, change);
      const made = plan(this.state, sample, this.parts.limits, foreseer.foresight);
      this.state = made.state;
      for (const decision of made.decisions) if (decision.kind !== 'degrade') this.carryOut(decision);
      // After the changes of layout: a tile that is being split is no leaf any more.
      this.serveAll(
        made.decisions.flatMap((one) => (one.kind === 'degrade' && !this.isVoid(one) ? [one] : [])),
      );
      this.tell();
      this.admit();
      this.complained = false;
    } catch (error) {
      if (!this.complained) this.parts.log.error({ reason: reasonOf(error) }, 'load could not be planned');
      this.complained = true;
    }
  }

  /**
   * A tile that is being split is no leaf any more: what follows it has the setting. One that moves, or was merged, is a
   * leaf all the while: a setting left out here the planner would take for one that is in force.
   */
  private isVoid(decision: Decision): boolean {
    return decision.kind === 'degrade' && this.running.get(formatTile(decision.tile))?.kind === 'split';
  }

  /** What an operator asks for. @returns null, or why not */
  split(address: string): ReshapeRefusal | null {
    return this.request(address, (tile) => ({ kind: 'split', tile }));
  }

  merge(address: string): ReshapeRefusal | null {
    return this.request(address, (tile) => ({ kind: 'merge', tile }));
  }

  move(address: string, shard: number): ReshapeRefusal | null {
    return this.request(address, (tile) => ({ kind: 'move', tile, shard }));
  }

  private request(address: string, of: (tile: TileAddress) => Request): ReshapeRefusal | null {
    const { world, load, limits } = this.parts;
    const entry = entryOf(address);
    const tile = parseTile(address);
    if (entry === null || tile === undefined) return 'BAD_TILE';
    const request = of(tile);
    if (request.kind === 'split' && tile.z >= limits.deepestTileLevel) return 'DEEPEST_LEVEL';
    const answer = ask(this.state, load.sample(entry.tile), limits, request);
    if ('refused' in answer) {
      const isNobodys = world.directory.lookup(entry.tile, entry.path) < 0;
      if (answer.refused === 'NOT_A_LEAF' && isNobodys) return 'NOBODYS_TILE';
      return REFUSALS[answer.refused];
    }
    this.state = answer.state;
    const isDone = this.carryOut(answer.decision);
    this.tell();
    return isDone ? null : 'RESHAPE_IN_PROGRESS';
  }

  /** @returns false when it came to nothing */
  private carryOut(decision: Decision): boolean {
    const record = this.note(decision);
    switch (decision.kind) {
      case 'split':
      case 'merge':
      case 'move':
        return this.reshape(decision, record);
      case 'degrade':
        return this.end(record, this.serve(decision.tile, decision.degrade));
      case 'start':
        return this.end(record, this.parts.threads.startShard(decision.shard));
      case 'stop':
        return this.end(record, this.retire(decision.shard));
      case 'saturated':
      case 'forecast':
        return this.end(record, true);
    }
  }

  private reshape(decision: Reshape, record: DecisionRecord): boolean {
    const address = formatTile(decision.tile);
    // Before: a change that is settled at once finds its record.
    this.running.set(address, record);
    if (!this.parts.reshaper.carryOut(decision)) {
      this.settle(address, 'failed');
      return false;
    }
    // Children of a split have inherited the setting before they were shown; a merged tile has the planner's.
    if (decision.kind === 'merge') this.serve(decision.tile, decision.degrade);
    return true;
  }

  private settle(address: string, outcome: Outcome): void {
    const tile = parseTile(address);
    if (tile === undefined) return;
    // Never before the newest sample: the planner's time does not go back.
    this.state = done(this.state, tile, Math.max(this.timeS(), this.state.timeS), outcome);
    const record = this.running.get(address);
    this.running.delete(address);
    if (record !== undefined) this.end(record, outcome === 'done');
  }

  /** What a leaf is served with from now on. */
  private serve(tile: TileAddress, { dilation, nearRate, farRate }: Degrade): boolean {
    const entry = entryOf(formatTile(tile));
    if (entry === null) return false;
    const percent = (share: number) => Math.round(share * 100);
    const word = packService(percent(dilation), percent(nearRate), percent(farRate));
    return this.parts.world.directory.setService(entry.tile, entry.path, entry.depth, word);
  }

  /** Many tiles at once are one decision: hundreds of them would be a flood of lines that say the same. */
  private serveAll(decisions: readonly DegradeDecision[]): void {
    if (decisions.length <= SINGLE) {
      for (const decision of decisions) this.carryOut(decision);
      return;
    }
    const most = (of: (decision: DegradeDecision) => number) => Math.max(...decisions.map(of));
    const [first] = decisions;
    const record = this.record(first!, {
      decision: `degrade ${decisions.length} tiles`,
      numbers: {
        ...first!.numbers,
        tiles: decisions.length,
        busy: most(({ numbers }) => numbers.busy!),
        players: most(({ numbers }) => numbers.players!),
        rung: most(({ degrade }) => degrade.rung),
      },
      reason: `${decisions.length} tiles at once, such as this one: ${first!.reason}`,
    });
    const served = decisions.map(({ tile, degrade }) => this.serve(tile, degrade));
    this.end(record, served.every(Boolean));
  }

  /** Ends the thread of a shard that has nothing any more. */
  private retire(shard: number): boolean {
    const { world, threads } = this.parts;
    return world.shardBlocks[shard].gauge(SHARD_GAUGE.entities) === 0 && threads.retire(shard);
  }

  /** Tells the gateways which tiles newcomers wait for. */
  private admit(): void {
    const { world, limits } = this.parts;
    const levels = limits.deepestTileLevel - limits.baseTileLevel;
    const waiting = this.state.pending.flatMap((pending) => {
      const entry = pending.kind === 'split' ? entryOf(formatTile(pending.tile)) : null;
      const tiles = [pending.tile, ...pending.children.map((child) => child.tile)];
      const waits = tiles.some((tile) => admissionWaits(this.state, tile, limits));
      return entry !== null && waits ? [{ tile: entry.tile, squares: squaresOf(entry, levels) }] : [];
    });
    const said = JSON.stringify(waiting);
    if (said === this.waiting) return;
    this.waiting = said;
    world.admission.set(waiting);
  }

  private timeS(): number {
    return (this.parts.clock.now() - this.parts.startedMs) / 1000;
  }

  /** A horizon of the forecast is trusted from now on, or no longer. */
  private noteForecast(timeS: number, { horizonS, trusted, why }: Change): void {
    const record = this.note({
      kind: 'forecast',
      horizonS,
      trusted,
      timeS,
      numbers: { horizonS, trusted: trusted ? 1 : 0 },
      reason: `The forecast of ${horizonS} s is ${trusted ? '' : 'not '}trusted: ${why}.`,
    });
    this.end(record, true);
  }

  private note(decision: Decision): DecisionRecord {
    return this.record(decision, {
      decision: titleOf(decision),
      ...('tile' in decision ? { tile: formatTile(decision.tile) } : {}),
      ...('shard' in decision ? { shard: decision.shard } : {}),
      numbers: decision.numbers,
      reason: decision.reason,
    });
  }

  private record(
    { timeS, kind }: Decision,
    told: Pick<DecisionRecord, 'decision' | 'tile' | 'shard' | 'numbers' | 'reason'>,
  ): DecisionRecord {
    const { world, clock } = this.parts;
    const tick = world.clock.tickAt(clock.now());
    const record: DecisionRecord = { tick, timeS, kind, ...told, outcome: 'running', ms: 0 };
    this.decisions.push(record);
    if (this.decisions.length > KEPT) this.decisions.shift();
    this.untold.push(record);
    return record;
  }

  /** One line for all decisions of a kind that were made together. */
  private tell(): void {
    for (const kind of new Set(this.untold.map((record) => record.kind))) {
      const records = this.untold.filter((record) => record.kind === kind);
      const [{ decision, numbers, reason }] = records as [DecisionRecord];
      const others = records.slice(1).map((record) => record.decision);
      const more = others.length === 0 ? {} : { together: records.length, others };
      this.parts.log.info({ decision, ...numbers, ...more, reason }, 'decided');
    }
    this.untold.length = 0;
  }

  private end(record: DecisionRecord, isDone: boolean): boolean {
    record.outcome = isDone ? 'done' : 'failed';
    record.ms = Math.round((this.timeS() - record.timeS) * 1000);
    if (!isDone) this.parts.log.warn({ decision: record.decision }, 'a decision came to nothing');
    return isDone;
  }
}

/** Squares of a tile in its base tile, bit by bit. */
function squaresOf({ path, depth }: Entry, levels: number): number {
  let squares = 0;
  for (let p = path; p < path + 4 ** (levels - depth); p++) squares |= 1 << p;
  return squares;
}

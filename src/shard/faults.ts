/**
 * Errors of the game, as they are told to the main thread: each place in the author's source once at once, then counted,
 * at most one report a second. Contract: local to a shard's thread; nothing here runs while the game makes no mistakes.
 * Looking for the place in a trace is slow, so only some a second are looked at; the others are counted with them.
 */
import { AssertionError } from '../base/assert.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import { blamed, OurFault } from './blame.js';
import type { Core } from './core.js';
import { placeOf, readableStack } from './places.js';

/** One kind of error: what ran, and where in the author's source it was thrown. */
export interface GameFault {
  /** "action 'walk'". */
  readonly what: string;
  /** "…/game/walk.ts:12:5", or '' when the trace names no line of the game. */
  readonly place: string;
  /** Of the first one. */
  readonly message: string;
  readonly stack: string;
  /** Id of an entity that it happened to; of a tile's content −1 − tile. */
  readonly entity: number;
  /** Since the report before. */
  count: number;
}

/** An entity whose step is left out. */
export interface FrozenEntity {
  readonly kind: string;
  readonly entity: number;
  readonly place: string;
}

export interface FaultReport {
  readonly faults: readonly GameFault[];
  /** All that are frozen now, and some of them. */
  readonly frozen: number;
  readonly examples: readonly FrozenEntity[];
}

export type TellFaults = (report: FaultReport) => void;

/** Traces looked at in a second, and different errors in a report. */
const LOOKS_PER_S = 8;
const MOST = 32;

export class Faults {
  private readonly pending = new Map<string, GameFault>();
  private looks = 0;
  private second = -1;
  private toldTick = Number.NEGATIVE_INFINITY;

  constructor(private readonly core: Core) {}

  /**
   * Game code has thrown. @param what "action 'walk'" @returns where
   * @throws OurFault when it was not the game but the shard that found itself at fault
   */
  note(error: unknown, what: string, entity: number): string {
    if (error instanceof OurFault) throw error;
    if (error instanceof AssertionError) throw blamed(error, this.core.game, `${what}, entity ${entity}`);
    this.core.block.count(SHARD_COUNTER.gameFaults);
    const fault = this.faultOf(error, what, entity);
    fault.count++;
    return fault.place;
  }

  private faultOf(error: unknown, what: string, entity: number): GameFault {
    const { pending } = this;
    if (!this.mayLook()) for (const fault of pending.values()) if (fault.what === what) return fault;
    const place = this.looks > 0 ? placeOf(error) : '';
    const key = `${what} ${place}`;
    let fault = pending.get(key);
    if (fault !== undefined) return fault;
    // Of more kinds than that the rest is counted with the oldest one: it is told all the same.
    if (pending.size === MOST) return pending.values().next().value as GameFault;
    const message = error instanceof Error ? error.message : String(error);
    fault = { what, place, message, stack: readableStack(error), entity, count: 0 };
    pending.set(key, fault);
    return fault;
  }

  private mayLook(): boolean {
    const { tick, world } = this.core;
    const second = Math.floor(tick / world.clock.ticksPerSecond);
    if (second !== this.second) this.looks = LOOKS_PER_S + 1;
    this.second = second;
    if (this.looks > 0) this.looks--;
    return this.looks > 0;
  }

  /** At the end of a tick: tells what there is to tell, once a second at most. */
  tell(): void {
    const { core, pending } = this;
    if (pending.size === 0 && !core.stuck.isNews) return;
    if (core.tick - this.toldTick < core.world.clock.ticksPerSecond) return;
    this.toldTick = core.tick;
    const faults = [...pending.values()];
    pending.clear();
    core.options.tellFaults?.({ faults, frozen: core.stuck.count, examples: core.stuck.examples() });
  }
}

/**
 * Entities whose step throws: after `LIMITS.stepThrows` times in a row it is left out, for `LIMITS.frozenS`, and then
 * tried again, once: an entity is well as soon as its step does not throw any more. Its actions and messages go on.
 *
 * Contract: local to a shard's thread. Another shard that takes the entity over, a replacement, a new process with
 * another version of the game: each tries it anew. While no step throws this costs one look at a number.
 */
import { LIMITS } from '../base/limits.js';
import { SHARD_GAUGE } from '../memory/shard-block.js';
import type { Core } from './core.js';
import type { FrozenEntity } from './faults.js';

/** Entities told by name in a report. */
const EXAMPLES = 8;

interface Trouble {
  throws: number;
  /** Tick in which a frozen one is tried again. */
  until: number;
  place: string;
}

export class Frozen {
  private readonly troubles = new Map<number, Trouble>();
  /** Entities whose last step threw. */
  watched = 0;
  /** Of them those that are left out. */
  count = 0;
  /** Whether that has changed since `examples`. */
  isNews = false;
  private readonly ticks: number;

  constructor(private readonly core: Core) {
    this.ticks = Math.round(LIMITS.frozenS * core.world.clock.ticksPerSecond);
  }

  /** Whether the step of an entity is left out in this tick. Ask only while `watched` is not 0. */
  isLeftOut(slot: number): boolean {
    const trouble = this.troubles.get(slot);
    return trouble !== undefined && isFrozen(trouble) && this.core.tick < trouble.until;
  }

  /** Its step has thrown, and is undone. @param place in the author's source */
  threw(slot: number, place: string): void {
    const trouble = this.troubles.get(slot) ?? { throws: 0, until: 0, place };
    if (trouble.throws === 0) this.watched++;
    this.troubles.set(slot, trouble);
    trouble.throws++;
    if (!isFrozen(trouble)) return;
    // Not all of them in one tick: a throw costs more than a step.
    trouble.until = this.core.tick + this.ticks + (slot % Math.max(1, this.ticks >> 2));
    trouble.place = place || trouble.place;
    if (trouble.throws === LIMITS.stepThrows) this.change(1);
  }

  /** Its step has gone well, or it is this shard's no longer, or not yet. */
  forget(slot: number): void {
    if (this.watched === 0) return;
    const trouble = this.troubles.get(slot);
    if (trouble === undefined) return;
    this.troubles.delete(slot);
    this.watched--;
    if (isFrozen(trouble)) this.change(-1);
  }

  private change(by: number): void {
    this.count += by;
    this.isNews = true;
    this.core.block.setGauge(SHARD_GAUGE.frozen, this.count);
  }

  /** Some of the frozen ones, for a report. */
  examples(): FrozenEntity[] {
    this.isNews = false;
    const { core } = this;
    const found: FrozenEntity[] = [];
    for (const [slot, trouble] of this.troubles) {
      if (found.length === EXAMPLES) break;
      if (!isFrozen(trouble)) continue;
      const kind = core.game.kinds[core.kind(slot)] ?? '';
      found.push({ kind, entity: core.id(slot), place: trouble.place });
    }
    return found;
  }
}

function isFrozen(trouble: Trouble): boolean {
  return trouble.throws >= LIMITS.stepThrows;
}

/**
 * Exhaustive exploration of small concurrent protocols: runs every interleaving of some actors, and every death of
 * those that are mortal, by replaying prefixes of choices. Single-threaded, deterministic, no state between runs.
 *
 * An actor is a generator that yields before each shared-memory operation (src/memory/steps.ts): production's own
 * `…Steps`, strung together by the model. At every point the explorer chooses which actor performs its next operation,
 * or which one dies instead of performing it. A model is a function that builds a fresh scenario; a run is one path
 * from there until nobody can move; the next run changes the last choice that has an alternative.
 *
 * ```
 *   choices   0 0 0 0 │ 0 0 1 │ 0 1 0 │ …        options at each point: live actors that may move, then deaths
 *             ────────┴───────┴───────┴──▶ depth-first, like an odometer whose digits differ in range
 * ```
 * How to write a model:
 * - `make` builds everything anew: runs must not see each other. Small structures; a dozen operations per actor. Two
 *   actors of n and m operations have (n + m)! / (n! m!) interleavings: 10 and 10 are 184 756, 3 × 8 already 10^10.
 *   Join operations that no other actor can tell apart with `fused`.
 * - An actor that would spin yields a gate, a function without side effects: it may move once the gate is open. Nobody
 *   can move and somebody waits: a deadlock, reported.
 * - `died` names who takes over (a replacement's recovery); they start at once and run beside the survivors.
 * - A death after the last operation matters as well: end a mortal actor with one more `yield`.
 * - A model whose planted bugs are not found proves nothing: give it some, with `isCaught`.
 */
import type { Test } from 'tap';

/** May the actor move? Yielded instead of nothing by an actor that waits. */
export type Gate = () => boolean;
/** An actor's program; production's steps are programs as they are. */
export type Program = Generator<void | Gate, unknown, void>;
/** A program that a model writes itself. */
export type Script = Generator<void | Gate, void, void>;

export interface Actor {
  name: string;
  run: Program;
  /** Whether it may die between any two of its operations. */
  mortal?: boolean;
}

export interface Scenario {
  actors: Actor[];
  /** An actor died. @returns who starts in its place */
  died?(name: string): Actor[];
  /** After every operation: throws when an invariant is broken. */
  check?(): void;
  /** At the end of a run: throws when the outcome is wrong. */
  finish(): void;
}

export interface Options {
  /** Most deaths in one run. */
  kills?: number;
  /** Most runs; more is an error of the model, not a silent cut. */
  limit?: number;
}

export interface Exploration {
  runs: number;
  /** Operations and deaths of the longest run. */
  longest: number;
  /** The first run that broke something: what, and who moved in which order ("†name" is a death). */
  failure?: { message: string; schedule: string };
}

/** Explores a model until all its runs are done or one fails. */
export function explore(make: () => Scenario, options: Options = {}): Exploration {
  const { kills = 0, limit = 1_000_000 } = options;
  const path: number[] = [];
  const widths: number[] = [];
  const result: Exploration = { runs: 0, longest: 0 };
  do {
    if (result.runs++ === limit) throw new Error(`explore: more than ${limit} runs; make the model smaller`);
    const schedule: string[] = [];
    widths.length = 0;
    try {
      playOnce(make(), path, widths, kills, schedule);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      result.failure = { message, schedule: schedule.join(' ') };
    }
    result.longest = Math.max(result.longest, schedule.length);
  } while (result.failure === undefined && advance(path, widths));
  return result;
}

interface Live extends Actor {
  gate: Gate | undefined;
}

function playOnce(
  scenario: Scenario,
  path: number[],
  widths: number[],
  kills: number,
  schedule: string[],
): void {
  const live: Live[] = [];
  // What stands before the first yield is local, so it needs no choice.
  const enter = (actor: Actor) => move({ ...actor, gate: undefined }, live);
  scenario.actors.forEach(enter);
  let killsLeft = kills;
  while (live.length > 0) {
    const ready = live.filter((actor) => actor.gate === undefined || actor.gate());
    if (ready.length === 0) throw new Error(`deadlock: ${live.map((actor) => actor.name).join(', ')}`);
    const mortal = killsLeft > 0 ? live.filter((actor) => actor.mortal) : [];
    const depth = widths.length;
    widths.push(ready.length + mortal.length);
    if (depth === path.length) path.push(0);
    const choice = path[depth];
    const actor = choice < ready.length ? ready[choice] : mortal[choice - ready.length];
    live.splice(live.indexOf(actor as Live), 1);
    if (choice < ready.length) {
      schedule.push(actor.name);
      move(actor as Live, live);
    } else {
      schedule.push(`†${actor.name}`);
      killsLeft--;
      // The generator is dropped, not returned: a terminated thread runs no `finally`.
      scenario.died?.(actor.name).forEach(enter);
    }
    scenario.check?.();
  }
  scenario.finish();
}

/** Runs an actor to its next yield; keeps it alive if it has one. Actors keep their order, so that paths replay. */
function move(actor: Live, live: Live[]): void {
  const step = actor.run.next();
  if (step.done) return;
  actor.gate = step.value ?? undefined;
  const at = live.findIndex((other) => other.name > actor.name);
  live.splice(at < 0 ? live.length : at, 0, actor);
}

/** The next path: the last choice that has an alternative takes it, what follows begins anew. */
function advance(path: number[], widths: number[]): boolean {
  path.length = widths.length;
  while (path.length > 0) {
    const last = path.length - 1;
    if (path[last] + 1 < widths[last]) {
      path[last]++;
      return true;
    }
    path.pop();
  }
  return false;
}

/**
 * Joins some operations of a program with the one before them, for operations that no other actor can tell apart.
 * @param joined indices of yields (0 = before the first operation) at which nobody else may come in between
 */
export function* fused<T>(
  steps: Generator<void | Gate, T, void>,
  joined: readonly number[],
): Generator<void | Gate, T, void> {
  for (let index = 0; ; index++) {
    const step = steps.next();
    if (step.done) return step.value;
    if (!joined.includes(index)) yield step.value;
  }
}

/** Asserts that no run of a model breaks anything; prints how many there were. */
export function holds(t: Test, name: string, make: () => Scenario, options?: Options): void {
  const { runs, longest, failure } = explore(make, options);
  t.comment(`${name}: ${runs} runs, longest ${longest}`);
  t.equal(failure, undefined, name);
  t.ok(runs > 1, `${name}: there was something to choose`);
}

/** Asserts that a model with a planted bug breaks in some run; prints when it was found. */
export function isCaught(t: Test, bug: string, make: () => Scenario, options?: Options): void {
  const { runs, failure } = explore(make, options);
  t.comment(`${bug}: ${failure === undefined ? 'NOT FOUND' : failure.message}, after ${runs} runs`);
  t.ok(failure, `planted bug is found: ${bug}`);
}

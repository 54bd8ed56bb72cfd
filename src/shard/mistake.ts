/**
 * What game code may not do, told to it as an error with a sentence: a call of the World with something that it does not
 * take, a handler that answers with something that is no answer. A fault of ours is an AssertionError; these are not.
 */
import { ERRORS, FIRST_GAME_OUTCOME } from '../base/errors.js';

export class Mistake extends Error {
  override readonly name = 'Mistake';
}

const MAX_CODE = 0xffff;
/** Outcomes of the server's own. */
const KNOWN = new Set<number>();
for (const entry of Object.values(ERRORS)) if (entry.kind === 'outcome') KNOWN.add(entry.number);

/** @throws Mistake "world.give: count is -1; it must be …" */
export function refuse(call: string, argument: string, value: unknown, right: string): never {
  throw new Mistake(`world.${call}: ${argument} is ${shown(value)}; it must be ${right}`);
}

/** @returns what `apply` returned, if it is an outcome */
export function checkOutcome(value: unknown): number {
  if (isCode(value) && (value === 0 || value >= FIRST_GAME_OUTCOME || KNOWN.has(value))) return value;
  return wrong('apply', value, `an outcome: 0, one of OUTCOME, or ${FIRST_GAME_OUTCOME}…${MAX_CODE}`);
}

/** @returns what `receive` or `mayReceive` returned, if it is an answer */
export function checkAnswer(what: string, value: unknown): number {
  return isCode(value) ? value : wrong(what, value, `an answer: 0 accepts, 1…${MAX_CODE} refuse`);
}

/** Of a handler whose result nobody reads: it has done its work, and does not still do it. */
export function checkDone(what: string, value: unknown): void {
  if (value !== undefined && isPromise(value)) wrong(what, value, 'nothing');
}

function isCode(value: unknown): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= MAX_CODE;
}

function wrong(what: string, value: unknown, right: string): never {
  if (!isPromise(value)) throw new Mistake(`${what} returned ${shown(value)}; it must return ${right}`);
  value.then(undefined, () => {}); // it is refused already, whatever becomes of it
  throw new Mistake(
    `${what} returned a Promise; a handler is synchronous, slow work goes through world.defer`,
  );
}

function isPromise(value: unknown): value is PromiseLike<unknown> {
  return (
    (typeof value === 'object' || typeof value === 'function') &&
    value !== null &&
    typeof (value as { then?: unknown }).then === 'function'
  );
}

function shown(value: unknown): string {
  if (typeof value === 'string') return `'${value.slice(0, 40)}'`;
  if (typeof value === 'function') return 'a function';
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'an array' : 'an object';
  return String(value);
}

/**
 * What the calls of the World take: whatever else they are given is refused with a sentence, before anything is changed.
 * Short functions, since the common calls stand in the innermost loops of a tick.
 */
import { LIMITS } from '../base/limits.js';
import type { CompiledGame } from '../world/game.js';
import { refuse } from './mistake.js';

/** Most items of a kind in a bag. */
export const MAX_COUNT: number = 2 ** 31 - 1;

/** @returns the number, which may be infinite but not NaN */
export function checkNumber(call: string, argument: string, value: number): number {
  if (typeof value !== 'number' || value !== value) refuse(call, argument, value, 'a number');
  return value;
}

export function checkFinite(call: string, argument: string, value: number): void {
  if (typeof value !== 'number' || !Number.isFinite(value)) refuse(call, argument, value, 'a finite number');
}

/** @returns a result of a call, which is finite if all of its arguments are numbers */
export function finite(call: string, result: number): number {
  if (!Number.isFinite(result)) refuse(call, 'its result', result, 'finite: x and y are metres');
  return result;
}

/** @param value an id, or 0 for nobody */
export function checkId(call: string, argument: string, value: number): void {
  if (!(Number.isSafeInteger(value) && value >= 0))
    refuse(call, argument, value, 'an id: a whole number, 0 is nobody');
}

export function checkCount(call: string, count: number): void {
  if (!(Number.isInteger(count) && count > 0 && count <= MAX_COUNT))
    refuse(call, 'count', count, `a whole number, 1…${MAX_COUNT}`);
}

export function checkIndex(call: string, argument: string, value: number, names: readonly string[]): void {
  if (!(Number.isInteger(value) && value >= 0 && value < names.length))
    refuse(call, argument, value, `an index into ${names.length} names: ${names.join(', ')}`);
}

/** Arguments of `emit`. */
export function checkEvent(game: CompiledGame, kind: number, bytes: Uint8Array, length: number): void {
  if (!game.hasEvent(kind)) refuse('emit', 'eventKind', kind, "one of the game's events");
  if (!(bytes instanceof Uint8Array)) refuse('emit', 'bytes', bytes, 'a Uint8Array');
  const most = Math.min(bytes.length, LIMITS.actionPayloadBytes);
  if (!(Number.isInteger(length) && length >= 0 && length <= most))
    refuse('emit', 'length', length, `0…${most}: what is in bytes, and ${LIMITS.actionPayloadBytes} at most`);
}

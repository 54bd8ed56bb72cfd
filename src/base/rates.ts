/**
 * Rate classes of interest: how often a square's states go out, in frames from one to the next. Class 0 is the frame
 * rate; 3 is the slowest that everyone near a player is shown at, every two seconds at ten frames a second; 4 is for
 * what no byte budget could carry otherwise. Pure.
 */
import { assert } from './assert.js';

/** Frames from one to the next, by class. */
export const CLASS_FRAMES = [1, 2, 5, 20, 400] as const;
export const CLASSES = CLASS_FRAMES.length;
/** The class that everyone in view is shown at, whenever the budget allows it. */
export const SLOWEST = 3;

/**
 * Whether a class sends in a frame.
 * @param n number of the frame, counted on for ever @param phase of the square, so that not all slow ones send at once
 * @param percent of the class's rate that is to be kept, 0 … 100
 */
export function isTurn(rate: number, n: number, phase: number, percent: number): boolean {
  return (n + phase) % framesBetween(rate, percent) === 0;
}

/**
 * Frames from one to the next, where a share of the class's rate is kept. No share makes a class slower than SLOWEST: so
 * slow a stream costs next to nothing, and whoever is near must be shown that often, also by a tile that is overloaded.
 */
export function framesBetween(rate: number, percent: number): number {
  const every = CLASS_FRAMES[rate]!;
  const slowest = Math.max(every, CLASS_FRAMES[SLOWEST]);
  return Math.min(slowest, Math.ceil((every * 100) / Math.max(1, percent)));
}

for (let c = 1; c < CLASSES; c++) assert(CLASS_FRAMES[c]! > CLASS_FRAMES[c - 1]!, 'I6: classes grow slower');

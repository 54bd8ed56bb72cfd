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
  const every = CLASS_FRAMES[rate]!;
  const at = n + phase;
  if (at % every !== 0) return false;
  if (percent >= 100) return true;
  const turn = at / every;
  return Math.floor((turn * percent) / 100) > Math.floor(((turn - 1) * percent) / 100);
}

/** Frames from one to the next, where a share of the class's rate is kept; at most what the wire can say. */
export function framesBetween(rate: number, percent: number): number {
  return Math.min(0xffff, Math.ceil((CLASS_FRAMES[rate]! * 100) / Math.max(1, percent)));
}

for (let c = 1; c < CLASSES; c++) assert(CLASS_FRAMES[c]! > CLASS_FRAMES[c - 1]!, 'I6: classes grow slower');

/**
 * Time dilation: in which ticks a slowed tile is due. It saves work because it leaves out whole steps: in ticks that are
 * not due its inboxes wait and its entities pass by, in due ones its clock advances by one step. Pure.
 *
 * A tile at factor f is due in tick k if floor(k·f) > floor((k − 1)·f): out of 1/f ticks one, evenly, and the same ones
 * for every thread. Factors are whole percents, so that the products are exact.
 */
import type { Directory } from '../memory/directory.js';
import { dilation } from '../memory/service.js';
import { SQUARES } from './layout.js';

/** Full speed, percent. */
export const FULL_SPEED = 100;

/** How many ticks of since + 1 … until are due at a factor in percent. */
export function dueBetween(since: number, until: number, percent: number): number {
  return Math.floor((until * percent) / FULL_SPEED) - Math.floor((since * percent) / FULL_SPEED);
}

/** Whether tick k is due at a factor in percent. */
export function due(k: number, percent: number): boolean {
  return dueBetween(k - 1, k, percent) > 0;
}

/** The least factor of all leaves, percent; looks only when some leaf is slowed. */
export function slowestFactor(directory: Directory): number {
  let least = FULL_SPEED;
  if (directory.anySlow === 0) return least;
  directory.forEachTaken((tile) => {
    for (let path = 0; path < SQUARES; path++)
      least = Math.min(least, dilation(directory.serviceOf(tile, path)));
  });
  return least;
}

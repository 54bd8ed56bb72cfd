/** Marching people for tests of the forecast: groups that walk a straight way across tiles, one after the other. */
import type { LeafLook } from '../../../src/control/forecast/forecast.js';

/** Tiles in a row, as wide as in the world at the deepest level. */
const SIDE_M = 2446;
export const ROW = Array.from({ length: 6 }, (_, i) => ({ z: 13, x: 4000 + i, y: 2000 }));

/** @param size people of a group @param everyS between two groups @param speed m/s @param full players of a load of 1 */
export function march(second: number, size: number, everyS: number, speed: number, full: number): LeafLook[] {
  const players = ROW.map(() => 0);
  const came = ROW.map(() => 0);
  const ahead = ROW.map((): [number, number, number] => [0, 0, 0]);
  const put = (x: number, to: (tile: number) => void) => {
    const tile = Math.floor(x / SIDE_M);
    if (tile >= 0 && tile < ROW.length) to(tile);
  };
  const last = Math.floor(second / everyS);
  const oldest = Math.max(0, last - Math.ceil((ROW.length * SIDE_M) / speed / everyS));
  for (let group = oldest; group <= last; group++) {
    for (let n = 0; n < size; n++) {
      const x = (second - group * everyS) * speed - n * 8; // eight metres between two
      put(x, (tile) => {
        players[tile]++;
        if (Math.floor((x - speed) / SIDE_M) !== tile) came[tile]++;
        for (const [h, s] of [30, 60, 300].entries()) put(x + speed * s, (there) => ahead[there][h]++);
      });
    }
  }
  return ROW.map((tile, i) => ({ tile, players: players[i], came: came[i], ahead: ahead[i], full }));
}

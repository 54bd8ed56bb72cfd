/**
 * Players gathered into bins of a grid that lies on the world, not on the screen: while the view moves they keep their
 * places. Made anew when the players have changed or the zoom has by a good step. Pure.
 */
import { tileNorth, tileSize, tileWest } from '../../geo/tile.js';
import { WIDTH } from '../../geo/world.js';
import { DENSITY_LEVEL, type Planet } from './planet.js';

const BIN_PX = 9;
/** Bins of one zoom do for all that differ from it by less than a quarter of an octave. */
const STEPS_PER_OCTAVE = 2;

export class Bins {
  /** x, y (metres: the middle of its players), players of each. */
  flat = new Float64Array(0);
  private version = -1;
  private step = Number.NaN;

  constructor(private readonly planet: Pick<Planet, 'density' | 'version' | 'squareColumn' | 'squareRow'>) {}

  /** @param scale metres per pixel */
  gather(scale: number): void {
    const step = Math.round(Math.log2(scale) * STEPS_PER_OCTAVE);
    const { planet } = this;
    if (step === this.step && planet.version === this.version) return;
    this.step = step;
    this.version = planet.version;
    const size = BIN_PX * 2 ** (step / STEPS_PER_OCTAVE);
    const half = tileSize(DENSITY_LEVEL) / 2;
    const flat = new Float64Array(planet.density.size * 3);
    const places = new Map<number, number>();
    for (const [square, players] of planet.density) {
      const x = tileWest(planet.squareColumn(square), DENSITY_LEVEL) + half;
      const y = tileNorth(planet.squareRow(square), DENSITY_LEVEL) - half;
      const key = Math.floor((x + WIDTH / 2) / size) * 2 ** 25 + Math.floor((WIDTH / 4 - y) / size);
      let at = places.get(key);
      if (at === undefined) places.set(key, (at = places.size * 3));
      flat[at] += x * players;
      flat[at + 1] += y * players;
      flat[at + 2] += players;
    }
    this.flat = flat.subarray(0, places.size * 3);
    for (let at = 0; at < this.flat.length; at += 3) {
      this.flat[at] /= this.flat[at + 2];
      this.flat[at + 1] /= this.flat[at + 2];
    }
  }
}

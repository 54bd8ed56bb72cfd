/**
 * What it costs to know the tile and the cell of a place, beside the bare quotient that they replace (which puts
 * places on an edge into the wrong tile). Rounds alternate between the candidates; the median counts.
 */
import { monotonicClock } from '../src/base/clock.js';
import { LIMITS } from '../src/base/limits.js';
import { seededRandom } from '../src/base/random.js';
import { cellNumber, cellsAround } from '../src/geo/cell.js';
import { tileColumns, tileIndex, tileSize } from '../src/geo/tile.js';
import { dx, HALF_WIDTH, QUARTER_WIDTH, WIDTH, wrapX } from '../src/geo/world.js';

export const name = 'geo';
export const describe = 'Nanoseconds to find the tile and the cells of a place, beside a bare quotient.';

const PLACES = 4096;
const CALLS = 1_000_000;
const ROUNDS = 11;

const LEVEL = LIMITS.baseTileLevel;
const SIZE = tileSize(LEVEL);
const COLUMNS = tileColumns(LEVEL);

/** The definition without the care for edges: what a first version would do. */
function bareIndex(x: number, y: number): number {
  return Math.floor((QUARTER_WIDTH - y) / SIZE) * COLUMNS + Math.floor((x + HALF_WIDTH) / SIZE);
}

function median(values: number[]): number {
  return values.sort((a, b) => a - b)[values.length >> 1];
}

export async function run(): Promise<Record<string, unknown>> {
  const clock = monotonicClock();
  const random = seededRandom(1);
  const xs = Float64Array.from({ length: PLACES }, () => wrapX((random.next() - 0.5) * WIDTH));
  const ys = Float64Array.from({ length: PLACES }, () => (random.next() - 0.5) * 2 * QUARTER_WIDTH);
  const cells = new Float64Array(LIMITS.viewCells ** 2);
  let sum = 0; // printed, so that no call can be left out
  const candidates: Record<string, () => void> = {
    bareNs: () => {
      for (let i = 0; i < CALLS; i++) sum += bareIndex(xs[i & (PLACES - 1)], ys[i & (PLACES - 1)]);
    },
    tileIndexNs: () => {
      for (let i = 0; i < CALLS; i++) sum += tileIndex(xs[i & (PLACES - 1)], ys[i & (PLACES - 1)], LEVEL);
    },
    cellNumberNs: () => {
      for (let i = 0; i < CALLS; i++) sum += cellNumber(xs[i & (PLACES - 1)], ys[i & (PLACES - 1)]);
    },
    dxNs: () => {
      for (let i = 0; i < CALLS; i++) sum += dx(xs[i & (PLACES - 1)], xs[(i + 1) & (PLACES - 1)]);
    },
    cellsAroundNs: () => {
      for (let i = 0; i < CALLS; i++) sum += cellsAround(i, LIMITS.viewCells, cells);
    },
  };
  const times: Record<string, number[]> = {};
  for (let round = 0; round <= ROUNDS; round++) {
    for (const [key, candidate] of Object.entries(candidates)) {
      const start = clock.now();
      candidate();
      const ns = ((clock.now() - start) * 1e6) / CALLS;
      times[key] ??= [];
      if (round > 0) times[key].push(ns); // the first one compiles
    }
  }
  const figures = Object.entries(times).map(([key, values]) => [key, Number(median(values).toFixed(2))]);
  return { callsPerRound: CALLS, rounds: ROUNDS, ...Object.fromEntries(figures), checksum: sum % 1e9 };
}

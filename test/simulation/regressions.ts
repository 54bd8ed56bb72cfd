/**
 * Seeds that once broke an invariant, run with every `npm test`. A seed means the same run only as long as the simulation
 * draws the same numbers in the same order: when a new kind of fault changes that, the entry still is a seed that must
 * pass, and what it found then has a test of its own beside the code that was mended.
 */
export const REGRESSIONS: readonly {
  readonly seed: number;
  readonly ticks: number;
  readonly why: string;
  /** Whether the planner decides; default: it does not. */
  readonly planner?: boolean;
}[] = [
  {
    seed: 109,
    ticks: 400,
    why: 'walks in a slowed tile last longer than the faults: the end waits for them',
  },
  {
    seed: 171,
    ticks: 400,
    why: 'frozen by a stall and handed over in the same tick: the checker counts both',
  },
  {
    seed: 645,
    ticks: 400,
    why: 'a late arrival in a square that was given away: the change was done before',
  },
  {
    seed: 10,
    ticks: 300,
    why: 'a delta from before a key frame moves somebody who had left when the key frame was taken',
  },
  {
    seed: 478,
    ticks: 400,
    why: 'in another cell in the one tick of which a key frame was made, and back: nobody showed it in full',
  },
  {
    seed: 766,
    ticks: 400,
    why: 'handed over and gone in one tick: the newer owner decides what the cut of that tick holds',
  },
  {
    seed: 691,
    ticks: 400,
    why: 'dead between commit and cut: what stands as of that tick is seen by the replacement first',
  },
  {
    seed: 328,
    ticks: 400,
    why: 'over a border within the first second: the tile is placed when the view is looked at, or at the handover',
  },
  {
    seed: 23,
    ticks: 400,
    planner: true,
    why: 'a newcomer on a shard that lags had the clock of its gateway: after a restart it told of ticks to come',
  },
  {
    seed: 384,
    ticks: 400,
    planner: true,
    why: 'the same, on a shard that had not committed a tick yet',
  },
  {
    seed: 90,
    ticks: 400,
    planner: true,
    why: 'a service decided during a long move was never set, and the planner took it for one in force',
  },
  {
    seed: 461,
    ticks: 400,
    planner: true,
    why: 'the thread of a shard ended before the move of its last tile was settled: the move was never done',
  },
  {
    seed: 386,
    ticks: 400,
    planner: true,
    why: 'a newcomer was not shown the far cells that another client kept at that moment',
  },
];

/** The scenarios of the bots, walked without a server: each walker goes to its goal, rests, and asks for the next one. */
import { LIMITS } from '../../src/base/limits.js';
import { type Random, seededRandom } from '../../src/base/random.js';
import type { ScenarioName } from '../../src/bots/options.js';
import { scenario } from '../../src/bots/scenarios/index.js';
import { type Goal, type Scenario, WALK_MPS } from '../../src/bots/scenarios/scenario.js';
import { tileSize } from '../../src/geo/tile.js';
import { dx, wrapX } from '../../src/geo/world.js';
import type { Person } from './stage.js';
import type { Trace } from './traces.js';

/** Nearer than this is there. */
const THERE_M = 0.01;
/** Who arrives at once where it is sent still takes this long. */
const LEAST_S = 0.05;

class Walker {
  readonly home: { x: number; y: number };
  x: number;
  y: number;
  leg = 0;
  private goal: Goal | null = null;
  private restS = 0;
  private vx = 0;
  private vy = 0;

  constructor(
    readonly index: number,
    private readonly id: number,
    place: { x: number; y: number },
  ) {
    this.home = { x: wrapX(place.x), y: place.y };
    this.x = this.home.x;
    this.y = this.home.y;
  }

  /** A second of its life. */
  step(play: Scenario, share: number, random: Random, timeS: number): void {
    for (let leftS = 1; leftS > 1e-9; ) {
      if (this.restS > 0) leftS -= this.rest(leftS);
      else if (this.goal === null) this.goal = this.ask(play, share, random, timeS);
      else leftS -= this.go(this.goal, leftS);
    }
  }

  get person(): Person {
    return { id: this.id, x: this.x, y: this.y, vx: this.vx, vy: this.vy };
  }

  private rest(leftS: number): number {
    const passed = Math.min(leftS, this.restS);
    this.restS -= passed;
    this.vx = 0;
    this.vy = 0;
    return passed;
  }

  private ask(play: Scenario, share: number, random: Random, timeS: number): Goal {
    const goal = play.next(this, share, random, timeS);
    this.leg++;
    return { ...goal, x: wrapX(goal.x) };
  }

  private go({ x, y, speedMps, restS }: Goal, leftS: number): number {
    const way = Math.hypot(dx(this.x, x), y - this.y);
    const passed = Math.min(leftS, way / speedMps);
    if (way > THERE_M) {
      this.vx = (dx(this.x, x) / way) * speedMps;
      this.vy = ((y - this.y) / way) * speedMps;
      this.x = wrapX(this.x + this.vx * passed);
      this.y += this.vy * passed;
    }
    if (way - passed * speedMps < THERE_M) {
      this.goal = null;
      this.restS = passed > 0 ? restS : Math.max(restS, LEAST_S);
    }
    return passed;
  }
}

/** @param rounds how often it is played, one run after the other, by other people each time @param seconds of all rounds */
export function scenarioOf(
  name: ScenarioName,
  { players, seconds, full, rounds = 1 }: { players: number; seconds: number; full: number; rounds?: number },
): Trace {
  const random = seededRandom(7);
  const play = scenario(name, { players, at: [], rect: null, border: 'meridian' });
  const roundS = seconds / rounds;
  let walkers: Walker[] = [];
  return {
    name,
    seconds,
    level: LIMITS.deepestTileLevel,
    full,
    tauS: tileSize(LIMITS.deepestTileLevel) / WALK_MPS,
    at(second) {
      const [round, inRound] = [Math.floor(second / roundS), second % roundS];
      if (inRound === 0) {
        const first = round * players;
        const spawn = (_: unknown, index: number) =>
          new Walker(index, first + index, play.spawn(index, random));
        walkers = Array.from({ length: players }, spawn);
      } else for (const walker of walkers) walker.step(play, inRound / roundS, random, inRound);
      return walkers.map(({ person }) => person);
    },
  };
}

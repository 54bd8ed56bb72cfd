/**
 * Foresight of a node: turns samples of loads into looks of the forecast, and the forecast into what the planner may ask.
 *
 * `off`: nothing is looked at. `watch`: looked at, learned, scored, shown; the planner decides by what is there alone.
 * `on`: the planner asks, of the horizons that are trusted (score.ts). Contract: main thread; pure apart from its memory.
 */
import type { TileAddress } from '../../geo/address.js';
import type { LeafLoad, LoadSample } from '../load.js';
import type { Foresight, PlannerLimits } from '../planner/types.js';
import { type Change, Forecast, type LeafLook, type Outlook } from './forecast.js';

export const FORECAST_MODES = ['off', 'watch', 'on'] as const;
export type ForecastMode = (typeof FORECAST_MODES)[number];

/** Below so many players a tile's CPU time says little of what one of them costs. */
const COUNTED_PLAYERS = 10;

export class Foreseer {
  private readonly forecast: Forecast;
  private readonly asked: Foresight | null;

  constructor(
    readonly mode: ForecastMode,
    private readonly limits: PlannerLimits,
  ) {
    this.forecast = new Forecast(limits);
    const chance = (tile: TileAddress, h: 0 | 1 | 2) => this.forecast.trustedChance(tile, h);
    this.asked = mode === 'on' ? { chance } : null;
  }

  /** @returns what has become trusted, or is no longer */
  look(sample: LoadSample): readonly Change[] {
    if (this.mode === 'off') return [];
    return this.forecast.step(
      sample.timeS,
      sample.tiles.filter(isPeopled).map((leaf) => this.lookAt(leaf)),
    );
  }

  /** For the planner; null = decide by what is there alone. */
  get foresight(): Foresight | null {
    return this.asked;
  }

  get scores(): Forecast['scores'] {
    return this.forecast.scores;
  }

  get total(): Forecast['total'] {
    return this.forecast.total;
  }

  of(tile: TileAddress): Outlook | undefined {
    return this.forecast.of(tile);
  }

  private lookAt({ tile, players, busy, ahead, came }: LeafLoad): LeafLook {
    const byPlayers = this.limits.capacityPlayers;
    const byBusy = players >= COUNTED_PLAYERS && busy > 0 ? players / busy : byPlayers;
    return { tile, players, ahead, came, full: Math.min(byPlayers, byBusy) };
  }
}

function isPeopled({ players, ahead }: LeafLoad): boolean {
  return players > 0 || ahead[0] > 0 || ahead[1] > 0 || ahead[2] > 0;
}

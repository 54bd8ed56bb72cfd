/**
 * Foresight of a node: turns samples of loads into looks of the forecast, and the forecast into what the planner may ask.
 *
 * `off`: nothing is looked at. `watch`: looked at, learned, scored, shown; the planner decides by what is there alone.
 * `on`: the planner asks, of the horizons that are trusted (score.ts). Contract: main thread; pure apart from its memory.
 */
import { type TileAddress, formatTile } from '../../geo/address.js';
import type { LeafLoad, LoadSample } from '../load.js';
import type { Foresight, PlannerLimits } from '../planner/types.js';
import { type Change, Forecast, type LeafLook, type Outlook } from './forecast.js';
import type { TotalScore } from './total.js';

export const FORECAST_MODES = ['off', 'watch', 'on'] as const;
export type ForecastMode = (typeof FORECAST_MODES)[number];

/** Below so many players a tile's CPU time says little of what one of them costs. */
const COUNTED_PLAYERS = 10;

export interface ForecastStatus {
  readonly mode: ForecastMode;
  /** By horizon: errors in players, of this forecast and of "as now"; `trusted`: the planner may go by it. */
  readonly horizons: Forecast['scores'];
  /** The sum of all players. */
  readonly total: readonly TotalScore[];
  /** Tiles for which most change is foreseen within a minute. */
  readonly tiles: readonly {
    readonly tile: string;
    readonly players: number;
    /** By horizon. */
    readonly foreseen: readonly number[];
    /** Chance by horizon that the load reaches the split threshold. */
    readonly hot: readonly number[];
  }[];
}

/** Tiles that the status tells. */
const TOLD_TILES = 20;

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

  /** @param sample the newest */
  status(sample: LoadSample): ForecastStatus {
    const tiles = sample.tiles.flatMap(({ tile, players }) => {
      const outlook = this.forecast.of(tile);
      if (outlook === undefined) return [];
      return [{ tile: formatTile(tile), players, foreseen: outlook.players, hot: outlook.hot }];
    });
    const change = ({ players, foreseen }: { players: number; foreseen: readonly number[] }) =>
      Math.abs(foreseen[1] - players);
    tiles.sort((a, b) => change(b) - change(a));
    const { scores, total } = this.forecast;
    return { mode: this.mode, horizons: scores, total: total.scores, tiles: tiles.slice(0, TOLD_TILES) };
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

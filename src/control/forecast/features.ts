/**
 * What is known of a tile when its players are foreseen: the features of the model, in a fixed order, and the memory that
 * they need between two looks. Pure.
 */
import { FORECAST, HORIZONS_S, type PerHorizon } from './horizons.js';

/** A leaf of the layout as it is seen in one look. */
export interface Seen {
  /** Players in it now. */
  readonly players: number;
  /** Players that their drift puts into it, by horizon, whoever has them now. */
  readonly ahead: PerHorizon<number>;
  /** Players who have come into it since the look before, from other squares or from outside. */
  readonly came: number;
}

/**
 * 1 · n · n by drift − n · came · left (mean rates × horizon) · smoothed n − n · two differences · own error of late. As
 * differences to n, since all of them are nearly n in quiet times: a crowd that sets off would else teach them at random.
 */
export const FEATURES = 9;
/** Index of the players now: the one feature that persistence believes in. */
const NOW = 1;
export const PERSISTENCE: readonly number[] = Array.from({ length: FEATURES }, (_, i) => (i === NOW ? 1 : 0));

/**
 * How readily each weight moves (its prior variance): players do not vanish, so n stays; the drift is believed soon; what
 * only tells of the last seconds moves slowly, or one crowd that sets off would set it.
 */
export const FIRM: readonly number[] = [5e-5, 5e-6, 0.2, 0.002, 0.002, 0.02, 0.004, 0.004, 0.02];
/** The same where players come and go: what is there now thins out, and what has come of late goes on coming. */
export const FREE: readonly number[] = [5e-3, 5e-3, 0.2, 0.02, 0.02, 0.05, 0.02, 0.02, 0.02];

/** Means over some 10, 30 and 60 s, as shares that a second replaces. */
const FAST = 2 / (10 + 1);
const FLOW = 2 / (30 + 1);
const SLOW = 2 / (60 + 1);
const BIAS = 2 / (FORECAST.biasS + 1);

/** What is remembered of a tile. */
export class TileHistory {
  /** −1 before the first look. */
  private players = -1;
  private fast = 0;
  private middle = 0;
  private slow = 0;
  private came = 0;
  private left = 0;
  private readonly bias: [number, number, number] = [0, 0, 0];
  /** By horizon: when an alarm was raised that is still open, −Infinity = none. */
  readonly alarmS: [number, number, number] = [-Infinity, -Infinity, -Infinity];
  /** When it was last hot. */
  hotS = -Infinity;

  look({ players, came }: Seen): void {
    if (this.players < 0) {
      this.fast = players;
      this.middle = players;
      this.slow = players;
    } else {
      // Who came is counted, who left follows: what was there, and came, and is not there any more.
      const left = Math.max(0, this.players + came - players);
      this.came += (came - this.came) * FLOW;
      this.left += (left - this.left) * FLOW;
      this.fast += (players - this.fast) * FAST;
      this.middle += (players - this.middle) * FLOW;
      this.slow += (players - this.slow) * SLOW;
    }
    this.players = players;
  }

  /** Remembers by how much a forecast was wrong. */
  err(h: number, error: number): void {
    this.bias[h] += (error - this.bias[h]) * BIAS * (HORIZONS_S[h] / HORIZONS_S[0] > 2 ? 10 : 1);
  }

  /** Writes the features of a horizon. */
  write(into: Float64Array, at: number, h: number, { players, ahead }: Seen): void {
    const horizonS = HORIZONS_S[h];
    into[at] = 1;
    into[at + NOW] = players;
    into[at + 2] = ahead[h] - players;
    into[at + 3] = this.came * horizonS;
    into[at + 4] = this.left * horizonS;
    into[at + 5] = this.middle - players;
    into[at + 6] = players - this.fast;
    into[at + 7] = this.fast - this.slow;
    into[at + 8] = this.bias[h];
  }
}

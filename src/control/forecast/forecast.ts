/**
 * Foresight: how many players a tile will have in 30, 60 and 300 s, and the chance that it will be hot.
 *
 * ```
 *  look (1 s) ─▶ features ─▶ weights of the horizon ─▶ players, chance ─▶ planner
 *       │             └── kept until the horizon has passed ──┐
 *       └───────────────── what came ─────────────────────────┴─▶ learn, score ─▶ trusted or not
 * ```
 * Contract: pure apart from its own memory; no clock, no chance, no I/O; the same looks give the same weights to the bit.
 * One set of weights a horizon serves all tiles; it begins as persistence. Two models learn, one where players stay and
 * one where they come and go; blend.ts weighs them, the bare drift and "as now" by how they erred of late. Learns on look k
 * what look k − h had said. A horizon is believed only while its score of the last hour is better than persistence
 * (score.ts); otherwise, and after nonsense (numbers that are none, weights that run away, a jump of time), players are
 * foreseen "as now".
 */
import { type TileAddress, childrenOf } from '../../geo/address.js';
import { ancestorOf, tileKey } from '../planner/squares.js';
import { Blend } from './blend.js';
import { Chance } from './chance.js';
import { FEATURES, FIRM, FREE, PERSISTENCE, type Seen, TileHistory } from './features.js';
import { FORECAST, HORIZONS_S, type PerHorizon } from './horizons.js';
import { LeastSquares } from './least-squares.js';
import { Score, type ScoreReport } from './score.js';
import { Total } from './total.js';

export interface LeafLook extends Seen {
  readonly tile: TileAddress;
  /** Players that are a load of 1 in it: the capacity, less where a player costs more CPU time. */
  readonly full: number;
}

export interface ForecastLimits {
  readonly baseTileLevel: number;
  readonly deepestTileLevel: number;
  readonly splitLoadShare: number;
}

/** What is foreseen of a tile. */
export interface Outlook {
  /** Players by horizon, as the model says, trusted or not. */
  readonly players: PerHorizon<number>;
  /** Chance by horizon that its load reaches the split threshold within it. */
  readonly hot: PerHorizon<number>;
}

export interface Change {
  readonly horizonS: number;
  readonly trusted: boolean;
  readonly why: string;
}

/** A look that waits for what comes. */
interface Pending {
  readonly timeS: number;
  readonly leaves: readonly LeafLook[];
  readonly x: Float64Array;
  readonly u: Float64Array;
  /** By leaf, what each forecast said. */
  readonly said: Float64Array;
  readonly foreseen: Float64Array;
  readonly chance: Float64Array;
}

/** Features of the chance: 1, how far the foreseen and the present players are from the threshold, in errors. */
const CHANCE_FEATURES = 3;
const FIRST_CHANCE = [0, 0.9, 0.1];
/** Beyond so many errors a chance is clear. */
const CLEAR = 8;

/** Forecasts that are blended: as now; by the drift; learned where players stay; learned where they come and go. */
const FORECASTS = 4;
/** The players that each seems to have been wrong by before anything is scored: the drift is believed at first. */
const FIRST_ERRORS = [40, 30, 20, 40];

class Horizon {
  readonly firm = new LeastSquares(PERSISTENCE, FIRM);
  readonly free = new LeastSquares(PERSISTENCE, FREE);
  readonly blend = new Blend(FIRST_ERRORS);
  readonly chance = new Chance(FIRST_CHANCE, 0.05);
  readonly score = new Score();
  readonly pending: Pending[] = [];
  /** Mean squared error of a forecast ÷ (1 + players). */
  spread = 1;
  lookS = -Infinity;

  constructor(readonly seconds: number) {}

  /** Seconds between two looks that are kept. */
  get everyS(): number {
    return Math.max(FORECAST.everyS, this.seconds / FORECAST.pendingLooks);
  }

  begin(): void {
    this.pending.length = 0;
    this.lookS = -Infinity;
  }

  reset(): void {
    this.firm.reset();
    this.free.reset();
    this.blend.reset();
    this.chance.reset();
    this.score.reset();
    this.spread = 1;
    this.begin();
  }

  /** @param ahead players by the drift @param said gets what each forecast says @returns players, never below 0 */
  foresee(x: Float64Array, players: number, ahead: number, said: Float64Array): number {
    said[0] = players;
    said[1] = ahead;
    said[2] = Math.max(0, this.firm.predict(x));
    said[3] = Math.max(0, this.free.predict(x));
    return this.blend.mix(said);
  }

  get isSound(): boolean {
    const { firm, free, blend, chance } = this;
    return (
      firm.isSound(FORECAST.mostWeight) &&
      free.isSound(FORECAST.mostWeight) &&
      blend.isSound &&
      chance.isSound(FORECAST.mostWeight) &&
      Number.isFinite(this.spread)
    );
  }
}

export class Forecast {
  readonly total = new Total();
  private readonly horizons = HORIZONS_S.map((seconds) => new Horizon(seconds));
  private histories = new Map<number, TileHistory>();
  private outlooks: ReadonlyMap<number, Outlook> = new Map();
  private timeS = -Infinity;
  private readonly x = new Float64Array(FEATURES);
  private readonly u = new Float64Array(CHANCE_FEATURES);
  private readonly said = new Float64Array(FORECASTS);

  /** @param options scoresFade false = scores speak of all that was, not of the last hour */
  constructor(
    private readonly limits: ForecastLimits,
    private readonly options: { readonly scoresFade: boolean } = { scoresFade: true },
  ) {}

  /**
   * A look at all leaves in which anybody is or is foreseen; at most once a `FORECAST.everyS`, more often is passed by.
   * @param timeS seconds of one clock
   * @returns what has become trusted, or is no longer
   */
  step(timeS: number, leaves: readonly LeafLook[]): readonly Change[] {
    if (!Number.isFinite(timeS)) return this.distrust('the clock is no number');
    if (timeS < this.timeS || timeS - this.timeS > FORECAST.gapS) this.begin();
    else if (timeS - this.timeS < FORECAST.everyS) return [];
    const passed = Number.isFinite(this.timeS) ? timeS - this.timeS : 0;
    this.timeS = timeS;
    const seen = leaves.filter(isSound);
    const byKey = new Map(seen.map((leaf) => [tileKey(leaf.tile), leaf]));
    this.remember(timeS, byKey);
    const changes: Change[] = [];
    for (const [h, horizon] of this.horizons.entries()) {
      this.learn(h, horizon, timeS, byKey);
      changes.push(...this.judge(horizon, passed));
    }
    this.foresee(timeS, byKey);
    let players = 0;
    for (const leaf of seen) players += leaf.players;
    this.total.step(timeS, players);
    return changes;
  }

  /** What is foreseen of a leaf of the last look; undefined where nothing is. */
  of(tile: TileAddress): Outlook | undefined {
    return this.outlooks.get(tileKey(tile));
  }

  /** Chance by horizon that counts: 0 where the horizon is not trusted. */
  trustedChance(tile: TileAddress, h: 0 | 1 | 2): number {
    return this.horizons[h].score.trusted ? (this.of(tile)?.hot[h] ?? 0) : 0;
  }

  get scores(): readonly (ScoreReport & { readonly horizonS: number; readonly trusted: boolean })[] {
    return this.horizons.map(({ seconds, score }) => ({
      horizonS: seconds,
      trusted: score.trusted,
      ...score.report(),
    }));
  }

  /** What was learned, by horizon: weights of both models and of the chance, faded errors of the blended forecasts. */
  get weights(): readonly Readonly<Record<'firm' | 'free' | 'chance' | 'errors', Float64Array>>[] {
    return this.horizons.map(({ firm, free, chance, blend }) => ({
      firm: firm.weights,
      free: free.weights,
      chance: chance.weights,
      errors: blend.errors,
    }));
  }

  /** Time has jumped: what waits cannot be scored, what was seen of tiles is old; what was learned stays. */
  private begin(): void {
    for (const horizon of this.horizons) horizon.begin();
    this.histories.clear();
    this.outlooks = new Map();
  }

  private distrust(why: string): Change[] {
    this.begin();
    return this.horizons.flatMap((horizon) => {
      const was = horizon.score.trusted;
      horizon.reset();
      return was ? [{ horizonS: horizon.seconds, trusted: false, why }] : [];
    });
  }

  private remember(timeS: number, leaves: ReadonlyMap<number, LeafLook>): void {
    const histories = new Map<number, TileHistory>();
    for (const [key, leaf] of leaves) {
      const history = this.histories.get(key) ?? new TileHistory();
      history.look(leaf);
      this.settleAlarms(history, leaf, timeS);
      histories.set(key, history);
    }
    this.histories = histories;
  }

  /** Alarms meet what they foresaw, or prove false. */
  private settleAlarms(history: TileHistory, leaf: LeafLook, timeS: number): void {
    const isHot = leaf.players >= this.threshold(leaf);
    for (const [h, { seconds, score }] of this.horizons.entries()) {
      const raisedS = history.alarmS[h];
      if (isHot && timeS - history.hotS > seconds) {
        if (raisedS > -Infinity) score.hit(timeS - raisedS);
        else score.miss();
      }
      if (isHot) history.alarmS[h] = -Infinity;
      else if (timeS - raisedS > seconds * 1.5 && raisedS > -Infinity) {
        score.falseAlarm();
        history.alarmS[h] = -Infinity;
      }
    }
    if (isHot) history.hotS = timeS;
  }

  private threshold(leaf: LeafLook): number {
    return leaf.full * this.limits.splitLoadShare;
  }

  private learn(h: number, horizon: Horizon, timeS: number, leaves: ReadonlyMap<number, LeafLook>): void {
    const { pending, firm, free, blend, chance, score, seconds } = horizon;
    for (let look = pending[0]; look !== undefined && look.timeS + seconds <= timeS; look = pending[0]) {
      pending.shift();
      for (const [i, leaf] of look.leaves.entries()) {
        const came = this.playersIn(leaf.tile, leaves);
        if (came < 0 || (came === 0 && leaf.players === 0)) continue;
        const foreseen = look.foreseen[i];
        score.players(foreseen, leaf.players, came);
        const history = this.histories.get(tileKey(leaf.tile));
        history?.err(h, came - foreseen);
        const q = 1 / (1 + leaf.players) / 5;
        const error = (came - foreseen) * (came - foreseen) * q;
        horizon.spread += (Math.min(error, 100 * (1 + horizon.spread)) - horizon.spread) * 0.002;
        blend.score(look.said, i * FORECASTS, came);
        firm.learn(look.x, i * FEATURES, came, q);
        free.learn(look.x, i * FEATURES, came, q);
        const hot =
          came >= this.threshold(leaf) || (history !== undefined && history.hotS > look.timeS) ? 1 : 0;
        score.chance(look.chance[i], leaf.players >= this.threshold(leaf), hot);
        if (Math.abs(look.u[i * CHANCE_FEATURES + 1]) < CLEAR) chance.learn(look.u, i * CHANCE_FEATURES, hot);
      }
    }
  }

  /** Players in a tile of an earlier layout; −1 when it is not known: it was merged into a larger one. */
  private playersIn(tile: TileAddress, leaves: ReadonlyMap<number, LeafLook>): number {
    const leaf = leaves.get(tileKey(tile));
    if (leaf !== undefined) return leaf.players;
    for (let z = tile.z - 1; z >= this.limits.baseTileLevel; z--) {
      if (leaves.has(tileKey(ancestorOf(tile, z)))) return -1;
    }
    return this.below(tile, leaves);
  }

  private below(tile: TileAddress, leaves: ReadonlyMap<number, LeafLook>): number {
    if (tile.z >= this.limits.deepestTileLevel) return 0;
    let sum = 0;
    for (const child of childrenOf(tile)) {
      sum += leaves.get(tileKey(child))?.players ?? this.below(child, leaves);
    }
    return sum;
  }

  private judge(horizon: Horizon, passedS: number): readonly Change[] {
    const { score, firm, free, blend, seconds } = horizon;
    const share = passedS / FORECAST.memoryS;
    firm.forget(share);
    free.forget(share);
    blend.fade(passedS / FORECAST.blendS);
    if (this.options.scoresFade) score.fade(1 - Math.min(1, share));
    if (!horizon.isSound) {
      const was = score.trusted;
      horizon.reset();
      return was ? [{ horizonS: seconds, trusted: false, why: 'its weights ran away' }] : [];
    }
    if (!score.judge()) return [];
    const { skill, samples } = score.report();
    const why = `its skill is ${skill.toFixed(2)} over ${samples.toFixed(0)} samples`;
    return [{ horizonS: seconds, trusted: score.trusted, why }];
  }

  private foresee(timeS: number, leaves: ReadonlyMap<number, LeafLook>): void {
    const outlooks = new Map<number, Outlook>();
    const list = [...leaves.values()];
    const kept = this.horizons.map((horizon) => this.keep(horizon, timeS, list));
    for (const [i, leaf] of list.entries()) {
      const key = tileKey(leaf.tile);
      const history = this.histories.get(key)!;
      const players: [number, number, number] = [0, 0, 0];
      const hot: [number, number, number] = [0, 0, 0];
      for (const [h, horizon] of this.horizons.entries()) {
        history.write(this.x, 0, h, leaf);
        players[h] = horizon.foresee(this.x, leaf.players, leaf.ahead[h], this.said);
        this.lean(horizon, leaf, players[h]);
        hot[h] = horizon.chance.of(this.u);
        const look = kept[h];
        if (look !== undefined) {
          look.x.set(this.x, i * FEATURES);
          look.u.set(this.u, i * CHANCE_FEATURES);
          look.said.set(this.said, i * FORECASTS);
          look.foreseen[i] = players[h];
          look.chance[i] = hot[h];
        }
        const isHot = leaf.players >= this.threshold(leaf);
        if (!isHot && hot[h] >= FORECAST.alarm && history.alarmS[h] === -Infinity) history.alarmS[h] = timeS;
      }
      outlooks.set(key, { players, hot });
    }
    this.outlooks = outlooks;
  }

  /** A place for this look, if the horizon keeps it. */
  private keep(horizon: Horizon, timeS: number, leaves: readonly LeafLook[]): Pending | undefined {
    if (timeS - horizon.lookS < horizon.everyS) return undefined;
    horizon.lookS = timeS;
    const look = {
      timeS,
      leaves,
      x: new Float64Array(leaves.length * FEATURES),
      u: new Float64Array(leaves.length * CHANCE_FEATURES),
      said: new Float64Array(leaves.length * FORECASTS),
      foreseen: new Float64Array(leaves.length),
      chance: new Float64Array(leaves.length),
    };
    horizon.pending.push(look);
    return look;
  }

  /** Features of the chance. */
  private lean(horizon: Horizon, leaf: LeafLook, foreseen: number): void {
    const bar = this.threshold(leaf);
    const error = Math.sqrt(horizon.spread * (1 + Math.max(foreseen, leaf.players)));
    this.u[0] = 1;
    this.u[1] = clip((foreseen - bar) / error);
    this.u[2] = clip((leaf.players - bar) / error);
  }
}

function clip(u: number): number {
  return Math.min(CLEAR, Math.max(-CLEAR, u));
}

/** More than any tile can hold: whoever says so is wrong. */
const MOST_PLAYERS = 1e9;

function isSound({ players, ahead, came, full }: LeafLook): boolean {
  return (
    players >= 0 &&
    players <= MOST_PLAYERS &&
    came >= 0 &&
    full > 0 &&
    Number.isFinite(players + came + full + ahead[0] + ahead[1] + ahead[2]) &&
    ahead.every((n) => n >= 0 && n <= MOST_PLAYERS)
  );
}

/**
 * One entity as a client knows it: the newest state, and the one before it for drawing in between. Positions are
 * world metres (design of the plane in geo), velocities m/s, ticks those of the frames that said so.
 */

/** `to` of a removal when the entity has left the world. */
export const GONE = -1;
export type RemovalTarget = number;

/** Something that happened near by: speech, a hit. `id` is unique for ever. */
export interface GameEvent {
  id: number;
  source: number;
  kind: number;
  /** The game's name of the kind, '' when it declares none. */
  name: string;
  x: number;
  y: number;
  payload: Uint8Array;
}

export class Entity {
  x = 0;
  y = 0;
  vx = 0;
  vy = 0;
  kind = 0;
  flags = 0;
  /** The eight public bytes; `columnReader` gives them names. */
  pub0 = 0;
  pub1 = 0;
  epoch = -1;
  tick = -1;
  /** When the newest state arrived, ms of the client's clock. */
  arrivedMs = 0;
  /** The state before: where it was, and when. */
  beforeX = 0;
  beforeY = 0;
  beforeTick = -1;
  /** Cell, and square of it, whose stream showed it. */
  cell = -1;
  square = 0;
  publisher = -1;
  /** Ticks by which news of its square may come later than frames do. */
  slowTicks = 0;

  /** First tick under the present epoch. */
  epochTick = 0;
  /** Whether that was learned from a key frame, whose number may be far older than what it shows. */
  epochFromKey = false;
  /** Number of the last frame that listed it. */
  mark = 0;
  fromKey = false;
  /** Since when it is about to be dropped, −1 = it stays. */
  leavingMs = -1;
  /** The cell that it is said to have gone to, −1 = none. */
  leavingTo = -1;

  constructor(readonly id: number) {}

  take(
    tick: number,
    epoch: number,
    x: number,
    y: number,
    vx: number,
    vy: number,
    kind: number,
    flags: number,
    pub0: number,
    pub1: number,
    now: number,
  ): void {
    const first = this.tick < 0;
    this.beforeX = first ? x : this.x;
    this.beforeY = first ? y : this.y;
    this.beforeTick = first ? tick : this.tick;
    if (epoch !== this.epoch) this.epochTick = tick;
    this.epoch = epoch;
    this.tick = tick;
    this.x = x;
    this.y = y;
    this.vx = vx;
    this.vy = vy;
    this.kind = kind;
    this.flags = flags;
    this.pub0 = pub0;
    this.pub1 = pub1;
    this.arrivedMs = now;
  }
}

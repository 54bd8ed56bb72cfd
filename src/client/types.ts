/**
 * The shapes that users of the SDK see: options, what arrives, and the handlers that are called for it.
 */
import type { Clock } from '../base/clock.js';
import type { PayloadShape } from '../base/payload.js';
import type { Random } from '../base/random.js';
import type { CellFrameView } from '../wire/cell-frame-view.js';
import type { WelcomeFields } from '../wire/welcome.js';
import type { KeptAction } from './actions.js';
import type { GameEvent } from './entity.js';
import type { ClientError } from './errors.js';
import type { Pulse } from './host.js';
import type { LinkTimes } from './link.js';
import type { SocketFactory } from './socket.js';

/** A place in plane metres, or in degrees. */
export type Place = { x: number; y: number } | { lon: number; lat: number };

export interface ConnectOptions {
  /** ws:// or wss:// address of the game port. */
  url: string;
  /** Ticket of the account; without one the player is a guest. */
  ticket?: string;
  /** Where a guest would like to appear. */
  spawn?: Place;
  /** Name and version of this client for the server's logs, at most 64 bytes. */
  name?: string;
  /** `full` (default) keeps entities; `light` only checks the sequences of the streams. */
  view?: 'full' | 'light';
  /** After SESSION_EXPIRED begin a new session (handler `session`) instead of ending. Default false. */
  renew?: boolean;
  /** Payload layouts of the game's own actions by name, beside those of the built-in game. */
  payloads?: Readonly<Record<string, PayloadShape>>;
  /** Bound of the actions that wait, are under way or are not yet durable; beyond it `act` throws QUEUE_FULL. */
  maxKept?: number;
  times?: Partial<LinkTimes>;
  handlers?: ClientHandlers;
  /** Default: the WebSocket of the browser. */
  socket?: SocketFactory;
  clock?: Clock;
  random?: Random;
  /** What makes the client do its timed work; default: a timer of its own. */
  pulse?: Pulse;
}

/** What the server said when the session was opened or resumed. */
export interface Welcome extends Omit<WelcomeFields, 'actions' | 'events'> {
  /** Action name → kind. */
  actions: ReadonlyMap<string, number>;
  /** Event kind → name. */
  events: ReadonlyMap<number, string>;
}

/** The player itself, by the newest self update. The same object each time. */
export interface SelfState {
  tick: number;
  epoch: number;
  x: number;
  y: number;
  vx: number;
  vy: number;
  /** Speed of time where the player is, 1 = normal. */
  dilation: number;
  /** How many of each item kind; parallel to Welcome.items. */
  items: number[];
}

export interface Outcome {
  id: number;
  /** 0 = applied; otherwise why it was rejected (registry below 1000, the game's own from there). */
  code: number;
  /** The registry's name, APPLIED for 0, '' for a code of the game. */
  name: string;
  /** From the first sending to the acknowledgement. */
  rttMs: number;
}

export interface ClientHandlers {
  /** Each Welcome: the first, after each resume, and when the world behind a connection was put back to its durable state. */
  welcome?(welcome: Welcome): void;
  /** Each self update. */
  self?(self: SelfState): void;
  /** Something happened near by; each event once. Full view only. */
  event?(event: GameEvent): void;
  /** Each frame that is in sequence, before it enters the view; valid during the call. */
  frame?(frame: CellFrameView): void;
  /** Each decision about an action, again after a rollback (then `rttMs` is −1). */
  decided?(action: KeptAction, rttMs: number): void;
  /** Each action with its final outcome, in order. */
  durable?(action: KeptAction): void;
  /**
   * A new session begins; undecided actions have failed. With `renew`, after one that has expired; and always when the
   * world was put back to a state before what this client had been told was durable: then for the same entity.
   */
  session?(): void;
  /** The connection is lost and will be made again. `opened`: the socket had been open. */
  disconnected?(code: number, name: string, opened: boolean): void;
  /** The client has ended; null after a goodbye. */
  ended?(error: ClientError | null): void;
}

/** What one client has received and done; the same object each time. */
export interface ClientStats {
  bytesIn: number;
  messagesIn: number;
  frames: number;
  selfUpdates: number;
  /** Frames that did not follow the one before, and key frames that were asked for because of it. */
  gaps: number;
  keyRequests: number;
  /** Gaps that no key frame had mended after three seconds in view. */
  openGaps: number;
  badMessages: number;
}

/** The two ends of a promise that an answer of the server will settle. */
export interface Waiter<T> {
  resolve(value: T): void;
  reject(error: Error): void;
}

/**
 * What a gateway says in its own words: Welcome, Pong, Closing. Frames, self updates and logs come ready made from the
 * shards. The bytes of a Pong are valid until the next one.
 */
import { assert } from '../base/assert.js';
import { type CloseName, ERRORS } from '../base/errors.js';
import { COLUMN_TYPES } from '../wire/protocol.js';
import {
  encodeClosing,
  encodePong,
  encodeWelcome,
  type KindName,
  type WelcomeFields,
} from '../wire/welcome.js';

/** What Welcome tells of the game; plain data, since gateways know no rules. */
export interface GameCard {
  name: string;
  actions: readonly KindName[];
  events: readonly KindName[];
  kinds: readonly string[];
  items: readonly string[];
  /** `type` is an index into COLUMN_TYPES. */
  columns: readonly { name: string; type: number; offset: number }[];
}

/** The part of a Welcome that is the same for every session. */
export interface WorldCard {
  protocol: number;
  window: number;
  tickRate: number;
  frameRate: number;
  viewCells: number;
  /** Side of the whole view, and the intervals of its far rings (see Welcome). */
  farCells: number;
  farIntervals: readonly number[];
  cellLevel: number;
  tileLevel: number;
  game: GameCard;
}

/** The part that belongs to the session. */
export type SessionCard = Pick<
  WelcomeFields,
  'session' | 'entity' | 'token' | 'resumed' | 'applied' | 'durable' | 'tick' | 'x' | 'y'
>;

export class Replies {
  private readonly fixed: Omit<WelcomeFields, keyof SessionCard>;
  private readonly pongs = new PongTemplate();
  private readonly closings = new Map<CloseName, Uint8Array>();

  constructor(card: WorldCard) {
    const { game, ...rest } = card;
    const columns = game.columns.map((column) => ({ ...column, type: COLUMN_TYPES[column.type] }));
    const { actions, events, kinds, items } = game;
    this.fixed = { ...rest, game: game.name, actions, events, kinds, items, columns };
  }

  welcome(session: SessionCard): Uint8Array {
    return encodeWelcome({ ...this.fixed, ...session });
  }

  pong(nonce: number, tick: number): Uint8Array {
    return this.pongs.fill(nonce, tick);
  }

  closing(code: CloseName): Uint8Array {
    let bytes = this.closings.get(code);
    if (bytes === undefined) {
      const { number, text, retry } = ERRORS[code];
      bytes = encodeClosing(number, code, text, retry);
      this.closings.set(code, bytes);
    }
    return bytes;
  }
}

/**
 * A Pong a second for each client: encoded once, then only its two numbers are changed in place. Where they lie is
 * found in the bytes themselves, by two values that occur nowhere else.
 */
class PongTemplate {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly nonceAt: number;
  private readonly tickAt: number;

  constructor() {
    const nonce = 0x7b5ac3e1;
    const tick = 0x6d4fb297;
    this.bytes = Uint8Array.from(encodePong(nonce, tick));
    this.view = new DataView(this.bytes.buffer);
    this.nonceAt = this.find(nonce);
    this.tickAt = this.find(tick);
  }

  fill(nonce: number, tick: number): Uint8Array {
    this.view.setUint32(this.nonceAt, nonce, true);
    this.view.setUint32(this.tickAt, tick, true);
    return this.bytes;
  }

  private find(value: number): number {
    for (let at = 0; at + 4 <= this.bytes.length; at += 4)
      if (this.view.getUint32(at, true) === value) return at;
    assert(false, 'a Pong holds its two numbers');
  }
}

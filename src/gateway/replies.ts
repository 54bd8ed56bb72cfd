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
  'session' | 'entity' | 'token' | 'resumed' | 'applied' | 'durable' | 'tick' | 'x' | 'y' | 'routers'
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

  /** @param heldMs how long the answer waited, ms */
  pong(nonce: number, tick: number, heldMs: number): Uint8Array {
    return this.pongs.fill(nonce, tick, heldMs);
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

const MOST_HELD_MS = 0xffff;

/**
 * A Pong a second for each client: encoded once, then only its three numbers are changed in place. Where they lie is
 * found in the bytes themselves, by values that occur nowhere else.
 */
class PongTemplate {
  private readonly bytes: Uint8Array;
  private readonly view: DataView;
  private readonly nonceAt: number;
  private readonly tickAt: number;
  private readonly heldAt: number;

  constructor() {
    const nonce = 0x7b5ac3e1;
    const tick = 0x6d4fb297;
    const held = 0x5ea9;
    this.bytes = Uint8Array.from(encodePong(nonce, tick, held));
    this.view = new DataView(this.bytes.buffer);
    this.nonceAt = this.find(4, (at) => this.view.getUint32(at, true) === nonce);
    this.tickAt = this.find(4, (at) => this.view.getUint32(at, true) === tick);
    this.heldAt = this.find(2, (at) => this.view.getUint16(at, true) === held);
  }

  fill(nonce: number, tick: number, heldMs: number): Uint8Array {
    this.view.setUint32(this.nonceAt, nonce, true);
    this.view.setUint32(this.tickAt, tick, true);
    this.view.setUint16(this.heldAt, Math.min(heldMs, MOST_HELD_MS), true);
    return this.bytes;
  }

  /** @param size of the number, bytes: it stands at a multiple of that */
  private find(size: number, isHere: (at: number) => boolean): number {
    for (let at = 0; at + size <= this.bytes.length; at += size) if (isHere(at)) return at;
    assert(false, 'a Pong holds its three numbers');
  }
}

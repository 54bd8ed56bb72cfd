/**
 * What a gateway says in its own words: Welcome, Pong, Closing. All of them are rare (once a session, once a second), so
 * they use the generated code; frames and self updates come ready made from the shards.
 *
 * One builder, reused: the bytes returned are valid until the next call.
 */
import { Builder } from 'flatbuffers';
import { ERRORS, type CloseName } from '../base/errors.js';
import {
  Closing, NamedKind, Pong, PublicColumn, ServerBody, ServerMessage, Welcome,
} from '../wire/generated/server_generated.js';

/** What Welcome tells of the game; plain data, since gateways know no rules. */
export interface GameCard {
  name: string;
  actions: readonly { name: string; kind: number }[];
  events: readonly { name: string; kind: number }[];
  kinds: readonly string[];
  items: readonly string[];
  /** `type` is the wire's number of the column type. */
  columns: readonly { name: string; type: number; offset: number }[];
}

/** The fixed part of every Welcome. */
export interface WorldCard {
  protocol: number;
  window: number;
  tickRate: number;
  frameRate: number;
  viewCells: number;
  cellLevel: number;
  tileLevel: number;
  game: GameCard;
}

/** The part of a Welcome that belongs to the session. */
export interface SessionCard {
  session: number;
  entity: number;
  token: string;
  resumed: boolean;
  applied: number;
  durable: number;
  tick: number;
  x: number;
  y: number;
}

export class Replies {
  private readonly builder = new Builder(2048);

  constructor(private readonly card: WorldCard) {}

  welcome(s: SessionCard): Uint8Array {
    const { card } = this;
    const b = this.begin();
    const { game } = card;
    const token = b.createString(s.token);
    const name = b.createString(game.name);
    const actions = Welcome.createActionsVector(b, game.actions.map((a) => namedKind(b, a)));
    const events = Welcome.createEventsVector(b, game.events.map((e) => namedKind(b, e)));
    const kinds = Welcome.createKindsVector(b, game.kinds.map((k) => b.createString(k)));
    const items = Welcome.createItemsVector(b, game.items.map((i) => b.createString(i)));
    const columns = Welcome.createColumnsVector(
      b, game.columns.map((c) => PublicColumn.createPublicColumn(b, b.createString(c.name), c.type, c.offset)),
    );
    const body = Welcome.createWelcome(
      b, card.protocol, BigInt(s.session), BigInt(s.entity), token, s.resumed, s.applied, s.durable, card.window, s.tick,
      card.tickRate, card.frameRate, card.viewCells, card.cellLevel, card.tileLevel, s.x, s.y, name, actions, kinds,
      items, columns, events,
    );
    return this.end(ServerBody.Welcome, body);
  }

  pong(nonce: number, tick: number): Uint8Array {
    const b = this.begin();
    return this.end(ServerBody.Pong, Pong.createPong(b, nonce, tick));
  }

  closing(code: CloseName): Uint8Array {
    const b = this.begin();
    const name = b.createString(code);
    const text = b.createString(ERRORS[code].text);
    return this.end(ServerBody.Closing, Closing.createClosing(b, ERRORS[code].number, name, text, ERRORS[code].retry));
  }

  private begin(): Builder {
    this.builder.clear();
    return this.builder;
  }

  private end(type: ServerBody, body: number): Uint8Array {
    const b = this.builder;
    b.finish(ServerMessage.createServerMessage(b, type, body));
    return b.asUint8Array();
  }
}

function namedKind(b: Builder, k: { name: string; kind: number }): number {
  return NamedKind.createNamedKind(b, b.createString(k.name), k.kind);
}

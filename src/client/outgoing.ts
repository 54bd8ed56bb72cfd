/**
 * Encodes what a client says. One encoder per client, its buffer reused: the bytes are valid until the next call.
 */
import { Builder } from 'flatbuffers';
import { Action } from '../wire/generated/blue-marble/action.js';
import { CellRef } from '../wire/generated/blue-marble/cell-ref.js';
import { ClientBody } from '../wire/generated/blue-marble/client-body.js';
import { ClientMessage } from '../wire/generated/blue-marble/client-message.js';
import { Goodbye } from '../wire/generated/blue-marble/goodbye.js';
import { Hello } from '../wire/generated/blue-marble/hello.js';
import { KeyRequest } from '../wire/generated/blue-marble/key-request.js';
import { LogRequest } from '../wire/generated/blue-marble/log-request.js';
import { Ping } from '../wire/generated/blue-marble/ping.js';
import { Point } from '../wire/generated/blue-marble/point.js';

/** What a resume needs of an earlier Welcome. */
export interface SessionKey {
  session: number;
  entity: number;
  token: string;
}

export interface HelloFields {
  protocol: number;
  client: string;
  ticket: string;
  resume: SessionKey | null;
  spawn: { x: number; y: number } | null;
}

const INITIAL_BYTES = 256;

export class Outgoing {
  private readonly builder = new Builder(INITIAL_BYTES);

  hello(newestTick: number, fields: HelloFields): Uint8Array {
    const b = this.builder;
    b.clear();
    const client = b.createString(fields.client);
    const ticket = fields.ticket === '' ? 0 : b.createString(fields.ticket);
    const token = fields.resume === null ? 0 : b.createString(fields.resume.token);
    Hello.startHello(b);
    Hello.addProtocol(b, fields.protocol);
    Hello.addClient(b, client);
    if (ticket !== 0) Hello.addTicket(b, ticket);
    if (fields.resume !== null) {
      Hello.addResumeSession(b, BigInt(fields.resume.session));
      Hello.addResumeEntity(b, BigInt(fields.resume.entity));
      Hello.addResumeToken(b, token);
    }
    if (fields.spawn !== null) Hello.addSpawn(b, Point.createPoint(b, fields.spawn.x, fields.spawn.y));
    return this.finish(newestTick, ClientBody.Hello, Hello.endHello(b));
  }

  action(newestTick: number, id: number, kind: number, payload: Uint8Array): Uint8Array {
    const b = this.builder;
    b.clear();
    const bytes = payload.length === 0 ? 0 : Action.createPayloadVector(b, payload);
    Action.startAction(b);
    Action.addId(b, id);
    Action.addKind(b, kind);
    if (bytes !== 0) Action.addPayload(b, bytes);
    return this.finish(newestTick, ClientBody.Action, Action.endAction(b));
  }

  ping(newestTick: number, nonce: number): Uint8Array {
    const b = this.builder;
    b.clear();
    Ping.startPing(b);
    Ping.addNonce(b, nonce);
    return this.finish(newestTick, ClientBody.Ping, Ping.endPing(b));
  }

  /** @param cells pairs (column, row), 1…64 of them */
  keyRequest(newestTick: number, cells: readonly number[]): Uint8Array {
    const b = this.builder;
    b.clear();
    KeyRequest.startCellsVector(b, cells.length / 2);
    for (let i = cells.length - 2; i >= 0; i -= 2) CellRef.createCellRef(b, cells[i], cells[i + 1]);
    const vector = b.endVector();
    KeyRequest.startKeyRequest(b);
    KeyRequest.addCells(b, vector);
    return this.finish(newestTick, ClientBody.KeyRequest, KeyRequest.endKeyRequest(b));
  }

  logRequest(newestTick: number): Uint8Array {
    const b = this.builder;
    b.clear();
    LogRequest.startLogRequest(b);
    return this.finish(newestTick, ClientBody.LogRequest, LogRequest.endLogRequest(b));
  }

  goodbye(newestTick: number): Uint8Array {
    const b = this.builder;
    b.clear();
    Goodbye.startGoodbye(b);
    return this.finish(newestTick, ClientBody.Goodbye, Goodbye.endGoodbye(b));
  }

  private finish(newestTick: number, type: ClientBody, body: number): Uint8Array {
    const b = this.builder;
    b.finish(ClientMessage.createClientMessage(b, newestTick, type, body));
    return b.asUint8Array();
  }
}

/**
 * Writes what a client says. One writer per client or per process: the bytes returned are a view of its scratch, valid
 * until the next call. Everything but Hello is laid out by hand and costs no more than its bytes.
 *
 *   0 root → 16 | 4 vtable | 16 ClientMessage: 16 −vtable, 20 newest_tick, 24 → body, 28 type, 29 welcomes |
 *   32 the body's vtable …
 */
import { Builder } from 'flatbuffers';
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import { ClientMessage, Hello, Point } from './generated/client_generated.js';
import { assertLittleEndian, vtable, writeVtable } from './layout.js';
import { CLIENT, CLIENT_LIMITS } from './protocol.js';

/** What a Hello says; what is '', 0 or undefined is left out. */
export interface HelloWords {
  protocol: number;
  client?: string;
  ticket?: string;
  resumeSession?: number;
  resumeEntity?: number;
  resumeToken?: string;
  resumeDurable?: number;
  spawn?: { x: number; y: number };
  attempt?: number;
}

const MESSAGE_VTABLE = vtable(14, [4, 12, 8, 13]);
/** What the field holds; a server ends a connection before. */
const MOST_WELCOMES = 255;
const BODY = 32;
/** 44 −vtable, 48 id, 52 → payload, 56 kind; 60 length, 64 payload */
const ACTION_VTABLE = vtable(14, [4, 12, 8]);
const ACTION_TABLE = 44;
const PAYLOAD = 64;
/** 40 −vtable, 44 nonce or → cells; 48 length, 52 cells */
const ONE_FIELD_VTABLE = vtable(8, [4]);
const ONE_FIELD_TABLE = 40;
const CELLS = 48;
const EMPTY_VTABLE = vtable(4, []);
const EMPTY_TABLE = 36;

export class ClientWriter {
  private readonly bytes = new Uint8Array(LIMITS.clientMessageBytes);
  private readonly words = new Int32Array(this.bytes.buffer);
  private readonly view = new DataView(this.bytes.buffer);
  private readonly builder = new Builder(512);
  /** Welcomes that were read on this connection after the first, 0 … 255; stands in every message but Hello. */
  welcomes = 0;
  /** Type of the body whose constant part stands in the scratch. */
  private laidOut: number = CLIENT.NONE;

  constructor() {
    assertLittleEndian();
    this.words[0] = 16;
    writeVtable(this.view, 4, MESSAGE_VTABLE);
    this.words[4] = 12;
  }

  /** Another Welcome was read on this connection. */
  welcomed(): void {
    this.welcomes = Math.min(MOST_WELCOMES, this.welcomes + 1);
  }

  /** @param payload its bytes offset … offset + length − 1, at most 176 */
  action(
    newestTick: number,
    id: number,
    kind: number,
    payload: Uint8Array,
    offset = 0,
    length = payload.length,
  ): Uint8Array {
    assert(length <= LIMITS.actionPayloadBytes, 'I7 the payload of an action is bounded');
    const { words, bytes } = this;
    this.begin(CLIENT.ACTION, newestTick, ACTION_TABLE, ACTION_VTABLE);
    words[12] = id;
    words[13] = 8;
    words[14] = kind;
    words[15] = length;
    for (let i = 0; i < length; i++) bytes[PAYLOAD + i] = payload[offset + i];
    return bytes.subarray(0, PAYLOAD + length);
  }

  ping(newestTick: number, nonce: number): Uint8Array {
    this.begin(CLIENT.PING, newestTick, ONE_FIELD_TABLE, ONE_FIELD_VTABLE);
    this.words[11] = nonce;
    return this.bytes.subarray(0, CELLS);
  }

  /** @param cells threes (column, row, square), 1…64 of them */
  keyRequest(newestTick: number, cells: ArrayLike<number>): Uint8Array {
    const count = cells.length / 3;
    assert(Number.isInteger(count) && count > 0, 'I6 a key request names cells');
    assert(count <= CLIENT_LIMITS.keyRequestCells, 'I7 a key request is bounded');
    const { words } = this;
    this.begin(CLIENT.KEY_REQUEST, newestTick, ONE_FIELD_TABLE, ONE_FIELD_VTABLE);
    words[11] = 4;
    words[12] = count;
    for (let i = 0; i < cells.length; i++) words[13 + i] = cells[i];
    return this.bytes.subarray(0, CELLS + 4 + count * 12);
  }

  logRequest(newestTick: number): Uint8Array {
    this.begin(CLIENT.LOG_REQUEST, newestTick, EMPTY_TABLE, EMPTY_VTABLE);
    return this.bytes.subarray(0, EMPTY_TABLE + 4);
  }

  goodbye(newestTick: number): Uint8Array {
    this.begin(CLIENT.GOODBYE, newestTick, EMPTY_TABLE, EMPTY_VTABLE);
    return this.bytes.subarray(0, EMPTY_TABLE + 4);
  }

  /** Once per connection: built by the generated code. */
  hello(newestTick: number, words: HelloWords): Uint8Array {
    const b = this.builder;
    b.clear();
    const text = (s: string | undefined) => (s === undefined || s === '' ? 0 : b.createString(s));
    const client = text(words.client);
    const ticket = text(words.ticket);
    const token = text(words.resumeToken);
    Hello.startHello(b);
    Hello.addProtocol(b, words.protocol);
    Hello.addClient(b, client);
    Hello.addTicket(b, ticket);
    Hello.addResumeSession(b, BigInt(words.resumeSession ?? 0));
    Hello.addResumeEntity(b, BigInt(words.resumeEntity ?? 0));
    Hello.addResumeToken(b, token);
    Hello.addResumeDurable(b, words.resumeDurable ?? 0);
    if (words.spawn) Hello.addSpawn(b, Point.createPoint(b, words.spawn.x, words.spawn.y));
    Hello.addAttempt(b, words.attempt ?? 0);
    const body = Hello.endHello(b);
    b.finish(ClientMessage.createClientMessage(b, newestTick, CLIENT.HELLO, body, 0));
    return b.asUint8Array();
  }

  /** The message up to the body's fields; its constant part only if another body stood there. */
  private begin(type: number, newestTick: number, table: number, body: Uint16Array): void {
    const { words } = this;
    words[5] = newestTick;
    words[7] = type | (this.welcomes << 8);
    if (this.laidOut === type) return;
    this.laidOut = type;
    words[6] = table - 24;
    words.fill(0, BODY >> 2, PAYLOAD >> 2);
    writeVtable(this.view, BODY, body);
    words[table >> 2] = table - BODY;
  }
}

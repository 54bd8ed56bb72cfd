/**
 * A client's message, decoded into one reused object: verify, read, check. Contract: only Hello allocates; nothing
 * throws; the view is valid until the next read, its payload while the bytes are.
 */
import { LIMITS } from '../base/limits.js';
import { SQUARES } from '../geo/square.js';
import { HEIGHT, WIDTH } from '../geo/world.js';
import { f64, fieldAt, follow, i32, isUtf8, text, u16, u32, u64 } from './bytes.js';
import { FAULT } from '../base/fault.js';
import { CLIENT, CLIENT_LIMITS, ID_LIMIT, LARGEST_ACTION_KIND } from './protocol.js';
import { verifyClientMessage } from './verify.js';

const CELL_REF_BYTES = 12;

/** Strings are '' and ids 0 where they are absent. */
export interface HelloFields {
  protocol: number;
  client: string;
  ticket: string;
  resumeSession: number;
  resumeEntity: number;
  resumeToken: string;
  /** world metres; undefined: the game decides */
  spawn: { x: number; y: number } | undefined;
  /** of the session to resume: the client keeps no action up to it */
  resumeDurable: number;
  /** Sockets that the client has opened for the session; 0 = not counted. */
  attempt: number;
}

/** Which fields mean something depends on the type; the others keep old values. */
export class ClientMessageView {
  /** one of CLIENT */
  type: number = CLIENT.NONE;
  /** newest tick that the client has seen */
  newestTick = 0;
  /** Welcomes that the client has read on this connection after the first */
  welcomes = 0;
  /** ACTION */
  actionId = 0;
  actionKind = 0;
  /** first byte of the payload in the message, and bytes of it */
  payloadOffset = 0;
  payloadLength = 0;
  /** PING */
  nonce = 0;
  /** KEY_REQUEST: x, y and square of each, 3 × cellCount words */
  readonly cells = new Uint32Array(3 * CLIENT_LIMITS.keyRequestCells);
  cellCount = 0;
  /** HELLO */
  hello: HelloFields | undefined = undefined;
}

/** Vtable entries, see client.fbs; held against the generated schema by a test. */
export const CLIENT_ENTRY = {
  newestTick: 4,
  bodyType: 6,
  body: 8,
  welcomes: 10,
  action: { id: 4, kind: 6, payload: 8 },
  ping: { nonce: 4 },
  keyRequest: { cells: 4 },
  hello: {
    protocol: 4,
    client: 6,
    ticket: 8,
    session: 10,
    entity: 12,
    token: 14,
    spawn: 16,
    durable: 18,
    attempt: 20,
  },
} as const;

/** Verifies, reads and checks untrusted bytes. @returns a number of FAULT; 0: the view holds the message */
export function admitClientMessage(bytes: Uint8Array, into: ClientMessageView): number {
  const fault = verifyClientMessage(bytes);
  return fault !== 0 ? fault : readClientMessage(bytes, into);
}

/** Reads and checks bytes that verifyClientMessage has accepted. @returns a fault of a value, or 0 */
export function readClientMessage(bytes: Uint8Array, into: ClientMessageView): number {
  const root = follow(bytes, 0);
  const seen = fieldAt(bytes, root, CLIENT_ENTRY.newestTick);
  into.newestTick = seen === 0 ? 0 : u32(bytes, seen);
  const welcomes = fieldAt(bytes, root, CLIENT_ENTRY.welcomes);
  into.welcomes = welcomes === 0 ? 0 : bytes[welcomes];
  into.type = bytes[fieldAt(bytes, root, CLIENT_ENTRY.bodyType)];
  const body = follow(bytes, fieldAt(bytes, root, CLIENT_ENTRY.body));
  switch (into.type) {
    case CLIENT.ACTION:
      return readAction(bytes, body, into);
    case CLIENT.PING: {
      const at = fieldAt(bytes, body, CLIENT_ENTRY.ping.nonce);
      into.nonce = at === 0 ? 0 : u32(bytes, at);
      return FAULT.OK;
    }
    case CLIENT.KEY_REQUEST:
      return readKeyRequest(bytes, body, into);
    case CLIENT.HELLO:
      return readHello(bytes, body, into);
    default:
      return FAULT.OK;
  }
}

/** Makes a verified message one that speaks of no further Welcome: who passes it on has counted them. */
export function withoutWelcomes(bytes: Uint8Array): Uint8Array {
  const at = fieldAt(bytes, follow(bytes, 0), CLIENT_ENTRY.welcomes);
  if (at !== 0) bytes[at] = 0;
  return bytes;
}

function readAction(bytes: Uint8Array, body: number, into: ClientMessageView): number {
  const id = fieldAt(bytes, body, CLIENT_ENTRY.action.id);
  const kind = fieldAt(bytes, body, CLIENT_ENTRY.action.kind);
  const payload = fieldAt(bytes, body, CLIENT_ENTRY.action.payload);
  into.actionId = id === 0 ? 0 : u32(bytes, id);
  into.actionKind = kind === 0 ? 0 : u16(bytes, kind);
  into.payloadOffset = 0;
  into.payloadLength = 0;
  if (payload !== 0) {
    const vector = follow(bytes, payload);
    into.payloadOffset = vector + 4;
    into.payloadLength = i32(bytes, vector);
  }
  if (into.payloadLength > LIMITS.actionPayloadBytes) return FAULT.LENGTH;
  if (into.actionId === 0) return FAULT.OUT_OF_RANGE;
  return into.actionKind === 0 || into.actionKind > LARGEST_ACTION_KIND ? FAULT.OUT_OF_RANGE : FAULT.OK;
}

function readKeyRequest(bytes: Uint8Array, body: number, into: ClientMessageView): number {
  const vector = follow(bytes, fieldAt(bytes, body, CLIENT_ENTRY.keyRequest.cells));
  const count = i32(bytes, vector);
  into.cellCount = 0;
  if (count === 0 || count > CLIENT_LIMITS.keyRequestCells) return FAULT.LENGTH;
  const columns = 2 ** (LIMITS.cellLevel + 1);
  for (let i = 0; i < count; i++) {
    const at = vector + 4 + i * CELL_REF_BYTES;
    const x = u32(bytes, at);
    const y = u32(bytes, at + 4);
    const square = u32(bytes, at + 8);
    if (x >= columns || y >= columns / 2 || square >= SQUARES) return FAULT.OUT_OF_RANGE;
    into.cells[i * 3] = x;
    into.cells[i * 3 + 1] = y;
    into.cells[i * 3 + 2] = square;
  }
  into.cellCount = count;
  return FAULT.OK;
}

function readHello(bytes: Uint8Array, body: number, into: ClientMessageView): number {
  const entry = CLIENT_ENTRY.hello;
  const protocol = fieldAt(bytes, body, entry.protocol);
  const client = stringAt(bytes, body, entry.client);
  const ticket = stringAt(bytes, body, entry.ticket);
  const token = stringAt(bytes, body, entry.token);
  const session = fieldAt(bytes, body, entry.session);
  const entity = fieldAt(bytes, body, entry.entity);
  const spawn = fieldAt(bytes, body, entry.spawn);
  const durable = fieldAt(bytes, body, entry.durable);
  const attempt = fieldAt(bytes, body, entry.attempt);
  into.hello = undefined;
  if (client !== 0 && i32(bytes, client) > CLIENT_LIMITS.clientNameBytes) return FAULT.LENGTH;
  if (token !== 0 && i32(bytes, token) > CLIENT_LIMITS.resumeTokenBytes) return FAULT.LENGTH;
  if (!utf8At(bytes, client) || !utf8At(bytes, ticket) || !utf8At(bytes, token)) return FAULT.UTF8;
  const hello: HelloFields = {
    protocol: protocol === 0 ? 0 : u32(bytes, protocol),
    client: client === 0 ? '' : text(bytes, client),
    ticket: ticket === 0 ? '' : text(bytes, ticket),
    resumeSession: session === 0 ? 0 : u64(bytes, session),
    resumeEntity: entity === 0 ? 0 : u64(bytes, entity),
    resumeToken: token === 0 ? '' : text(bytes, token),
    spawn: spawn === 0 ? undefined : { x: f64(bytes, spawn), y: f64(bytes, spawn + 8) },
    resumeDurable: durable === 0 ? 0 : u32(bytes, durable),
    attempt: attempt === 0 ? 0 : u32(bytes, attempt),
  };
  const fault = checkHello(hello);
  if (fault === 0) into.hello = hello;
  return fault;
}

function checkHello(hello: HelloFields): number {
  if (hello.resumeSession >= ID_LIMIT || hello.resumeEntity >= ID_LIMIT) return FAULT.ID_RANGE;
  if (hello.spawn === undefined) return FAULT.OK;
  const { x, y } = hello.spawn;
  if (!Number.isFinite(x) || !Number.isFinite(y)) return FAULT.NOT_FINITE;
  return Math.abs(x) > WIDTH / 2 || Math.abs(y) > HEIGHT / 2 ? FAULT.OUT_OF_RANGE : FAULT.OK;
}

/** @returns the string's length word, 0 = absent */
function stringAt(bytes: Uint8Array, table: number, entry: number): number {
  const at = fieldAt(bytes, table, entry);
  return at === 0 ? 0 : follow(bytes, at);
}

function utf8At(bytes: Uint8Array, at: number): boolean {
  return at === 0 || isUtf8(bytes, at + 4, at + 4 + i32(bytes, at));
}

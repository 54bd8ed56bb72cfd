/**
 * The rare messages of the server as plain objects: Welcome both ways, Pong and Closing. Built and read by the generated
 * code; they allocate.
 */
import { Builder, ByteBuffer } from 'flatbuffers';
import {
  Closing,
  NamedKind,
  Pong,
  PublicColumn,
  ServerMessage,
  Welcome,
} from './generated/server_generated.js';
import { COLUMN_TYPES, SERVER, type WireColumnType } from './protocol.js';

export interface KindName {
  name: string;
  kind: number;
}

export interface ColumnPlace {
  name: string;
  type: WireColumnType;
  /** bytes from the start of pub0 */
  offset: number;
}

/** What a Welcome says; units as in server.fbs. */
export interface WelcomeFields {
  protocol: number;
  session: number;
  entity: number;
  token: string;
  resumed: boolean;
  applied: number;
  durable: number;
  window: number;
  tick: number;
  tickRate: number;
  frameRate: number;
  viewCells: number;
  cellLevel: number;
  tileLevel: number;
  x: number;
  y: number;
  game: string;
  actions: readonly KindName[];
  kinds: readonly string[];
  items: readonly string[];
  columns: readonly ColumnPlace[];
  events: readonly KindName[];
  /** Side of the whole view; `farIntervals`: of its rings beyond `viewCells`, ticks from frame to frame. */
  farCells: number;
  farIntervals: readonly number[];
  /** Addresses at which the session can be resumed as well. */
  routers: readonly string[];
}

function named(b: Builder, list: readonly KindName[]): number[] {
  return list.map((k) => NamedKind.createNamedKind(b, b.createString(k.name), k.kind));
}

export function encodeWelcome(w: WelcomeFields): Uint8Array {
  const b = new Builder(2048);
  const strings = (list: readonly string[]) => list.map((s) => b.createString(s));
  const column = (c: ColumnPlace) =>
    PublicColumn.createPublicColumn(b, b.createString(c.name), COLUMN_TYPES.indexOf(c.type), c.offset);
  const token = b.createString(w.token);
  const game = b.createString(w.game);
  const actions = Welcome.createActionsVector(b, named(b, w.actions));
  const kinds = Welcome.createKindsVector(b, strings(w.kinds));
  const items = Welcome.createItemsVector(b, strings(w.items));
  const columns = Welcome.createColumnsVector(b, w.columns.map(column));
  const events = Welcome.createEventsVector(b, named(b, w.events));
  const farIntervals = Welcome.createFarIntervalsVector(b, [...w.farIntervals]);
  const routers = w.routers.length === 0 ? 0 : Welcome.createRoutersVector(b, strings(w.routers));
  Welcome.startWelcome(b);
  Welcome.addProtocol(b, w.protocol);
  Welcome.addSession(b, BigInt(w.session));
  Welcome.addEntity(b, BigInt(w.entity));
  Welcome.addToken(b, token);
  Welcome.addResumed(b, w.resumed);
  Welcome.addApplied(b, w.applied);
  Welcome.addDurable(b, w.durable);
  Welcome.addWindow(b, w.window);
  Welcome.addTick(b, w.tick);
  Welcome.addTickRate(b, w.tickRate);
  Welcome.addFrameRate(b, w.frameRate);
  Welcome.addViewCells(b, w.viewCells);
  Welcome.addCellLevel(b, w.cellLevel);
  Welcome.addTileLevel(b, w.tileLevel);
  Welcome.addX(b, w.x);
  Welcome.addY(b, w.y);
  Welcome.addGame(b, game);
  Welcome.addActions(b, actions);
  Welcome.addKinds(b, kinds);
  Welcome.addItems(b, items);
  Welcome.addColumns(b, columns);
  Welcome.addEvents(b, events);
  Welcome.addFarCells(b, w.farCells);
  Welcome.addFarIntervals(b, farIntervals);
  if (routers !== 0) Welcome.addRouters(b, routers);
  return finish(b, SERVER.WELCOME, Welcome.endWelcome(b));
}

/** @param heldMs how long the answer waited, ms, at most 65 535 */
export function encodePong(nonce: number, tick: number, heldMs = 0): Uint8Array {
  const b = new Builder(64);
  return finish(b, SERVER.PONG, Pong.createPong(b, nonce, tick, heldMs));
}

export function encodeClosing(code: number, name: string, text: string, retry: boolean): Uint8Array {
  const b = new Builder(256);
  const nameAt = b.createString(name);
  const textAt = b.createString(text);
  return finish(b, SERVER.CLOSING, Closing.createClosing(b, code, nameAt, textAt, retry));
}

function finish(b: Builder, type: number, body: number): Uint8Array {
  b.finish(ServerMessage.createServerMessage(b, type, body));
  return b.asUint8Array();
}

function list<T, U>(length: number, at: (i: number) => T | null, map: (value: T) => U): U[] {
  return Array.from({ length }, (_, i) => map(at(i) as T));
}

const kindName = (k: NamedKind): KindName => ({ name: k.name() ?? '', kind: k.kind() });

/** @param at byte of the Welcome table in verified bytes */
export function readWelcome(bytes: Uint8Array, at: number): WelcomeFields {
  const w = new Welcome().__init(at, new ByteBuffer(bytes));
  const same = (s: string) => s;
  return {
    protocol: w.protocol(),
    session: Number(w.session()),
    entity: Number(w.entity()),
    token: w.token() ?? '',
    resumed: w.resumed(),
    applied: w.applied(),
    durable: w.durable(),
    window: w.window(),
    tick: w.tick(),
    tickRate: w.tickRate(),
    frameRate: w.frameRate(),
    viewCells: w.viewCells(),
    cellLevel: w.cellLevel(),
    tileLevel: w.tileLevel(),
    x: w.x(),
    y: w.y(),
    game: w.game() ?? '',
    actions: list(w.actionsLength(), (i) => w.actions(i), kindName),
    kinds: list(w.kindsLength(), (i) => w.kinds(i) as string, same),
    items: list(w.itemsLength(), (i) => w.items(i) as string, same),
    columns: list(
      w.columnsLength(),
      (i) => w.columns(i),
      (c) => ({ name: c.name() ?? '', type: COLUMN_TYPES[c.type()] ?? 'u8', offset: c.offset() }),
    ),
    events: list(w.eventsLength(), (i) => w.events(i), kindName),
    farCells: Math.max(w.viewCells(), w.farCells()),
    farIntervals: list(w.farIntervalsLength(), (i) => w.farIntervals(i), Number),
    routers: list(w.routersLength(), (i) => w.routers(i) as string, same),
  };
}

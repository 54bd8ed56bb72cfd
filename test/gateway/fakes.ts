/** What a gateway meets in these tests: a clock in the test's hand, a transport without a network, clients on it. */
import type { Clock, Timers } from '../../src/base/clock.js';
import { LIMITS } from '../../src/base/limits.js';
import { createLog } from '../../src/base/log.js';
import { cellOf, columnOfCell, rowOfCell } from '../../src/geo/cell.js';
import { createSharedWorld, type SharedWorld } from '../../src/memory/shared-world.js';
import type { AccountBook, Loaded } from '../../src/gateway/accounts.js';
import type { GatewayParts } from '../../src/gateway/core.js';
import { Gateway } from '../../src/gateway/gateway.js';
import type { WorldCard } from '../../src/gateway/replies.js';
import { SessionTokens } from '../../src/gateway/session-token.js';
import {
  type ListenOptions,
  SENT,
  type Socket,
  type SocketListener,
  type Transport,
} from '../../src/gateway/transport.js';
import { NO_PUBLISHER, PROTOCOL_VERSION } from '../../src/wire/protocol.js';
import { ClientWriter, type HelloWords } from '../../src/wire/client-writer.js';
import { type ClosingFields, type LogFields, ServerMessageReader } from '../../src/wire/server-message.js';
import type { WelcomeFields } from '../../src/wire/welcome.js';

export class FakeTime implements Clock, Timers {
  ms = 1000;
  private readonly timers = new Set<{ at: number; every: number; fn: () => void }>();
  now(): number {
    return this.ms;
  }
  after(ms: number, fn: () => void): () => void {
    return this.add(ms, 0, fn);
  }
  every(ms: number, fn: () => void): () => void {
    return this.add(ms, ms, fn);
  }
  /** Lets time pass, timer by timer. */
  pass(ms: number): void {
    const end = this.ms + ms;
    for (;;) {
      const next = [...this.timers].filter((timer) => timer.at <= end).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.ms = Math.max(this.ms, next.at);
      if (next.every > 0) next.at += next.every;
      else this.timers.delete(next);
      next.fn();
    }
    this.ms = end;
  }
  private add(ms: number, every: number, fn: () => void): () => void {
    const timer = { at: this.ms + ms, every, fn };
    this.timers.add(timer);
    return () => this.timers.delete(timer);
  }
}

/** One message as a test wants to see it. */
export type Heard =
  | ({ type: 'welcome' } & WelcomeFields)
  | {
      type: 'frame';
      cell: number;
      publisher: number;
      tick: number;
      previous: number;
      interval: number;
      ids: number[];
    }
  | { type: 'self'; tick: number; applied: number }
  | ({ type: 'log' } & LogFields)
  | { type: 'pong'; nonce: number; tick: number; heldMs: number }
  | ({ type: 'closing' } & ClosingFields);

/** Reads what a gateway says; throws when it is not what the schema allows. */
export function decode(bytes: Uint8Array): Heard {
  let heard: Heard | undefined;
  const fault = new ServerMessageReader().read(Uint8Array.from(bytes), {
    welcome: (welcome) => (heard = { type: 'welcome', ...welcome }),
    cellFrame: (f) => {
      const ids = Array.from({ length: f.stateCount }, (_, i) => f.id(i));
      const { publisher, tick, previous, interval } = f;
      heard = { type: 'frame', cell: cellOf(f.cellX, f.cellY), publisher, tick, previous, interval, ids };
    },
    selfUpdate: (self) => (heard = { type: 'self', tick: self.tick, applied: self.applied }),
    logReply: (log) => (heard = { type: 'log', ...log }),
    pong: (nonce, tick, heldMs) => (heard = { type: 'pong', nonce, tick, heldMs }),
    closing: (closing) => (heard = { type: 'closing', ...closing }),
  });
  if (heard === undefined) throw new Error(`the gateway sent bytes with fault ${fault}`);
  return heard;
}

export class FakeTransport implements Transport {
  readonly sockets = new Set<FakeSocket>();
  accept: ((socket: Socket) => SocketListener) | undefined;
  isOpen = true;
  listen(_options: ListenOptions, accept: (socket: Socket) => SocketListener): number {
    this.accept = accept;
    return 7777;
  }
  publish(topic: string, bytes: Uint8Array): void {
    for (const socket of this.sockets) if (socket.topics.has(topic)) socket.send(bytes);
  }
  stopListening(): void {
    this.accept = undefined;
  }
  close(): void {
    this.isOpen = false;
    for (const socket of [...this.sockets]) socket.vanish();
  }
}

/** A socket and the client at its other end. */
export class FakeSocket implements Socket {
  readonly topics = new Set<string>();
  readonly heard: Heard[] = [];
  /** Cells that were announced as shown from now on, in order. */
  readonly begun: number[] = [];
  /** Cells that were said to be shown no more. */
  readonly hidden: number[] = [];
  closed: { code: number; reason: string } | undefined;
  /** The client reads nothing: sends are dropped. */
  isChoked = false;
  buffered = 0;
  /** Told of the bytes of each message that it gets. */
  weigh: (bytes: number) => void = () => {};
  private listener: SocketListener | undefined;
  readonly outgoing = new ClientWriter();

  constructor(
    private readonly transport: FakeTransport,
    accept: (socket: Socket) => SocketListener,
  ) {
    transport.sockets.add(this);
    const listener = accept(this);
    if (this.closed === undefined) this.listener = listener;
  }

  send(bytes: Uint8Array): number {
    if (this.closed) throw new Error('a closed socket was used');
    if (this.isChoked) {
      this.listener?.dropped();
      return SENT.DROPPED;
    }
    this.weigh(bytes.length);
    const heard = decode(bytes);
    if (heard.type === 'frame' && heard.publisher === NO_PUBLISHER) {
      if (heard.previous === 0) this.begun.push(heard.cell);
      else if (heard.interval === 0) this.hidden.push(heard.cell);
    } else this.heard.push(heard);
    return SENT.OK;
  }
  cork(work: () => void): void {
    if (this.closed) throw new Error('a closed socket was used');
    work();
  }
  subscribe(topic: string): void {
    if (this.closed) throw new Error('a closed socket was used');
    this.topics.add(topic);
  }
  unsubscribe(topic: string): void {
    if (this.closed) throw new Error('a closed socket was used');
    this.topics.delete(topic);
  }
  bufferedAmount(): number {
    if (this.closed) throw new Error('a closed socket was used');
    return this.buffered;
  }
  end(code: number, reason: string): void {
    if (this.closed) throw new Error('a socket was closed twice');
    this.shut(code, reason);
  }
  /** The network ends it. */
  vanish(): void {
    this.shut(1006, '');
  }
  private shut(code: number, reason: string): void {
    this.closed = { code, reason };
    this.transport.sockets.delete(this);
    this.listener?.closed();
    this.listener = undefined;
  }

  // ---- the client ----

  say(bytes: Uint8Array): void {
    this.listener?.message(Uint8Array.from(bytes));
  }
  text(): void {
    this.listener?.text();
  }
  drain(): void {
    this.isChoked = false;
    this.buffered = 0;
    this.listener?.drained();
  }
  hello(words: Partial<HelloWords> = {}): this {
    this.say(this.outgoing.hello(0, { protocol: PROTOCOL_VERSION, client: 'test', ...words }));
    return this;
  }
  action(id: number, kind = 1, payload = new Uint8Array(0), newestTick = 0): void {
    this.say(this.outgoing.action(newestTick, id, kind, payload));
  }
  ping(newestTick = 0, nonce = 1): void {
    this.say(this.outgoing.ping(newestTick, nonce));
  }
  keyRequest(cells: number[]): void {
    this.say(
      this.outgoing.keyRequest(
        0,
        cells.flatMap((cell) => [columnOfCell(cell), rowOfCell(cell), 0]),
      ),
    );
  }
  logRequest(): void {
    this.say(this.outgoing.logRequest(0));
  }
  goodbye(): void {
    this.say(this.outgoing.goodbye(0));
  }
  /** Messages of one type so far. */
  all<T extends Heard['type']>(type: T): Extract<Heard, { type: T }>[] {
    return this.heard.filter((h): h is Extract<Heard, { type: T }> => h.type === type);
  }
  get welcome() {
    const [first] = this.all('welcome');
    if (first === undefined) throw new Error('there was no Welcome');
    return first;
  }
  /** What a Hello needs to resume this session. */
  get key(): { resumeSession: number; resumeEntity: number; resumeToken: string } {
    const { session, entity, token } = this.welcome;
    return { resumeSession: session, resumeEntity: entity, resumeToken: token };
  }
}

export const CARD: WorldCard = {
  protocol: PROTOCOL_VERSION,
  window: LIMITS.windowActions,
  tickRate: 20,
  frameRate: 10,
  viewCells: LIMITS.viewCells,
  farCells: LIMITS.viewCells,
  farIntervals: [],
  cellLevel: LIMITS.cellLevel,
  tileLevel: LIMITS.baseTileLevel,
  game: {
    name: 'test',
    actions: [{ name: 'walk', kind: 1 }],
    events: [{ name: 'said', kind: 1 }],
    kinds: ['player'],
    items: ['stone'],
    columns: [{ name: 'health', type: 7, offset: 0 }],
  },
};

/** An account book that answers when the test says so. */
export class FakeAccounts implements AccountBook {
  readonly book = new Map<string, number>();
  /** Set to hold answers back; call `answer` to give them. */
  isHeld = false;
  private readonly held: (() => void)[] = [];
  async find(playerId: string): Promise<number> {
    await this.turn();
    return this.book.get(playerId) ?? 0;
  }
  async bind(playerId: string, expected: number, entity: number): Promise<number> {
    await this.turn();
    const bound = this.book.get(playerId) ?? 0;
    if (bound !== expected) return bound;
    this.book.set(playerId, entity);
    return entity;
  }
  /** What `load` does. */
  bring: (entity: number) => Loaded = () => 'absent';
  async load(entity: number): Promise<Loaded> {
    await this.turn();
    return this.bring(entity);
  }
  answer(): void {
    for (const go of this.held.splice(0)) go();
  }
  private turn(): Promise<void> {
    return this.isHeld ? new Promise((resolve) => this.held.push(resolve)) : Promise.resolve();
  }
}

/** Promises that are ready run before this resolves. */
export async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}

export interface House {
  world: SharedWorld;
  time: FakeTime;
  gateways: Gateway[];
  transports: FakeTransport[];
  accounts: FakeAccounts;
  /** A new client at gateway g. */
  connect(g?: number): FakeSocket;
}

/** A world with shards that nobody runs yet and gateways on fake transports. */
export function buildHouse(
  options: { gateways?: number; shards?: number; maxEntities?: number; parts?: Partial<GatewayParts> } = {},
): House {
  const time = new FakeTime();
  const count = options.gateways ?? 1;
  const world = createSharedWorld({
    shards: options.shards ?? 1,
    gateways: count,
    startMs: time.ms,
    maxEntities: options.maxEntities ?? 64,
    frameRingBytes: 2 ** 20,
    arrivalsPlaces: 64,
    messagePlaces: 64,
  });
  const accounts = new FakeAccounts();
  const transports: FakeTransport[] = [];
  const gateways: Gateway[] = [];
  let secrets = 1000;
  for (let g = 0; g < count; g++) {
    const transport = new FakeTransport();
    const parts: GatewayParts = {
      world,
      number: g,
      clock: time,
      transport,
      authenticate: async (ticket) => {
        if (ticket === 'forged') return { refused: 'BAD_TICKET' };
        if (ticket === 'broken') throw new Error('the hook fails');
        return ticket === '' ? { guest: true } : { playerId: ticket };
      },
      accounts,
      ensureOwner: () => 0,
      tokens: new SessionTokens(new Uint8Array(32).fill(7)),
      secretNumbers: () => ++secrets,
      card: CARD,
      spawn: { x: 10, y: 20 },
      log: createLog({ level: 'silent' }),
      maxConnections: 100,
      clientBytesPerS: LIMITS.clientBytesPerS,
      ...options.parts,
    };
    const gateway = new Gateway(parts, time);
    gateway.open({ port: 7777, exclusive: true });
    gateways.push(gateway);
    transports.push(transport);
  }
  return {
    world,
    time,
    gateways,
    transports,
    accounts,
    connect: (g = 0) => {
      const { accept } = transports[g];
      if (accept === undefined) throw new Error('nobody listens');
      return new FakeSocket(transports[g], accept);
    },
  };
}

/**
 * The BlueMarble client: one player's conversation with a server, kept up over lost connections and restarts. Sends
 * each action exactly once as far as the game can tell (I3), follows the view, and reports through handlers.
 *
 * Everything happens in three places: calls of the user, messages of the socket, and `beat`, which the pulse calls.
 */
import type { Clock } from '../base/clock.js';
import { errorName } from '../base/errors.js';
import type { PayloadShape } from '../base/payload.js';
import { lonLatToXY } from '../geo/world.js';
import { ClientWriter } from '../wire/client-writer.js';
import { FAULT_TEXT } from '../base/fault.js';
import { PROTOCOL_VERSION } from '../wire/protocol.js';
import type { SelfUpdateView } from '../wire/self-update-view.js';
import { type LogFields, ServerMessageReader, type ServerSink } from '../wire/server-message.js';
import type { WelcomeFields } from '../wire/welcome.js';
import { ActionQueue, type Settle } from './actions.js';
import { Addresses } from './addresses.js';
import { ClientError, clientError } from './errors.js';
import { hostClock, hostPulse, hostRandom } from './host.js';
import { LINK_TIMES, Link, type LinkState } from './link.js';
import { BUILT_IN_PAYLOADS, payloadBytes, type ActionFields } from './payload.js';
import { Scene } from './scene.js';
import { browserSockets, type ClientSocket, type SocketFactory } from './socket.js';
import type {
  ClientHandlers,
  ClientStats,
  ConnectOptions,
  Outcome,
  Place,
  SelfState,
  Waiter,
  Welcome,
} from './types.js';
import type { View } from './view.js';

const CLIENT_NAME = 'bluemarble-sdk/1';
/** Something is said at least so often: the server measures a client's slowness by it. */
const PING_MS = 1000;
const MAX_KEPT = 512;
const LOG_REPEAT_MS = 2000;
/** For the server to close after a goodbye. */
const GOODBYE_MS = 3000;

/** Begins to connect; `client.ready` resolves with the first Welcome. */
export function connect(options: ConnectOptions): Client {
  return new Client(options);
}

export class Client {
  readonly ready: Promise<Welcome>;
  /** Resolves when the client has ended: null after a goodbye, else why. */
  readonly ended: Promise<ClientError | null>;
  readonly stats: ClientStats = {
    bytesIn: 0,
    messagesIn: 0,
    frames: 0,
    selfUpdates: 0,
    gaps: 0,
    keyRequests: 0,
    openGaps: 0,
    badMessages: 0,
  };
  /** The newest Welcome. */
  welcome: Welcome | null = null;

  private readonly actions: ActionQueue;
  private readonly link: Link;
  /** What it has been told, for checkers and people; a game needs `self` and `view`. */
  readonly scene: Scene;
  private readonly addresses: Addresses;
  private readonly outgoing = new ClientWriter();
  private readonly incoming = new ServerMessageReader();
  private readonly sink: ServerSink;
  private readonly handlers: ClientHandlers;
  private readonly clock: Clock;
  private readonly sockets: SocketFactory;
  private readonly shapes: Readonly<Record<string, PayloadShape>>;
  private readonly stopPulse: () => void;
  private socket: ClientSocket | null = null;
  private socketNumber = 0;
  /** What a resume needs; null = the next Hello asks for a new session. */
  private session: { session: number; entity: number; token: string } | null = null;
  /** When the message that is being taken arrived. */
  private now = 0;
  private lastSentMs = 0;
  private pings = 0;
  private goodbyeMs = -1;
  private closingText = '';
  private readyWaiter!: Waiter<Welcome>;
  private endWaiter!: (error: ClientError | null) => void;
  private logAskedMs = 0;
  private logWaiters: Waiter<LogFields>[] = [];

  constructor(private readonly options: ConnectOptions) {
    this.handlers = options.handlers ?? {};
    this.addresses = new Addresses(options.url);
    this.clock = options.clock ?? hostClock;
    this.sockets = options.socket ?? browserSockets();
    this.shapes = { ...BUILT_IN_PAYLOADS, ...options.payloads };
    this.actions = new ActionQueue(options.maxKept ?? MAX_KEPT, {
      decided: (action, rttMs) => this.handlers.decided?.(action, rttMs),
      durable: (action) => this.handlers.durable?.(action),
    });
    this.link = new Link(
      { ...LINK_TIMES, ...options.times },
      options.random ?? hostRandom(),
      this.clock.now(),
    );
    this.scene = new Scene(options.view ?? 'full', this.handlers, this.stats);
    this.sink = this.makeSink();
    this.ready = new Promise((resolve, reject) => {
      this.readyWaiter = { resolve, reject };
    });
    this.ready.catch(() => {}); // whoever does not wait for it learns of the end by `ended` or the handler
    this.ended = new Promise((resolve) => (this.endWaiter = resolve));
    this.stopPulse = (options.pulse ?? hostPulse)(() => this.beat());
    this.beat();
  }

  get state(): LinkState {
    return this.link.state;
  }
  /** How often a socket was opened. */
  get attempts(): number {
    return this.socketNumber;
  }
  /** The own player. */
  get self(): SelfState {
    return this.scene.self;
  }
  /** What is seen; null in a light client. */
  get view(): View | null {
    return this.scene.view;
  }
  /** Id of the own entity, 0 before the first Welcome. */
  get entity(): number {
    return this.welcome?.entity ?? 0;
  }
  /** Actions without an outcome yet, those that wait for the window included. */
  get undecided(): number {
    return this.actions.undecided;
  }
  /** Id of the last action that was handed in. */
  get lastActionId(): number {
    return this.actions.lastId;
  }

  /**
   * Does something in the game, once. Resolves with the outcome, through any number of reconnects; rejects with
   * SESSION_EXPIRED or the code that ended the client.
   * @param action name (after the first Welcome) or kind number
   * @throws ClientError QUEUE_FULL, PAYLOAD, ENDED, NOT_ONLINE (a name before the first Welcome)
   */
  act(action: string | number, fields?: ActionFields): Promise<Outcome> {
    const { kind, payload } = this.resolve(action, fields);
    return new Promise((resolve, reject) => {
      const id: number = this.send(
        kind,
        payload,
        (code, rttMs) => {
          resolve({ id, code, name: errorName('outcome', code) ?? '', rttMs });
        },
        reject,
      );
    });
  }

  /** The same without a promise and with ready bytes, which are kept. Returns the action's id. */
  send(kind: number, payload: Uint8Array, settle?: Settle, fail?: (error: Error) => void): number {
    if (this.link.state === 'ended') throw clientError('ENDED');
    const id = this.actions.push(kind, payload, settle, fail);
    this.flush();
    return id;
  }

  /** Asks for the server's account of the session, again until it comes; it is taken after all actions sent so far. */
  requestLog(): Promise<LogFields> {
    if (this.link.state !== 'online') return Promise.reject(clientError('NOT_ONLINE'));
    return new Promise((resolve, reject) => {
      this.logWaiters.push({ resolve, reject });
      this.askLog();
    });
  }

  /** Leaves for good. Resolves when the server has closed, or after three seconds. */
  goodbye(): Promise<ClientError | null> {
    if (this.link.state === 'online') {
      this.say(this.outgoing.goodbye(this.scene.newestTick));
      this.goodbyeMs = this.clock.now();
    } else this.end(null);
    return this.ended;
  }

  /** Ends without a goodbye: the server keeps the session for its grace. */
  abandon(): void {
    this.end(null);
  }

  /** The timed work: connect, ping, ask for key frames, notice silence. Called by the pulse. */
  beat(): void {
    const now = this.clock.now();
    const { link } = this;
    if (link.state === 'ended') return;
    if (this.goodbyeMs >= 0 && now - this.goodbyeMs > GOODBYE_MS) return this.end(null);
    if (link.due(now)) return this.open(now);
    if (link.isDead(now)) return this.drop();
    if (link.state !== 'online') return;
    const cells = this.scene.beat(now);
    if (cells !== null) this.say(this.outgoing.keyRequest(this.scene.newestTick, cells));
    if (this.logWaiters.length > 0 && now - this.logAskedMs >= LOG_REPEAT_MS) this.askLog();
    if (now - this.lastSentMs >= PING_MS) this.say(this.outgoing.ping(this.scene.newestTick, ++this.pings));
  }

  // ---- messages ----

  private makeSink(): ServerSink {
    return {
      welcome: (fields) => this.onWelcome(fields),
      cellFrame: (frame) => this.scene.frame(frame, this.now),
      selfUpdate: (self) => this.onSelf(self),
      logReply: (log) => this.logWaiters.shift()?.resolve(log),
      pong: (_nonce, tick) => this.scene.saw(tick),
      closing: ({ text }) => {
        this.closingText = text;
      },
    };
  }

  private onWelcome(fields: WelcomeFields): void {
    const goesOn = this.session !== null && fields.resumed;
    if (this.session !== null && !goesOn) this.expire();
    if (fields.protocol !== PROTOCOL_VERSION)
      return this.end(clientError('BAD_SERVER_MESSAGE', 'protocol version'));
    if (!this.actions.resume(fields.applied, fields.window)) {
      return this.end(clientError('RESUME_IMPOSSIBLE', `applied ${fields.applied}`));
    }
    const welcome = {
      ...fields,
      actions: new Map(fields.actions.map(({ name, kind }) => [name, kind])),
      events: new Map(fields.events.map(({ name, kind }) => [kind, name])),
    };
    this.session = welcome;
    this.welcome = welcome;
    if (this.link.state === 'online') this.outgoing.welcomed();
    this.link.welcomed(this.now);
    this.scene.welcome(welcome, this.now);
    this.handlers.welcome?.(welcome);
    this.readyWaiter.resolve(welcome);
    this.flush();
  }

  private onSelf(self: SelfUpdateView): void {
    this.scene.selfUpdate(self);
    if (!this.actions.acknowledge(self.applied, self.durable, self, this.now)) {
      this.end(
        clientError('BAD_SERVER_MESSAGE', `acknowledges action ${self.applied}, durable ${self.durable}`),
      );
      return;
    }
    this.flush();
  }

  // ---- the socket ----

  private open(now: number): void {
    const number = ++this.socketNumber;
    let opened = false;
    this.closingText = '';
    this.outgoing.welcomes = 0;
    this.link.connecting(now);
    const mine = () => number === this.socketNumber && this.link.state !== 'ended';
    this.socket = this.sockets(this.addresses.next(this.welcome?.routers ?? []), {
      opened: () => {
        opened = true;
        if (!mine()) return;
        this.link.opened();
        this.greet();
      },
      received: (bytes) => {
        if (mine()) this.receive(bytes);
      },
      closed: (code, reason) => {
        if (mine()) this.lost(code, this.closingText === '' ? reason : this.closingText, opened);
      },
    });
  }

  private receive(bytes: Uint8Array): void {
    const now = this.clock.now();
    this.stats.messagesIn++;
    this.stats.bytesIn += bytes.length;
    this.link.hear(now);
    this.now = now;
    const fault = this.incoming.read(bytes, this.sink);
    if (fault === 0) return;
    this.stats.badMessages++;
    this.end(clientError('BAD_SERVER_MESSAGE', FAULT_TEXT[fault]));
  }

  private greet(): void {
    const { ticket = '', name = CLIENT_NAME, spawn } = this.options;
    this.say(
      this.outgoing.hello(0, {
        protocol: PROTOCOL_VERSION,
        client: name,
        ticket,
        resumeSession: this.session?.session,
        resumeEntity: this.session?.entity,
        resumeToken: this.session?.token,
        resumeDurable: this.actions.durable,
        spawn: spawn === undefined ? undefined : metres(spawn),
        attempt: this.socketNumber,
      }),
    );
  }

  /** The socket that we gave up on: it may never tell us of its end. */
  private drop(): void {
    this.socketNumber++;
    this.socket?.close(1000, '');
    this.lost(1006, 'silence', true);
  }

  private lost(code: number, reason: string, opened: boolean): void {
    this.socket = null;
    if (this.goodbyeMs >= 0) return this.end(null);
    const now = this.clock.now();
    const after = this.link.lost(code, reason, this.options.renew ?? false, now);
    for (const waiter of this.logWaiters.splice(0)) waiter.reject(clientError('NOT_ONLINE'));
    if (after.what === 'end') return this.end(after.error);
    if (after.what === 'renew') this.expire();
    this.handlers.disconnected?.(code, errorName('close', code) ?? reason, opened);
  }

  private expire(): void {
    this.session = null;
    this.actions.restart(
      new ClientError('SESSION_EXPIRED', 'the session is over; this action has no known outcome'),
    );
    for (const waiter of this.logWaiters.splice(0)) waiter.reject(clientError('NOT_ONLINE'));
    this.handlers.session?.();
  }

  private end(error: ClientError | null): void {
    if (this.endWaiter === noWaiter) return;
    const finish = this.endWaiter;
    this.endWaiter = noWaiter;
    this.stopPulse();
    this.link.end(error);
    this.socket?.close(1000, '');
    this.socket = null;
    const why = error ?? clientError('ENDED');
    this.actions.restart(why);
    for (const waiter of this.logWaiters.splice(0)) waiter.reject(why);
    this.readyWaiter.reject(why);
    this.handlers.ended?.(error);
    finish(error);
  }

  private flush(): void {
    if (this.link.state !== 'online') return;
    const now = this.clock.now();
    for (let action = this.actions.take(now); action !== undefined; action = this.actions.take(now)) {
      this.say(this.outgoing.action(this.scene.newestTick, action.id, action.kind, action.payload));
    }
  }

  private askLog(): void {
    this.logAskedMs = this.clock.now();
    this.say(this.outgoing.logRequest(this.scene.newestTick));
  }

  private say(bytes: Uint8Array): void {
    this.lastSentMs = this.clock.now();
    this.socket?.send(bytes);
  }

  private resolve(
    action: string | number,
    fields: ActionFields | undefined,
  ): { kind: number; payload: Uint8Array } {
    if (typeof action === 'number') {
      const name =
        [...(this.welcome?.actions ?? [])].find(([, kind]) => kind === action)?.[0] ?? String(action);
      return { kind: action, payload: payloadBytes(name, this.shapes[name], fields) };
    }
    if (this.welcome === null)
      throw clientError('NOT_ONLINE', 'names of actions are known after the first Welcome');
    const kind = this.welcome.actions.get(action);
    if (kind === undefined) throw clientError('PAYLOAD', `${this.welcome.game} has no action ${action}`);
    return { kind, payload: payloadBytes(action, this.shapes[action], fields) };
  }
}

function noWaiter(): void {}

function metres(place: Place): { x: number; y: number } {
  return 'lon' in place ? lonLatToXY(place.lon, place.lat) : place;
}

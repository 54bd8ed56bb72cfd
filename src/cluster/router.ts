/**
 * A router: terminates clients, simulates nothing. Each client has a socket here and a channel to the node; what the node
 * publishes comes once and is sent to all who are subscribed here. Clients keep their sockets while the node dies and is
 * started again (routed-client.ts).
 *
 * A turn of the node is applied as a whole, in one turn of the event loop: its frames leave in one write a client. Nothing is
 * queued here but in the sockets (bounded by the transport), on the link (bounded by link-end.ts) and, while the node is
 * away, the undecided actions of each client (at most a window).
 */
import type { Clock, Timers } from '../base/clock.js';
import type { LinkName } from '../base/errors.js';
import type { Log } from '../base/log.js';
import {
  type ListenOptions,
  SENT,
  type Socket,
  type SocketListener,
  type Transport,
} from '../gateway/transport.js';
import { ClientMessageView } from '../wire/client-message.js';
import { ClientWriter } from '../wire/client-writer.js';
import { readEnd } from '../wire/link/end.js';
import { type ClusterFacts, readCluster, type RouterFacts, writeAbout } from '../wire/link/facts.js';
import { readIsOwn, readTopic } from '../wire/link/topics.js';
import type { TurnView } from '../wire/link/turn.js';
import { LINK } from '../wire/link/types.js';
import { Channel } from './channel.js';
import { type RouterCount, ROUTER_COUNTS, RoutedClient, type RouterHouse } from './routed-client.js';
import { TopicTable } from './topic-table.js';
import { Upstream, type UpstreamEvents, type UpstreamParts } from './upstream.js';

/** The router looks at its clock so often: what comes later than that, it is late by. */
const POLL_MS = 20;
/** What is left of a lateness a turn later: a half after some twenty. */
const LATE_FADES = 0.97;
/** Clients that wait for a node are looked at this often. */
const RETRY_MS = 100;
/** The node is told of the router this often. */
const ABOUT_MS = 500;

export interface RouterParts extends Omit<UpstreamParts, 'late'> {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  readonly transport: Transport;
  readonly maxConnections: number;
  /** What the node is told of this router beside its numbers. */
  readonly about: Pick<RouterFacts, 'name' | 'pid'>;
  /** A refusal by the node, or of it; it is tried again. */
  readonly refused?: (why: LinkName) => void;
}

export class Router {
  readonly clients = new Set<RoutedClient>();
  readonly upstream: Upstream;
  readonly counts = Object.fromEntries(ROUTER_COUNTS.map((name) => [name, 0])) as Record<RouterCount, number>;
  /** Addresses as clients and operators reach them; told to the node. */
  game = '';
  admin = '';
  /** Of the node and all of its routers, as it said last. */
  cluster: ClusterFacts = { node: null, routers: [] };
  /** How late this process is to its turns lately, ms. */
  late = 0;
  turns = 0;
  published = 0;
  private topics = new TopicTable<RoutedClient>(0);
  /** Of the present link, by number. */
  private channels = new Map<number, RoutedClient>();
  private lastChannel = 0;
  private readonly house: RouterHouse;
  /** Clients whose sockets hold something back. */
  private readonly backed = new Set<RoutedClient>();
  private readonly cancels: (() => void)[] = [];
  private polledAt = 0;
  private isStopping = false;
  private linked: () => void = () => {};

  constructor(private readonly parts: RouterParts) {
    const { clock } = parts;
    this.house = {
      message: new ClientMessageView(),
      writer: new ClientWriter(),
      now: () => clock.now(),
      openChannel: (client) => this.openChannel(client),
      forget: (client) => this.forget(client),
      count: (what) => {
        this.counts[what]++;
      },
    };
    const events: UpstreamEvents = {
      up: (generation, isSameLife) => this.up(generation, isSameLife),
      turn: (turn) => this.apply(turn),
      full: () => {}, // clients' actions are not left out: the link is reset when it holds too many of them
      down: () => this.down(),
      refused: (why) => this.parts.refused?.(why),
    };
    this.upstream = new Upstream({ ...parts, late: () => Math.round(this.late) }, events);
  }

  get isUp(): boolean {
    return this.upstream.link !== null;
  }
  get waiting(): number {
    let n = 0;
    for (const client of this.clients) if (client.waitsSince >= 0) n++;
    return n;
  }
  get facts(): RouterFacts {
    const { parts, game, admin, clients, channels, waiting } = this;
    const numbers = { connections: clients.size, channels: channels.size, waiting };
    return { ...parts.about, game, admin, ...numbers, lateMs: Math.round(this.late) };
  }

  /** Dials the node. @returns resolves when the first link stands */
  open(): Promise<void> {
    const { clock, timers } = this.parts;
    this.polledAt = clock.now();
    this.cancels.push(
      timers.every(POLL_MS, () => this.poll()),
      timers.every(RETRY_MS, () => this.retry()),
      timers.every(ABOUT_MS, () => this.tellAbout()),
    );
    this.upstream.open();
    return new Promise((resolve) => {
      this.linked = resolve;
    });
  }

  /** Begins to accept clients. @returns the real port @throws BlueMarbleError PORT_TAKEN */
  listen(options: ListenOptions): number {
    return this.parts.transport.listen(options, (socket) => this.accept(socket));
  }

  /** Takes a new socket. Public for simulations that have no port. */
  accept(socket: Socket): SocketListener {
    const client = new RoutedClient(this.house, socket);
    this.counts.accepted++;
    this.clients.add(client);
    if (this.isStopping) client.refuse('SERVER_STOPPING');
    else if (this.clients.size > this.parts.maxConnections) client.refuse('WORLD_FULL');
    else if (client.socket.isOver === true) client.refuse('ADDRESS_LIMITED');
    if (client.isClosed) this.clients.delete(client); // its transport has nobody to tell yet
    return {
      message: (bytes) => client.message(bytes),
      text: () => client.text(),
      dropped: () => {
        this.backed.add(client);
        client.dropped();
      },
      drained: () => client.drained(),
      closed: () => {
        client.closed();
        this.clients.delete(client);
        this.backed.delete(client);
      },
    };
  }

  /** Tells clients to come back, here or elsewhere, and ends. */
  async stop(farewellMs: number): Promise<void> {
    this.isStopping = true;
    this.parts.transport.stopListening();
    for (const client of [...this.clients]) client.refuse('SERVER_STOPPING');
    this.upstream.link?.flush();
    await new Promise<void>((resolve) => {
      this.parts.timers.after(farewellMs, resolve);
    });
    this.close();
  }

  /** Ends at once. Idempotent. */
  close(): void {
    this.isStopping = true;
    for (const cancel of this.cancels.splice(0)) cancel();
    this.upstream.close();
    this.parts.transport.close();
  }

  /** Says now what changes seldom: an address, say. */
  tellAbout(): void {
    const { link } = this.upstream;
    if (link === null) return;
    writeAbout(link.out, this.facts);
    link.said();
  }

  // ---- the link ----

  private up(generation: number, isSameLife: boolean): void {
    this.topics = new TopicTable(generation);
    this.channels = new Map();
    this.lastChannel = 0;
    this.tellAbout();
    for (const client of [...this.clients]) this.guarded(() => client.linked(isSameLife));
    this.linked();
  }

  private down(): void {
    for (const client of [...this.clients]) this.guarded(() => client.lost());
    this.channels = new Map();
  }

  private openChannel(client: RoutedClient): Channel | null {
    const { link } = this.upstream;
    if (link === null) return null;
    const number = ++this.lastChannel;
    this.channels.set(number, client);
    const { channels } = this;
    return new Channel(link, number, client.socket.address ?? '', () => channels.delete(number));
  }

  /** A client has no channel any more: nothing that was published for it reaches it. */
  private forget(client: RoutedClient): void {
    for (const number of client.topics) {
      const topic = this.topics.leave(number);
      // A socket that is gone must not be touched; it is subscribed to nothing.
      if (topic !== undefined && !client.isClosed) client.socket.unsubscribe(topic.name);
    }
    client.topics.clear();
  }

  /** A whole turn of the node. */
  private apply(turn: TurnView): void {
    this.turns++;
    while (turn.next()) this.guarded(() => this.take(turn));
    this.tellBacked();
  }

  private take(turn: TurnView): void {
    const { type, subject } = turn;
    if (type === LINK.PUBLISH) return this.publish(subject, turn.body());
    if (type === LINK.CLUSTER) {
      this.cluster = readCluster(turn);
      return;
    }
    const client = this.channels.get(subject);
    if (client === undefined) return; // it has left, and the node does not know yet
    switch (type) {
      case LINK.SEND:
        return this.send(client, turn);
      case LINK.SUBSCRIBE:
        return this.subscribe(client, readTopic(turn), readIsOwn(turn));
      case LINK.UNSUBSCRIBE:
        return this.unsubscribe(client, readTopic(turn));
      case LINK.END: {
        const { code, reason } = readEnd(turn);
        this.channels.delete(subject);
        return client.ended(code, reason);
      }
      default: // of a newer version: what is not known is left out
    }
  }

  private publish(number: number, bytes: Uint8Array): void {
    const topic = this.topics.get(number);
    if (topic === undefined) return;
    this.published++;
    topic.owner?.hear(bytes);
    this.parts.transport.publish(topic.name, bytes);
  }

  /** All that follows for the same client leaves in as few writes as possible. */
  private send(client: RoutedClient, turn: TurnView): void {
    const { subject } = turn;
    let isBacked = false;
    client.socket.cork(() => {
      isBacked = client.fromNode(turn.body()) === SENT.BUFFERED;
      while (!client.isClosed && turn.isFollowedBy(LINK.SEND, subject) && turn.next())
        isBacked = client.fromNode(turn.body()) === SENT.BUFFERED;
    });
    if (isBacked) this.backed.add(client);
  }

  private subscribe(client: RoutedClient, number: number, isOwn: boolean): void {
    if (number < 0 || client.topics.has(number)) return;
    client.topics.add(number);
    client.socket.subscribe(this.topics.enter(number, isOwn ? client : null).name);
  }

  private unsubscribe(client: RoutedClient, number: number): void {
    if (!client.topics.delete(number)) return;
    const topic = this.topics.leave(number);
    if (topic !== undefined) client.socket.unsubscribe(topic.name);
  }

  /** How much waits in the sockets that hold something back. */
  private tellBacked(): void {
    for (const client of this.backed) {
      const waiting = client.isClosed ? 0 : client.socket.bufferedAmount();
      client.channel?.buffered(waiting);
      if (waiting === 0) this.backed.delete(client);
    }
  }

  // ---- in time ----

  private poll(): void {
    const now = this.parts.clock.now();
    this.late = Math.max(now - this.polledAt - POLL_MS, this.late * LATE_FADES, 0);
    this.polledAt = now;
    if (this.backed.size > 0) this.tellBacked();
  }

  private retry(): void {
    const now = this.parts.clock.now();
    for (const client of this.clients) if (client.channel === null) this.guarded(() => client.retry(now));
  }

  /** What one client brings about is not the others' trouble. */
  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.parts.log.error({ err: error }, 'a turn of the router failed');
    }
  }
}

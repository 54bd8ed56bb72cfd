/**
 * A network without a network: links between the SDK's sockets and a gateway's transport, in order, with a delay that
 * the simulation sets, and ends that it may cut. Bytes are copied when they are sent, as real sockets do.
 */
import type { Timers } from '../../src/base/clock.js';
import type { Random } from '../../src/base/random.js';
import type { ClientSocket, SocketEvents, SocketFactory } from '../../src/client/socket.js';
import { type Socket, type SocketListener, SENT, type Transport } from '../../src/gateway/transport.js';

/** Longest one-way delay of a link, ms. */
const MAX_DELAY_MS = 40;
const ABNORMAL = 1006;

/** What a link needs of the gateway that it leads to. */
export interface Door {
  accept(socket: Socket): SocketListener;
}

export class SimNet {
  readonly links = new Set<Link>();
  /** Told of what each client says. */
  onSaid: (bytes: Uint8Array) => void = () => {};
  /** Told of each close by the server. */
  onEnd: (code: number) => void = () => {};

  constructor(
    private readonly time: Timers,
    private readonly random: Random,
    private readonly doors: () => readonly Door[],
  ) {}

  /** Sockets for the SDK: each connects to some gateway. */
  readonly factory: SocketFactory = (_url, events) => {
    const doors = this.doors();
    return new Link(
      this,
      this.time,
      doors[this.random.int(doors.length)]!,
      events,
      this.random.int(MAX_DELAY_MS),
    );
  };

  /** Cuts a link without a word to either side's application. */
  cut(link: Link): void {
    link.sever(ABNORMAL, '');
  }
}

/** One connection: itself the client's end; `serverEnd` is the gateway's. */
export class Link implements ClientSocket {
  readonly topics = new Set<string>();
  /** The client reads nothing for now. */
  isStalled = false;
  private listener: SocketListener | undefined;
  private isOpen = true;
  private readonly held: Uint8Array[] = [];

  constructor(
    private readonly net: SimNet,
    private readonly time: Timers,
    readonly door: Door,
    private readonly events: SocketEvents,
    private readonly delay: number,
  ) {
    net.links.add(this);
    this.later(() => {
      const listener = door.accept(this.serverEnd);
      if (this.isOpen) this.listener = listener;
      this.later(() => this.events.opened());
    });
  }

  /** What the gateway sees. */
  private readonly serverEnd: Socket = {
    send: (bytes) => this.toClient(bytes),
    cork: (work) => work(),
    subscribe: (topic) => void this.topics.add(topic),
    unsubscribe: (topic) => void this.topics.delete(topic),
    end: (code, reason) => this.endByServer(code, reason),
    bufferedAmount: () => this.held.reduce((sum, bytes) => sum + bytes.length, 0),
  };

  send(bytes: Uint8Array): void {
    this.net.onSaid(bytes);
    const copy = bytes.slice();
    this.later(() => this.listener?.message(copy));
  }

  close(): void {
    this.later(() => this.sever(1000, ''));
  }

  /** Server → client. */
  toClient(bytes: Uint8Array): number {
    if (!this.isOpen) return SENT.DROPPED;
    this.held.push(bytes.slice());
    if (!this.isStalled) this.flush();
    return SENT.OK;
  }

  /** Lets through what waits for a client that reads again. */
  flush(): void {
    for (const bytes of this.held.splice(0)) this.later(() => this.events.received(bytes));
  }

  private endByServer(code: number, reason: string): void {
    this.net.onEnd(code);
    const { listener } = this;
    this.listener = undefined;
    this.net.links.delete(this);
    this.topics.clear();
    listener?.closed();
    this.later(() => this.closeClient(code, reason));
  }

  sever(code: number, reason: string): void {
    const { listener } = this;
    this.listener = undefined;
    this.net.links.delete(this);
    this.topics.clear();
    listener?.closed();
    this.closeClient(code, reason);
  }

  private closeClient(code: number, reason: string): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.events.closed(code, reason);
  }

  /** In order: equal delays keep the order of asking. Nothing arrives on a link that is closed. */
  private later(fn: () => void): void {
    this.time.after(this.delay, () => {
      if (this.isOpen) fn();
    });
  }
}

/** The transport of one gateway over the net. */
export function simTransport(net: () => SimNet, door: () => Door): Transport {
  return {
    listen: () => 0,
    publish(topic, bytes) {
      for (const link of net().links)
        if (link.door === door() && link.topics.has(topic)) link.toClient(bytes);
    },
    stopListening() {},
    close() {},
  };
}

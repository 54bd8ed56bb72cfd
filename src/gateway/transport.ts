/**
 * What a gateway needs of its sockets. The transport is injected: uWebSockets.js in production (uws-transport.ts), a
 * fake one in tests and in the simulation, so that sessions run without a network.
 *
 * Contract: binary messages, whole and in order. Bytes handed to `send` and `publish` are copied before the call
 * returns (they may lie in shared memory that is overwritten afterwards); bytes handed to `message` are valid during the
 * call only. `send` and `publish` to one socket keep their order. After `closed` a socket must not be used.
 */

/** What became of a `send`. */
export const SENT = {
  /** Waits in the socket's own buffer; will be delivered. */
  BUFFERED: 0,
  OK: 1,
  /** Skipped: the buffer is full. `dropped` is called as well. */
  DROPPED: 2,
} as const;

/** One client's socket. */
export interface Socket {
  send(bytes: Uint8Array): number;
  /** What is sent within `work`, which is done at once, leaves in as few writes as possible. */
  cork(work: () => void): void;
  subscribe(topic: string): void;
  unsubscribe(topic: string): void;
  /** Says why and closes; `closed` is called before this returns. */
  end(code: number, reason: string): void;
  /** Bytes that wait in the process for a slow reader. */
  bufferedAmount(): number;
  /** Where the client itself is, as text, also behind a trusted proxy; absent or '' = not known. */
  readonly address?: string;
  /** Its address has more sockets than it may have: this one is to be refused. */
  readonly isOver?: boolean;
  /** What carries it further is late by so much, ms; absent = nothing does. */
  lateMs?(): number;
  /** Addresses of game ports beside its own at which its session can be resumed; absent = there are none. */
  elsewhere?(): readonly string[];
}

/** A topic of this form is one client's own: nobody else is ever subscribed to it. */
export function isOwnTopic(topic: string): boolean {
  return topic.charCodeAt(0) === AT;
}
const AT = 0x40;

/** What a socket tells its connection. */
export interface SocketListener {
  message(bytes: Uint8Array): void;
  /** A text frame came: BlueMarble speaks binary only. */
  text(): void;
  /** The buffer had been full and something was skipped. */
  dropped(): void;
  /** The buffer has room again. */
  drained(): void;
  closed(): void;
}

export interface ListenOptions {
  /** Address to bind; every interface when left out. */
  host?: string;
  /** 0 lets the system choose. */
  port: number;
  /** Refuse to share the port. Several gateways of one server share it, one alone must not. */
  exclusive: boolean;
  /** TCP connections at a time, whatever they speak: at it the port is closed, and open again below. Default: any number. */
  maxSockets?: number;
}

export interface Transport {
  /**
   * Begins to accept clients.
   * @param accept makes the listener of a new socket
   * @returns the real port
   * @throws BlueMarbleError PORT_TAKEN
   */
  listen(options: ListenOptions, accept: (socket: Socket) => SocketListener): number;
  /** Sends to every socket that is subscribed to the topic. */
  publish(topic: string, bytes: Uint8Array): void;
  /** A few times a second: what can be done again, such as listening once there is room. */
  tend?(): void;
  /** Not listening because all sockets are taken. */
  readonly isFull?: boolean;
  /** Accepts nobody any more; sockets stay. */
  stopListening(): void;
  /** Ends the transport and every socket that is left, at once and without a word. Idempotent. */
  close(): void;
}

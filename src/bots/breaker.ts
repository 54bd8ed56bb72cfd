/** A bot's socket, broken on purpose now and then (`--drop-every`): the client must resume as if nothing had happened. */
import type { Random } from '../base/random.js';
import type { ClientSocket, SocketFactory } from '../client/socket.js';

export class Breaker {
  /** For the client: remembers the newest socket. */
  readonly sockets: SocketFactory;
  private socket: ClientSocket | null = null;
  private dueMs: number;
  private isOurs = false;

  /** @param everyS on average, seconds; 0 = never */
  constructor(
    sockets: SocketFactory,
    private readonly random: Random,
    private readonly everyS: number,
    now: number,
  ) {
    this.sockets = (url, events) => {
      this.socket = sockets(url, events);
      return this.socket;
    };
    this.dueMs = now + this.wait();
  }

  /** Call while online. @returns whether the socket was broken now */
  beat(now: number): boolean {
    if (now < this.dueMs) return false;
    this.dueMs = now + this.wait();
    this.isOurs = true;
    this.socket?.close(1000, '');
    return true;
  }

  /** Of a connection that was lost: whether it was our doing. */
  claims(): boolean {
    const { isOurs } = this;
    this.isOurs = false;
    return isOurs;
  }

  private wait(): number {
    return this.everyS === 0 ? Number.POSITIVE_INFINITY : this.everyS * 2000 * this.random.next();
  }
}

/**
 * Who may hold a connection to the admin port. Beyond `MOST` the one goes that has asked for nothing for longest, so held
 * sockets keep nobody out; where all are being answered there are `SPARE` more, which may ask for health alone.
 */
import type { Server } from 'node:http';
import type { Socket } from 'node:net';

export const MOST = 256;
export const SPARE = 32;
export const HEALTH: ReadonlySet<string> = new Set(['/healthz', '/readyz']);

export class Places {
  /** In the order of the last request, or of coming; the value: being answered. */
  private readonly sockets = new Map<Socket, boolean>();
  private readonly spare = new Set<Socket>();

  /** @param server its own limit is lifted: here is one that lets health through */
  constructor(server: Server) {
    server.maxConnections = MOST + 2 * SPARE;
    server.on('connection', (socket) => this.came(socket));
  }

  private came(socket: Socket): void {
    const isFull = this.sockets.size >= MOST && !this.makeRoom();
    if (isFull) {
      const [oldest] = this.spare;
      if (this.spare.size >= SPARE) oldest?.destroy();
      this.spare.add(socket);
    } else this.sockets.set(socket, false);
    socket.once('close', () => {
      this.sockets.delete(socket);
      this.spare.delete(socket);
    });
  }

  private makeRoom(): boolean {
    for (const [socket, isBusy] of this.sockets) {
      if (isBusy) continue;
      this.sockets.delete(socket); // its close comes in a later turn
      socket.destroy();
      return true;
    }
    return false;
  }

  /** A request is heard. @returns whether its path is answered here; false: all places are taken */
  asks(socket: Socket, path: string): boolean {
    if (this.spare.has(socket)) return HEALTH.has(path);
    this.note(socket, true);
    return true;
  }
  /** It was answered. */
  answered(socket: Socket): void {
    this.note(socket, false);
  }

  private note(socket: Socket, isBusy: boolean): void {
    if (!this.sockets.delete(socket)) return;
    this.sockets.set(socket, isBusy);
  }
}

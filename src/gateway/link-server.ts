/**
 * The link port of a node: takes connections, and hands those that have proved the cluster's key to the transport. Who has
 * not costs a bounded number of sockets for a few seconds. Without TLS it listens on this machine alone.
 */
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { Timers } from '../base/clock.js';
import { BlueMarbleError, type LinkName } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { Log } from '../base/log.js';
import { Doorkeeper, type LinkPeer, say } from '../wire/link/handshake.js';
import type { LinkStream, StreamEvents } from '../wire/link/stream.js';
import { TurnReader, TurnWriter } from '../wire/link/turn.js';
import { linkCrypto } from './link-crypto.js';
import { NetStream } from './link-stream.js';

export interface LinkPort {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  /** PEM files. */
  readonly tls?: { cert: string; key: string };
  /** The cluster's key. */
  readonly key: Uint8Array;
}

export interface LinkServerParts extends LinkPort {
  readonly me: LinkPeer;
  readonly timers: Timers;
  readonly log: Pick<Log, 'warn' | 'debug'>;
  /** @returns what hears the stream from now on; null when nobody is accepted */
  join(stream: LinkStream, peer: LinkPeer): StreamEvents | null;
}

export class LinkServer {
  private readonly server: Server;
  private readonly strangers = new Set<Socket>();
  private readonly sockets = new Set<Socket>();

  /** @throws BlueMarbleError BAD_TLS */
  constructor(private readonly parts: LinkServerParts) {
    const { tls } = parts;
    const taken = (socket: Socket) => this.taken(socket);
    if (tls === undefined) this.server = createServer(taken);
    else {
      this.server = createTlsServer(pemOf(tls), taken);
      this.server.on('tlsClientError', () => {}); // the socket is closed; a stranger's fault is no event of ours
    }
  }

  /** @returns the real port @throws BlueMarbleError LINK_PORT */
  listen(): Promise<number> {
    const { host, port } = this.parts;
    return new Promise((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) => {
        const why = error.code === 'EADDRINUSE' ? 'another process listens there' : error.message;
        reject(new BlueMarbleError('LINK_PORT', `the link port ${port} on ${host} cannot be used (${why})`));
      });
      // exclusive: no sharing of the handle between cluster workers.
      this.server.listen({ host, port, exclusive: true }, () =>
        resolve((this.server.address() as AddressInfo).port),
      );
    });
  }

  /** Takes nobody any more and ends every connection. */
  close(): void {
    this.server.close();
    for (const socket of this.sockets) socket.destroySoon();
  }

  private taken(socket: Socket): void {
    const { parts, strangers, sockets } = this;
    sockets.add(socket);
    socket.on('close', () => {
      sockets.delete(socket);
      strangers.delete(socket);
    });
    socket.on('error', () => socket.destroy());
    if (strangers.size >= LIMITS.linkStrangers) return void socket.destroy();
    strangers.add(socket);
    const stream = new NetStream(socket);
    const keeper = new Doorkeeper(parts.me, parts.key, stream.binding, linkCrypto);
    const cancel = parts.timers.after(LIMITS.linkHandshakeS * 1000, () => socket.destroy());
    const out = new TurnWriter();
    const reader = new TurnReader(LIMITS.linkHandshakeBytes);
    stream.events = {
      closed: cancel,
      received: (bytes) => {
        const taken = reader.feed(bytes, (turn) => {
          while (turn.next()) {
            const step = keeper.hear(turn.type, turn.body(), () => null);
            say(stream, out, step);
            if (step.refused !== undefined) this.refused(socket, stream, step.refused);
            if (step.peer === undefined) continue;
            cancel();
            strangers.delete(socket);
            stream.events = parts.join(stream, step.peer);
            if (stream.events === null) stream.destroy();
            return false; // a router says nothing before it has heard ACCEPT
          }
          return true;
        });
        if (taken < 0) this.refused(socket, stream, 'LINK_NONSENSE');
      },
    };
  }

  private refused(socket: Socket, stream: NetStream, code: LinkName): void {
    this.parts.log.warn({ code, from: socket.remoteAddress }, 'a link was refused');
    stream.events = null;
    stream.destroy();
  }
}

/** @throws BlueMarbleError BAD_TLS */
function pemOf(tls: { cert: string; key: string }) {
  try {
    // Both ends are ours: nothing older is spoken.
    return { cert: readFileSync(tls.cert), key: readFileSync(tls.key), minVersion: 'TLSv1.3' as const };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new BlueMarbleError('BAD_TLS', `the TLS files of the link port cannot be read: ${why}`);
  }
}

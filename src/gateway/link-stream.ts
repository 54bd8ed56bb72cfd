/** The bytes below a link in production: a TCP or TLS socket of Node. */
import type { Socket } from 'node:net';
import { TLSSocket } from 'node:tls';
import type { LinkStream, StreamEvents } from '../wire/link/stream.js';

/** RFC 9266, channel binding "tls-exporter". */
const EXPORTER_LABEL = 'EXPORTER-Channel-Binding';
const EXPORTER_BYTES = 32;

/** @param socket connected, and over TLS agreed on */
export class NetStream implements LinkStream {
  readonly binding: Uint8Array;
  /** What hears the stream now; the handshake first, then the link. */
  events: StreamEvents | null = null;

  constructor(private readonly socket: Socket) {
    socket.setNoDelay(true); // turns are joined already
    this.binding =
      socket instanceof TLSSocket
        ? socket.exportKeyingMaterial(EXPORTER_BYTES, EXPORTER_LABEL, Buffer.alloc(0))
        : new Uint8Array(0);
    socket.on('data', (bytes: Buffer) => this.events?.received(bytes));
    socket.on('error', () => socket.destroy()); // a close follows, which is all that a link has to know
    socket.on('end', () => socket.destroy());
    socket.on('close', () => this.events?.closed());
  }

  write(bytes: Uint8Array, done: () => void): void {
    if (this.socket.writable) this.socket.write(bytes, () => done());
  }

  waiting(): number {
    return this.socket.writableLength;
  }

  end(): void {
    this.socket.end();
  }

  destroy(): void {
    // What the kernel has taken (a refusal, say) still leaves; what it does not take is for nobody.
    if (this.socket.writableLength === 0) this.socket.destroySoon();
    else this.socket.destroy();
  }
}

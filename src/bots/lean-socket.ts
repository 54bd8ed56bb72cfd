/**
 * A WebSocket client for thousands of bots in one process: Node's net with one shared read buffer, messages told in
 * place, nothing allocated per message. `ws` costs several times as much per message, and bots share the machine with
 * the server that they measure. ws:// only; the payload limit of clients keeps frames short, so there is no fragmenting.
 */
import { createHash } from 'node:crypto';
import { connect, type Socket } from 'node:net';
import type { Random } from '../base/random.js';
import type { ClientSocket, SocketEvents, SocketFactory } from '../client/socket.js';
import { FrameParser, maskedFrame, OPCODE } from './ws-frames.js';

/** All sockets of a process read into it: libuv hands out the bytes before it reads the next socket. */
const READ_BYTES = 256 * 1024;
const HANDSHAKE_MAX_BYTES = 8192;
const GUID = '258EAFA5-E914-47DA-95CA-C5AB0DC85B11';
/** For the server to answer our close with its own. */
const NO_STATUS = 1006;

export function leanSockets(random: Random): SocketFactory {
  const shared = Buffer.allocUnsafe(READ_BYTES);
  return (url, events) => new LeanSocket(url, events, shared, random);
}

class LeanSocket implements ClientSocket {
  private readonly socket: Socket;
  private readonly parser: FrameParser;
  private readonly key: string;
  /** What has come of the server's answer to the handshake; null = it is complete. */
  private answer: Buffer | null = Buffer.alloc(0);
  private code = NO_STATUS;
  private reason = '';

  constructor(
    url: string,
    private readonly events: SocketEvents,
    shared: Buffer,
    private readonly random: Random,
  ) {
    const { hostname, port, pathname, search } = new URL(url);
    this.key = Buffer.from(Uint32Array.from({ length: 4 }, () => random.u32()).buffer).toString('base64');
    this.parser = new FrameParser({
      message: (bytes) => events.received(bytes),
      ping: (bytes) => this.write(OPCODE.PONG, bytes),
      close: (code, reason) => this.closed(code, reason),
      fault: (text) => this.closed(1002, text),
    });
    this.socket = connect({
      host: hostname.replace(/^\[|\]$/g, ''),
      port: port === '' ? 80 : Number(port),
      noDelay: true, // an action must not wait for the next one
      onread: {
        buffer: shared,
        callback: (bytes) => {
          this.read(shared.subarray(0, bytes));
          return true;
        },
      },
    });
    this.socket.on('connect', () => this.socket.write(this.request(hostname, port, pathname + search)));
    this.socket.on('error', (error) => {
      if (this.reason === '') this.reason = error.message;
    });
    this.socket.on('end', () => this.socket.destroy());
    this.socket.on('close', () => events.closed(this.code, this.reason));
  }

  send(bytes: Uint8Array): void {
    this.write(OPCODE.BINARY, bytes);
  }

  close(code: number, reason: string): void {
    if (this.answer === null) {
      const payload = new Uint8Array(2 + reason.length);
      payload[0] = code >> 8;
      payload[1] = code;
      for (let i = 0; i < reason.length; i++) payload[2 + i] = reason.charCodeAt(i);
      this.write(OPCODE.CLOSE, payload);
      this.socket.end();
    } else this.socket.destroy();
  }

  private request(hostname: string, port: string, path: string): string {
    return [
      `GET ${path} HTTP/1.1`,
      `Host: ${hostname}${port === '' ? '' : `:${port}`}`,
      'Upgrade: websocket',
      'Connection: Upgrade',
      `Sec-WebSocket-Key: ${this.key}`,
      'Sec-WebSocket-Version: 13',
      '\r\n',
    ].join('\r\n');
  }

  private read(bytes: Buffer): void {
    if (this.answer === null) this.parser.feed(bytes);
    else this.readAnswer(Buffer.concat([this.answer, bytes]));
  }

  private readAnswer(answer: Buffer): void {
    const end = answer.indexOf('\r\n\r\n');
    if (end < 0) {
      this.answer = answer;
      if (answer.length > HANDSHAKE_MAX_BYTES) this.closed(1002, 'an endless answer to the handshake');
      return;
    }
    const head = answer.toString('latin1', 0, end);
    const accept = createHash('sha1')
      .update(this.key + GUID)
      .digest('base64');
    if (!head.startsWith('HTTP/1.1 101') || !head.includes(accept)) {
      this.closed(1002, `no WebSocket: ${head.split('\r\n')[0]}`);
      return;
    }
    this.answer = null;
    this.events.opened();
    if (answer.length > end + 4) this.parser.feed(answer.subarray(end + 4));
  }

  private closed(code: number, reason: string): void {
    this.code = code;
    this.reason = reason;
    this.socket.destroy();
  }

  private write(opcode: number, bytes: Uint8Array): void {
    if (this.answer === null && this.socket.writable)
      this.socket.write(maskedFrame(opcode, bytes, this.random.u32()));
  }
}

/**
 * A client without manners: raw TCP to the game port, WebSocket frames with every field in the test's hand, messages
 * of any bytes. It hears what the server says and how it ends, and never answers by itself.
 */
import { connect, type Socket } from 'node:net';
import { FrameParser } from '../../src/bots/ws-frames.js';
import { ClientWriter, type HelloWords } from '../../src/wire/client-writer.js';
import { PROTOCOL_VERSION } from '../../src/wire/protocol.js';
import { type LogFields, ServerMessageReader, type ServerSink } from '../../src/wire/server-message.js';
import type { WelcomeFields } from '../../src/wire/welcome.js';
import { within } from './server.js';

export const OPCODE = { CONTINUATION: 0, TEXT: 1, BINARY: 2, CLOSE: 8, PING: 9, PONG: 10 } as const;

/** A socket that ended without a close frame. */
export const CUT = 1006;

export interface FrameFields {
  readonly fin?: boolean;
  /** The three reserved bits, 0 … 7. */
  readonly reserved?: number;
  readonly masked?: boolean;
  /** What the header says of the length, whatever follows. */
  readonly length?: number;
}

/** One frame, as well or as badly formed as asked for. */
export function frame(opcode: number, payload: Uint8Array, fields: FrameFields = {}): Uint8Array {
  const { fin = true, reserved = 0, masked = true, length = payload.length } = fields;
  const head: number[] = [(fin ? 0x80 : 0) | (reserved << 4) | opcode];
  const maskBit = masked ? 0x80 : 0;
  if (length < 126) head.push(maskBit | length);
  else if (length < 65536) head.push(maskBit | 126, length >> 8, length & 255);
  else {
    head.push(maskBit | 127);
    for (let byte = 7; byte >= 0; byte--) head.push(Math.floor(length / 256 ** byte) % 256);
  }
  const mask = [17, 34, 51, 68];
  if (!masked) return Uint8Array.from([...head, ...payload]);
  return Uint8Array.from([...head, ...mask, ...payload.map((byte, i) => byte ^ mask[i & 3])]);
}

export const UPGRADE = [
  'GET / HTTP/1.1',
  'Host: 127.0.0.1',
  'Upgrade: websocket',
  'Connection: Upgrade',
  'Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==',
  'Sec-WebSocket-Version: 13',
  '\r\n',
].join('\r\n');

export class RawClient {
  readonly socket: Socket;
  readonly writer = new ClientWriter();
  /** Resolves with the code of the server's close frame, or CUT. */
  readonly ended: Promise<number>;
  /** The code, once it has ended. */
  code: number | undefined;
  welcome: WelcomeFields | undefined;
  /** Name that Closing gave. */
  closing = '';
  log: LogFields | undefined;
  newestTick = 0;
  applied = 0;
  /** Newest action that is durable. */
  durable = 0;
  /** Code of each rejected action. */
  readonly rejected = new Map<number, number>();
  /** Of the newest cell frame. */
  lastFrameTick = 0;
  /** Of the newest Pong. */
  nonce = 0;
  private readonly reader = new ServerMessageReader();
  private readonly waiting = new Set<() => void>();
  private isUpgraded = false;
  private answer = Buffer.alloc(0);

  constructor(port: number) {
    this.socket = connect({ port, host: '127.0.0.1', noDelay: true });
    const parser = new FrameParser({
      message: (bytes) => this.hear(bytes),
      ping: () => {}, // answers nothing by itself
      close: (code) => this.end(code),
      fault: (text) => {
        throw new Error(`the server sent ${text}`);
      },
    });
    this.ended = new Promise((resolve) => {
      this.socket.on('close', () => {
        this.end(CUT);
        resolve(this.code as number);
      });
    });
    this.socket.on('error', () => {}); // a close follows
    this.socket.on('data', (bytes) => {
      if (this.isUpgraded) parser.feed(bytes);
      else this.readAnswer(bytes, parser);
      for (const look of [...this.waiting]) look();
    });
  }

  /** A socket that has been upgraded. */
  static async open(port: number): Promise<RawClient> {
    const client = new RawClient(port);
    client.socket.write(UPGRADE);
    await client.until('the upgrade', () => client.isUpgraded);
    return client;
  }

  /** One that plays: has its Welcome. */
  static async play(port: number, words: Partial<HelloWords> = {}): Promise<RawClient> {
    const client = await RawClient.open(port);
    client.hello(words);
    await client.until('the Welcome', () => client.welcome !== undefined);
    return client;
  }

  /** Waits for something that the server says; rejects when the socket ends before. */
  until(what: string, isSo: () => boolean): Promise<void> {
    const heard = new Promise<void>((resolve, reject) => {
      const look = () => {
        if (isSo()) resolve();
        else if (this.code === undefined) return;
        else reject(new Error(`closed with ${this.code} ${this.closing} before ${what}`));
        this.waiting.delete(look);
      };
      this.waiting.add(look);
      look();
    });
    return within(what, heard);
  }

  /** Raw bytes. */
  write(...pieces: Uint8Array[]): this {
    this.socket.write(Buffer.concat(pieces));
    return this;
  }

  /** Messages in well-formed frames, in one write. */
  send(...messages: Uint8Array[]): this {
    return this.write(...messages.map((message) => frame(OPCODE.BINARY, message)));
  }

  hello(words: Partial<HelloWords> = {}): this {
    return this.send(this.writer.hello(0, { protocol: PROTOCOL_VERSION, ...words }));
  }

  /** The words of a Hello that goes on with this client's session. */
  get resumption(): Partial<HelloWords> {
    const { session, entity, token } = this.welcome as WelcomeFields;
    return { resumeSession: session, resumeEntity: entity, resumeToken: token };
  }

  /** Asks for the server's account of the session. */
  async askLog(): Promise<LogFields> {
    this.log = undefined;
    this.send(this.writer.logRequest(0));
    await this.until('the log', () => this.log !== undefined);
    return this.log as unknown as LogFields;
  }

  /** A walk that stands still, ready to be sent. */
  action(id: number): Uint8Array {
    return this.writer.action(0, id, 1, new Uint8Array(12)).slice();
  }

  destroy(): void {
    this.socket.destroy();
  }

  private readAnswer(bytes: Buffer, parser: FrameParser): void {
    this.answer = Buffer.concat([this.answer, bytes]);
    const end = this.answer.indexOf('\r\n\r\n');
    if (end < 0) return;
    if (!this.answer.toString('latin1').startsWith('HTTP/1.1 101')) return this.end(CUT);
    this.isUpgraded = true;
    if (this.answer.length > end + 4) parser.feed(this.answer.subarray(end + 4));
  }

  private hear(bytes: Uint8Array): void {
    const fault = this.reader.read(Uint8Array.from(bytes), this.sink);
    if (fault !== 0) throw new Error(`the server sent a message with fault ${fault}`);
  }

  private readonly sink: ServerSink = {
    welcome: (fields) => {
      this.welcome = fields;
      this.applied = fields.applied;
      this.saw(fields.tick);
    },
    cellFrame: ({ tick }) => {
      this.lastFrameTick = tick;
      this.saw(tick);
    },
    selfUpdate: (self) => {
      for (let i = 0; i < self.outcomeCount; i++) this.rejected.set(self.outcomeId(i), self.outcomeCode(i));
      this.applied = self.applied;
      this.durable = self.durable;
      this.saw(self.tick);
    },
    logReply: (log) => {
      this.log = log;
    },
    pong: (nonce, tick) => {
      this.nonce = nonce;
      this.saw(tick);
    },
    closing: ({ name }) => {
      this.closing = name;
    },
  };

  private saw(tick: number): void {
    this.newestTick = Math.max(this.newestTick, tick);
  }

  private end(code: number): void {
    this.code ??= code;
    this.socket.destroy();
    for (const look of [...this.waiting]) look();
  }
}

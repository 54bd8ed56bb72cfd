/**
 * Takes one message of the server apart: verified first (I11), then told to the client or the scene by its type.
 */
import { ByteBuffer } from 'flatbuffers';
import { fieldAt, follow, i32, u32 } from '../wire/bytes.js';
import { Closing, LogReply, Welcome as WireWelcome } from '../wire/generated/server_generated.js';
import { SERVER } from '../wire/protocol.js';
import { verifyServerMessage } from '../wire/verify.js';
import { FrameReader, SelfReader } from './frame-reader.js';
import type { Scene } from './scene.js';
import type { SessionLog, Welcome } from './types.js';
import { copyLog, copyWelcome } from './welcome.js';

/** vtable entries of ServerMessage and Pong. */
const BODY_TYPE = 4;
const BODY = 6;
const PONG_TICK = 6;

/** The part of a client that messages concern. */
export interface IncomingSink {
  onWelcome(welcome: Welcome, now: number): void;
  onAcknowledged(
    applied: number,
    durable: number,
    codes: ArrayLike<number>,
    pairs: number,
    now: number,
  ): void;
  onLog(log: SessionLog): void;
  /** Why the server is about to close. */
  onClosing(text: string): void;
  onBadMessage(): void;
}

export class Incoming {
  private readonly frame = new FrameReader();
  private readonly self = new SelfReader();

  constructor(
    private readonly sink: IncomingSink,
    private readonly scene: Scene,
  ) {}

  read(bytes: Uint8Array, now: number): void {
    if (verifyServerMessage(bytes) !== 0) return this.sink.onBadMessage();
    const root = follow(bytes, 0);
    const type = bytes[fieldAt(bytes, root, BODY_TYPE)];
    const table = follow(bytes, fieldAt(bytes, root, BODY));
    switch (type) {
      case SERVER.CELL_FRAME:
        this.frame.open(bytes, table);
        return this.scene.frame(this.frame, bytes, now);
      case SERVER.SELF_UPDATE:
        return this.readSelf(bytes, table, now);
      case SERVER.PONG: {
        const at = fieldAt(bytes, table, PONG_TICK);
        return this.scene.saw(at === 0 ? 0 : u32(bytes, at));
      }
      case SERVER.WELCOME:
        return this.sink.onWelcome(copyWelcome(new WireWelcome().__init(table, new ByteBuffer(bytes))), now);
      case SERVER.LOG_REPLY:
        return this.sink.onLog(copyLog(new LogReply().__init(table, new ByteBuffer(bytes))));
      case SERVER.CLOSING:
        return this.sink.onClosing(new Closing().__init(table, new ByteBuffer(bytes)).text() ?? '');
      default:
        return this.sink.onBadMessage();
    }
  }

  private readSelf(bytes: Uint8Array, table: number, now: number): void {
    const { self } = this;
    self.open(bytes, table);
    this.scene.selfUpdate(self);
    this.sink.onAcknowledged(self.applied, self.durable, self.outcomes, self.outcomeCount, now);
  }
}

/** Opens a CellFrame that a `frame` handler was given, for whoever wants to look inside. */
export function openFrame(reader: FrameReader, bytes: Uint8Array): FrameReader {
  const root = follow(bytes, 0);
  reader.open(bytes, fieldAt(bytes, root, BODY) + i32(bytes, fieldAt(bytes, root, BODY)));
  return reader;
}

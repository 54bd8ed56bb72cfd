/**
 * Reads what the server says: verifies, then hands the message to a sink. Contract: nothing throws; frames, self
 * updates and pongs allocate nothing (their views are reused, valid during the call); ids are numbers, never BigInt.
 */
import { fieldAt, follow, text, u16, u32, u64 } from './bytes.js';
import { CellFrameView } from './cell-frame-view.js';
import { SERVER } from './protocol.js';
import { SelfUpdateView } from './self-update-view.js';
import { verifyServerMessage } from './verify.js';
import { readWelcome, type WelcomeFields } from './welcome.js';

export interface LogFields {
  session: number;
  lastAction: number;
  applied: number;
  rejected: number;
  hash: number;
}

export interface ClosingFields {
  code: number;
  name: string;
  text: string;
  retry: boolean;
}

/** Called once for each message that is fine. */
export interface ServerSink {
  welcome(welcome: WelcomeFields): void;
  cellFrame(frame: CellFrameView): void;
  selfUpdate(self: SelfUpdateView): void;
  logReply(log: LogFields): void;
  /** @param heldMs how long the answer waited at the server, ms */
  pong(nonce: number, tick: number, heldMs: number): void;
  closing(closing: ClosingFields): void;
}

export class ServerMessageReader {
  private readonly frame = new CellFrameView();
  private readonly self = new SelfUpdateView();

  /** @returns a number of FAULT; other than 0: the sink was not called */
  read(bytes: Uint8Array, sink: ServerSink): number {
    const fault = verifyServerMessage(bytes);
    if (fault !== 0) return fault;
    const root = follow(bytes, 0);
    const type = bytes[fieldAt(bytes, root, 4)];
    const body = follow(bytes, fieldAt(bytes, root, 6));
    switch (type) {
      case SERVER.CELL_FRAME:
        sink.cellFrame(this.frame.open(bytes, body));
        break;
      case SERVER.SELF_UPDATE:
        sink.selfUpdate(this.self.open(bytes, body));
        break;
      case SERVER.PONG:
        sink.pong(number(bytes, body, 4), number(bytes, body, 6), short(bytes, body, 8));
        break;
      case SERVER.WELCOME:
        sink.welcome(readWelcome(bytes, body));
        break;
      case SERVER.LOG_REPLY:
        sink.logReply(readLog(bytes, body));
        break;
      default:
        sink.closing(readClosing(bytes, body));
    }
    return 0;
  }
}

function number(bytes: Uint8Array, table: number, entry: number): number {
  const at = fieldAt(bytes, table, entry);
  return at === 0 ? 0 : u32(bytes, at);
}

function short(bytes: Uint8Array, table: number, entry: number): number {
  const at = fieldAt(bytes, table, entry);
  return at === 0 ? 0 : u16(bytes, at);
}

function readLog(bytes: Uint8Array, body: number): LogFields {
  const session = fieldAt(bytes, body, 4);
  return {
    session: session === 0 ? 0 : u64(bytes, session),
    lastAction: number(bytes, body, 6),
    applied: number(bytes, body, 8),
    rejected: number(bytes, body, 10),
    hash: number(bytes, body, 12),
  };
}

function readClosing(bytes: Uint8Array, body: number): ClosingFields {
  const words = fieldAt(bytes, body, 8);
  const retry = fieldAt(bytes, body, 10);
  return {
    code: short(bytes, body, 4),
    name: text(bytes, follow(bytes, fieldAt(bytes, body, 6))),
    text: words === 0 ? '' : text(bytes, follow(bytes, words)),
    retry: retry !== 0 && bytes[retry] !== 0,
  };
}

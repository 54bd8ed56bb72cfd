/**
 * The client's side of RFC 6455 frames for the lean socket: takes bytes as they come from the network and tells whole
 * messages; makes masked frames. No I/O. Only what a BlueMarble server sends is understood: unmasked, unfragmented
 * binary messages, pings, pongs and a close; anything else is a fault.
 */

export interface FrameEvents {
  /** The bytes are valid during the call. */
  message(bytes: Uint8Array): void;
  ping(bytes: Uint8Array): void;
  close(code: number, reason: string): void;
  fault(text: string): void;
}

const BINARY = 0x2;
const CLOSE = 0x8;
const PING = 0x9;
const PONG = 0xa;
const FIN = 0x80;
/** No server frame is longer; a length beyond it means that we have lost our place. */
const MAX_PAYLOAD = 16 * 1024 * 1024;
const NOTHING = new Uint8Array(0);

export class FrameParser {
  /** The beginning of a frame whose end has not come yet. */
  private rest: Uint8Array = NOTHING;
  private stopped = false;

  constructor(private readonly events: FrameEvents) {}

  /** Takes the next bytes of the connection; they are not kept. */
  feed(chunk: Uint8Array): void {
    if (this.stopped) return;
    let bytes = chunk;
    if (this.rest.length > 0) {
      bytes = new Uint8Array(this.rest.length + chunk.length);
      bytes.set(this.rest);
      bytes.set(chunk, this.rest.length);
      this.rest = NOTHING;
    }
    let at = 0;
    while (!this.stopped) {
      const taken = this.frame(bytes, at);
      if (taken === 0) break;
      at += taken;
    }
    // A copy: `slice` of a Buffer would be a view of memory that the next read fills.
    if (at < bytes.length && !this.stopped) this.rest = new Uint8Array(bytes.subarray(at));
  }

  /** Handles the frame at `at`; returns its length, 0 when it is not complete. */
  private frame(b: Uint8Array, at: number): number {
    const left = b.length - at;
    if (left < 2) return 0;
    let head = 2;
    let length = b[at + 1];
    if (length === 126) {
      if (left < 4) return 0;
      head = 4;
      length = (b[at + 2] << 8) | b[at + 3];
    } else if (length === 127) {
      if (left < 10) return 0;
      head = 10;
      length = new DataView(b.buffer, b.byteOffset + at + 2, 8).getUint32(4);
      if (b[at + 2] + b[at + 3] + b[at + 4] + b[at + 5] > 0) length = Number.POSITIVE_INFINITY;
    }
    if (length > MAX_PAYLOAD || (b[at + 1] & 0x80) !== 0) return this.fault('a frame that no server sends');
    if (left < head + length) return 0;
    this.deliver(b[at], b.subarray(at + head, at + head + length));
    return head + length;
  }

  private deliver(first: number, payload: Uint8Array): void {
    if (first === (FIN | BINARY)) return this.events.message(payload);
    if (first === (FIN | PING)) return this.events.ping(payload);
    if (first === (FIN | PONG)) return;
    if (first !== (FIN | CLOSE)) {
      this.fault(`opcode ${first.toString(16)}`);
      return;
    }
    this.stopped = true;
    const code = payload.length >= 2 ? (payload[0] << 8) | payload[1] : 1005;
    this.events.close(code, new TextDecoder().decode(payload.subarray(2)));
  }

  private fault(text: string): number {
    this.stopped = true;
    this.events.fault(text);
    return 0;
  }
}

export const OPCODE = { BINARY, CLOSE, PONG } as const;

/** A masked frame, ready to be written. `mask`: any u32; masks protect proxies, not this connection. */
export function maskedFrame(opcode: number, payload: Uint8Array, mask: number): Uint8Array {
  const n = payload.length;
  const head = n < 126 ? 6 : 8;
  const frame = new Uint8Array(head + n);
  frame[0] = FIN | opcode;
  if (n < 126) frame[1] = 0x80 | n;
  else {
    frame[1] = 0x80 | 126;
    frame[2] = n >> 8;
    frame[3] = n;
  }
  const key = head - 4;
  frame[key] = mask;
  frame[key + 1] = mask >> 8;
  frame[key + 2] = mask >> 16;
  frame[key + 3] = mask >> 24;
  for (let i = 0; i < n; i++) frame[head + i] = payload[i] ^ frame[key + (i & 3)];
  return frame;
}

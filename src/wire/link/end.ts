/** Record END (down): the node has closed a channel. Body: u32 WebSocket close code, then the reason as text. */
import { u32 } from '../bytes.js';
import { LINK } from './types.js';
import type { TurnView, TurnWriter } from './turn.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();
const CODE_BYTES = 4;

export function writeEnd(turn: TurnWriter, channel: number, code: number, reason: string): void {
  const words = encoder.encode(reason);
  const at = turn.begin(LINK.END, channel, CODE_BYTES + words.length);
  putU32(turn.bytes, at, code);
  turn.bytes.set(words, at + CODE_BYTES);
}

export function readEnd(turn: TurnView): { code: number; reason: string } {
  const { bytes, at, length } = turn;
  if (length < CODE_BYTES) return { code: 1006, reason: '' };
  return { code: u32(bytes, at), reason: decoder.decode(bytes.subarray(at + CODE_BYTES, at + length)) };
}

/** Little-endian, at any byte. */
export function putU32(bytes: Uint8Array, at: number, value: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
  bytes[at + 2] = value >>> 16;
  bytes[at + 3] = value >>> 24;
}

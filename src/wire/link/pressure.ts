/**
 * Records DROPPED, DRAINED, BUFFERED (up): what a client's socket at the router can take. Dropped: its buffer was full and
 * something was skipped. Drained: there is room again. Buffered: u32 bytes that wait in it now. The first two have no body.
 */
import { u32 } from '../bytes.js';
import { putU32 } from './end.js';
import { LINK } from './types.js';
import type { TurnView, TurnWriter } from './turn.js';

export function writeDropped(turn: TurnWriter, channel: number): void {
  turn.begin(LINK.DROPPED, channel, 0);
}

export function writeDrained(turn: TurnWriter, channel: number): void {
  turn.begin(LINK.DRAINED, channel, 0);
}

export function writeBuffered(turn: TurnWriter, channel: number, waiting: number): void {
  const at = turn.begin(LINK.BUFFERED, channel, 4);
  putU32(turn.bytes, at, waiting);
}

/** @returns bytes that wait */
export function readBuffered(turn: TurnView): number {
  return turn.length < 4 ? 0 : u32(turn.bytes, turn.at);
}

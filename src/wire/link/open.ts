/** Record OPEN (up): a client has come to the router; the subject is its channel, the body its own address as text. */
import { LINK } from './types.js';
import type { TurnView, TurnWriter } from './turn.js';

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function writeOpen(turn: TurnWriter, channel: number, address: string): void {
  turn.put(LINK.OPEN, channel, encoder.encode(address));
}

/** @returns the client's address, '' = not known */
export function readOpen(turn: TurnView): string {
  return decoder.decode(turn.body());
}

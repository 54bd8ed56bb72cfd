/**
 * Records MESSAGE (up) and SEND (down): one whole message of a client or to it, as it is on its socket. TEXT, CLOSED (up):
 * the client sent text; its socket is gone. Neither has a body.
 */
import { LINK } from './types.js';
import type { TurnWriter } from './turn.js';

export function writeMessage(turn: TurnWriter, channel: number, message: Uint8Array): void {
  turn.put(LINK.MESSAGE, channel, message);
}

export function writeSend(turn: TurnWriter, channel: number, message: Uint8Array): void {
  turn.put(LINK.SEND, channel, message);
}

export function writeText(turn: TurnWriter, channel: number): void {
  turn.begin(LINK.TEXT, channel, 0);
}

export function writeClosed(turn: TurnWriter, channel: number): void {
  turn.begin(LINK.CLOSED, channel, 0);
}

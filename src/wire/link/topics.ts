/**
 * Records PUBLISH, SUBSCRIBE, UNSUBSCRIBE (down): a topic is told once for each router, which sends it to the clients that
 * are subscribed there. Topics are numbered by the node; a number is used again only after every channel of the link was
 * unsubscribed from it. Subscribe: u32 topic, u32 1 = it is this client's own (nobody else hears it), 0. Unsubscribe: u32
 * topic.
 */
import { u32 } from '../bytes.js';
import { putU32 } from './end.js';
import { LINK } from './types.js';
import type { TurnView, TurnWriter } from './turn.js';

export function writePublish(turn: TurnWriter, topic: number, message: Uint8Array): void {
  turn.put(LINK.PUBLISH, topic, message);
}

export function writeSubscribe(turn: TurnWriter, channel: number, topic: number, isOwn: boolean): void {
  const at = turn.begin(LINK.SUBSCRIBE, channel, 8);
  putU32(turn.bytes, at, topic);
  putU32(turn.bytes, at + 4, isOwn ? 1 : 0);
}

export function writeUnsubscribe(turn: TurnWriter, channel: number, topic: number): void {
  const at = turn.begin(LINK.UNSUBSCRIBE, channel, 4);
  putU32(turn.bytes, at, topic);
}

/** Of both. @returns the topic, −1 = the record has none */
export function readTopic(turn: TurnView): number {
  return turn.length < 4 ? -1 : u32(turn.bytes, turn.at);
}

export function readIsOwn(turn: TurnView): boolean {
  return turn.length >= 8 && u32(turn.bytes, turn.at + 4) === 1;
}

/** What the bench and a peer's process say to each other over Node's IPC channel. */
import type { Field } from '../fanout/field.js';

export const PEERS = ['colyseus-rooms', 'colyseus-views', 'ws-json'] as const;
export type Peer = (typeof PEERS)[number];

export interface PeerOptions {
  peer: Peer;
  field: Field;
  framesPerSecond: number;
  tickRate: number;
}

/** A client's address each, or one for all. */
export interface PeerListens {
  urls: string[];
}

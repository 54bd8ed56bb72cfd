/**
 * The payload layouts that a client knows by name, of actions and of events: those of the built-in game, and what a
 * studio passes to `connect` for its own. Both ways are the shared ones of base/payload.
 */
import { encodePayload, PayloadDecoder, type PayloadShape } from '../base/payload.js';
import { clientError } from './errors.js';

/** Fields of a struct, a text, or bytes that are encoded already. */
export type ActionFields = string | Uint8Array | Readonly<Record<string, number>>;

export const BUILT_IN_PAYLOADS: Readonly<Record<string, PayloadShape>> = {
  walk: { heading: 'f32', speed: 'f32', seconds: 'f32' },
  gather: { target: 'id' },
  drop: { item: 'u16', count: 'u16' },
  pick: { target: 'id' },
  give: { target: 'id', item: 'u16', count: 'u16' },
  say: 'text',
  forage: 'none',
  tradeOffer: { target: 'id' },
  tradePut: { trade: 'id', item: 'u16', count: 'u16' },
  tradeTake: { trade: 'id', item: 'u16', count: 'u16' },
  tradeAccept: { trade: 'id', version: 'u16' },
  tradeAbort: { trade: 'id' },
};

/** What the trade tells (TradeState of game.fbs). Of its items the asker's come first, then those of the asked one. */
const TRADE_STATE = {
  asker: 'id',
  asked: 'id',
  version: 'u16',
  state: 'u8',
  accepted: 'u8',
  askerItem0: 'u16',
  askerItem1: 'u16',
  askerItem2: 'u16',
  askerItem3: 'u16',
  askedItem0: 'u16',
  askedItem1: 'u16',
  askedItem2: 'u16',
  askedItem3: 'u16',
} as const;
export type TradeState = Readonly<Record<keyof typeof TRADE_STATE, number>>;

export const BUILT_IN_EVENTS = {
  speech: 'text',
  growl: 'none',
  trade: TRADE_STATE,
} as const satisfies Readonly<Record<string, PayloadShape>>;

/** Fields by name as `shape` says; of a text the text, of nothing an empty object. */
export type Fields<Shape extends PayloadShape> = Shape extends 'text'
  ? string
  : Readonly<Record<keyof Shape & string, number>>;

/** What the payload of an event or action says. @returns null when the bytes do not fit the shape */
export function readPayload<const Shape extends PayloadShape>(
  shape: Shape,
  bytes: Uint8Array,
): Fields<Shape> | null {
  const decoder = new PayloadDecoder(shape);
  if (decoder.decode(bytes, 0, bytes.length) !== 0) return null;
  const read: unknown = shape === 'text' ? new TextDecoder().decode(bytes) : { ...decoder.payload };
  return read as Fields<Shape>;
}

/** @throws ClientError PAYLOAD when the fields do not fit, or the action's layout is unknown and no bytes are given */
export function payloadBytes(
  action: string,
  shape: PayloadShape | undefined,
  fields?: ActionFields,
): Uint8Array {
  if (fields instanceof Uint8Array) return new Uint8Array(fields);
  if (shape === undefined)
    throw clientError('PAYLOAD', `no layout for ${action}: pass bytes, or \`payloads\``);
  try {
    return encodePayload(shape, fields);
  } catch (error) {
    throw clientError('PAYLOAD', `${action}: ${(error as Error).message}`);
  }
}

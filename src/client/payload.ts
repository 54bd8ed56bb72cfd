/**
 * The payload layouts that a client knows by action name: those of the built-in game, and what a studio passes to
 * `connect` for its own. Encoding is the shared one of base/payload.
 */
import { encodePayload, type PayloadShape } from '../base/payload.js';
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

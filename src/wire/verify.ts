/**
 * The two verifiers of the protocol. Nothing reads a message before its verifier has accepted it (I11). Never throws.
 */
import { LIMITS } from '../base/limits.js';
import { CLIENT_SCHEMA, SERVER_SCHEMA } from './generated/schema.js';
import { Verifier } from '../base/verifier.js';

/** A message has a root and a body; nothing of a client's nests deeper. */
export const CLIENT_VERIFIER_OPTIONS = { maxBytes: LIMITS.clientMessageBytes, maxTables: 4, maxDepth: 2 };

/** Events and the names of Welcome are one level below the body. */
export const SERVER_VERIFIER_OPTIONS = { maxBytes: LIMITS.frameScratchBytes, maxTables: 65536, maxDepth: 3 };

const client = new Verifier(CLIENT_SCHEMA, CLIENT_VERIFIER_OPTIONS);
const server = new Verifier(SERVER_SCHEMA, SERVER_VERIFIER_OPTIONS);

/** Structure only; see checkClientMessage for what the values may be. @returns a number of FAULT, 0 = fine */
export function verifyClientMessage(bytes: Uint8Array): number {
  return client.verify(bytes);
}

/** @returns a number of FAULT, 0 = fine */
export function verifyServerMessage(bytes: Uint8Array): number {
  return server.verify(bytes);
}

/**
 * How the SDK reports trouble: one error class with a stable code, and the rule that says for a close code whether
 * the client may come back. Names and texts of the server's codes come from the registry in base/errors.
 */
import { ERRORS } from '../base/errors.js';

/** Codes that only a client can produce, beside the registry's names. */
export const CLIENT_ERRORS = {
  QUEUE_FULL: 'more actions wait than the queue may hold; wait for outcomes before acting again',
  ENDED: 'this client has ended; connect again for a new one',
  UNREACHABLE: 'the server could not be reached within the time allowed',
  RESUME_IMPOSSIBLE:
    'the server resumed at an action that it had acknowledged as durable, or that was never sent',
  BAD_SERVER_MESSAGE: 'the server sent bytes that this client does not understand',
  PAYLOAD: 'the payload does not fit the layout of this action',
  NOT_ONLINE: 'this needs a connection, and there is none at the moment',
} as const;

export type ClientErrorCode = keyof typeof CLIENT_ERRORS;

export class ClientError extends Error {
  /** A name of the server's registry, or one of CLIENT_ERRORS. */
  readonly code: string;
  /** The WebSocket close code, 0 where no socket was involved. */
  readonly closeCode: number;
  constructor(code: string, text: string, closeCode = 0) {
    super(`${code}: ${text}`);
    this.name = 'ClientError';
    this.code = code;
    this.closeCode = closeCode;
  }
}

export function clientError(code: ClientErrorCode, detail = ''): ClientError {
  return new ClientError(code, detail === '' ? CLIENT_ERRORS[code] : `${CLIENT_ERRORS[code]} (${detail})`);
}

export interface CloseRule {
  name: string;
  text: string;
  retry: boolean;
}

const closeRules = new Map<number, CloseRule>();
for (const [name, entry] of Object.entries(ERRORS)) {
  if (entry.kind === 'close') closeRules.set(entry.number, { name, text: entry.text, retry: entry.retry });
}

/** The rule for a close code. Codes outside the registry come from the network or a proxy: those may be retried. */
export function closeRule(code: number): CloseRule {
  return closeRules.get(code) ?? { name: `CLOSE_${code}`, text: 'the connection was lost', retry: true };
}

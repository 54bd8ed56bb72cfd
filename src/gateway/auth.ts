/**
 * Who may come in: `authenticate(ticket)` answers with a player id or with the code to close with. Built in: signed
 * tickets when a key is configured, guests when none is. A game's own hook is a module that exports `authenticate`.
 */
import { type CryptoKey, importSPKI, jwtVerify, type JWTVerifyOptions } from 'jose';
import type { CloseName } from '../base/errors.js';

/** The player behind a ticket; `guest` has no account and leaves nothing behind. */
export type Identity = { playerId: string } | { guest: true };
export type Verdict = Identity | { refused: CloseName };

/** May take its time; a rejected promise is a fault of the server (INTERNAL, may retry), not of the ticket. */
export type Authenticate = (ticket: string) => Promise<Verdict>;

/** How tickets are checked; plain data, so that it can be sent to a gateway thread. */
export type AuthOptions =
  | { kind: 'guests' }
  /** JWT with HS256; the key has at least 32 bytes. */
  | { kind: 'shared-key'; key: Uint8Array }
  /** JWT with EdDSA; the public key as PEM (SPKI). */
  | { kind: 'public-key'; pem: string }
  /** Module that exports `authenticate`. */
  | { kind: 'module'; url: string };

/** Longest player id, in UTF-16 code units. */
const MAX_PLAYER_ID = 128;
/** Half of a surrogate pair is no text: the store could not tell it from any other half. Control characters hide in logs. */
const NO_TEXT = /[\p{Surrogate}\p{Control}]/u;

/**
 * Whether this can name an account: a text of 1 to 128 code units without lone surrogates and control characters. It
 * counts code point by code point as it is written, not normalised: é as one code point and as two are two players.
 */
export function isPlayerId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= MAX_PLAYER_ID && !NO_TEXT.test(value);
}

/** Clocks of the issuer and of this server may differ by this much. */
const CLOCK_TOLERANCE_S = 5;

export async function createAuthenticator(options: AuthOptions): Promise<Authenticate> {
  if (options.kind === 'guests') return async () => ({ guest: true });
  if (options.kind === 'module')
    return held(((await import(options.url)) as { authenticate: Authenticate }).authenticate);
  const algorithm = options.kind === 'shared-key' ? 'HS256' : 'EdDSA';
  const key = options.kind === 'shared-key' ? options.key : await importSPKI(options.pem, algorithm);
  return ticketAuthenticator(key, algorithm);
}

/** A hook names players by the same rule. */
function held(authenticate: Authenticate): Authenticate {
  return async (ticket) => {
    const verdict = await authenticate(ticket);
    return 'playerId' in verdict && !isPlayerId(verdict.playerId) ? { refused: 'BAD_TICKET' } : verdict;
  };
}

/** Tickets are JWTs: `sub` is the player id, `exp` is required. */
function ticketAuthenticator(key: Uint8Array | CryptoKey, algorithm: string): Authenticate {
  const checks: JWTVerifyOptions = {
    algorithms: [algorithm], // exactly one: the ticket does not choose how it is checked
    requiredClaims: ['sub', 'exp'], // a ticket without an end could be used for ever once it leaks
    clockTolerance: CLOCK_TOLERANCE_S,
  };
  return async (ticket) => {
    try {
      const { payload } = await jwtVerify(ticket, key, checks);
      // The type says so, the issuer may say otherwise: any JSON may stand there.
      const playerId: unknown = payload.sub;
      return isPlayerId(playerId) ? { playerId } : { refused: 'BAD_TICKET' };
    } catch {
      return { refused: 'BAD_TICKET' };
    }
  };
}

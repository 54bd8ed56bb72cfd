/**
 * Session ids and resume tokens. A session id is 53 random bits, so that nobody guesses a neighbour's; the token that
 * Welcome carries is an HMAC over (session, entity) with the server's secret, so that no gateway needs to remember it:
 * any gateway of the server can verify a resume.
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

/** Unguessable numbers. Injected, so that a simulation can repeat them. */
export type SecretNumbers = () => number;

/** 1 … 2^53 − 1, from the system's generator. */
export const secretNumbers: SecretNumbers = () => {
  const bytes = randomBytes(8);
  const number = (bytes.readUInt32LE(0) & 0x1fffff) * 4294967296 + bytes.readUInt32LE(4);
  return number === 0 ? secretNumbers() : number;
};

export class SessionTokens {
  /** @param secret at least 32 bytes, the same in every gateway of the server */
  constructor(private readonly secret: Uint8Array) {}

  /** @returns base64url(HMAC-SHA256(secret, "session.entity")), 43 characters */
  issue(session: number, entity: number): string {
    return this.sign(session, entity).toString('base64url');
  }

  verify(session: number, entity: number, token: string): boolean {
    const given = Buffer.from(token, 'base64url');
    const right = this.sign(session, entity);
    // Constant time: how long the comparison takes must not tell how many bytes were right.
    return given.length === right.length && timingSafeEqual(given, right);
  }

  private sign(session: number, entity: number): Buffer {
    return createHmac('sha256', this.secret).update(`${session}.${entity}`).digest();
  }
}

/**
 * Refusals of the admin port: name → HTTP status and one line. The answer's body is
 * `{"error": {"code": NAME, "text": …}}`; scripts branch on the code, people read the text.
 */

export const ADMIN_ERRORS = Object.freeze({
  UNKNOWN_PATH: { status: 404, text: 'there is nothing at this path' },
  METHOD_NOT_ALLOWED: { status: 405, text: 'this path does not answer this method' },
  ADMIN_OFF: { status: 403, text: 'the admin commands are off: start the server with an admin token' },
  UNAUTHORIZED: { status: 401, text: 'this needs "Authorization: Bearer" with the admin token' },
  FAULTS_OFF: { status: 403, text: 'this is for tests: start the server with --test-faults' },
  BAD_BODY: { status: 400, text: 'the body must be a JSON object of the right shape' },
  BODY_TOO_LARGE: { status: 413, text: 'the body is larger than this port reads' },
  UNKNOWN_SHARD: { status: 404, text: 'no such shard is running' },
  INTERNAL: { status: 500, text: 'the server failed to answer; its log says why' },
});

export type AdminErrorName = keyof typeof ADMIN_ERRORS;

/** Thrown by a route, answered by the server. `more` is added to the error object. */
export class AdminError extends Error {
  constructor(
    readonly code: AdminErrorName,
    detail = '',
    readonly more: object = {},
  ) {
    super(detail === '' ? ADMIN_ERRORS[code].text : `${ADMIN_ERRORS[code].text}: ${detail}`);
  }
}

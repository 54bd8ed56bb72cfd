/**
 * Refusals of the admin port: name → HTTP status and one line. The answer's body is
 * `{"error": {"code": NAME, "text": …}}`; scripts branch on the code, people read the text.
 */

export const ADMIN_ERRORS = Object.freeze({
  FOREIGN_HOST: {
    status: 421,
    text: 'this port is not served under that Host: use localhost or its address, or start the server with the name in --admin-hosts',
  },
  FOREIGN_ORIGIN: { status: 403, text: "another site's page sent this: only this port's own pages may" },
  UNKNOWN_PATH: { status: 404, text: 'there is nothing at this path' },
  METHOD_NOT_ALLOWED: { status: 405, text: 'this path does not answer this method' },
  ADMIN_OFF: { status: 403, text: 'the admin commands are off: start the server with an admin token' },
  UNAUTHORIZED: { status: 401, text: 'this needs "Authorization: Bearer" with the admin token' },
  TOO_MANY_GUESSES: { status: 429, text: 'too many wrong tokens: no token is looked at for a while' },
  FAULTS_OFF: { status: 403, text: 'this is for tests: start the server with --test-faults' },
  BAD_BODY: { status: 400, text: 'the body must be a JSON object of the right shape' },
  BODY_TOO_LARGE: { status: 413, text: 'the body is larger than this port reads' },
  UNKNOWN_SHARD: { status: 404, text: 'no such shard is running' },
  UNKNOWN_GATEWAY: { status: 404, text: 'no such gateway has a thread of its own' },
  UNKNOWN_ENTITY: { status: 404, text: 'no such entity is in memory' },
  BAD_TILE: { status: 400, text: 'a tile is "z/x/y" of a level from the base tiles to the deepest' },
  NOBODYS_TILE: { status: 409, text: 'the tile is asleep: nobody has it' },
  NOT_A_LEAF: { status: 409, text: 'the tile is split, or part of one that is not' },
  DEEPEST_LEVEL: { status: 409, text: 'a tile of the deepest level is not split' },
  NOT_SPLIT: { status: 409, text: 'the tile has no four leaves that could be merged' },
  RESHAPE_IN_PROGRESS: { status: 409, text: 'the tile is being reshaped: try again when that is done' },
  NO_SNAPSHOT: { status: 409, text: 'no snapshot was made' },
  BAD_BOX: {
    status: 400,
    text: 'west, south, east and north are metres of a box inside the world, at most 40 km wide and high',
  },
  TOO_MANY_VIEWERS: { status: 503, text: 'as many live maps are open as this port serves' },
  NO_PLACE: {
    status: 503,
    text: 'all places are being answered: only /healthz and /readyz are, beside them',
  },
  TOO_MANY_LOOKS: { status: 503, text: 'this was asked too often: try again in a second' },
  NODE_AWAY: { status: 503, text: 'the node of this router does not answer at the moment: try again' },
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

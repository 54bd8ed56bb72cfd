/**
 * The one registry of errors: a stable name, its number, a line for people, and whether trying again may help.
 * The number of kind `close` is the WebSocket close code, of `outcome` the code in an acknowledgement (games add
 * their own from 1000 up), of `startup` the exit code of the process. Numbers never change their meaning.
 */

export type ErrorKind = 'close' | 'outcome' | 'startup' | 'link';

export interface ErrorEntry {
  /** Unique within its kind. */
  readonly number: number;
  readonly text: string;
  /** Whether the same client, action or command may succeed later without being changed. */
  readonly retry: boolean;
  readonly kind: ErrorKind;
}

const close = (number: number, text: string, retry = false) =>
  ({ number, text, retry, kind: 'close' }) as const;
const outcome = (number: number, text: string, retry = false) =>
  ({ number, text, retry, kind: 'outcome' }) as const;
const startup = (number: number, text: string) => ({ number, text, retry: false, kind: 'startup' }) as const;
const link = (number: number, text: string, retry = false) =>
  ({ number, text, retry, kind: 'link' }) as const;

export const ERRORS = Object.freeze({
  GOODBYE: close(4000, 'The client said goodbye.'),
  PROTOCOL_MISMATCH: close(4001, 'The client speaks another version of the protocol: update it.'),
  BAD_FRAME: close(4002, 'Too many messages that are not valid FlatBuffers of the client schema.'),
  BAD_TICKET: close(4003, 'The ticket is missing, forged or expired, or names no player: get a new one.'),
  FIRST_MESSAGE_TIMEOUT: close(4004, 'No Hello arrived within the time allowed for it.'),
  WINDOW_EXCEEDED: close(
    4005,
    'An action id beyond the granted window: resume and wait for acknowledgements.',
    true,
  ),
  ACTION_GAP: close(4006, 'Action ids must count 1, 2, 3…: resume and send again from the applied id.', true),
  SESSION_TAKEN: close(4007, 'Another connection now speaks for this session or account.'),
  SESSION_EXPIRED: close(4008, 'The session is over: begin a new one.'),
  TOO_SLOW: close(4009, 'The client fell too far behind the frames that it was sent.', true),
  RATE_LIMITED: close(4010, 'More actions a second than a connection may send.', true),
  WORLD_FULL: close(4011, 'There is no place left for another entity.', true),
  SERVER_STOPPING: close(4012, 'The server is going down: come back in a moment.', true),
  BAD_VALUE: close(4013, 'A field of a valid message is out of its range.'),
  UNEXPECTED_MESSAGE: close(4014, 'A message that is not allowed in this state of the connection.'),
  TEXT_FRAME: close(4015, 'Only binary frames are understood.'),
  NOT_READY: close(4016, 'The part of the world where the player stands did not answer in time.', true),
  INTERNAL: close(4017, 'A fault of the server; it is in its log.', true),
  DISK_TROUBLE: close(
    4018,
    'The disk of the server fails, so nobody is let in at the moment; players who are in play on.',
    true,
  ),
  RECORD_DAMAGED: close(4019, 'What is stored of this player is damaged: an operator has to restore it.'),
  ADDRESS_LIMITED: close(
    4020,
    'The address has as many connections or newcomers as one may have: wait, then try again.',
    true,
  ),
  NODE_AWAY: close(4030, 'No server that simulates the world answers at the moment: come back soon.', true),

  APPLIED: outcome(0, 'The action was applied.'),
  UNKNOWN_ACTION: outcome(1, 'The game has no action of this kind.'),
  BAD_PAYLOAD: outcome(2, 'The payload is not what the action takes.'),
  OUT_OF_REACH: outcome(3, 'The target is too far away.', true),
  NOT_FOUND: outcome(4, 'The target is not there.', true),
  NOT_ENOUGH: outcome(5, 'There is not enough of it.', true),
  BAG_FULL: outcome(6, 'The bag cannot hold more.', true),
  COOLDOWN: outcome(7, 'It is too early to do this again.', true),
  QUARANTINED: outcome(8, 'The action brought its shard down and is not tried again.'),
  OUTBOX_FULL: outcome(9, 'Too many messages of this entity wait for an answer.', true),
  NOT_ALLOWED: outcome(10, 'The rules of the game forbid it.'),
  TARGET_OFFLINE: outcome(11, 'The target is not online.', true),
  TARGET_GONE: outcome(12, 'The target does not exist any more.'),
  GAME_FAULT: outcome(
    13,
    "The game's own code failed in this action, which is undone; the fault is in the server's log.",
  ),

  PORT_TAKEN: startup(10, 'The game port is in use by another process: choose another with --port.'),
  NO_BINARY: startup(
    11,
    'uWebSockets.js has no binary for this platform and Node version: use Node 20 on Linux x64.',
  ),
  BAD_FLAG: startup(12, 'A command-line flag or environment variable is unknown or has a bad value.'),
  BAD_CONFIG: startup(13, 'The config file cannot be read or has a bad value.'),
  BAD_GAME: startup(14, 'The game module cannot be loaded or does not describe a game.'),
  BAD_TLS: startup(15, 'The TLS key or certificate cannot be used.'),
  TAKEN_ADMIN_PORT: startup(
    16,
    'The admin port is in use by another process: choose another with --admin-port.',
  ),
  DATA_VERSION: startup(17, 'The data directory was written by a newer version of the server: update it.'),
  DATA_OTHER_WORLD: startup(18, 'The data directory holds another world: another game, seed or tile level.'),
  DATA_LOCKED: startup(
    19,
    'Another process uses the data directory: stop it, or choose another with --data.',
  ),
  DATA_CORRUPT: startup(20, 'The data directory is damaged: look at it with inspect, restore a snapshot.'),
  DATA_READ_ONLY: startup(21, 'The data directory cannot be written: check its rights and its mount.'),
  DATA_FULL: startup(22, 'The disk of the data directory is full.'),
  DATA_MISSING: startup(
    23,
    'The data directory has held a world, but its file is missing or empty: put it back, or restore a snapshot.',
  ),
  DATA_TAKEN: startup(
    24,
    'Another server has taken over the data directory: this one writes nothing more, and has stopped.',
  ),
  NOT_SAVED: startup(
    25,
    'The server has stopped, but its disk did not take the last of the world; see the log.',
  ),
  DATA_NO_ROOM: startup(
    26,
    'The limit of address space (ulimit -v) is below what the data directory needs: raise it.',
  ),
  GATEWAY_HUNG: startup(
    27,
    'A gateway thread hung: the world is saved and the process has ended itself by SIGKILL (137); start it again.',
  ),
  LINK_REFUSED: startup(30, 'A router and its node do not belong together: the code of the link says why.'),
  LINK_PORT: startup(31, 'The link port is in use by another process: choose another with --link-port.'),

  LINK_KEY: link(1, 'The other end does not know the cluster key: give both the same one.'),
  LINK_VERSION: link(2, 'The two ends speak no common version of the link: update one of them.'),
  LINK_WORLD: link(3, 'The other end is of another world: another seed, other tile levels, or another game.'),
  LINK_LIFE: link(4, 'A newer life of the same process has taken its place.'),
  LINK_NONSENSE: link(5, 'What came over the link is no record of it.', true),
  LINK_SILENT: link(6, 'Nothing was heard of the other end for too long.', true),
  LINK_FULL: link(7, 'The other end takes too slowly what it is sent.', true),
  LINK_STOPPING: link(8, 'The other end is going down.', true),
});

export type ErrorName = keyof typeof ERRORS;

/** Names of one kind, so that a function can demand a close code and not be given an exit code. */
export type NameOfKind<K extends ErrorKind> = {
  [Name in ErrorName]: (typeof ERRORS)[Name]['kind'] extends K ? Name : never;
}[ErrorName];
export type CloseName = NameOfKind<'close'>;
export type OutcomeName = NameOfKind<'outcome'>;
export type StartupName = NameOfKind<'startup'>;
export type LinkName = NameOfKind<'link'>;

/** First outcome number that belongs to the game. */
export const FIRST_GAME_OUTCOME = 1000;

/** An error with a code of the registry; the message is the detail, or the registry's text without one. */
export class BlueMarbleError extends Error {
  override readonly name = 'BlueMarbleError';

  constructor(
    readonly code: ErrorName,
    detail: string = ERRORS[code].text,
    options?: ErrorOptions,
  ) {
    super(detail, options);
  }

  get entry(): ErrorEntry {
    return ERRORS[this.code];
  }
}

/** Name of a number of one kind, or undefined: for logs and for clients that got a bare close code. */
export function errorName(kind: ErrorKind, number: number): ErrorName | undefined {
  for (const [name, entry] of Object.entries(ERRORS)) {
    if (entry.kind === kind && entry.number === number) return name as ErrorName;
  }
  return undefined;
}

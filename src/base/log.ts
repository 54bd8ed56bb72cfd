/**
 * The log of a thread: pino, JSON lines on standard error (standard output is for people), written at once.
 * Synchronous on purpose: a thread that is about to end must not lose its last line, and the tick path does not log.
 * Any thread may have its own.
 */
import { type Logger, pino, stdTimeFunctions } from 'pino';

export type Log = Logger;

export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogOptions {
  /** Default: BLUEMARBLE_LOG_LEVEL, or info. */
  level?: LogLevel;
  /** Facts that every line carries, such as { thread: 'shard 3' }. */
  facts?: Record<string, unknown>;
  /** Where lines go, for tests; default: file descriptor 2. */
  write?: (line: string) => void;
}

/** Fields that are never written, at the top of a line or one level down. */
const SECRETS = [
  'token',
  'resumeToken',
  'adminToken',
  'secret',
  'ticket',
  'ticketKey',
  'clusterKey',
  'authorization',
  'password',
];

/** Level of the environment, or info when it names none. */
export function levelFrom(environment: Record<string, string | undefined>): LogLevel {
  const wanted = environment.BLUEMARBLE_LOG_LEVEL?.toLowerCase();
  return LOG_LEVELS.find((level) => level === wanted) ?? 'info';
}

export function createLog(options: LogOptions = {}): Log {
  const settings = {
    level: options.level ?? levelFrom(process.env),
    base: options.facts ?? {}, // pid and host name say nothing here: one process, many threads
    timestamp: stdTimeFunctions.isoTime, // people read it; nothing in the world does
    // Nobody means to log one; whoever does by accident finds this instead.
    redact: { paths: SECRETS.flatMap((name) => [name, `*.${name}`]), censor: '[secret]' },
    formatters: { level: (label: string) => ({ level: label }) }, // names instead of pino's numbers
  };
  const destination = options.write
    ? { write: options.write }
    : pino.destination({ fd: 2, sync: true, minLength: 0 }); // written line by line, see above
  return pino(settings, destination);
}

/** What control writes its log to: the part of a pino logger that it uses, so that tests can listen. */

export interface Log {
  info(facts: object, text: string): void;
  warn(facts: object, text: string): void;
  error(facts: object, text: string): void;
  fatal(facts: object, text: string): void;
}

/** One line about anything that was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}

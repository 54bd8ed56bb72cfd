/** Why an address cannot be listened on, by what can be done about it. */
import { BlueMarbleError, type StartupName } from './errors.js';

export interface Listening {
  readonly port: number;
  /** null = every interface. */
  readonly host: string | null;
  /** Names of the flags, without dashes. */
  readonly portFlag: string;
  readonly hostFlag: string;
  /** When another process listens there. */
  readonly taken: StartupName;
}

/** @param error of a listen @returns BAD_FLAG for what the flags say wrongly, `taken` otherwise */
export function listenError(error: NodeJS.ErrnoException, listening: Listening): BlueMarbleError {
  const { port, host, portFlag, hostFlag, taken } = listening;
  const where = `port ${port}${host === null ? '' : ` of ${host}`}`;
  switch (error.code) {
    case 'EADDRINUSE':
      return new BlueMarbleError(
        taken,
        `the ${portFlag === 'port' ? '' : 'admin '}${where} is in use; is another server running there? Choose another with --${portFlag}`,
      );
    case 'EACCES':
      return new BlueMarbleError(
        'BAD_FLAG',
        `this user may not listen on ${where} (--${portFlag}): take one above 1023`,
      );
    default:
      return new BlueMarbleError(
        'BAD_FLAG',
        `--${hostFlag} must be an address of this machine, but was "${host}": ${error.message}`,
      );
  }
}

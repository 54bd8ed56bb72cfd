/** The command `npm run inspect`: store/inspect.ts on the command line, its errors as one sentence and an exit code. */
import { BlueMarbleError } from './base/errors.js';
import { inspect } from './store/inspect.js';

try {
  process.exitCode = await inspect(process.argv.slice(2), (line) => process.stdout.write(`${line}\n`));
} catch (error) {
  const known = error instanceof BlueMarbleError ? error : null;
  const text = error instanceof Error ? error.message : String(error);
  process.stderr.write(`inspect: ${text}${known === null ? '' : ` (${known.code})`}\n`);
  process.exitCode = known?.entry.number ?? 2;
}

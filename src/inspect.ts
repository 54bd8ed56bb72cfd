/** The command `npm run inspect`: store/inspect.ts on the command line, its errors as one sentence and an exit code. */
import { monotonicClock } from './base/clock.js';
import { tellRefusal } from './base/flags.js';
import { inspect } from './store/inspect.js';

try {
  process.exitCode = await inspect(
    process.argv.slice(2),
    (line) => process.stdout.write(`${line}\n`),
    (line) => process.stderr.write(`${line}\n`),
    monotonicClock(),
  );
} catch (error) {
  process.exitCode = tellRefusal(error);
}

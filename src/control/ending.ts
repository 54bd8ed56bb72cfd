/** Ending the parts of a node: each is waited for, none for ever, and what fails to end stops nothing else. */
import type { Timers } from '../base/clock.js';
import { type Log, reasonOf } from './log.js';

/** @returns what `ending` came to; undefined when it failed or was late, which is logged */
export async function endInTime<T>(
  { timers, log }: { readonly timers: Timers; readonly log: Log },
  part: string,
  ms: number,
  ending: Promise<T> | undefined,
): Promise<T | undefined> {
  let cancel = () => {};
  const late = new Promise<undefined>((resolve) => {
    cancel = timers.after(ms, () => {
      log.error({ part, ms }, 'a part did not end in time');
      resolve(undefined);
    });
  });
  const failed = (error: unknown) => {
    log.error({ part, reason: reasonOf(error) }, 'a part failed to end');
    return undefined;
  };
  const end = await Promise.race([(ending ?? Promise.resolve(undefined)).catch(failed), late]);
  cancel();
  return end;
}

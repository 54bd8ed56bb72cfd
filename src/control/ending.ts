/** Waits for a part of a process to end, but not for ever; a failure to end is logged and stops nothing else. */
import type { Timers } from '../base/clock.js';
import { type Log, reasonOf } from './log.js';

export async function endInTime(
  { timers, log }: { readonly timers: Timers; readonly log: Log },
  part: string,
  ms: number,
  ending: Promise<unknown> | undefined,
): Promise<void> {
  let cancel = () => {};
  const late = new Promise<void>((resolve) => {
    cancel = timers.after(ms, () => {
      log.error({ part, ms }, 'a part did not end in time');
      resolve();
    });
  });
  const failed = (error: unknown) => log.error({ part, reason: reasonOf(error) }, 'a part failed to end');
  await Promise.race([(ending ?? Promise.resolve()).catch(failed), late]);
  cancel();
}

/**
 * How a command is asked to end. Contract: the first SIGTERM or SIGINT asks once; what follows within half a second is the
 * same wish by another way (Ctrl-C reaches a whole process group, and npm hands on what it gets); the next one after that
 * does not wait. A child ends when its parent is gone, whatever way that ended.
 */
import { constants } from 'node:os';
import type { Clock } from './clock.js';

export type StopSignal = 'SIGTERM' | 'SIGINT';

const SIGNALS: readonly StopSignal[] = ['SIGTERM', 'SIGINT'];
const SAME_WISH_MS = 500;

/** @param stop called once, at the first @param force called at a later one */
export function onStopSignals(
  clock: Clock,
  stop: (signal: StopSignal) => void,
  force: (signal: StopSignal) => void = endAtOnce,
  source: Pick<NodeJS.EventEmitter, 'on'> = process,
): void {
  let askedAt: number | null = null;
  for (const signal of SIGNALS) {
    source.on(signal, () => {
      if (askedAt === null) {
        askedAt = clock.now();
        stop(signal);
      } else if (clock.now() - askedAt > SAME_WISH_MS) force(signal);
    });
  }
}

/** Ends as if nobody listened to the signal: without exit handlers, which would wait for threads. */
export function endAtOnce(signal: StopSignal): void {
  process.removeAllListeners(signal);
  process.kill(process.pid, signal);
  // The first process of a namespace is not ended by a signal that it does not handle.
  if (process.pid === 1)
    (process as { reallyExit?: (code: number) => never }).reallyExit?.(128 + constants.signals[signal]);
}

/** A process that was started with a channel of Node's ends with who holds the other end of it. */
export function endWithParent(end: () => void): void {
  if (process.channel === undefined) return;
  process.once('disconnect', end);
  process.channel.unref(); // it keeps no process alive
}

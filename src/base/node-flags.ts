/** How Node itself is started for the server. `npm start` says the same; a test holds the two together. */
import { setFlagsFromString } from 'node:v8';

const FLAG = '--max-semi-space-size';

/**
 * A larger young generation of the main thread: what a gateway and the planner make lives for parts of a second, and with
 * 16 MB much of it grew old before it died. 10 000 clients: a collection of the old every 30 s instead of every 12, and
 * the longest time without news 0.7 instead of 1 s (p99 0.42 instead of 0.58).
 */
export const NODE_FLAGS: readonly string[] = [`${FLAG}=64`];

/** Call before the first thread starts: each has a limit of its own (`resourceLimits`), which the flag would override. */
export function leaveThreadsTheirLimits(): void {
  setFlagsFromString(`${FLAG}=0`);
}

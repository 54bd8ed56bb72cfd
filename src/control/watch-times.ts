/** How the supervisor watches and waits: constants only. */
export const WATCH = Object.freeze({
  /** How late a silence is noticed at most; a look at a few words costs nothing. */
  checkMs: 10,
  /** The same while every shard rests: nobody is there to feel a death. */
  quietCheckMs: 300,
  /** A gap between two looks counts as so much silence at most. */
  longestGapMs: 150,
  /** Heartbeat silent for so long of the thread's own CPU time (silence.ts): terminate. */
  silentMs: 500,
  /** The same in wall time for one that sleeps, that waits for the disk, and that is ready and gets no core. */
  asleepMs: 2_000,
  diskMs: 10_000,
  starvedMs: 30_000,
  /** A thread that is not ready after so long is terminated and started anew. */
  startMs: 15_000,
  /** From the moment in which a shard runs to the start of the thread that is to replace the next one. */
  spareAfterMs: 200,
  crashesForAlarm: 3,
  crashWindowMs: 60_000,
  /** First wait after the alarm, and after a failed start; doubled each time. */
  alarmWaitMs: 1_000,
  /** A life that ended sooner after it was ready: waits are for several of these in a row. */
  shortLifeMs: 2_000,
  failedStartWaitMs: 100,
  longestWaitMs: 30_000,
});

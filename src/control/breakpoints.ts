/**
 * Shards that stand in a debugger: whoever debugs a game lets a shard's thread stand as long as it takes, and that is no
 * hang. While Node's inspector is open in this process no shard is ended for its silence, whatever it does: a loop that
 * never ends is what an author wants to look into.
 *
 * Contract: main thread only. Told of every silence that would be a hang, and of heartbeats.
 */
import { url } from 'node:inspector';
import type { Log } from './log.js';

/** Whether a debugger may be attached: `--inspect`, SIGUSR1 or NODE_OPTIONS has opened the inspector's port. */
export function isInspected(): boolean {
  return url() !== undefined;
}

const STANDS =
  'shard stands still, and is left alone while the inspector is open: at a breakpoint, or game code that does not end';

export class Breakpoints {
  /** Heartbeat of each shard that stands still, and was told. */
  private readonly standing = new Map<number, number>();

  constructor(
    private readonly isDebugged: () => boolean,
    private readonly log: Pick<Log, 'info' | 'warn'>,
  ) {}

  /** A shard is silent for longer than it may be. @returns whether it is left alone */
  excuses(shard: number, heartbeat: number): boolean {
    if (!this.isDebugged()) return false;
    if (!this.standing.has(shard)) this.log.warn({ shard }, STANDS);
    this.standing.set(shard, heartbeat);
    return true;
  }

  /** A look at a shard. */
  look(shard: number, heartbeat: number): void {
    if (this.standing.size === 0 || (this.standing.get(shard) ?? heartbeat) === heartbeat) return;
    this.standing.delete(shard);
    this.log.info({ shard }, 'shard goes on');
  }
}

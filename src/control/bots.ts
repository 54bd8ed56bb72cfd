/**
 * The bots of `--bots N`: a child process of the bots' command on this node, until the node stops. They are ordinary
 * clients over sockets; that they are ours shows in the status only. A child that ends early is logged, not replaced.
 */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Timers } from '../base/clock.js';
import type { Log } from './log.js';

const BOTS_MODULE = fileURLToPath(new URL('../bots/main.js', import.meta.url));

export const BOTS_STOP_MS = 1_500;

export interface BotsTarget {
  /** ws:// or wss:// of the game port. */
  readonly game: string;
  /** http:// of the admin port. */
  readonly admin: string;
}

export interface Bots {
  /** Bots asked for while their process lives, else 0. */
  count(): number;
  /** They say goodbye and end; after BOTS_STOP_MS they are killed. */
  stop(): Promise<void>;
}

export function startBots(players: number, target: BotsTarget, log: Log, timers: Timers): Bots {
  const flags = [
    '--url',
    target.game,
    '--admin',
    target.admin,
    '--players',
    String(players),
    '--seconds',
    '0',
    '--scenario',
    'planet', // where people live, and a fair at a border: a newcomer sees a planet, and its tiles at work
  ];
  const child = spawn(process.execPath, [BOTS_MODULE, ...flags], {
    // its report is for who runs it by hand; what goes wrong goes to our log; by the channel it sees our end
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  let stopping = false;
  let alive = true;
  const ended = new Promise<void>((resolve) => {
    child.once('error', (error) => {
      alive = false;
      log.error({ reason: error.message }, 'the bots could not be started');
      resolve();
    });
    child.once('exit', (code, signal) => {
      alive = false;
      if (!stopping) log.error({ code, signal }, 'the bots ended');
      resolve();
    });
  });
  return {
    count: () => (alive ? players : 0),
    stop: async () => {
      stopping = true;
      if (!alive) return;
      child.kill('SIGTERM');
      const cancel = timers.after(BOTS_STOP_MS, () => child.kill('SIGKILL'));
      await ended;
      cancel();
    },
  };
}

/** What the profiling command and its agents in a server's threads say to each other; and what a thread is called. */

export const CHANNEL = 'bluemarble-profile';

export type Ask =
  | { type: 'start'; what: 'cpu' | 'heap' }
  | { type: 'stop'; folder: string }
  | { type: 'beat' };

export interface Beat {
  readonly thread: string;
  /** Of the kernel. */
  readonly tid: number;
  readonly type: 'beat';
  /** Since the thread began; `maxMs` since the last beat. */
  readonly gc: { readonly count: number; readonly ms: number; readonly maxMs: number };
  readonly heapUsed: number;
  readonly heapTotal: number;
  readonly external: number;
  /** Of the process; null in other threads than the main one. */
  readonly rss: number | null;
  readonly arrayBuffers: number | null;
  /** Since the last beat; null in shards. */
  readonly loopDelayMs: { readonly p50: number; readonly p99: number } | null;
}

export type AgentReply =
  | { readonly thread: string; readonly tid: number; readonly type: 'hello' | 'started' }
  | { readonly thread: string; readonly tid: number; readonly type: 'profile'; readonly file: string }
  | Beat;

/**
 * A thread's name out of what it was started with: Node 20 does not tell a worker its own.
 * @param file the worker's module
 */
export function threadName(isMain: boolean, data: unknown, file: string | undefined): string {
  if (isMain) return 'main';
  const { settings } = (data ?? {}) as { settings?: { number?: unknown } };
  if (typeof settings?.number === 'number') return `gateway ${settings.number}`;
  const [, folder = '', name = ''] = /([^/\\]+)[/\\]([^/\\]+?)\.[cm]?js$/.exec(file ?? '') ?? [];
  if (folder === 'store') return name === 'writer' ? 'writer' : 'store';
  if (folder === 'shard') return 'spare shard'; // until it is given its number
  if (folder === 'control' || /piscina/.test(file ?? '')) return 'jobs';
  return name === '' ? 'worker' : name;
}

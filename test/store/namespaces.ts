/** Commands in PID namespaces of their own, as containers have them; where none can be made they say why, loudly. */
import { spawnSync } from 'node:child_process';

/** Of the command unshare: the command that follows is PID 1 of a new namespace, and ends with it. */
const AS_ROOT = ['--pid', '--fork', '--kill-child', '--mount-proc'];
const AS_ANYBODY = ['--user', '--map-root-user', '--mount', ...AS_ROOT];

const works = (flags: string[]) => spawnSync('unshare', [...flags, 'true']).status === 0;
const flags = [AS_ROOT, AS_ANYBODY].find(works);

/** Why there are none, or false. */
export const hasNoNamespaces: string | false =
  flags === undefined && 'NOT TESTED: no PID namespace can be made here (unshare --pid is not permitted)';
if (hasNoNamespaces !== false) process.stderr.write(`${hasNoNamespaces}\n`);

/** @returns the words that run a command as PID 1 of a namespace of its own */
export function inNamespace(command: string, args: readonly string[]): [command: string, args: string[]] {
  return ['unshare', [...(flags ?? []), command, ...args]];
}

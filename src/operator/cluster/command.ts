/** The command line of `npm run cluster`, and what becomes of it: the flags of the node and of each router. */
import { BlueMarbleError } from '../../base/errors.js';
import type { Command, Flags } from '../../base/flags.js';

/** Handed on as they are, with their argument. */
const FOR_THE_NODE = {
  memory: '',
  'pin-shards': '',
  'test-faults': '',
  data: 'DIR',
  shards: 'N',
  capacity: 'N',
  'tick-rate': 'N',
  'frame-rate': 'N',
  'max-entities': 'N',
  'client-bytes': 'N',
  'far-cells': 'N',
  game: 'FILE',
  seed: 'N',
} as const;
const FOR_ROUTERS = { host: 'ADDRESS', 'tls-cert': 'FILE', 'tls-key': 'FILE' } as const;
const FOR_BOTH = { 'admin-host': 'ADDRESS', 'log-level': 'NAME' } as const;

const handedOn = Object.entries({ ...FOR_THE_NODE, ...FOR_ROUTERS, ...FOR_BOTH });

export const CLUSTER_COMMAND: Command = {
  name: 'npm run cluster',
  about: 'A whole cluster on this machine: one node and routers before it, as processes of their own.',
  usage: '-- [flags]',
  flags: [
    { name: 'nodes', argument: 'N', help: 'nodes; one, since more need a database that they share (1)' },
    { name: 'routers', argument: 'N', help: 'routers, the first one at --port (2)' },
    { name: 'port', argument: 'N', help: 'game port of the first router (7777)' },
    { name: 'admin-port', argument: 'N', help: 'admin port of the first router (game port + 1)' },
    { name: 'respawn', argument: '', help: 'start a process again that has ended' },
    ...handedOn.map(([name, argument]) => ({ name, argument, help: 'as of npm start' })),
  ],
  examples: [
    ['npm run cluster -- --routers 2 --respawn --data planet', 'a planet that outlives its processes'],
    ['npm run cluster -- --routers 3 --memory', 'three routers, nothing is kept'],
    ['npm run cluster -- --port 0', 'on any free ports; the line on standard output says where'],
  ],
  exits: ['1 a process could not be started, or its end was not in order'],
  notes: [
    'BLUEMARBLE_ADMIN_TOKEN and BLUEMARBLE_TICKET_KEY are handed on by the environment; BLUEMARBLE_CLUSTER_KEY',
    'is made up where it is not given. SIGTERM or Ctrl-C ends all in order: routers, then the node.',
  ],
};

export interface ClusterOptions {
  readonly routers: number;
  /** 0 = any free port. */
  readonly port: number;
  readonly adminPort: number;
  readonly respawn: boolean;
  readonly node: readonly string[];
  readonly router: readonly string[];
}

const MOST_ROUTERS = 32;

/** @throws BlueMarbleError BAD_FLAG */
export function clusterOptions(flags: Flags): ClusterOptions {
  const nodes = flags.whole('nodes', 1, 1, 1024);
  if (nodes > 1)
    throw new BlueMarbleError(
      'BAD_FLAG',
      '--nodes must be 1: several nodes need a database, which is not there yet',
    );
  const port = flags.whole('port', 7777, 0, 65534);
  const handOn = (names: object) =>
    Object.entries(names).flatMap(([name, argument]) => {
      if (!flags.has(name)) return [];
      return argument === '' ? [`--${name}`] : [`--${name}`, flags.text(name, '')];
    });
  return {
    routers: flags.whole('routers', 2, 1, MOST_ROUTERS),
    port,
    adminPort: flags.whole('admin-port', port === 0 ? 0 : port + 1, 0, 65535),
    respawn: flags.has('respawn'),
    node: [...handOn(FOR_THE_NODE), ...handOn(FOR_BOTH)],
    router: [...handOn(FOR_ROUTERS), ...handOn(FOR_BOTH)],
  };
}

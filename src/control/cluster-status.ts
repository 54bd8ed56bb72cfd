/**
 * What `/api/cluster` says on every admin port: the processes of a cluster, as a node knows them and as it tells its
 * routers. Without a truth there is one node, which has the whole planet, and no region has a number. Pure.
 */
import type { ClusterFacts, NodeFacts } from '../wire/link/facts.js';
import type { Status } from './status.js';

export interface ClusterStatus {
  readonly nodes: readonly {
    readonly name: string;
    readonly life: string;
    readonly state: 'starting' | 'running' | 'draining' | 'fenced' | 'dead';
    /** Of the process that simulates; 0 = not known yet. */
    readonly pid: number;
    readonly admin: string;
    /** HOST:PORT of its links; '' = it takes no routers. */
    readonly link: string;
    readonly regions: number;
    readonly players: number;
    readonly entities: number;
    readonly load: number;
    /** What is left of its lease; null = nobody grants it one. */
    readonly leaseMs: number | null;
  }[];
  readonly routers: readonly {
    readonly name: string;
    readonly pid: number;
    readonly game: string;
    readonly admin: string;
    readonly connections: number;
    readonly channels: number;
    /** Clients that wait for their node. */
    readonly waiting: number;
    readonly lateMs: number;
  }[];
  readonly regions: readonly never[];
  /** The database that owns regions; null = there is none. */
  readonly truth: null;
  /** Between nodes. */
  readonly handoverMs: { readonly p50: number; readonly p99: number; readonly max: number };
  readonly handovers: number;
  readonly adoptions: number;
  readonly fenced: number;
}

type NodeState = ClusterStatus['nodes'][number]['state'];

export function clusterStatus({ node, routers }: ClusterFacts, state: NodeState): ClusterStatus {
  return {
    nodes: node === null ? [] : [{ ...node, state, regions: 1, leaseMs: null }],
    routers: routers.map((router) => ({ ...router })),
    regions: [],
    truth: null,
    handoverMs: { p50: 0, p99: 0, max: 0 },
    handovers: 0,
    adoptions: 0,
    fenced: 0,
  };
}

/** What a node says of itself. */
export function nodeFacts(
  me: Pick<NodeFacts, 'name' | 'life' | 'pid'>,
  addresses: Pick<NodeFacts, 'admin' | 'link'>,
  { players, entities, shards }: Pick<Status, 'players' | 'entities' | 'shards'>,
): NodeFacts {
  const load = shards.reduce((most, { busy }) => Math.max(most, busy), 0);
  return { ...me, ...addresses, players, entities, load };
}

/**
 * What the admin port serves: the table of paths, and the view of a node that they read.
 * A route is a function from a body to an answer; it throws AdminError to refuse.
 */
import { z } from 'zod';
import type { ClusterStatus } from '../control/cluster-status.js';
import type { DecisionRecord } from '../control/elastic.js';
import type { ReshapeRefusal } from '../control/reshape.js';
import type { Status, TilesStatus } from '../control/status.js';
import { LIMITS } from '../base/limits.js';
import { dx, HALF_WIDTH, QUARTER_WIDTH } from '../geo/world.js';
import { AdminError } from './errors.js';
import { type ObservedNode, observatoryRoutes } from './observatory.js';
import { type Box, DOTS_BOX_M, type Sight } from './sight.js';

export const DEATHS = ['terminate', 'throw', 'hang', 'oom'] as const;
export type Death = (typeof DEATHS)[number];

/** What the admin port may see and do. */
export interface NodeView extends ObservedNode {
  status(): Status;
  tiles(): TilesStatus;
  cluster(): ClusterStatus;
  /** Where players are, for the map. */
  readonly sight: Pick<Sight, 'layoutVersion' | 'forget' | 'look' | 'dots' | 'handoverTimes'>;
  /** What was decided about load, oldest first. */
  decisions(): readonly DecisionRecord[];
  /** Empty = accepting clients; otherwise the reasons why not. */
  notReady(): readonly string[];
  /** Makes a shard die in the given way; false when there is no such shard running. */
  killShard(shard: number, how: Death): boolean;
  /** Makes the thread of a gateway hang; false when it has none of its own. */
  hangGateway(gateway: number): boolean;
  /** Changes the layout; @returns why not, null when it is under way. */
  split(tile: string): ReshapeRefusal | null;
  merge(tile: string): ReshapeRefusal | null;
  move(tile: string, shard: number): ReshapeRefusal | null;
  /** Recent transfers of items from or to an entity, oldest first. */
  journal(entity: number): readonly object[];
  /** Writes items into a bag behind everyone's back; false when there is no such entity. */
  plantDuplicate(entity: number, item: number, count: number): boolean;
  /** A copy of the data as of the newest durable tick. @param name null = of its tick @throws Error that says why not */
  snapshot(name: string | null): Promise<{ name: string; tick: number; entities: number; bytes: number }>;
  /** Begins the orderly stop of the node. */
  drain(): void;
}

export interface Answer {
  readonly status?: number;
  readonly body: string | object | Buffer;
  readonly type?: string;
  readonly headers?: Record<string, string>;
}

export interface Route {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  readonly help: string;
  /** Refused without --test-faults. */
  readonly testOnly?: boolean;
  answer(body: Record<string, unknown>, query: URLSearchParams): Answer | Promise<Answer>;
}

const KillShard = z.strictObject({
  shard: z.number().int().min(0),
  how: z.enum(DEATHS).default('terminate'),
});
const HangGateway = z.strictObject({ gateway: z.number().int().min(1) });
const Tile = z.strictObject({ tile: z.string() });
const Move = z.strictObject({ tile: z.string(), shard: z.number().int().min(0) });
const Journal = z.strictObject({ entity: z.number().int().min(1) });
const Duplicate = z.strictObject({
  entity: z.number().int().min(1),
  item: z
    .number()
    .int()
    .min(0)
    .max(LIMITS.itemKinds - 1)
    .default(0),
  count: z.number().int().min(1).max(1000).default(1),
});
const Snapshot = z.strictObject({ name: z.string().optional() });
const Nothing = z.strictObject({});

function parse<T>(schema: z.ZodType<T>, body: unknown): T {
  const result = schema.safeParse(body);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new AdminError(
    'BAD_BODY',
    `${issue.path.length > 0 ? `${issue.path.join('.')}: ` : ''}${issue.message}`,
  );
}

function reshaped(refused: ReshapeRefusal | null, body: object): Answer {
  if (refused !== null) throw new AdminError(refused);
  return { status: 202, body };
}

/** Changes of layout by hand. */
function layoutRoutes(node: NodeView): Route[] {
  return [
    {
      method: 'POST',
      path: '/api/admin/split',
      help: '{tile}: splits a leaf into four, on the least loaded shards',
      answer: (body) => {
        const { tile } = parse(Tile, body);
        return reshaped(node.split(tile), { tile });
      },
    },
    {
      method: 'POST',
      path: '/api/admin/merge',
      help: '{tile}: makes its four leaves one again',
      answer: (body) => {
        const { tile } = parse(Tile, body);
        return reshaped(node.merge(tile), { tile });
      },
    },
    {
      method: 'POST',
      path: '/api/admin/move',
      help: '{tile, shard}: gives a leaf to another shard',
      answer: (body) => {
        const { tile, shard } = parse(Move, body);
        return reshaped(node.move(tile, shard), { tile, shard });
      },
    },
  ];
}

/** What became of items. */
function itemRoutes(node: NodeView): Route[] {
  return [
    {
      method: 'POST',
      path: '/api/admin/plant-duplicate',
      help: '{entity, item, count}: items out of nothing, for tests of the audit',
      testOnly: true,
      answer: (body) => {
        const { entity, item, count } = parse(Duplicate, body);
        if (!node.plantDuplicate(entity, item, count)) throw new AdminError('UNKNOWN_ENTITY', String(entity));
        return { status: 202, body: { entity, item, count } };
      },
    },
    {
      method: 'POST',
      path: '/api/admin/journal',
      help: '{entity}: the newest transfers of items from and to an entity',
      answer: (body) => {
        const { entity } = parse(Journal, body);
        return { body: { entity, transfers: node.journal(entity) } };
      },
    },
  ];
}

/** A gateway that hangs. */
function gatewayRoutes(node: NodeView): Route[] {
  return [
    {
      method: 'POST',
      path: '/api/admin/hang-gateway',
      help: '{gateway}: its thread runs in a circle, a fault for tests',
      testOnly: true,
      answer: (body) => {
        const { gateway } = parse(HangGateway, body);
        if (!node.hangGateway(gateway)) throw new AdminError('UNKNOWN_GATEWAY', String(gateway));
        return { status: 202, body: { gateway } };
      },
    },
  ];
}

/** What is kept on disk. */
function dataRoutes(node: NodeView): Route[] {
  return [
    {
      method: 'POST',
      path: '/api/admin/snapshot',
      help: '{name?}: a verified copy of the data as of the newest durable tick, while the world goes on',
      answer: async (body) => {
        const { name } = parse(Snapshot, body);
        try {
          return { body: await node.snapshot(name ?? null) };
        } catch (error) {
          throw new AdminError('NO_SNAPSHOT', error instanceof Error ? error.message : String(error));
        }
      },
    },
  ];
}

/** A page is a file: see assets.ts. */
function page(path: string, help: string): Route {
  return {
    method: 'GET',
    path,
    help,
    answer: () => {
      throw new AdminError('INTERNAL', 'the pages are not built: npm run build');
    },
  };
}

/** @throws AdminError BAD_BOX */
function boxOf(query: URLSearchParams): Box {
  const side = (name: string) => Number.parseFloat(query.get(name) ?? '');
  const box = { west: side('west'), south: side('south'), east: side('east'), north: side('north') };
  const { west, south, east, north } = box;
  const isInside = [west, east].every((x) => x >= -HALF_WIDTH && x < HALF_WIDTH);
  const wide = dx(west, east);
  const isFit = wide > 0 && wide <= DOTS_BOX_M && north > south && north - south <= DOTS_BOX_M;
  if (!isInside || !isFit || !(Math.abs(south) <= QUARTER_WIDTH && Math.abs(north) <= QUARTER_WIDTH))
    throw new AdminError('BAD_BOX');
  return box;
}

/** What the live map reads beside status and tiles. */
function mapRoutes(node: NodeView): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/live',
      help: 'server-sent events of the map: layout, numbers, players, handovers',
      // What HEAD gets: a stream is opened by the server, see server.ts.
      answer: () => ({ body: '', type: 'text/event-stream; charset=utf-8' }),
    },
    {
      method: 'GET',
      path: '/api/dots',
      help: '?west=&south=&east=&north= in metres: the entities in a box of at most 40 km',
      answer: (_body, query) => {
        const dots = node.sight.dots(boxOf(query));
        if (dots === null) throw new AdminError('TOO_MANY_LOOKS');
        return { body: dots };
      },
    },
  ];
}

/** What there is beside this process. */
function clusterRoutes(node: NodeView): Route[] {
  return [
    {
      method: 'GET',
      path: '/api/cluster',
      help: 'the processes of the cluster: the node, and the routers before it',
      answer: () => ({ body: node.cluster() }),
    },
  ];
}

/** The table; the order is the order of the list in a 404. */
export function routes(node: NodeView): readonly Route[] {
  const table: Route[] = [
    page('/', 'the live map'),
    page('/play', 'the game in the page, as a guest'),
    {
      method: 'GET',
      path: '/healthz',
      help: '200 while the process is alive',
      answer: () => ({ body: { alive: true } }),
    },
    {
      method: 'GET',
      path: '/readyz',
      help: '200 while the node accepts clients, otherwise 503 with the reasons',
      answer: () => {
        const reasons = node.notReady();
        return { status: reasons.length === 0 ? 200 : 503, body: { ready: reasons.length === 0, reasons } };
      },
    },
    {
      method: 'GET',
      path: '/api/status',
      help: 'the numbers of the node, its shards and gateways',
      answer: () => ({ body: node.status() }),
    },
    {
      method: 'GET',
      path: '/api/tiles',
      help: 'the awake tiles: who simulates them, how many are there, and their load',
      answer: () => ({ body: node.tiles() }),
    },
    ...clusterRoutes(node),
    ...observatoryRoutes(node),
    ...mapRoutes(node),
    {
      method: 'GET',
      path: '/api/decisions',
      help: 'the last 200 decisions about load, with their numbers',
      answer: () => ({ body: { decisions: node.decisions() } }),
    },
    ...layoutRoutes(node),
    {
      method: 'POST',
      path: '/api/admin/kill-shard',
      help: `{shard, how: ${DEATHS.join('|')}}: a fault for tests`,
      testOnly: true,
      answer: (body) => {
        const { shard, how } = parse(KillShard, body);
        if (!node.killShard(shard, how)) throw new AdminError('UNKNOWN_SHARD', String(shard));
        return { status: 202, body: { shard, how } };
      },
    },
    ...gatewayRoutes(node),
    ...itemRoutes(node),
    ...dataRoutes(node),
    {
      method: 'POST',
      path: '/api/admin/drain',
      help: '{}: ends the sessions in good order and stops the node',
      answer: (body) => {
        parse(Nothing, body);
        node.drain();
        return { status: 202, body: { draining: true } };
      },
    },
  ];
  return table;
}

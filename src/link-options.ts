/** The options of links between processes: the table, what they say together, and the configuration they make. */
import { LIMITS } from './base/limits.js';
import { randomLife } from './gateway/link-crypto.js';
import type { LinkPort } from './gateway/link-server.js';
import type { LinkPeer } from './wire/link/handshake.js';
import { onOff, type Option, secret, type Settings, text, whole } from './options.js';

/** How a process is linked to others. */
export interface LinkConfig {
  /** This process is a router: it terminates clients and simulates nothing. */
  readonly router: boolean;
  /** Link port of a router's node. */
  readonly upstream: { readonly host: string; readonly port: number } | null;
  /** Name of this process in the cluster; null = one is made up. */
  readonly nodeName: string | null;
  /** Port at which a node takes routers; null = it takes none. */
  readonly linkPort: number | null;
  readonly linkHost: string;
  readonly clusterKey: string | null;
  readonly linkTlsCert: string | null;
  readonly linkTlsKey: string | null;
  readonly linkTlsCa: string | null;
  /** Address of a router's game port as clients reach it; null = that of this machine. */
  readonly advertise: string | null;
}

export const LINK_OPTIONS: readonly Option[] = [
  onOff('router', 'be a router: hold the clients of the node at --upstream, simulate nothing'),
  text('upstream', 'ADDRESS', 'HOST:PORT', null, "link port of the router's node, HOST:PORT"),
  text('node', 'NAME', 'a name', null, 'name of this process in its cluster; default: one is made up'),
  whole('link-port', 0, 65535, null, 'take routers at this port; default: none are taken'),
  text('link-host', 'ADDRESS', 'an address of this machine', '127.0.0.1', 'address of the link port'),
  secret('cluster-key', 32, 'secret by which the processes of a cluster know each other'),
  text('link-tls-cert', 'FILE', 'the path of a PEM file', null, 'TLS certificate of the link port'),
  text('link-tls-key', 'FILE', 'the path of a PEM file', null, 'TLS private key of the link port'),
  text(
    'link-tls-ca',
    'FILE',
    'the path of a PEM file',
    null,
    'a router trusts this authority: links over TLS',
  ),
  text('advertise', 'URL', 'a ws:// or wss:// address', null, "the router's game port as clients reach it"),
];

/** Of a node alone. */
const NODE_ONLY = [
  'gateways',
  'shards',
  'pin-shards',
  'shard-nice',
  'data',
  'memory',
  'restore',
  'snapshot-every',
  'snapshots-kept',
  'capacity',
  'tick-rate',
  'frame-rate',
  'max-entities',
  'client-bytes',
  'far-cells',
  'bots',
  'game',
  'seed',
  'ticket-key',
  'otlp-url',
  'address-newcomers',
  'address-tiles',
  'test-faults',
  'link-port',
  'link-host',
  'link-tls-cert',
  'link-tls-key',
];
const ROUTER_ONLY = ['upstream', 'link-tls-ca', 'advertise'];

/** @throws BlueMarbleError BAD_FLAG, BAD_CONFIG */
export function completeLinks(s: Settings): LinkConfig {
  const isRouter = s.get<boolean>('router');
  for (const name of isRouter ? NODE_ONLY : ROUTER_ONLY)
    if (s.has(name))
      throw s.refuse(name, isRouter ? 'means nothing to a router: give it to the node' : 'needs --router');
  const clusterKey = s.get<string | null>('cluster-key');
  const linkPort = s.get<number | null>('link-port');
  const upstream = s.get<string | null>('upstream');
  if (isRouter && upstream === null) throw s.refuse('router', 'needs --upstream HOST:PORT of its node');
  if (clusterKey === null && (isRouter || linkPort !== null))
    throw s.refuse(isRouter ? 'router' : 'link-port', 'needs --cluster-key: the ends of a link prove it');
  const cert = s.get<string | null>('link-tls-cert');
  const key = s.get<string | null>('link-tls-key');
  if ((cert === null) !== (key === null))
    throw s.refuse(
      cert === null ? 'link-tls-key' : 'link-tls-cert',
      'needs the other of --link-tls-cert and --link-tls-key',
    );
  const linkHost = s.get<string>('link-host');
  if (cert === null && !isThisMachine(linkHost))
    throw s.refuse('link-host', 'must be of this machine alone (127.0.0.1) without --link-tls-cert');
  const advertise = s.get<string | null>('advertise');
  if (advertise !== null && !(URL.canParse(advertise) && /^wss?:$/.test(new URL(advertise).protocol)))
    throw s.refuse('advertise', 'must be an address that begins with ws:// or wss://');
  const linkTlsCa = s.get<string | null>('link-tls-ca');
  const at = upstream === null ? null : hostPort(s, upstream);
  if (at !== null && linkTlsCa === null && !isThisMachine(at.host))
    throw s.refuse('upstream', 'must be on this machine (127.0.0.1) without --link-tls-ca');
  return {
    router: isRouter,
    upstream: at,
    nodeName: s.get<string | null>('node'),
    linkPort,
    linkHost,
    clusterKey,
    linkTlsCert: cert,
    linkTlsKey: key,
    linkTlsCa,
    advertise,
  };
}

export function isThisMachine(host: string): boolean {
  return /^(127\.\d+\.\d+\.\d+|::1|localhost)$/.test(host);
}

function hostPort(s: Settings, text: string): { host: string; port: number } {
  const [, host = '', port = ''] = /^(\[[^\]]+\]|[^:]+):(\d+)$/.exec(text) ?? [];
  const number = Number(port);
  if (host === '' || !(number >= 1 && number <= 65535))
    throw s.refuse('upstream', `must be HOST:PORT, such as 127.0.0.1:7779, but was "${text}"`);
  return { host: host.replace(/^\[|\]$/g, ''), port: number };
}

/** The link port of a node as it is configured; null = it takes no routers. @param game name of the game */
export function linkPortOf(
  config: LinkConfig & { readonly seed: number },
  game: string,
  me: Omit<LinkPeer, 'world'>,
): (LinkPort & { readonly me: LinkPeer }) | null {
  const { linkPort: port, linkHost: host, clusterKey, linkTlsCert: cert, linkTlsKey: key } = config;
  if (port === null || clusterKey === null) return null;
  const tls = cert !== null && key !== null ? { cert, key } : undefined;
  const { baseTileLevel: baseLevel, deepestTileLevel: deepestLevel, cellLevel } = LIMITS;
  const world = { seed: config.seed, baseLevel, deepestLevel, cellLevel, game };
  return { host, port, tls, key: keyBytes(clusterKey), me: { ...me, world } };
}

/** Who this process is from now on, to others. */
export function lifeOf({ nodeName, router }: LinkConfig): Omit<LinkPeer, 'world'> {
  const life = randomLife();
  return { name: nodeName ?? `${router ? 'router' : 'node'}-${life.slice(0, 8)}`, life, program: PROGRAM };
}

export function keyBytes(clusterKey: string): Uint8Array {
  return new TextEncoder().encode(clusterKey);
}

/** As in package.json; a test holds the two together. */
export const PROGRAM = '0.1.0';

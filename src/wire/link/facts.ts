/**
 * Records ABOUT (up) and CLUSTER (down), the subject is 0: facts of the router, and of all routers of the node, as JSON. They
 * change a few times a second at most. What does not read as facts is left out, never a fault.
 */
import { LINK } from './types.js';
import type { TurnView, TurnWriter } from './turn.js';

/** What a router says of itself. */
export interface RouterFacts {
  readonly name: string;
  readonly pid: number;
  /** Address of its game port as clients reach it; '' = not open. */
  readonly game: string;
  /** http:// of its admin port; '' = none. */
  readonly admin: string;
  /** Sockets of clients, and those of them that have a channel now. */
  readonly connections: number;
  readonly channels: number;
  /** Clients that wait for their node. */
  readonly waiting: number;
  readonly lateMs: number;
}

/** What a node says of itself. */
export interface NodeFacts {
  readonly name: string;
  readonly life: string;
  readonly pid: number;
  /** http:// of its admin port as its own machine reaches it, and HOST:PORT of its links. */
  readonly admin: string;
  readonly link: string;
  readonly players: number;
  readonly entities: number;
  /** Greatest share of its time that a shard is at work, 0…1. */
  readonly load: number;
}

export interface ClusterFacts {
  readonly node: NodeFacts | null;
  readonly routers: readonly RouterFacts[];
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function writeAbout(turn: TurnWriter, facts: RouterFacts): void {
  turn.put(LINK.ABOUT, 0, encoder.encode(JSON.stringify(facts)));
}

export function readAbout(turn: TurnView): RouterFacts | null {
  return factsOf(parsed(turn));
}

export function writeCluster(turn: TurnWriter, facts: ClusterFacts): void {
  turn.put(LINK.CLUSTER, 0, encoder.encode(JSON.stringify(facts)));
}

export function readCluster(turn: TurnView): ClusterFacts {
  const { node, routers } = (parsed(turn) ?? {}) as { node?: unknown; routers?: unknown };
  const list = Array.isArray(routers) ? routers : [];
  return { node: nodeFactsOf(node), routers: list.flatMap((one) => factsOf(one) ?? []) };
}

function nodeFactsOf(value: unknown): NodeFacts | null {
  const told = reading(value);
  if (told === null) return null;
  const { number, words } = told;
  return {
    name: words('name'),
    life: words('life'),
    pid: number('pid'),
    admin: words('admin'),
    link: words('link'),
    players: number('players'),
    entities: number('entities'),
    load: number('load'),
  };
}

function parsed(turn: TurnView): unknown {
  try {
    return JSON.parse(decoder.decode(turn.body()));
  } catch {
    return null;
  }
}

function factsOf(value: unknown): RouterFacts | null {
  const told = reading(value);
  if (told === null) return null;
  const { number, words } = told;
  return {
    name: words('name'),
    pid: number('pid'),
    game: words('game'),
    admin: words('admin'),
    connections: number('connections'),
    channels: number('channels'),
    waiting: number('waiting'),
    lateMs: number('lateMs'),
  };
}

/** What is no number counts as 0, what is no text as ''. */
function reading(value: unknown): { number(name: string): number; words(name: string): string } | null {
  if (typeof value !== 'object' || value === null) return null;
  const told = value as Record<string, unknown>;
  return {
    number: (name) => (Number.isFinite(told[name]) ? (told[name] as number) : 0),
    words: (name) => (typeof told[name] === 'string' ? (told[name] as string) : ''),
  };
}

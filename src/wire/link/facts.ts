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

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function writeAbout(turn: TurnWriter, facts: RouterFacts): void {
  turn.put(LINK.ABOUT, 0, encoder.encode(JSON.stringify(facts)));
}

export function readAbout(turn: TurnView): RouterFacts | null {
  return factsOf(parsed(turn));
}

export function writeCluster(turn: TurnWriter, routers: readonly RouterFacts[]): void {
  turn.put(LINK.CLUSTER, 0, encoder.encode(JSON.stringify({ routers })));
}

export function readCluster(turn: TurnView): readonly RouterFacts[] {
  const { routers } = (parsed(turn) ?? {}) as { routers?: unknown };
  if (!Array.isArray(routers)) return [];
  return routers.flatMap((one) => factsOf(one) ?? []);
}

function parsed(turn: TurnView): unknown {
  try {
    return JSON.parse(decoder.decode(turn.body()));
  } catch {
    return null;
  }
}

function factsOf(value: unknown): RouterFacts | null {
  if (typeof value !== 'object' || value === null) return null;
  const told = value as Record<string, unknown>;
  const number = (name: string) => (Number.isFinite(told[name]) ? (told[name] as number) : 0);
  const words = (name: string) => (typeof told[name] === 'string' ? (told[name] as string) : '');
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

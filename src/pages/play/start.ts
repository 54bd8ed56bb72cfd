/** Where to begin, and where the game port is: what the page asks of the admin port before it connects. */
import { centreOf, boundsOf, tileAt, parseTile, type TileAddress } from '../../geo/address.js';
import { lonLatToXY, wrapX } from '../../geo/world.js';

export interface Place {
  x: number;
  y: number;
}

/** Tiles of this level have their first grove in the very middle. */
const BASE_LEVEL = 11;
const BERLIN = lonLatToXY(13.405, 52.52);
const STEP_ASIDE_M = 4;
/** Nobody appears on the very point where somebody else did: everyone somewhere in a ring around it, metres. */
const RING = { inner: 2, outer: 6 };
/** Likewise around a point that was given to the metre. */
const POINT_RING = { inner: 0.3, outer: 1 };

/** The game port, at the host that this page came from: `?server=` wins, for servers behind a proxy. */
export async function gameUrl(query: URLSearchParams): Promise<string> {
  const given = query.get('server');
  if (given !== null) return given;
  const { address } = (await (await fetch('/api/status')).json()) as { address?: string | null };
  if (!address) throw new Error('The server does not accept players yet.');
  const url = new URL(address);
  url.hostname = location.hostname;
  return url.href;
}

/** @returns the place that the address of the page asks for (`?x=&y=`, `?tile=`), null = it asks for none */
export function askedPlace(query: URLSearchParams): Place | null {
  const [x, y] = [Number(query.get('x') ?? Number.NaN), Number(query.get('y') ?? Number.NaN)];
  if (Number.isFinite(x) && Number.isFinite(y)) return aside({ x, y }, POINT_RING);
  const tile = parseTile(query.get('tile') ?? '');
  return tile === undefined ? null : aside(centreOf(tile));
}

export async function choosePlace(kind: string): Promise<Place> {
  const home = tileAt(BERLIN.x, BERLIN.y, BASE_LEVEL);
  if (kind === 'border') {
    const { east } = boundsOf(home);
    return { x: wrapX(east - STEP_ASIDE_M), y: centreOf(home).y + STEP_ASIDE_M * (2 * chance() - 1) };
  }
  return kind === 'players' ? await amongPlayers(home) : aside(centreOf(home));
}

async function amongPlayers(home: TileAddress): Promise<Place> {
  const { tiles } = (await (await fetch('/api/tiles')).json()) as {
    tiles: { tile: string; players: number }[];
  };
  const busiest = tiles.reduce((a, b) => (b.players > a.players ? b : a), { tile: '', players: 0 });
  const address = parseTile(busiest.tile);
  if (address === undefined || busiest.players === 0) return aside(centreOf(home));
  const { west, south, east, north } = boundsOf(address);
  const box = `west=${west}&south=${south}&east=${wrapX(east)}&north=${north}`;
  const { dots } = (await (await fetch(`/api/dots?${box}`)).json()) as { dots: number[] };
  const PLAYER = 0;
  const players: number[] = [];
  for (let i = 0; i + 6 < dots.length; i += 7) if (dots[i + 5] === PLAYER) players.push(i);
  const i = players[Math.floor(chance() * players.length)];
  if (i !== undefined) return aside({ x: west + dots[i + 1], y: south + dots[i + 2] });
  return aside(centreOf(address));
}

/** Somewhere in a ring around a point, evenly over its area. */
function aside({ x, y }: Place, { inner, outer } = RING): Place {
  const angle = 2 * Math.PI * chance();
  const away = Math.sqrt(inner ** 2 + chance() * (outer ** 2 - inner ** 2));
  return { x: wrapX(x + away * Math.cos(angle)), y: y + away * Math.sin(angle) };
}

/** 0 ≤ chance < 1. */
function chance(): number {
  return crypto.getRandomValues(new Uint32Array(1))[0] / 2 ** 32;
}

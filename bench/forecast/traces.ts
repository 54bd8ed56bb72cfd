/** Traces: who is where in each second; and the one kind that all but the bots' scenarios are of, trips between places. */
import { LIMITS } from '../../src/base/limits.js';
import { WALK_MPS } from '../../src/bots/scenarios/scenario.js';
import { tileSize } from '../../src/geo/tile.js';
import { dx, lonLatToXY, wrapX } from '../../src/geo/world.js';
import type { Person } from './stage.js';

export interface Trace {
  readonly name: string;
  readonly seconds: number;
  /** Level of the tiles that are looked at, and players that are a load of 1 there. */
  readonly level: number;
  readonly full: number;
  /** Tile side ÷ speed: how far motion says anything. */
  readonly tauS: number;
  /** Seconds must be asked for one after the other. */
  at(second: number): readonly Person[];
}

export interface Trip {
  readonly id: number;
  readonly startS: number;
  readonly endS: number;
  readonly x: number;
  readonly y: number;
  readonly wayX: number;
  readonly wayY: number;
}

/** Trips, each on a straight way at an even speed; whoever is on one is online. @param seconds how long the trace is */
export function tripsOf(name: string, trips: readonly Trip[], seconds: number, full: number): Trace {
  const order = [...trips].sort((a, b) => a.startS - b.startS || a.id - b.id);
  const ways = order.map(({ wayX, wayY, startS, endS }) => Math.hypot(wayX, wayY) / (endS - startS));
  const speed = ways.sort((a, b) => a - b)[ways.length >> 1] ?? WALK_MPS;
  const level = LIMITS.deepestTileLevel;
  let next = 0;
  let under: Trip[] = [];
  return {
    name,
    seconds,
    level,
    full,
    tauS: tileSize(level) / Math.max(speed, 0.1),
    at(second) {
      under = under.filter((trip) => trip.endS > second);
      for (; next < order.length && order[next].startS <= second; next++) {
        if (order[next].endS > second) under.push(order[next]);
      }
      return under.map(({ id, startS, endS, x, y, wayX, wayY }) => {
        const share = (second - startS) / (endS - startS);
        const [vx, vy] = [wayX / (endS - startS), wayY / (endS - startS)];
        return { id, x: wrapX(x + wayX * share), y: y + wayY * share, vx, vy };
      });
    },
  };
}

/** @returns the way from one place in degrees to another */
export function tripBetween(
  id: number,
  [startS, endS]: readonly [number, number],
  [fromLon, fromLat, toLon, toLat]: readonly number[],
): Trip {
  const from = lonLatToXY(fromLon, fromLat);
  const to = lonLatToXY(toLon, toLat);
  return {
    id,
    startS,
    endS: Math.max(startS + 1, endS),
    ...from,
    wayX: dx(from.x, to.x),
    wayY: to.y - from.y,
  };
}

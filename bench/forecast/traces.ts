/**
 * Traces: who is where in each second. Trips of a month are laid over each other on one day, so that there are as many
 * people as a busy world has; the scenarios are those of the bots, walked without a server.
 */
import { readFileSync } from 'node:fs';
import { LIMITS } from '../../src/base/limits.js';
import { seededRandom } from '../../src/base/random.js';
import type { ScenarioName } from '../../src/bots/options.js';
import { scenario } from '../../src/bots/scenarios/index.js';
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

const DAY_S = 86_400;

interface Trip {
  readonly id: number;
  readonly startS: number;
  readonly endS: number;
  readonly x: number;
  readonly y: number;
  readonly wayX: number;
  readonly wayY: number;
}

/** Trips (columns start_s, end_s, from_lon, from_lat, to_lon, to_lat, in any order) of all days as if on one. */
export function tripsOf(name: string, text: string): Trace {
  const [head, ...lines] = text.trim().split('\n');
  const columns = head.split(',');
  const column = (wanted: string) => {
    const at = columns.indexOf(wanted);
    if (at < 0) throw new Error(`${name}: no column ${wanted} among ${head}`);
    return at;
  };
  const at = ['start_s', 'end_s', 'from_lon', 'from_lat', 'to_lon', 'to_lat'].map(column);
  const trips: Trip[] = lines.map((line, id) => {
    const cells = line.split(',');
    const [start, end, fromLon, fromLat, toLon, toLat] = at.map((c) => Number(cells[c]));
    const from = lonLatToXY(fromLon, fromLat);
    const to = lonLatToXY(toLon, toLat);
    const startS = start % DAY_S;
    return {
      id,
      startS,
      endS: startS + Math.max(1, end - start),
      ...from,
      wayX: dx(from.x, to.x),
      wayY: to.y - from.y,
    };
  });
  trips.sort((a, b) => a.startS - b.startS || a.id - b.id);
  const ways = trips.map(({ wayX, wayY, startS, endS }) => Math.hypot(wayX, wayY) / (endS - startS));
  const speed = ways.sort((a, b) => a - b)[ways.length >> 1];
  let next = 0;
  let under: Trip[] = [];
  const level = LIMITS.deepestTileLevel;
  return {
    name,
    seconds: DAY_S,
    level,
    full: 25,
    tauS: tileSize(level) / speed,
    at(second) {
      under = under.filter((trip) => trip.endS > second);
      for (; next < trips.length && trips[next].startS <= second; next++) {
        if (trips[next].endS > second) under.push(trips[next]);
      }
      return under.map(({ id, startS, endS, x, y, wayX, wayY }) => {
        const share = (second - startS) / (endS - startS);
        const [vx, vy] = [wayX / (endS - startS), wayY / (endS - startS)];
        return { id, x: wrapX(x + wayX * share), y: y + wayY * share, vx, vy };
      });
    },
  };
}

export function readTrips(path: string | URL, name: string): Trace {
  return tripsOf(name, readFileSync(path, 'utf8'));
}

/** A walker of a scenario, moved second by second. */
interface Walking {
  readonly index: number;
  readonly home: { x: number; y: number };
  x: number;
  y: number;
  leg: number;
  toX: number;
  toY: number;
  speed: number;
  restS: number;
  restAfterS?: number;
  vx: number;
  vy: number;
}

/** A scenario of the bots. */
export function scenarioOf(name: ScenarioName, players: number, seconds: number, full: number): Trace {
  const random = seededRandom(7);
  const play = scenario(name, { players, at: [], rect: null, border: 'meridian' });
  const walkers: Walking[] = Array.from({ length: players }, (_, index) => {
    const place = play.spawn(index, random);
    const home = { x: wrapX(place.x), y: place.y };
    return { index, home, ...home, leg: 0, toX: home.x, toY: home.y, speed: 0, restS: 0, vx: 0, vy: 0 };
  });
  const step = (walker: Walking, share: number) => {
    let leftS = 1;
    for (let turns = 0; leftS > 1e-9 && turns < 8; turns++) {
      if (walker.restS > 0) {
        const rest = Math.min(leftS, walker.restS);
        walker.restS -= rest;
        leftS -= rest;
        walker.vx = 0;
        walker.vy = 0;
        if (walker.restS > 0) return;
      }
      const way = Math.hypot(dx(walker.x, walker.toX), walker.toY - walker.y);
      if (way < 0.01) {
        const goal = play.next(walker, share, random);
        walker.leg++;
        [walker.toX, walker.toY, walker.speed, walker.restS] = [wrapX(goal.x), goal.y, goal.speedMps, 0];
        const length = Math.hypot(dx(walker.x, walker.toX), walker.toY - walker.y);
        if (length < 0.01) walker.restS = Math.max(goal.restS, 0.05);
        else walker.restAfterS = goal.restS;
        continue;
      }
      const go = Math.min(leftS, way / walker.speed);
      walker.vx = (dx(walker.x, walker.toX) / way) * walker.speed;
      walker.vy = ((walker.toY - walker.y) / way) * walker.speed;
      walker.x = wrapX(walker.x + walker.vx * go);
      walker.y += walker.vy * go;
      leftS -= go;
      if (go * walker.speed >= way - 0.01) walker.restS = walker.restAfterS ?? 0;
    }
  };
  return {
    name,
    seconds,
    level: LIMITS.deepestTileLevel,
    full,
    tauS: tileSize(LIMITS.deepestTileLevel) / WALK_MPS,
    at(second) {
      if (second > 0) for (const walker of walkers) step(walker, second / seconds);
      return walkers.map(({ index, x, y, vx, vy }) => ({ id: index, x, y, vx, vy }));
    },
  };
}

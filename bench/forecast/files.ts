/**
 * Traces from files. Three kinds, told by their first line of columns (a line that begins with # is passed by):
 *
 * ```
 *  second,id,lon,lat                                    where somebody is; gone after a minute without a line; by second
 *  start_s,end_s,from_lon,from_lat,to_lon,to_lat        trips on a straight way (further columns are passed by)
 *  start,seconds,from,to                                trips between stations of stations.csv (station,lon,lat) beside it
 * ```
 * Times are whole seconds, from wherever; places are degrees of WGS 84. Trips of many days are laid over each other on
 * one day, so that there are as many people as a busy world has.
 */
import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BlueMarbleError } from '../../src/base/errors.js';
import { type Trace, type Trip, tripBetween, tripsOf } from './traces.js';

const DAY_S = 86_400;
/** Who was not seen for so long is gone. */
const GONE_S = 60;
const WALK = 'second,id,lon,lat';
const TRIPS = 'start_s,end_s,from_lon,from_lat,to_lon,to_lat';
const STATIONS = 'start,seconds,from,to';

interface Table {
  readonly columns: readonly string[];
  readonly rows: readonly (readonly number[])[];
}

function refuse(path: string, what: string): BlueMarbleError {
  return new BlueMarbleError('BAD_FLAG', `${path}: ${what}`);
}

/** @throws BlueMarbleError BAD_FLAG with the line of what is no number */
function read(path: string): Table {
  const lines = readFileSync(path, 'utf8')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('#'));
  const columns = (lines[0] ?? '').split(',').map((name) => name.trim());
  const rows = lines.slice(1).map((line, i) => {
    const cells = line.split(',').map(Number);
    if (cells.length !== columns.length || !cells.every(Number.isFinite))
      throw refuse(path, `row ${i + 1} is not ${columns.length} numbers: ${line.slice(0, 60)}`);
    return cells;
  });
  if (rows.length === 0) throw refuse(path, 'no rows');
  return { columns, rows };
}

/** The columns that are asked for, in this order; null when one is missing. */
function pick({ columns, rows }: Table, wanted: string): number[][] | null {
  const at = wanted.split(',').map((name) => columns.indexOf(name));
  return at.includes(-1) ? null : rows.map((row) => at.map((c) => row[c]));
}

/** @param full players that are a load of 1 of a tile */
export function traceOf(path: string, name: string, full: number): Trace {
  const table = read(path);
  const walk = pick(table, WALK);
  if (walk !== null) return walkOf(name, walk, full);
  const trips = pick(table, TRIPS);
  if (trips !== null) {
    const way = ([startS, endS, ...places]: number[], id: number) =>
      onOneDay(id, startS, endS - startS, places);
    return tripsOf(name, trips.map(way), DAY_S, full);
  }
  const hops = pick(table, STATIONS);
  if (hops === null)
    throw refuse(path, `columns ${table.columns.join(',')}: wanted ${WALK} or ${TRIPS} or ${STATIONS}`);
  const stations = read(join(dirname(path), 'stations.csv')).rows;
  const places = new Map(stations.map(([id, lon, lat]) => [id, [lon, lat]]));
  const hop = ([start, seconds, from, to]: number[], id: number) => {
    const [a, b] = [places.get(from), places.get(to)];
    if (a === undefined || b === undefined)
      throw refuse(path, `row ${id + 1}: no station ${a === undefined ? from : to}`);
    return onOneDay(id, start, seconds, [...a, ...b]);
  };
  return tripsOf(name, hops.map(hop), DAY_S, full);
}

function onOneDay(id: number, start: number, seconds: number, places: readonly number[]): Trip {
  const startS = start - Math.floor(start / DAY_S) * DAY_S;
  return tripBetween(id, [startS, startS + seconds], places);
}

/** Where people are seen now and then: between two sights on a straight way. */
function walkOf(name: string, rows: readonly number[][], full: number): Trace {
  const byPerson = new Map<number, number[][]>();
  let [firstS, lastS] = [Infinity, -Infinity];
  for (const row of rows) {
    firstS = Math.min(firstS, row[0]);
    lastS = Math.max(lastS, row[0]);
    const sights = byPerson.get(row[1]);
    if (sights === undefined) byPerson.set(row[1], [row]);
    else sights.push(row);
  }
  const legs: Trip[] = [];
  for (const [person, sights] of [...byPerson.values()].entries()) {
    sights.sort((a, b) => a[0] - b[0]);
    for (const [i, [second, , lon, lat]] of sights.entries()) {
      const next = sights[i + 1];
      if (next === undefined || next[0] - second > GONE_S || next[0] === second) continue;
      const span = [second - firstS, next[0] - firstS] as const;
      legs.push(tripBetween(person, span, [lon, lat, next[2], next[3]]));
    }
  }
  return tripsOf(name, legs, lastS - firstS, full);
}

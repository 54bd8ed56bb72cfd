/**
 * Names for places: the nearest of two thousand towns, with how far and which way it is where that says more than the
 * name alone. The table (places.json, made of GeoNames) is asked for once; until it is there, and without it, there are
 * no names.
 */
import { centreOf, parseTile } from '../../geo/address.js';
import { xyToLonLat } from '../../geo/world.js';

interface Town {
  readonly name: string;
  readonly country: string;
  readonly lon: number;
  readonly lat: number;
}

const EARTH_KM = 6371;
const RADIAN = Math.PI / 180;
/** So near a town a place goes by its name alone. */
const THERE_KM = 15;
const WAYS = ['N', 'NE', 'E', 'SE', 'S', 'SW', 'W', 'NW'];
const countries = new Intl.DisplayNames(['en'], { type: 'region' });

/** "lon,lat,country,name;…" in hundredths of degrees. */
export function readTowns(table: string): Town[] {
  return table.split(';').map((row) => {
    const [lon, lat, country, ...name] = row.split(',');
    return { lon: Number(lon) / 100, lat: Number(lat) / 100, country, name: name.join(',') };
  });
}

/** Berlin, Germany · 120 km NE of Nuuk, Greenland */
export function nameAt(towns: readonly Town[], lon: number, lat: number): string {
  let nearest: Town | null = null;
  let least = Number.POSITIVE_INFINITY;
  for (const town of towns) {
    const away = kilometres(town, lon, lat);
    if (away < least) [least, nearest] = [away, town];
  }
  if (nearest === null) return '';
  const name = `${nearest.name}, ${countries.of(nearest.country) ?? nearest.country}`;
  return least < THERE_KM ? name : `${Math.round(least)} km ${wayFrom(nearest, lon, lat)} of ${name}`;
}

/** By the haversine. */
function kilometres(town: Town, lon: number, lat: number): number {
  const up = Math.sin(((lat - town.lat) * RADIAN) / 2);
  const along = Math.sin(((lon - town.lon) * RADIAN) / 2);
  const h = up * up + Math.cos(lat * RADIAN) * Math.cos(town.lat * RADIAN) * along * along;
  return 2 * EARTH_KM * Math.asin(Math.min(1, Math.sqrt(h)));
}

function wayFrom(town: Town, lon: number, lat: number): string {
  const east = ((((lon - town.lon) % 360) + 540) % 360) - 180; // degrees, the shorter way round
  const turn = Math.atan2(east * Math.cos(lat * RADIAN), lat - town.lat) / RADIAN;
  return WAYS[Math.round((turn + 360) / 45) % 8];
}

class Places {
  private towns: readonly Town[] = [];
  private readonly known = new Map<string, string>();

  /** Asks for the table once. @param there is called when names can be given */
  load(there: () => void): void {
    void this.ask().then(there, () => {});
  }

  /** Of the middle of a tile; '' while there are no names. */
  ofTile(tile: string): string {
    const address = parseTile(tile);
    if (this.towns.length === 0 || address === undefined) return '';
    let name = this.known.get(tile);
    if (name === undefined) {
      const { x, y } = centreOf(address);
      const { lon, lat } = xyToLonLat(x, y);
      this.known.set(tile, (name = nameAt(this.towns, lon, lat)));
    }
    return name;
  }

  private async ask(): Promise<void> {
    const { table } = (await (await fetch('/assets/places.json')).json()) as { table: string };
    this.towns = readTowns(table);
  }
}

/** One table for a page. */
export const places = new Places();

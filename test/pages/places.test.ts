/** Names of places: the table that is served, and what a place is called by it. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { nameAt, readTowns } from '../../src/pages/look/places.js';

const FILE = new URL('../../src/pages/look/places.json', import.meta.url);
const { attribution, table } = JSON.parse(readFileSync(FILE, 'utf8')) as {
  attribution: string;
  table: string;
};
const towns = readTowns(table);

t.test('the table is whole, small, and says whose it is', async (t) => {
  t.match(attribution, /GeoNames.*CC BY 4\.0/);
  t.ok(table.length < 64 * 1024, `${table.length} characters`);
  t.equal(towns.length, 2400);
  const wrong = towns.filter(
    ({ lon, lat, country, name }) =>
      !(Math.abs(lon) <= 180 && Math.abs(lat) <= 90 && /^[A-Z]{2}$/.test(country) && name),
  );
  t.same(wrong, []);
});

t.test('the nearest town, how far and which way', async (t) => {
  const rows: [number, number, RegExp][] = [
    [13.405, 52.52, /^Berlin, Germany$/],
    [13.405, 52.9, /^\d\d km N of Berlin, Germany$/],
    [-74, 40.71, /^New York City, United States$/],
    [179.9, -17, /Fiji$/],
    [-179.9, -17, /Fiji$/],
    [0, -90, / km S of /],
  ];
  for (const [lon, lat, name] of rows) t.match(nameAt(towns, lon, lat), name, `${lon} ${lat}`);
  t.equal(nameAt([], 0, 0), '', 'no table, no name');
  const two = readTowns('17990,0,FJ,West;-9000,0,EC,Quito, far');
  t.equal(nameAt(two, -179.9, 0), '22 km E of West, Fiji', 'over the antimeridian');
  t.equal(nameAt(two, -90, 0), 'Quito, far, Ecuador', 'a comma in a name');
});

/** `near` against brute force over a frozen world: borders, corners, the antimeridian, the walls; several publishers. */
import fc from 'fast-check';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { cellNumber, cellSize } from '../../src/geo/cell.js';
import { clampY, dx, HALF_WIDTH, QUARTER_WIDTH, wrapX } from '../../src/geo/world.js';
import { ViewReader, ViewWriter } from '../../src/memory/view.js';
import { Neighbourhood } from '../../src/world/near.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
/** Places where something meets something else. */
const SPOTS: Record<string, [number, number]> = {
  'inside a tile': [tile.west + 3000, tile.south + 3000],
  'a border of two tiles': [tile.east, tile.south + 3000],
  'a corner of four': [tile.east, tile.south],
  'the antimeridian': [HALF_WIDTH, 500],
  'the northern wall': [tile.east, QUARTER_WIDTH],
  'the southern wall': [tile.east, -QUARTER_WIDTH],
  'the wall at the antimeridian': [-HALF_WIDTH, QUARTER_WIDTH],
};
const SHARDS = 3;
const MOST_M = 1000;

interface Row {
  id: number;
  x: number;
  y: number;
  kind: number;
  epoch: number;
}

/** What one shard publishes. */
function publish(sab: SharedArrayBuffer, rows: readonly Row[]): void {
  const view = ViewWriter.from(sab);
  view.begin(1, 1);
  const cells = rows.map((r) => view.cell(cellNumber(r.x, r.y)));
  for (const c of cells) view.addRow(c);
  view.place();
  rows.forEach((r, i) => {
    view.row(cells[i]!, r.id, r.x, r.y, 0, 0, 0, 0, 0, r.epoch, r.kind, 0);
  });
  view.publish();
}

function bruteForce(shards: readonly (readonly Row[])[], x: number, y: number, radius: number): Row[] {
  const found = new Map<number, Row>();
  for (const row of shards.flat()) {
    const east = dx(x, row.x);
    const north = row.y - y;
    if (east * east + north * north > radius * radius) continue;
    const other = found.get(row.id);
    if (other === undefined || other.epoch < row.epoch) found.set(row.id, row);
  }
  return [...found.values()].sort((a, b) => a.id - b.id);
}

const offset = fc.oneof(
  fc.double({ min: -1.5 * MOST_M, max: 1.5 * MOST_M, noNaN: true }),
  // Exactly on edges of cells, and a hair beside them.
  fc.integer({ min: -3, max: 3 }).map((n) => n * cellSize()),
  fc.integer({ min: -3, max: 3 }).map((n) => n * cellSize() - 1e-9),
);
const entity = fc.record({
  id: fc.integer({ min: 1, max: 200 }),
  dx: offset,
  dy: offset,
  kind: fc.nat(3),
  shard: fc.nat(SHARDS - 1),
  /** Also in the view of its next owner, with a greater epoch, a step further on. */
  handedOver: fc.boolean(),
});

for (const [name, [x, y]] of Object.entries(SPOTS)) {
  t.test(`near, at ${name}`, (t) => {
    const views = Array.from({ length: SHARDS }, () => ViewReader.create(512, 512));
    const neighbourhood = new Neighbourhood(views);
    let found = 0;
    fc.assert(
      fc.property(
        fc.uniqueArray(entity, { minLength: 30, maxLength: 120, selector: (e) => e.id }),
        offset,
        offset,
        fc.oneof(fc.constantFrom(0, 3, 20, MOST_M), fc.double({ min: 0, max: MOST_M, noNaN: true })),
        (entities, qx, qy, radius) => {
          const shards: Row[][] = views.map(() => []);
          for (const e of entities) {
            const at = (step: number) => ({ x: wrapX(x + e.dx + step), y: clampY(y + e.dy) });
            const { id, kind } = e;
            shards[e.shard]!.push({ id, kind, ...at(0), epoch: id });
            if (e.handedOver) shards[(e.shard + 1) % SHARDS]!.push({ id, kind, ...at(0.3), epoch: id + 1 });
          }
          for (const [s, view] of views.entries()) publish(view.sab, shards[s]!);
          const centre = [wrapX(x + qx), clampY(y + qy)] as const;
          const near = neighbourhood.query(...centre, radius);
          const got = Array.from({ length: near.count }, (_, i) => {
            return { id: near.id(i), x: near.x(i), y: near.y(i), kind: near.kind(i) };
          });
          const expected = bruteForce(shards, ...centre, radius).map((row) => {
            return { id: row.id, x: row.x, y: row.y, kind: row.kind };
          });
          found += expected.length;
          return JSON.stringify(got) === JSON.stringify(expected) && near.cut === 0;
        },
      ),
      { numRuns: 300, seed: 3 },
    );
    t.ok(found > 500, `${found} found`);
    t.end();
  });
}

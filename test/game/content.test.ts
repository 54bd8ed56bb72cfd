import t from 'tap';
import { CONTENT, KIND, NODE } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { FakePlanet } from './fake-planet.js';

const TILE = { z: 11, x: 3, y: 4, west: 1000, east: 10784, south: -500, north: 9284 };

t.test('a tile gets its groves and creatures, inside its edges, the first grove in the middle', async (t) => {
  const planet = new FakePlanet(game);
  planet.populate(TILE, 1);
  const of = (kind: number) => planet.entities.filter((e) => e.kind === kind);
  t.equal(of(KIND.node).length, CONTENT.groves * CONTENT.nodesPerGrove);
  t.equal(of(KIND.creature).length, CONTENT.creatures);
  for (const { x, y } of planet.entities) {
    t.ok(
      x > TILE.west + 100 && x < TILE.east - 100 && y > TILE.south + 100 && y < TILE.north - 100,
      `${x}, ${y}`,
    );
  }
  const middle = of(KIND.node).filter((e) => Math.hypot(e.x - 5892, e.y - 4392) < 2 * CONTENT.groveRadiusM);
  t.ok(middle.length >= CONTENT.nodesPerGrove);
  for (const node of of(KIND.node)) {
    t.equal(node.items[node.values.get('product')!], NODE.stock);
    t.equal(node.values.get('amount'), NODE.stock);
  }
  planet.checkConserved();
});

t.test('seed and tile alone decide', async (t) => {
  const content = (seed: number, x: number) => {
    const planet = new FakePlanet(game);
    planet.populate({ ...TILE, x }, seed);
    return JSON.stringify(planet.entities);
  };
  t.equal(content(1, 3), content(1, 3));
  t.not(content(1, 3), content(2, 3));
  t.not(content(1, 3), content(1, 4));
});

t.test('a full world gets less and nothing breaks', async (t) => {
  const planet = new FakePlanet(game);
  planet.capacity = 5;
  planet.populate(TILE, 1);
  t.equal(planet.entities.length, 5);
  planet.run(20);
  planet.checkConserved();
});

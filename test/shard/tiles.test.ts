/** Tiles that wake and sleep: content made once, nothing lost or doubled at rest, nobody left behind; through deaths. */
import t, { type Test } from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { CONTENT, ITEM, KIND } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { tileIndex } from '../../src/geo/tile.js';
import { FLAG } from '../../src/memory/player.js';
import { OWNER } from '../../src/memory/record.js';
import { checkPlanet } from './invariants.js';
import { Planet } from './planet.js';

const ITEMS = Object.keys(ITEM).length;
const NODES = CONTENT.groves * CONTENT.nodesPerGrove;
const SLEEP_TICKS = LIMITS.tileSleepS * LIMITS.tickRateHz;
const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const x = (tile.west + tile.east) / 2;
const y = (tile.south + tile.north) / 2;
const index = tileIndex(x, y, LIMITS.baseTileLevel);

t.test('a tile goes to sleep with items on its ground, and wakes with them', (t) => {
  const planet = new Planet(game);
  const first = planet.join(x, y);
  planet.run(3);
  planet.act(first, 'drop', { item: ITEM.berry, count: 2 });
  planet.run(3);
  planet.leave(first);
  planet.run(SLEEP_TICKS + 60);
  t.equal(planet.world.directory.lookup(index), -1, 'nobody has the tile');
  const [pile] = planet.entities(KIND.pile, x, y);
  t.equal(planet.stateOf(pile!), OWNER.PARKED);
  t.strictSame(planet.entities(KIND.node, x, y), [], 'what nobody has touched follows from the seed');
  checkPlanet(planet, ITEMS);

  planet.join(x, y);
  planet.run(5);
  t.equal(planet.stateOf(pile!), OWNER.OWNED, 'the pile is back');
  t.equal(planet.items(pile!, ITEM.berry), 2);
  t.equal(planet.entities(KIND.node, x, y).length, NODES, 'natural content was made once');
  t.ok(planet.entities(KIND.node, x, y).every((slot) => planet.stateOf(slot) === OWNER.OWNED));
  t.equal(planet.counter('ticksFrozen'), 0, 'rest does not count as frozen');
  checkPlanet(planet, ITEMS);
  t.end();
});

t.test('somebody comes while the tile cannot sleep yet: nobody stays at rest', (t) => {
  const planet = new Planet(game);
  planet.assign(tile.east - 50, y, 0);
  planet.assign(tile.east + 50, y, 1);
  const dropper = planet.join(tile.east - 1, y);
  const taker = planet.join(tile.east + 1, y);
  planet.run(3);
  planet.act(dropper, 'drop', { item: ITEM.berry, count: 2 });
  planet.run(3);
  const [pile] = planet.entities(KIND.pile, x, y);
  planet.act(taker, 'pick', { target: planet.idOf(pile!) });
  for (let i = 0; i < 10 && planet.outbox(pile!) === 0; i++) planet.step();
  t.equal(planet.outbox(pile!), 1, 'the berries are on their way');
  planet.lose(1); // and there they stay
  planet.leave(dropper);
  planet.run(SLEEP_TICKS + 60);
  t.equal(planet.stateOf(pile!), OWNER.OWNED, 'who has mail under way does not rest');
  planet.join(x, y);
  planet.run(5);
  const resting = planet.entities(KIND.node, x, y).filter((slot) => planet.stateOf(slot) === OWNER.PARKED);
  t.strictSame(resting, []);
  planet.replace(1);
  planet.run(60);
  checkPlanet(planet, ITEMS);
  t.end();
});

/** Whether the tile is one shard's, with its content. */
function checkAwake(t: Test, planet: Planet, place: { x: number; y: number }, text: string): boolean {
  const at = tileIndex(place.x, place.y, LIMITS.baseTileLevel);
  const { directory } = planet.world;
  const nodes = planet
    .entities(KIND.node, place.x, place.y)
    .filter((slot) => planet.stateOf(slot) === OWNER.OWNED);
  if (directory.lookup(at) >= 0 && directory.generatedTick(at) > 0 && nodes.length === NODES) return true;
  t.fail(
    `${text}: shard ${directory.lookup(at)}, made in tick ${directory.generatedTick(at)}, ${nodes.length} nodes`,
  );
  return false;
}

t.test('a death anywhere in the tick that makes the content, and another soon after: made once', (t) => {
  let n = 0;
  for (; ; n++) {
    const planet = new Planet(game, { shards: 1, entities: 256 });
    planet.placer.ensureOwner(x, y);
    if (!planet.dieIn(0, n).died) break;
    planet.replace(0);
    planet.run(2);
    planet.kill(0);
    planet.run(10);
    checkPlanet(planet, ITEMS);
    if (!checkAwake(t, planet, { x, y }, `death at ${n}`)) break;
  }
  t.ok(n > 50, `${n} points of death`);
  t.end();
});

t.test('a death of whoever places a tile on another shard: it wakes all the same', (t) => {
  const beside = { x: tile.east + 50, y };
  const start = () => {
    const planet = new Planet(game, { entities: 256 });
    planet.assign(x, y, 0);
    planet.join(tile.east - 300, y, FLAG.NEW);
    return planet;
  };
  const isPlaced = (planet: Planet) => planet.world.directory.lookup(index + 1) >= 0;
  let ticks = 0;
  // As far as the tick in which the player's view keeps the neighbour awake for the first time.
  for (const probe = start(); !isPlaced(probe); ticks++) probe.step();
  let n = 0;
  for (; ; n++) {
    const planet = start();
    planet.run(ticks - 1);
    if (isPlaced(planet) || !planet.dieIn(0, n).died) break;
    planet.replace(0);
    planet.run(30);
    if (!checkAwake(t, planet, beside, `death at ${n}`)) break;
  }
  t.ok(n > 30, `${n} points of death`);
  t.end();
});

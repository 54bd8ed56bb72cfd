import t from 'tap';
import { HANDS, ITEM, KIND, NODE, PILE, REJECTION } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { take } from '../../src/game/take.js';
import { OUTCOME } from '../../src/world/facade.js';
import { FakePlanet } from './fake-planet.js';

const { APPLIED, OUT_OF_REACH, NOT_ENOUGH, BAG_FULL, COOLDOWN, NOT_ALLOWED, TARGET_OFFLINE, OUTBOX_FULL } =
  OUTCOME;
const S = 20; // ticks in a second

/** A planet whose shards meet at x = 0. */
const twoShards = () => new FakePlanet(game, [0]);

function addNode(planet: FakePlanet, x: number, product: number = ITEM.wood): number {
  const node = planet.add(KIND.node, x, 0);
  const world = planet.world(node);
  world.columns.product!.set(node, product);
  world.createItems(node, product, NODE.stock);
  planet.look();
  return node;
}

function addPile(planet: FakePlanet, x: number, item: number, count: number): number {
  const pile = planet.add(KIND.pile, x, 0);
  const world = planet.world(pile);
  world.columns.product!.set(pile, item);
  world.columns.lifeS!.set(pile, PILE.lifeS);
  world.createItems(pile, item, count);
  planet.look();
  return pile;
}

const bag = (planet: FakePlanet, entity: number) => planet.entities[entity]!.items;
const column = (planet: FakePlanet, entity: number, name: string) =>
  planet.entities[entity]!.values.get(name) ?? 0;

t.test('a new player carries 10 coins and 3 berries, and they are accounted for', async (t) => {
  const planet = twoShards();
  const player = planet.add(KIND.player, 0, 0);
  t.strictSame(bag(planet, player), [10, 3, 0, 0]);
  t.strictSame(planet.created, [10, 3, 0, 0]);
});

for (const [where, x] of [
  ['in the same shard', 2],
  ['across a border', -1],
] as const) {
  t.test(`gather ${where}: one item a second, until the node is empty; it grows back`, async (t) => {
    const planet = twoShards();
    const player = planet.add(KIND.player, 1, 0);
    const node = addNode(planet, x);
    const target = planet.id(node);
    for (let i = 1; i <= NODE.stock; i++) {
      t.equal(planet.act(player, 'gather', { target }), APPLIED);
      t.equal(planet.act(player, 'gather', { target }), COOLDOWN);
      planet.run(S);
      t.equal(bag(planet, player)[ITEM.wood], i);
      t.equal(column(planet, node, 'amount'), NODE.stock - i, 'viewers see what is left');
    }
    const empty = planet.act(player, 'gather', { target });
    t.equal(empty, x > 0 ? NOT_ENOUGH : APPLIED, 'across a border only the owner knows');
    planet.run(NODE.stock * NODE.regrowS * S);
    t.equal(bag(planet, node)[ITEM.wood], NODE.stock, 'full again');
    planet.run(2 * NODE.regrowS * S);
    t.equal(bag(planet, node)[ITEM.wood], NODE.stock, 'and not fuller');
    planet.checkConserved();
  });

  t.test(`pick ${where}: the whole pile, which is then gone`, async (t) => {
    const planet = twoShards();
    const player = planet.add(KIND.player, 1, 0);
    const pile = addPile(planet, x, ITEM.stone, 7);
    t.equal(planet.act(player, 'pick', { target: planet.id(pile) }), APPLIED);
    planet.run(4);
    t.equal(bag(planet, player)[ITEM.stone], 7);
    t.equal(planet.byId(planet.id(pile)), -1);
    t.equal(planet.act(player, 'pick', { target: planet.id(pile) }), OUT_OF_REACH);
    planet.checkConserved();
  });

  t.test(`two players race for one pile ${where}: one has it, the other nothing, none is lost`, async (t) => {
    const planet = twoShards();
    const first = planet.add(KIND.player, 1, 0);
    const second = planet.add(KIND.player, 1, 1);
    const pile = addPile(planet, x, ITEM.stone, 1);
    const target = planet.id(pile);
    t.equal(planet.act(first, 'pick', { target }), APPLIED);
    planet.act(second, 'pick', { target });
    planet.act(first, 'pick', { target });
    planet.run(5);
    t.strictSame([bag(planet, first)[ITEM.stone], bag(planet, second)[ITEM.stone]], [1, 0]);
    planet.checkConserved();
  });

  t.test(`give ${where}`, async (t) => {
    const planet = twoShards();
    const from = planet.add(KIND.player, 1, 0);
    const to = planet.add(KIND.player, x, 0);
    planet.look();
    const target = planet.id(to);
    t.equal(planet.act(from, 'give', { target, item: ITEM.coin, count: 4 }), APPLIED);
    t.equal(bag(planet, from)[ITEM.coin], 6, 'gone from the bag at once');
    planet.run();
    t.equal(bag(planet, to)[ITEM.coin], 14);
    t.equal(planet.act(from, 'give', { target, item: ITEM.coin, count: 7 }), NOT_ENOUGH);
    t.equal(planet.act(from, 'give', { target, item: ITEM.coin, count: 0 }), NOT_ALLOWED);
    t.equal(planet.act(from, 'give', { target, item: 4, count: 1 }), NOT_ALLOWED, 'no such item');
    t.equal(
      planet.act(from, 'give', { target: planet.id(from), item: ITEM.coin, count: 1 }),
      NOT_ALLOWED,
      'to oneself',
    );
    t.equal(planet.act(from, 'give', { target: 2 ** 53 - 1, item: ITEM.coin, count: 1 }), OUT_OF_REACH);
    t.equal(planet.act(from, 'give', { target: 0, item: ITEM.coin, count: 1 }), OUT_OF_REACH);
    planet.checkConserved();
  });

  t.test(`what a target refuses is back in the giver's bag, ${where}`, async (t) => {
    const planet = twoShards();
    const from = planet.add(KIND.player, 1, 0);
    const to = planet.add(KIND.player, x, 0);
    planet.look();
    const target = planet.id(to);
    const give = () => planet.act(from, 'give', { target, item: ITEM.coin, count: 4 });
    planet.world(to).createItems(to, ITEM.stone, HANDS.bagItems - 13 - 3);
    t.equal(give(), x > 0 ? BAG_FULL : APPLIED, '3 fit, not 4');
    planet.run();
    t.equal(bag(planet, from)[ITEM.coin], 10);
    planet.world(to).consumeItems(to, ITEM.stone, 1);
    t.equal(give(), APPLIED);
    planet.run();
    t.equal(bag(planet, from)[ITEM.coin], 6);
    planet.entities[to]!.online = false;
    planet.world(to).consumeItems(to, ITEM.stone, 10);
    t.equal(give(), x > 0 ? TARGET_OFFLINE : APPLIED);
    planet.run();
    t.equal(bag(planet, from)[ITEM.coin], 6);
    planet.checkConserved();
  });
}

t.test('a ninth gift across a border waits for answers', async (t) => {
  const planet = twoShards();
  const from = planet.add(KIND.player, 1, 0);
  const to = planet.add(KIND.player, -1, 0);
  planet.look();
  const give = () => planet.act(from, 'give', { target: planet.id(to), item: ITEM.coin, count: 1 });
  for (let i = 0; i < 8; i++) t.equal(give(), APPLIED);
  t.equal(give(), OUTBOX_FULL);
  t.equal(bag(planet, from)[ITEM.coin], 2);
  planet.run();
  t.equal(give(), APPLIED);
  planet.run();
  t.equal(bag(planet, to)[ITEM.coin], 19);
});

t.test('reach ends at 3 m, and hands take only what they are for', async (t) => {
  const planet = twoShards();
  const player = planet.add(KIND.player, 1, 0);
  for (const [x, outcome] of [
    [3.99, APPLIED],
    [4.01, OUT_OF_REACH],
    [-1.99, APPLIED],
    [-2.01, OUT_OF_REACH],
  ] as const) {
    const pile = addPile(planet, x, ITEM.wood, 1);
    t.equal(planet.act(player, 'pick', { target: planet.id(pile) }), outcome, `a pile at ${x}`);
  }
  const node = addNode(planet, 1);
  const creature = planet.add(KIND.creature, 1, 0);
  const far = planet.add(KIND.creature, -1, 0);
  planet.look();
  t.equal(planet.act(player, 'pick', { target: planet.id(node) }), NOT_ALLOWED);
  for (const target of [planet.id(creature), planet.id(far), planet.id(player)]) {
    t.equal(planet.act(player, 'gather', { target }), NOT_ALLOWED);
    t.equal(planet.act(player, 'pick', { target }), NOT_ALLOWED);
    t.equal(planet.act(player, 'give', { target, item: ITEM.coin, count: 1 }), NOT_ALLOWED);
  }
  planet.checkConserved();
});

t.test('a bag holds 1000: what does not fit stays in the pile, on either side of a border', async (t) => {
  const planet = twoShards();
  const player = planet.add(KIND.player, 1, 0);
  planet.world(player).createItems(player, ITEM.stone, HANDS.bagItems - 13 - 5);
  const near = addPile(planet, 1, ITEM.wood, 3);
  const far = addPile(planet, -1, ITEM.wood, 3);
  planet.act(player, 'pick', { target: planet.id(near) });
  planet.act(player, 'pick', { target: planet.id(far) });
  planet.run(3);
  t.equal(bag(planet, player)[ITEM.wood], 5);
  t.equal(bag(planet, far)[ITEM.wood], 1);
  t.equal(column(planet, far, 'amount'), 1);
  t.equal(planet.act(player, 'pick', { target: planet.id(far) }), BAG_FULL);
  t.equal(planet.act(player, 'forage'), BAG_FULL);
  planet.checkConserved();
});

t.test('a pile that was asked for twice at once survives the refusal of what no longer fits', async (t) => {
  const planet = twoShards();
  const player = planet.add(KIND.player, 1, 0);
  planet.world(player).createItems(player, ITEM.stone, HANDS.bagItems - 13 - 5);
  const one = addPile(planet, -1, ITEM.wood, 5);
  const two = addPile(planet, -1, ITEM.coin, 5);
  planet.act(player, 'pick', { target: planet.id(one) });
  planet.act(player, 'pick', { target: planet.id(two) });
  planet.run(1);
  t.strictSame([bag(planet, one)[ITEM.wood], bag(planet, two)[ITEM.coin]], [0, 0], 'both are on their way');
  t.not(planet.byId(planet.id(two)), -1, 'an empty pile waits for the answer');
  planet.run(3);
  t.equal(bag(planet, player)[ITEM.wood], 5);
  t.equal(planet.byId(planet.id(one)), -1);
  t.equal(bag(planet, two)[ITEM.coin], 5, 'refused, and back in the pile');
  t.equal(column(planet, two, 'amount'), 5);
  planet.checkConserved();
});

t.test('drop begins a pile, adds to it in reach, begins another beyond or of another kind', async (t) => {
  const planet = twoShards();
  const player = planet.add(KIND.player, 1, 0);
  const piles = () =>
    planet.entities.filter((e) => e.kind === KIND.pile && !e.dead).map((e) => e.items.join());
  const drop = (item: number, count: number) => planet.act(player, 'drop', { item, count });
  t.equal(drop(ITEM.coin, 11), NOT_ENOUGH);
  t.equal(drop(ITEM.coin, 0), NOT_ALLOWED);
  t.equal(drop(9, 1), NOT_ALLOWED);
  t.strictSame(piles(), [], 'nothing refused leaves anything behind');
  t.equal(drop(ITEM.coin, 2), APPLIED);
  t.equal(drop(ITEM.coin, 1), APPLIED);
  t.equal(drop(ITEM.berry, 1), APPLIED);
  t.equal(drop(ITEM.coin, 1), APPLIED);
  t.strictSame(piles(), ['3,0,0,0', '0,1,0,0', '1,0,0,0']);
  planet.act(player, 'walk', { heading: 0, speed: 6, seconds: 1 });
  planet.run(S);
  t.equal(drop(ITEM.coin, 1), APPLIED);
  t.strictSame(piles(), ['3,0,0,0', '0,1,0,0', '1,0,0,0', '1,0,0,0']);
  planet.checkConserved();
});

t.test('a full world refuses the drop and the item stays', async (t) => {
  const planet = twoShards();
  const player = planet.add(KIND.player, 1, 0);
  planet.capacity = 1;
  t.equal(planet.act(player, 'drop', { item: ITEM.coin, count: 1 }), REJECTION.NO_ROOM);
  t.equal(bag(planet, player)[ITEM.coin], 10);
});

t.test('what nobody picks up rots, and is logged as consumed', async (t) => {
  const planet = twoShards();
  const pile = addPile(planet, 1, ITEM.berry, 4);
  planet.world(pile).columns.lifeS!.set(pile, 1);
  planet.run(S - 1);
  t.equal(bag(planet, pile)[ITEM.berry], 4);
  planet.run(2);
  t.equal(planet.byId(planet.id(pile)), -1);
  t.equal(planet.consumed[ITEM.berry], 4);
  planet.checkConserved();
});

t.test('forage: one berry every five seconds, anywhere', async (t) => {
  const planet = twoShards();
  const player = planet.add(KIND.player, 1, 0);
  t.equal(planet.act(player, 'forage'), APPLIED);
  planet.run(HANDS.forageEveryS * S - 1);
  t.equal(planet.act(player, 'forage'), COOLDOWN);
  planet.run(1);
  t.equal(planet.act(player, 'forage'), APPLIED);
  t.equal(bag(planet, player)[ITEM.berry], 5);
  planet.checkConserved();
});

t.test('say is heard, twice a second at most', async (t) => {
  const planet = twoShards();
  const player = planet.add(KIND.player, 1, 0);
  t.equal(planet.act(player, 'say', 'grüß dich'), APPLIED);
  t.equal(planet.act(player, 'say', 'and again'), COOLDOWN);
  planet.run(HANDS.sayEveryS * S);
  t.equal(planet.act(player, 'say', 'later'), APPLIED);
  t.strictSame(
    planet.emitted.map((e) => [e.id, e.text]),
    [
      [planet.id(player), 'grüß dich'],
      [planet.id(player), 'later'],
    ],
  );
});

t.test('the owner of what is asked for looks again: kind, reach, and what a pile is made of', async (t) => {
  const planet = twoShards();
  const player = planet.add(KIND.player, 1, 0);
  const rich = planet.add(KIND.player, -1, 0);
  const pile = addPile(planet, -1, ITEM.wood, 5);
  const ask = (target: number, x: number) => {
    const args = Float64Array.of(x, 0, 5, 0);
    const [kind, source] = [take.kind, planet.id(player)];
    return planet.receive({ source, target: planet.id(target), kind, itemKind: 255, itemCount: 0, args });
  };
  t.equal(ask(rich, 1), NOT_ALLOWED, 'nobody takes coins out of a bag');
  t.equal(ask(pile, 2.01), OUT_OF_REACH);
  t.equal(ask(pile, 1.99), APPLIED);
  t.equal(game.mayReceive?.(planet.world(pile) as never, pile, ITEM.stone, 1, 0), NOT_ALLOWED);
  t.equal(game.mayReceive?.(planet.world(pile) as never, pile, ITEM.wood, 1, 0), APPLIED);
  planet.run(2);
  planet.checkConserved();
});

t.test('a pile whose time ends while its items are on the way waits for the answer', async (t) => {
  const planet = twoShards();
  const player = planet.add(KIND.player, 1, 0);
  const pile = addPile(planet, -1, ITEM.wood, 5);
  planet.act(player, 'pick', { target: planet.id(pile) });
  planet.world(pile).columns.lifeS!.set(pile, planet.dt);
  planet.run(1);
  t.not(planet.byId(planet.id(pile)), -1);
  planet.run(1);
  t.equal(planet.byId(planet.id(pile)), -1);
  t.equal(bag(planet, player)[ITEM.wood], 5);
  planet.checkConserved();
});

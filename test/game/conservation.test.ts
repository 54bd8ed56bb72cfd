/** I2 under any sequence of what players can do, over a border that cuts through all of them (model-based). */
import fc from 'fast-check';
import t from 'tap';
import { ITEM, KIND, NODE } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { OUTCOME } from '../../src/world/facade.js';
import { FakePlanet } from './fake-planet.js';

const PLAYERS = 4;
type Step = { actor: number; action: string; target: number; item: number; count: number; ticks: number };

const step: fc.Arbitrary<Step> = fc.record({
  actor: fc.nat(PLAYERS - 1),
  action: fc.constantFrom(
    'walk',
    'gather',
    'drop',
    'pick',
    'pick',
    'give',
    'forage',
    'say',
    'offline',
    'burden',
  ),
  target: fc.nat(30),
  item: fc.nat(4),
  count: fc.oneof(fc.nat(4), fc.constant(0xffff)),
  ticks: fc.nat(3),
});

function begin(): FakePlanet {
  const planet = new FakePlanet(game, [0]);
  for (let i = 0; i < PLAYERS; i++) planet.add(KIND.player, i - PLAYERS / 2 + 0.5, 0);
  for (const x of [-1, 1]) {
    const node = planet.add(KIND.node, x, 0);
    planet.world(node).columns.product!.set(node, ITEM.wood);
    planet.world(node).createItems(node, ITEM.wood, NODE.stock);
  }
  planet.look();
  return planet;
}

/** What one step may change is known: bags as they were if the outcome is a refusal. */
function take(planet: FakePlanet, { actor, action, target, item, count }: Step): boolean {
  const bags = () =>
    JSON.stringify(planet.entities.filter((e) => !e.dead).map((e) => [e.items, e.outbox.length]));
  const before = bags();
  const id = 1000 + (target % (planet.entities.length + 1));
  const values: Record<string, unknown> = {
    walk: { heading: target, speed: count % 7, seconds: 0.5 },
    gather: { target: id },
    drop: { item, count },
    pick: { target: id },
    give: { target: id, item, count },
    forage: undefined,
    say: 'hello',
  };
  if (action === 'offline') {
    planet.entities[actor]!.online = !planet.entities[actor]!.online;
  } else if (action === 'burden') {
    planet.world(actor).createItems(actor, ITEM.stone, 300);
  } else {
    const outcome = planet.act(actor, action, values[action] as Record<string, number>);
    if (outcome !== OUTCOME.APPLIED && bags() !== before) return false;
  }
  return true;
}

t.test('Σ items = created − consumed, after every action and every tick', async (t) => {
  const outcomes = new Set<string>();
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const planet = begin();
      for (const s of steps) {
        if (!take(planet, s)) return false;
        planet.checkConserved();
        for (let i = 0; i < s.ticks; i++) {
          planet.run();
          planet.checkConserved();
        }
        outcomes.add(s.action);
      }
      planet.run(3);
      planet.checkConserved();
      return planet.entities.every((e) => e.outbox.length === 0);
    }),
    { numRuns: 300 },
  );
  t.ok(outcomes.size >= 9, 'every action was tried');
});

t.test('the checker catches a game that makes items out of nothing', async (t) => {
  const planet = begin();
  planet.entities[0]!.items[ITEM.coin]!++;
  t.throws(() => planet.checkConserved(), /I2: coin conserved/);
});

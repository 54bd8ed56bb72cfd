/** Players who go while something of theirs is under way: every action decided, every item where it belongs. */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { ERRORS } from '../../src/base/errors.js';
import { ITEM } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { CONTROL } from '../../src/memory/inbox.js';
import { FLAG, RECORD } from '../../src/memory/player.js';
import { OWNER } from '../../src/memory/record.js';
import type { Entity, GameModule, World } from '../../src/world/facade.js';
import { checkPlanet, checkQuiet } from './invariants.js';
import { Planet } from './planet.js';

const ITEMS = Object.keys(ITEM).length;
const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const y = tile.south + 500;
/** A player is looked at once in so many ticks. */
const REVIEW_TICKS = 20;

function bordered(flags: number = FLAG.NEW) {
  const planet = new Planet(game, { entities: 256 });
  planet.assign(tile.east - 50, y, 0);
  planet.assign(tile.east + 50, y, 1);
  const giver = planet.join(tile.east - 1, y, flags);
  const taker = planet.join(tile.east + 1, y, flags);
  planet.run(3);
  return { planet, giver, taker };
}

for (const account of [0, FLAG.ACCOUNT]) {
  t.test(`what ${account ? 'an account' : 'a guest'} sent before its goodbye is decided`, (t) => {
    const { planet, giver } = bordered(FLAG.NEW | account);
    for (let i = 0; i < LIMITS.windowActions; i++) planet.act(giver, 'forage');
    planet.leave(giver);
    planet.run(100);
    const decided = planet.counter('actionsApplied') + planet.counter('actionsRejected');
    t.equal(decided, LIMITS.windowActions);
    t.equal(planet.stateOf(giver.slot), account ? OWNER.PARKED : OWNER.FREE);
    checkPlanet(planet, ITEMS);
    t.end();
  });

  t.test(
    `${account ? 'accounts' : 'guests'} that leave in the middle of a gift, at any moment of it`,
    (t) => {
      for (let wait = 0; wait < 2 * REVIEW_TICKS; wait++) {
        for (const who of ['giver', 'taker'] as const) {
          const { planet, giver, taker } = bordered(FLAG.NEW | account);
          const leaver = who === 'giver' ? giver : taker;
          if (who === 'giver') planet.act(giver, 'give', { target: taker.id, item: ITEM.coin, count: 4 });
          if (who === 'giver') planet.run(wait % 7);
          planet.leave(leaver);
          planet.run(wait, wait % 2 ? [0, 1] : [1, 0]);
          // A client that has said goodbye sends nothing more; its gift was sent before.
          if (who === 'taker') planet.act(giver, 'give', { target: taker.id, item: ITEM.coin, count: 4 });
          planet.run(60, [0, 1]);
          checkPlanet(planet, ITEMS);
          checkQuiet(planet);
          t.equal(planet.stateOf(leaver.slot), account ? OWNER.PARKED : OWNER.FREE, `${who} after ${wait}`);
        }
      }
      t.end();
    },
  );

  t.test(`${account ? 'an account' : 'a guest'} whose gift nobody answers stays until somebody does`, (t) => {
    const { planet, giver, taker } = bordered(FLAG.NEW | account);
    const before = planet.items(taker.slot, ITEM.coin);
    planet.lose(1);
    planet.act(giver, 'give', { target: taker.id, item: ITEM.coin, count: 4 });
    planet.step();
    planet.leave(giver);
    planet.run(100);
    t.equal(planet.stateOf(giver.slot), OWNER.OWNED, 'its outbox is the escrow');
    planet.replace(1);
    planet.run(60);
    t.equal(planet.stateOf(giver.slot), account ? OWNER.PARKED : OWNER.FREE);
    t.equal(planet.items(taker.slot, ITEM.coin), before + 4);
    checkPlanet(planet, ITEMS);
    t.end();
  });
}

t.test('an account comes back to what it carried', (t) => {
  const { planet, giver } = bordered(FLAG.NEW | FLAG.ACCOUNT);
  const before = planet.items(giver.slot, ITEM.coin);
  for (let round = 0; round < 3; round++) {
    planet.leave(giver);
    planet.run(2 * REVIEW_TICKS);
    t.ok(planet.comeBack(giver), 'it was at rest');
    planet.run(3);
    const id = planet.act(giver, 'walk', { heading: 0, speed: 1, seconds: 1 });
    planet.run(5);
    t.equal(planet.outcome(giver, id), ERRORS.APPLIED.number);
    t.equal(planet.items(giver.slot, ITEM.coin), before);
  }
  t.equal(planet.counter('ticksFrozen'), 0);
  checkPlanet(planet, ITEMS);
  t.end();
});

t.test('a replacement answers a resume only when all that was sent before it is decided', (t) => {
  const { planet, giver } = bordered();
  for (let i = 0; i < 30; i++) planet.act(giver, 'forage');
  planet.step();
  giver.word = planet.world.inboxes.claim(giver.slot, planet.world.inboxes.writer(giver.slot), 0);
  planet.control(giver, CONTROL.RESUME);
  planet.records.length = 0;
  planet.kill(0);
  planet.run(60);
  const answers = planet.records.filter((r) => r.type === RECORD.READY && r.a === giver.slot);
  t.ok(answers.length > 0);
  for (const { applied } of answers) t.equal(applied, 30, 'else the client sends again what is in its inbox');
  t.end();
});

t.test('who is removed in the tick of its birth is not found, nor given to', (t) => {
  const fleeting: GameModule = {
    name: 'fleeting',
    items: ['coin'],
    kinds: ['player', 'spark'],
    components: {},
    actions: {
      flash: {
        kind: 1,
        payload: 'none',
        apply(world: World, e: Entity) {
          const spark = world.spawn(1, world.x(e), world.y(e));
          const id = world.id(spark);
          world.despawn(spark);
          if (world.find(id) !== -1) return 1000;
          if (world.createItems(spark, 0, 1)) return 1001;
          return world.give(e, id, 0, 1);
        },
      },
    },
    spawnPlayer: (world, e) => void world.createItems(e, 0, 5),
    step() {},
  };
  const planet = new Planet(fleeting);
  const player = planet.join(tile.east - 1, y);
  planet.run(3);
  const id = planet.act(player, 'flash');
  planet.run(5);
  t.equal(planet.outcome(player, id), ERRORS.TARGET_GONE.number);
  t.equal(planet.items(player.slot, 0), 5);
  checkPlanet(planet, 1);
  t.end();
});

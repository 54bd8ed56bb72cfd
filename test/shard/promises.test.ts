/** Whatever the game's functions are called for, none of them may answer with a Promise; and a setup that fails stops no shard. */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import type { FaultReport, GameFault } from '../../src/shard/faults.js';
import { SETUP_IN_HAND } from '../../src/shard/set-up.js';
import { SHARD_COUNTER } from '../../src/memory/shard-block.js';
import type { GameModule } from '../../src/world/facade.js';
import { checkPlanet } from './invariants.js';
import { Planet } from './planet.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const [X, Y] = [tile.east - 1, tile.south + 900];

/** What ends as a Promise, though nobody wrote `async`. */
const later = () => Promise.resolve(0) as never;

/** A game in which one function answers late. */
function tardy(hook: string): GameModule {
  const well = {
    setup: () => {},
    populate: () => {},
    spawnPlayer: (world: never, e: never) => void (world as Gifted).createItems(e, 0, 9),
    mayReceive: () => (hook === 'returned' ? 1000 : 0),
    received: () => {},
    returned: () => {},
    step: () => {},
  };
  const at = (name: string, good: () => unknown) => (hook === name ? later : good) as never;
  return {
    name: 'tardy',
    items: ['coin'],
    kinds: ['player'],
    components: {},
    actions: {
      give: { kind: 1, payload: { to: 'id' }, apply: (w, e, { to }: { to: number }) => w.give(e, to, 0, 1) },
      send: { kind: 2, payload: { to: 'id' }, apply: (w, e, { to }: { to: number }) => w.send(e, to, 1) },
      late: { kind: 3, payload: 'none', apply: at('apply', () => 0) },
    },
    messages: { note: { kind: 1, receive: at('receive', () => 0), answered: at('answered', () => {}) } },
    ...(well as object as Partial<GameModule> & Pick<GameModule, 'step'>),
    ...(hook in well ? { [hook]: later } : {}),
  };
}
interface Gifted {
  createItems(e: number, kind: number, count: number): boolean;
}

function play(hook: string): { planet: Planet; faults: GameFault[] } {
  const faults: GameFault[] = [];
  const tellFaults = (report: FaultReport) => faults.push(...report.faults);
  const planet = new Planet(tardy(hook), { entities: 256, tellFaults });
  planet.assign(X, Y, 0);
  planet.assign(tile.east + 1, Y, 1);
  planet.shards[0]!.wakeTileOf(X, Y);
  const [here, near, away] = [planet.join(X, Y), planet.join(X, Y), planet.join(tile.east + 1, Y)];
  planet.run(3);
  for (const to of [near.id, away.id]) {
    planet.act(here, 'give', { to });
    planet.act(here, 'send', { to });
    planet.run(8);
  }
  planet.act(here, 'late');
  planet.run(60);
  t.equal(planet.applied(here), here.sent, `${hook}: all is decided`);
  checkPlanet(planet, 1);
  return { planet, faults };
}

const HOOKS = [
  'setup',
  'populate',
  'spawnPlayer',
  'mayReceive',
  'received',
  'returned',
  'receive',
  'answered',
  'step',
  'apply',
];

for (const hook of HOOKS)
  t.test(`${hook} that answers with a Promise counts as thrown`, (t) => {
    const { planet, faults } = play(hook);
    t.ok(planet.counter('gameFaults') > 0);
    for (const { message } of faults)
      t.match(message, /^[a-zA-Z' ]+ returned a Promise; a handler is synchronous/);
    t.ok(faults.length > 0, 'it is told');
    t.end();
  });

t.test('answers that are none are made by nothing else', (t) => {
  t.strictSame(play('none').faults, []);
  t.end();
});

t.test('a setup that has killed its thread twice is left out, and told', (t) => {
  const faults: GameFault[] = [];
  let calls = 0;
  const module = { ...tardy('none'), setup: () => void calls++ };
  const planet = new Planet(module, { shards: 1, tellFaults: (report) => faults.push(...report.faults) });
  planet.assign(X, Y, 0);
  const player = planet.join(X, Y);
  planet.run(3);
  t.equal(calls, 1, 'once');
  planet.quarantine = [{ entity: SETUP_IN_HAND, action: 0 }];
  planet.dieIn(0, 5);
  planet.replace(0, Number.POSITIVE_INFINITY);
  t.equal(calls, 1, 'not again');
  t.match(faults, [{ what: 'setup', message: /twice: it is left out/ }], 'told before its first tick');
  planet.act(player, 'late');
  planet.run(3);
  t.equal(planet.outcome(player, 1), 0, 'the world goes on');
  t.end();
});

t.test('what a thread is blamed for that dies in a setup', (t) => {
  let inHand = 0;
  const module: GameModule = {
    ...tardy('none'),
    setup: () => {
      if (planet !== null) inHand = planet.world.shardBlocks[0]!.inHandEntity;
    },
  };
  let planet: Planet | null = null;
  planet = new Planet(module, { shards: 1 });
  planet.boot(0, 0);
  t.equal(inHand, SETUP_IN_HAND);
  t.equal(planet.world.shardBlocks[0]!.inHandEntity, 0, 'nothing is in hand after it');
  t.equal(planet.world.shardBlocks[0]!.counter(SHARD_COUNTER.gameFaults), 0);
  t.end();
});

/** Letters of shards that are ahead: what is stamped k is taken in ticks ≥ k, in order, once; jobs leave after the commit. */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { seededRandom } from '../../src/base/random.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import type { GameModule, Message, World } from '../../src/world/facade.js';
import { readColumn } from './column.js';
import { Planet, type TestPlayer } from './planet.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const y = tile.south + 500;

/** A game whose players write to each other; a letter says when and as which it was sent. */
function post(early: string[], targets: Map<number, number>) {
  return {
    name: 'post',
    items: ['nothing'],
    kinds: ['player'],
    components: { sent: 'f64', got: 'f64', answers: 'f64' },
    actions: {
      write: {
        kind: 1,
        payload: 'none',
        apply(world: World, actor: number) {
          const n = world.column('sent').get(actor) + 1;
          const code = world.send(actor, targets.get(world.id(actor))!, 1, world.tick, n);
          if (code === 0) world.column('sent').set(actor, n);
          return code;
        },
      },
      work: {
        kind: 2,
        payload: 'none',
        apply: (world: World, actor: number) => (world.defer(actor, 'job', 1) ? 0 : 1000),
      },
    },
    rejections: { BUSY: 1000 },
    messages: {
      note: {
        kind: 1,
        receive(world: World, target: number, { args }: Message) {
          if (world.tick < args[0]!) early.push(`of tick ${args[0]} in tick ${world.tick}`);
          const before = world.column('got').get(target);
          if (args[1] !== before + 1) early.push(`number ${args[1]} after ${before}`);
          world.column('got').set(target, args[1]!);
          return 0;
        },
        answered(world: World, source: number) {
          world.column('answers').set(source, world.column('answers').get(source) + 1);
        },
      },
    },
    jobs: { job: (input: unknown) => input },
    step() {},
  } as unknown as GameModule;
}

/** Two players on two shards write to each other while the shards run ahead of each other. @returns what went wrong */
function correspond(seed: number, plant: (planet: Planet) => void = () => {}): string[] {
  const wrong: string[] = [];
  const targets = new Map<number, number>();
  const planet = new Planet(post(wrong, targets));
  planet.assign(tile.east - 50, y, 0);
  planet.assign(tile.east + 50, y, 1);
  const pair = [planet.join(tile.east - 50, y), planet.join(tile.east + 50, y)] as const;
  targets.set(pair[0].id, pair[1].id).set(pair[1].id, pair[0].id);
  planet.run(3);
  plant(planet);
  const random = seededRandom(seed);
  for (let i = 0; i < 200; i++) {
    for (const player of pair) if (random.next() < 0.06) planet.act(player, 'write');
    const who = random.int(4);
    planet.step(who === 0 ? [0] : who === 1 ? [1] : who === 2 ? [0, 1] : [1, 0]);
  }
  planet.run(60);
  const value = (p: TestPlayer, name: string) => readColumn(planet.world.arena, planet.game, name, p.slot);
  for (const [p, other] of [pair, [pair[1], pair[0]]] as const) {
    if (value(p, 'sent') < 5) wrong.push('hardly anything was sent');
    if (value(other, 'got') !== value(p, 'sent')) wrong.push('not everything arrived');
    if (value(p, 'answers') !== value(p, 'sent')) wrong.push('not everything was answered once');
    if (planet.outbox(p.slot) !== 0) wrong.push('something is under way for ever');
  }
  return wrong;
}

t.test('letters wait for their tick at a shard that is behind, and are received once, in order', (t) => {
  for (let seed = 1; seed <= 20; seed++) t.strictSame(correspond(seed), [], `seed ${seed}`);
  const unstamped = (planet: Planet) => {
    for (const row of planet.world.messages)
      for (const ring of row) {
        const commit = ring.commit.bind(ring);
        let at = -1;
        const offer = ring.offer.bind(ring);
        ring.offer = () => (at = offer());
        ring.commit = () => {
          ring.i32[(at >> 2) + 18] = 0;
          commit();
        };
      }
  };
  t.ok(
    Array.from({ length: 5 }, (_, i) => correspond(i + 1, unstamped)).some((wrong) => wrong.length > 0),
    'planted bug is found: letters without a stamp',
  );
  t.end();
});

t.test(
  'a job that was asked for leaves with the commit: a tick done again asks once; a full queue says so',
  (t) => {
    const planet = new Planet(post([], new Map()));
    planet.assign(tile.east - 50, y, 0);
    const player = planet.join(tile.east - 50, y);
    planet.run(3);
    const ring = planet.world.jobs[0]!;
    const { block } = planet.shards[0]!.core;
    planet.act(player, 'work');
    block.commit = () => {
      throw new Error('died before the commit');
    };
    t.throws(() => planet.step(), { message: /before the commit/ });
    t.equal(ring.used(), 0, 'nothing has left');
    planet.lose(0);
    delete (block as { commit?: unknown }).commit;
    planet.replace(0);
    planet.run(2);
    const one = ring.used();
    t.ok(one > 0);
    t.equal(planet.outcome(player, 1), 0);
    let refused = 0;
    for (let i = 0; i < 12_000 && refused === 0; i++) {
      const id = planet.act(player, 'work');
      while (planet.applied(player) < id) planet.step();
      if (planet.outcome(player, id) === 1000) refused = id;
    }
    t.ok(refused > 100, 'the queue is full in the end');
    t.equal(ring.used(), (refused - 1) * one, 'and holds all that was accepted');
    t.end();
  },
);

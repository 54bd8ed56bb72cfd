/**
 * A game cannot tell where the target of a message lives: the same scenario with everybody in one shard and with everybody
 * in another one gives the same calls in the same order, and each of them sees the same.
 */
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import type { GameModule, World } from '../../src/world/facade.js';
import { Planet, type TestPlayer } from './planet.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const Y = tile.south + 900;

/** What the calls of the game note, and the id of a name. */
interface Diary {
  send(world: World, from: number, to: string, kind: number, what: number): void;
  note(world: World, e: number, text: string): void;
  idOf(name: string): number;
}

/** By action: what the actor does. */
const ACTIONS: Record<string, (diary: Diary, world: World, e: number) => void> = {
  one: ({ send }, world, e) => send(world, e, 'b', 1, 1),
  two({ send }, world, e) {
    send(world, e, 'b', 1, 2);
    send(world, e, 'b', 1, 3); // waits for the one before
    send(world, e, 'nobody', 1, 4);
  },
  throws: ({ send }, world, e) => send(world, e, 'b', 3, 1), // whose receiver throws
  many({ send }, world, e) {
    for (let i = 0; i < 10; i++) send(world, e, 'b', 1, 10 + i); // more than there are places
  },
  lossy({ note, idOf }, world, e) {
    world.sendLossy(idOf('b'), 1, 30);
    note(world, e, 'told b');
  },
  itself: ({ send }, world, e) => send(world, e, 'a', 1, 40),
};

function messages({ note, send }: Diary): GameModule['messages'] {
  return {
    word: {
      kind: 1,
      receive(world, e, { args }) {
        note(world, e, `received ${args[0]}`);
        if (args[0] === 1) send(world, e, 'a', 2, 1); // an answer of its own, in the middle of it
        return args[0] === 2 ? 1234 : 0;
      },
      answered: (world, e, { args }, answer) => note(world, e, `answered ${args[0]}: ${answer}`),
    },
    back: {
      kind: 2,
      receive(world, e, { args }) {
        note(world, e, `received back ${args[0]}`);
        return 0;
      },
      answered: (world, e, { args }, answer) => note(world, e, `answered back ${args[0]}: ${answer}`),
    },
    trap: {
      kind: 3,
      receive(world, e) {
        world.createItems(e, 0, 1);
        throw new Error('a trap');
      },
      answered: (world, e, _message, answer) => note(world, e, `answered trap: ${answer}`),
    },
  };
}

/** Players write to each other; each call notes who is called with what, and what it sees of itself. */
function writers(names: Map<number, string>, trace: string[]): GameModule {
  const diary: Diary = {
    idOf: (wanted) => [...names].find(([, called]) => called === wanted)?.[0] ?? 7,
    note(world, e, text) {
      world.columns.n!.set(e, world.columns.n!.get(e) + 1);
      const sees = `${world.columns.n!.get(e)} ${world.items(e, 0)}`;
      trace.push(`${names.get(world.id(e)) ?? 'nobody'} ${text} | ${sees}`);
    },
    send(world, from, to, kind, what) {
      const outcome = world.send(from, diary.idOf(to), kind, what);
      diary.note(world, from, `sent ${kind}.${what} to ${to}: ${outcome}`);
    },
  };
  const actions = Object.entries(ACTIONS).map(([name, act], i) => {
    const apply = (world: World, e: number) => {
      act(diary, world, e);
      return 0;
    };
    return [name, { kind: i + 1, payload: 'none' as const, apply }];
  });
  return {
    name: 'writers',
    items: ['coin'],
    kinds: ['player'],
    components: { n: 'u32' },
    actions: Object.fromEntries(actions),
    messages: messages(diary),
    step() {},
  };
}

/** @param bx where b stands */
function play(bx: number, deed: string): { trace: string[]; sameShard: boolean } {
  const names = new Map<number, string>();
  const trace: string[] = [];
  const planet = new Planet(writers(names, trace));
  planet.assign(tile.east - 50, Y, 0);
  planet.assign(tile.east + 50, Y, 1);
  const a: TestPlayer = planet.join(tile.east - 50, Y);
  const b: TestPlayer = planet.join(bx, Y);
  names.set(a.id, 'a').set(b.id, 'b');
  planet.run(3);
  planet.act(a, deed);
  planet.run(100);
  t.equal(planet.outbox(a.slot) + planet.outbox(b.slot), 0);
  return { trace, sameShard: planet.ownerOf(a.slot) === planet.ownerOf(b.slot) };
}

for (const deed of Object.keys(ACTIONS))
  t.test(`the same trace, near and far: ${deed}`, (t) => {
    const [here, there] = [play(tile.east - 50, deed), play(tile.east + 50, deed)];
    t.strictSame([here.sameShard, there.sameShard], [true, deed === 'itself' ? there.sameShard : false]);
    t.ok(here.trace.length >= 2, here.trace.join('; '));
    t.strictSame(here.trace, there.trace);
    t.end();
  });

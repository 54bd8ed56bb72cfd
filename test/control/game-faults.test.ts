/** Errors of the game are one line each, and one a minute with their count; frozen entities are alarms. */
import t from 'tap';
import { GameFaults } from '../../src/control/game-faults.js';
import type { FaultReport, GameFault } from '../../src/shard/faults.js';
import { FakeTime } from './fakes.js';

function setUp() {
  const time = new FakeTime();
  const lines: { text: string; facts: Record<string, unknown> }[] = [];
  const note = (facts: object, text: string) =>
    void lines.push({ text, facts: facts as Record<string, unknown> });
  return { time, lines, faults: new GameFaults(time, { error: note, info: note }) };
}

const fault = (what: string, count: number): GameFault => ({
  what,
  place: 'game.ts:3:7',
  message: 'no',
  stack: 'Error: no\n    at game.ts:3:7',
  entity: 5,
  count,
});
const report = (...all: GameFault[]): FaultReport => ({ faults: all, frozen: 0, examples: [] });

t.test('a flood from many shards is one line, and then one a minute with the count', (t) => {
  const { time, lines, faults } = setUp();
  for (let second = 0; second < 90; second++) {
    for (let shard = 0; shard < 8; shard++) faults.take(shard, report(fault("action 'x'", 1000)));
    if (second === 10) faults.take(3, report(fault("action 'y'", 1)));
    time.advance(1000);
  }
  time.advance(300_000);
  t.match(lines, [
    { text: 'error in the game, undone', facts: { what: "action 'x'", count: 1000, place: 'game.ts:3:7' } },
    { text: 'error in the game, undone', facts: { what: "action 'y'", stack: /Error: no/ } },
    { text: 'error in the game, again, undone', facts: { what: "action 'x'" } },
    { text: 'error in the game, again, undone', facts: { what: "action 'x'" } },
  ]);
  t.equal(lines.length, 4);
  const told = lines.reduce((sum, { facts }) => sum + (facts['count'] as number), 0);
  t.equal(told, 90 * 8 * 1000 + 1, 'every one is counted');
  faults.take(0, report(fault("action 'x'", 1)));
  t.equal(lines.length, 5, 'what has been well for a minute is new again');
  faults.close();
  t.end();
});

t.test('a setup that fails is an alarm while its thread lives, and ends a start', (t) => {
  const { faults } = setUp();
  t.doesNotThrow(() => faults.checkSetUp('game.ts'));
  faults.take(1, report(fault("action 'x'", 1)));
  t.strictSame(faults.alarms(), []);
  faults.take(1, report(fault('setup', 1)));
  t.strictSame(faults.alarms(), ["shard 1 runs without the game's setup, which fails: no (game.ts:3:7)"]);
  const message = 'game.ts: its setup fails: no (game.ts:3:7)';
  t.throws(() => faults.checkSetUp('game.ts'), { code: 'BAD_GAME', message });
  faults.ended(1);
  t.strictSame(faults.alarms(), []);
  t.doesNotThrow(() => faults.checkSetUp('game.ts'));
  t.end();
});

t.test('frozen entities are an alarm until they are well, or their shard has ended', (t) => {
  const { lines, faults } = setUp();
  const examples = [{ kind: 'creature', entity: 4711, place: '/g/creature.ts:12:5' }];
  faults.take(2, { faults: [], frozen: 1, examples });
  t.strictSame(faults.alarms(), [
    "shard 2: 1 entity of the game is frozen, their steps throw: 'creature' 4711 (/g/creature.ts:12:5)",
  ]);
  faults.take(2, { faults: [], frozen: 9, examples });
  t.match(faults.alarms(), [/^shard 2: 9 entities of the game are frozen.* and others$/]);
  faults.take(2, { faults: [], frozen: 0, examples: [] });
  t.strictSame(faults.alarms(), []);
  t.equal(lines.length, 3);
  faults.take(2, { faults: [], frozen: 1, examples });
  faults.ended(2);
  t.strictSame(faults.alarms(), []);
  t.end();
});

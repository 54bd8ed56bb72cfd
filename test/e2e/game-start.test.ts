/**
 * A game that fails as a thread of a shard begins with it. A server does not start so, and says where in the author's source
 * it fails, once. A replacement for a dead shard runs all the same, or waits for a file that fits, and an alarm says why.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import { eventually, Server, within } from './server.js';

t.setTimeout(120_000);
t.jobs = 3;

/** A game whose setup does what a file beside it says. */
function moody(t: Test) {
  const dir = t.testdir();
  const [file, mood] = [join(dir, 'moody.ts'), join(dir, 'mood')];
  const write = (components = 'n: "u32"') =>
    writeFileSync(
      file,
      `import { readFileSync } from 'node:fs';
interface Nothing {}
export default {
  name: 'moody',
  items: [],
  kinds: ['player'],
  components: { ${components} },
  actions: { count: { kind: 1, payload: 'none', apply: () => 0 } },
  setup(): Nothing | undefined {
    const mood = readFileSync(${JSON.stringify(mood)}, 'utf8');
    if (mood === 'throw') throw new Error('not today');
    if (mood === 'promise') return Promise.reject(new Error('nor tomorrow'));
  },
  step() {},
};
`,
    );
  write();
  const feel = (how: string) => writeFileSync(mood, how);
  feel('well');
  return { file, write, feel };
}

const FLAGS = ['--shards', '1', '--test-faults', '--game'];
const MAY_LOG = [
  /^shard fault$/,
  /^shard died, a replacement adopts$/,
  /^shard could not be started, trying again$/,
  /^shard 0 died 3 times within 60 s/,
  /^error in the game, undone$/,
];

for (const [mood, words] of [
  ['throw', /moody\.ts: its setup fails: not today \(\S+moody\.ts:11:\d+\) \(BAD_GAME\)\n$/],
  [
    'promise',
    /moody\.ts: its setup fails: setup returned a Promise; a handler is synchronous.* \(BAD_GAME\)\n$/,
  ],
] as const)
  t.test(`a start with a setup of the kind: ${mood}`, { buffered: true }, async (t) => {
    const { file, feel } = moody(t);
    feel(mood);
    const { code, err } = await Server.refused(t, [...FLAGS, file]);
    t.equal(code, 14);
    t.match(err, words);
    t.equal(err.match(/not today|a Promise/g)?.length, err.match(/"msg"/g) === null ? 1 : 3, 'told once');
    t.notMatch(err, /trying again/);
  });

t.test('a setup that fails in a replacement', { buffered: true }, async (t) => {
  const { file, feel } = moody(t);
  const server = await Server.start(t, [...FLAGS, file], { mayLog: MAY_LOG });
  const client = connect({ url: server.url, socket: nodeSockets, payloads: { count: 'none' } });
  t.teardown(() => client.abandon());
  await within('Welcome', client.ready);
  feel('throw');
  await server.killShard(0, 'throw');
  t.equal((await within('an outcome', client.act('count'))).code, 0, 'the world goes on');
  const { alarms, totals } = await server.status();
  t.match(alarms, [
    /^shard 0 runs without the game's setup, which fails: not today \(\S+moody\.ts:11:\d+\)$/,
  ]);
  t.match(totals, { shardRestarts: 1, gameFaults: 1 }, JSON.stringify(server.log.slice(-6)));
  feel('well');
  await server.killShard(0, 'throw');
  const others = (await server.status()).alarms.filter((alarm) => !alarm.startsWith('the machine is full'));
  t.strictSame(others, []);
  await client.goodbye();
  await server.stop();
});

t.test('a file that has changed under the running server', { buffered: true }, async (t) => {
  const { file, write } = moody(t);
  const server = await Server.start(t, [...FLAGS, file], { mayLog: MAY_LOG });
  const runs = () => server.log.filter(({ msg }) => msg === 'shard runs').length;
  // A machine with other work may be full besides.
  const alarms = async () => (await server.status()).alarms.filter((alarm) => alarm.includes('moody.ts'));
  write('n: "u32", m: "f64"');
  // The thread that waits may still have the old file; whoever begins from here on has the new one.
  for (let before = runs(); (await alarms()).length === 0; before = runs()) {
    await server.command('kill-shard', { shard: 0, how: 'throw' });
    await eventually('one way or the other', async () => runs() > before || (await alarms()).length > 0);
  }
  const [alarm] = await alarms();
  t.match(alarm, /moody\.ts: components is not what the running server has loaded; put the file back/);
  const before = runs();
  write();
  await eventually('it runs again', () => runs() > before, 40_000);
  await server.stop();
});

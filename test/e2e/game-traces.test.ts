/** Whatever of a TypeScript game throws, the log names the author's file and line; nowhere is there the bundle of it. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import { eventually, type LogLine, Server, within } from './server.js';

t.setTimeout(120_000);

/** Line 3 of the second file throws, asked by a line of the first one. */
const WALLS = `
export function fall(how: string): never {
  throw new Error('fell: ' + how);
}
`;
const STAIRS = `import { fall } from './walls.js';
interface World {
  send(from: number, to: number, kind: number): number;
  defer(entity: number, job: string, input: unknown): boolean;
  id(entity: number): number;
  columns: { cursed: { get(e: number): number; set(e: number, v: number): void } };
}
const plain = { payload: 'none' } as const;
export default {
  name: 'stairs',
  items: [],
  kinds: ['player'],
  components: { cursed: 'u8' },
  actions: {
    act: { kind: 1, ...plain, apply: () => fall('act') },
    ask: { kind: 2, ...plain, apply: (world: World, me: number) => world.send(me, world.id(me), 1) },
    work: { kind: 3, ...plain, apply: (world: World, me: number) => (world.defer(me, 'lift', {}) ? 0 : 1000) },
    curse: { kind: 4, ...plain, apply: (world: World, me: number) => (world.columns.cursed.set(me, 1), 0) },
    promise: { kind: 5, ...plain, apply: () => (void Promise.reject(new Error('fell: promise')), 0) },
    later: { kind: 6, ...plain, apply: () => (setTimeout(() => fall('later'), 0), 0) },
  },
  rejections: { FULL: 1000 },
  messages: { knock: { kind: 1, receive: () => fall('knock') } },
  jobs: { lift: () => fall('lift') },
  populate() {
    fall('populate');
  },
  step(world: World, me: number) {
    if (world.columns.cursed.get(me) !== 0) fall('step');
  },
};
`;
const IN_WALLS = /walls\.ts:3:9/;

const textOf = (line: LogLine) => JSON.stringify(line);

t.test('each way to throw, in the log of a server', async (t) => {
  const dir = t.testdir({ 'walls.ts': WALLS, 'stairs.ts': STAIRS });
  const mayLog = [/^error in the game/, /^job failed$/, /^frozen: /];
  const flags = ['--shards', '1', '--game', join(dir, 'stairs.ts')];
  const server = await Server.start(t, flags, { mayLog });
  const payloads = {
    act: 'none',
    ask: 'none',
    work: 'none',
    curse: 'none',
    promise: 'none',
    later: 'none',
  } as const;
  const client = connect({ url: server.url, socket: nodeSockets, payloads });
  t.teardown(() => client.abandon());
  await within('Welcome', client.ready);
  // One after the other, each told before the next: of many errors in one second only some are looked at.
  const ways: [action: keyof typeof payloads | null, how: string, place: RegExp][] = [
    [null, 'populate', IN_WALLS],
    ['act', 'act', IN_WALLS],
    ['ask', 'knock', IN_WALLS],
    ['work', 'lift', IN_WALLS],
    ['promise', 'promise', /stairs\.ts:19:\d+/],
    ['later', 'later', IN_WALLS],
    ['curse', 'step', IN_WALLS],
  ];
  for (const [action, how, place] of ways) {
    if (action !== null) await within(action, client.act(action));
    const told = () => server.log.filter((line) => textOf(line).includes(`fell: ${how}`));
    await eventually(`${how} is in the log`, () => told().length > 0);
    for (const line of told()) {
      t.match(textOf(line), place, `${how}: the place`);
      t.notMatch(textOf(line), /base64|bluemarble-game:|bundle\.js/, `${how}: no bundle`);
    }
  }
  t.same(
    server.log.filter((line) => textOf(line).length > 4000).map(({ msg }) => msg),
    [],
    'no endless line',
  );
  t.equal((await server.status()).totals.shardRestarts, 0, 'and nothing died of it');
  await within('goodbye', client.goodbye());
  await server.stop();
});

for (const [what, text, words] of [
  [
    'it throws while it is loaded',
    `${STAIRS}\nfall('load');\n`,
    /fell: load \(\S*walls\.ts:3:9\) \(BAD_GAME\)\n$/,
  ],
  [
    'it does not parse',
    `${STAIRS}\nconst = 1;\n`,
    new RegExp(`stairs\\.ts line ${STAIRS.split('\n').length + 1}: .*\\(BAD_GAME\\)\n$`),
  ],
] as const)
  t.test(`a start that is refused: ${what}`, async (t) => {
    const dir = t.testdir({ 'walls.ts': WALLS });
    const file = join(dir, 'stairs.ts');
    writeFileSync(file, text);
    const { code, err } = await Server.refused(t, ['--game', file]);
    t.equal(code, 14);
    t.match(err, words);
    t.notMatch(err, /base64|bluemarble-game:/);
  });

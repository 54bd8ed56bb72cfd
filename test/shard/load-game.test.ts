import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { loadGame } from '../../src/shard/load-game.js';
import { FakePlanet } from '../game/fake-planet.js';

/** The sources of the fixtures: games are loaded as studios write them, not as the build leaves them. */
const TAG = fileURLToPath(new URL('../../../test/fixtures/games/tag.ts', import.meta.url));
const GAME = `{ name: 'g', items: [], kinds: ['player'], components: {}, actions: {}, step() {} }`;

t.test('without a file it is the built-in game', async (t) => {
  const game = await loadGame();
  t.equal(game.name, 'BlueMarble');
  t.strictSame(
    game.actions.map((a) => `${a.kind} ${a.name}`),
    [
      '1 walk',
      '2 gather',
      '3 drop',
      '4 pick',
      '5 give',
      '6 say',
      '7 forage',
      '8 tradeOffer',
      '9 tradePut',
      '10 tradeTake',
      '11 tradeAccept',
      '12 tradeAbort',
    ],
  );
});

t.test('a .ts game with imports of its own is loaded, and can be played', async (t) => {
  const game = await loadGame(TAG);
  const planet = new FakePlanet(game.module);
  const it = planet.add(0, 0, 0);
  planet.look();
  const other = planet.add(0, 3, 0);
  t.equal(planet.act(other, 'touch', { target: planet.id(it) }), 1000, 'who is not it cannot pass it on');
  t.equal(planet.act(it, 'touch', { target: planet.id(other) }), 3, 'too far');
  t.equal(planet.act(it, 'hop', { direction: 0 }), 0);
  t.equal(planet.act(it, 'hop', { direction: 0 }), 0);
  t.equal(planet.act(it, 'touch', { target: planet.id(other) }), 0);
  t.equal(planet.world(other).columns.it!.get(other), 1);
  t.strictSame(planet.emitted, [{ id: planet.id(other), kind: 1, text: '', bytes: new Uint8Array(0) }]);
});

t.test('a .ts game is loaded in a worker thread as well', async (t) => {
  const code = `
    const { parentPort, workerData } = require('node:worker_threads');
    import(workerData.loader).then((m) => m.loadGame(workerData.file)).then((g) => parentPort.postMessage(g.name));`;
  const loader = new URL('../../src/shard/load-game.js', import.meta.url).href;
  const worker = new Worker(code, { eval: true, workerData: { loader, file: TAG } });
  const name = await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
  t.equal(name, 'tag');
  t.equal(
    await new Promise((resolve) => worker.once('exit', resolve)),
    0,
    'and nothing keeps the thread alive',
  );
});

t.test('.mjs and .js games are loaded as they are', async (t) => {
  const dir = t.testdir({
    'g.mjs': `export default ${GAME}`,
    'package.json': '{"type":"module"}',
    'g.js': `export default ${GAME}`,
  });
  t.equal((await loadGame(join(dir, 'g.mjs'))).name, 'g');
  t.equal((await loadGame(join(dir, 'g.js'))).source, join(dir, 'g.js'));
});

t.test('BAD_GAME names the file and the fault', async (t) => {
  const dir = t.testdir({
    'empty.mjs': '',
    'broken.mjs': 'export const a = 1;\nexport default {{ ;',
    'broken.ts': 'export const a: number = 1;\nexport default {{ ;',
    'lost.ts': `import { x } from './nowhere.js';\nexport default x;`,
    'nameless.mjs': `import { nothing } from './empty.mjs';\nexport default nothing;`,
    'throws.mjs': `throw new Error('no coffee');`,
    'throws.ts': `throw new Error('no tea');\nexport default 1;`,
    'throws-text.mjs': `throw 'no milk';`,
    'faulty.mjs': `export default { ...${GAME}, kinds: ['orc'] }`,
    'game.py': 'pass',
    folder: {},
  });
  const faults: [string, RegExp][] = [
    ['missing.mjs', /missing\.mjs: there is no such file \(looked at .*missing\.mjs\)/],
    ['folder', /folder: there is no such file/],
    ['game.py', /game\.py: a game is a \.js, \.mjs, \.ts or \.mts file, not '\.py'/],
    ['empty.mjs', /empty\.mjs: it has no default export/],
    ['broken.mjs', /broken\.mjs: it does not parse: broken\.mjs line 2: Expected/],
    ['broken.ts', /broken\.ts: it does not parse: broken\.ts line 2: Expected/],
    ['lost.ts', /lost\.ts: it does not parse: lost\.ts line 1: Could not resolve/],
    ['nameless.mjs', /nameless\.mjs: it does not parse: .*does not provide an export named 'nothing'/],
    ['throws.mjs', /throws\.mjs: it throws while it is loaded: no coffee/],
    ['throws.ts', /throws\.ts: it throws while it is loaded: no tea/],
    ['throws-text.mjs', /throws-text\.mjs: it throws while it is loaded: no milk/],
    ['faulty.mjs', /faulty\.mjs: kinds\[0\] is 'orc'/],
  ];
  for (const [file, message] of faults)
    await t.rejects(loadGame(join(dir, file)), { code: 'BAD_GAME', message }, file);
});

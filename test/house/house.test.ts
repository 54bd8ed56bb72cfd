import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { BANS, checkBanned, checkDifferences } from './banned.js';
import { allowedFolders, checkFloors } from './floors.js';
import { checkMachine, checkPackages, checkTop } from './layout.js';
import { checkFileSize, checkFunctionSize, checkNames, MAX_FILE_LINES, MAX_FUNCTION_LINES } from './size.js';
import { allSources, type Finding, filesBelow, makeSource, ROOT, type Source } from './source.js';
import { readSummary } from './summary.js';

const sources = allSources();
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');
const ignored = read('.gitignore').split('\n').filter(Boolean);
const everywhere = (check: (source: Source) => Finding[]) => sources.flatMap(check);

/** How often a check objects to a text at a path. */
const objections = (check: (source: Source) => Finding[], path: string, text: string) =>
  check(makeSource(path, text)).length;

t.test('the house stands', async (t) => {
  t.ok(
    sources.length > 20 && sources.some((source) => source.path === 'src/base/clock.ts'),
    'there is something to check',
  );
  t.strictSame(everywhere(checkFloors), [], 'floors');
  t.strictSame(everywhere(checkBanned), [], 'banned things in their one place');
  t.strictSame(everywhere(checkDifferences), [], 'differences of x through dx');
  t.strictSame(everywhere(checkFileSize), [], 'file sizes');
  t.strictSame(everywhere(checkFunctionSize), [], 'function sizes');
  t.strictSame(everywhere(checkNames), [], 'names');
  t.strictSame(checkTop(readdirSync(ROOT), ignored), [], 'top level');
  t.strictSame(checkPackages(read('package.json'), read('package-lock.json')), [], 'packages');
  const kept = readdirSync(ROOT).filter(
    (name) => name.startsWith('.') && /\.(json|npmrc|taprc|ya?ml)$|rc$/.test(name),
  );
  const top = ['package.json', 'package-lock.json', 'tsconfig.json', 'README.md', ...kept];
  const texts = [
    ...top,
    ...['src', 'test', 'bench', 'schemas', '.ci']
      .filter((f) => readdirSync(ROOT).includes(f))
      .flatMap((f) => filesBelow(f)),
  ];
  t.strictSame(
    texts.flatMap((path) => checkMachine(path, read(path))),
    [],
    'nothing of one machine',
  );
});

t.test('an import that climbs, or reaches beside, is caught', async (t) => {
  const importing = (path: string, name: string) =>
    objections(checkFloors, path, `import { a } from '${name}';`);
  t.equal(importing('src/shard/step.ts', '../base/clock.js'), 0);
  t.equal(importing('src/shard/step.ts', '../world/near.js'), 0);
  t.equal(importing('src/shard/step.ts', './mail.js'), 0);
  t.equal(importing('src/shard/inner/step.ts', '../mail.js'), 0);
  t.equal(importing('src/node.ts', './gateway/gateway.js'), 0);
  t.equal(importing('src/game/walk.ts', '../world/facade.js'), 0);
  t.equal(importing('src/shard/step.ts', '../gateway/session.js'), 1, 'strangers');
  t.equal(importing('src/gateway/session.ts', '../shard/step.js'), 1, 'strangers, the other way');
  t.equal(importing('src/memory/arena.ts', '../geo/tile.js'), 1, 'beside, on the floor');
  t.equal(importing('src/wire/verify.ts', '../world/near.js'), 1, 'beside, on the floor');
  t.equal(importing('src/base/clock.ts', '../memory/arena.js'), 1, 'upwards');
  t.equal(importing('src/shard/step.ts', '../control/planner.js'), 1, 'upwards');
  t.equal(importing('src/admin/server.ts', '../node.js'), 1, 'upwards to the top');
  t.equal(importing('src/client/view.ts', '../memory/arena.js'), 1, 'a client has no shared memory');
  t.equal(importing('src/bots/bot.ts', '../world/near.js'), 1, 'a bot is only a client');
  t.equal(importing('src/pages/map/main.ts', '../../client/index.js'), 0);
  t.equal(importing('src/pages/map/main.ts', '../../admin/live.js'), 1, 'a page is a client, too');
  t.equal(importing('src/pages/map/main.ts', 'node:fs'), 1, 'browsers have no node:');
  t.equal(importing('src/admin/assets.ts', '../pages/map/camera.js'), 1, 'a page is a file, not a part');
  t.equal(importing('src/game/walk.ts', '../world/near.js'), 1, 'a game sees the facade only');
  t.equal(importing('src/shard/step.ts', '../game/walk.js'), 1, 'a shard is handed its game');
  t.equal(importing('src/shard/step.ts', '../../test/house/source.js'), 1, 'tests are not shipped');
  t.equal(importing('src/attic/box.ts', './lid.js'), 1, 'a folder without a floor');
  t.equal(importing('src/world/near.ts', 'node:fs'), 1, 'pure code has no node:');
  t.equal(importing('src/gateway/app.ts', 'node:fs'), 0);
});

t.test('every way of importing is seen', async (t) => {
  const ways = [
    `import type { A } from '../shard/a.js';`,
    `export { A } from '../shard/a.js';`,
    `export * from '../shard/a.js';`,
    `const a = await import('../shard/a.js');`,
    `import '../shard/a.js';`,
    `type A = import('../shard/a.js').A;`,
    `new Worker(new URL('../shard/worker.js', import.meta.url));`,
    `new Worker(\n  new URL("../shard/worker.js", import.meta.url), {});`,
  ];
  for (const way of ways) t.equal(objections(checkFloors, 'src/gateway/a.ts', way), 1, way);
  t.equal(
    objections(checkFloors, 'src/gateway/a.ts', `// import '../shard/a.js'`),
    0,
    'a comment is no import',
  );
  t.notOk(allowedFolders('gateway').includes('shard') || allowedFolders('shard').includes('gateway'));
});

t.test('time and chance outside their one place are caught', async (t) => {
  const uses: Record<string, string[]> = {
    Date: ['Date.now()', 'new Date()', 'const clock = Date;'],
    'performance.now': ['performance.now()', 'const now = performance.now;'],
    'process.hrtime': ['process.hrtime.bigint()', 'process.hrtime()'],
    setTimeout: [
      'setTimeout(f, 1)',
      'globalThis.setTimeout(f, 1)',
      `import { setTimeout } from 'node:timers/promises';`,
      `import { setTimeout as sleep } from 'node:timers/promises';`,
    ],
    setInterval: ['setInterval(f, 1)', 'run(setInterval)'],
    'Math.random': ['Math.random()', '[1].sort(Math.random)'],
  };
  t.strictSame(
    Object.keys(uses),
    BANS.map((ban) => ban.name),
    'every ban is tried',
  );
  for (const text of Object.values(uses).flat()) {
    t.equal(objections(checkBanned, 'src/shard/a.ts', text), 1, text);
    t.equal(
      objections(checkBanned, 'src/shard/a.ts', `${text} // house-ok: a reason`),
      0,
      `excused: ${text}`,
    );
    t.equal(objections(checkBanned, 'src/shard/a.ts', `${text} // house-ok:`), 1, `no reason given: ${text}`);
  }
  t.match(
    checkBanned(makeSource('src/a.ts', '\nDate.now()'))[0],
    /src\/a\.ts:2: Date .*take a Clock/,
    'place and replacement',
  );
  t.equal(objections(checkBanned, 'src/base/clock.ts', 'performance.now()'), 0, 'at home');
  t.equal(objections(checkBanned, 'src/base/random.ts', 'performance.now()'), 1, 'in the home of another');
  const harmless = [
    '// Date.now()',
    '"Date.now()"',
    'this.setTimeout(1)',
    'clock.now()',
    'interface A { Date: number }',
    'Math.round(1)',
  ];
  for (const text of harmless) t.equal(objections(checkBanned, 'src/shard/a.ts', text), 0, text);
});

t.test('a difference of two x is caught wherever its names tell', async (t) => {
  const wrong = [
    'b.x - a.x',
    'x - x0',
    'x2 - x1',
    'toX - fromX',
    'bx - ax',
    'w.x(e) - w.x(o)',
    'x -= other.x',
    '(x!) - (a.x)',
    'f64[(hot + HOT.x) >> 3] - f64[(row + ROW.x) >> 3]',
    'Math.abs(target.x - me.x)',
  ];
  for (const text of wrong) {
    t.equal(objections(checkDifferences, 'src/shard/a.ts', text), 1, text);
    t.equal(
      objections(checkDifferences, 'src/shard/a.ts', `// dx-ok: columns\n${text};`),
      0,
      `excused: ${text}`,
    );
  }
  for (const text of [
    'b.y - a.y',
    'x - 1',
    'index - max',
    'x + x0',
    'dx(a.x, b.x)',
    'vx - vx0',
    '// b.x - a.x',
  ]) {
    t.equal(objections(checkDifferences, 'src/shard/a.ts', text), 0, text);
  }
  t.equal(objections(checkDifferences, 'src/geo/world.ts', 'bx - ax'), 0, 'but in dx itself');
});

t.test('a file or function that outgrew its room is caught, one line earlier it is not', async (t) => {
  const file = (lines: number) => 'a;\n'.repeat(lines);
  t.equal(objections(checkFileSize, 'src/a.ts', file(MAX_FILE_LINES)), 0);
  t.equal(objections(checkFileSize, 'src/a.ts', file(MAX_FILE_LINES + 1)), 1);
  const body = (lines: number) => '\n'.repeat(lines - 1);
  for (const [start, end] of [
    ['function f() {', '}'],
    ['const f = () => {', '}'],
    ['class A { f() {', '} }'],
    ['class A { get a() {', '} }'],
  ]) {
    t.equal(objections(checkFunctionSize, 'src/a.ts', start + body(MAX_FUNCTION_LINES) + end), 0, start);
    t.equal(
      objections(checkFunctionSize, 'src/a.ts', start + body(MAX_FUNCTION_LINES + 1) + end),
      1,
      `${start} + 1`,
    );
  }
});

t.test('names that say nothing are caught', async (t) => {
  for (const path of [
    'src/shard/utils.ts',
    'src/common/a.ts',
    'test/helpers.ts',
    'src/tile-manager.ts',
    'src/str.util.ts',
  ]) {
    t.equal(objections(checkNames, path, ''), 1, path);
  }
  t.equal(objections(checkNames, 'src/a.ts', 'class TileManager {}'), 1);
  for (const path of ['src/memory/arena.ts', 'src/game/commoner.ts'])
    t.equal(objections(checkNames, path, 'class A {}'), 0, path);
});

t.test(
  'a new thing at the top, a path of a machine, a registry host and a loose pin are caught',
  async (t) => {
    t.strictSame(checkTop(['src', '.ci', 'dist', 'a.log', 'LICENSE'], ['dist/', '*.log']), []);
    t.equal(checkTop(['scripts', 'src'], []).length, 1);
    const slash = '/';
    for (const path of [`${slash}home${slash}me/a`, `"${slash}work${slash}a"`, `x=${slash}tmp${slash}a`]) {
      t.equal(checkMachine('a.ts', `first\n${path}`).length, 1, path);
    }
    for (const path of ['src/work/a.ts', './tmp/a', 'https://example.org/home/x', '/metrics'])
      t.equal(checkMachine('a.ts', path).length, 0, path);
    const host = ['registry', 'npmjs', 'org'].join('.');
    t.equal(checkMachine('a.json', `https:${slash}${slash}${host}/a`).length, 1);
    const lock = (entry: object) => JSON.stringify({ packages: { '': {}, 'node_modules/a': entry } });
    const manifest = (version: string) => JSON.stringify({ dependencies: { a: version } });
    const whole = lock({ integrity: 'sha512-x' });
    t.strictSame(checkPackages(manifest('npm:b@1.2.3'), whole), []);
    for (const version of ['^1.2.3', '~1.2.3', '1', '*', 'latest', 'npm:b@^1.2.3', 'github:a/b']) {
      t.equal(checkPackages(manifest(version), whole).length, 1, version);
    }
    t.equal(checkPackages(manifest('1.2.3'), lock({ integrity: 'sha512-x', resolved: 'https:' })).length, 1);
    t.equal(checkPackages(manifest('1.2.3'), lock({})).length, 1);
    const elsewhere = lock({ integrity: 'sha512-x', optionalDependencies: { 'b-win32': '1.0.0' } });
    t.equal(checkPackages(manifest('1.2.3'), elsewhere).length, 1, 'another platform left out');
  },
);

t.test('the counts are those of the last summary, and none at all is a failure', async (t) => {
  t.strictSame(
    readSummary('# { total: 2, pass: 2 }\n# { total: 12, pass: 9, fail: 1, todo: 1, skip: 1 }\n# time=3ms\n'),
    { passed: 9, failed: 1 },
  );
  t.strictSame(readSummary('# { total: 3, pass: 3 }\n'), { passed: 3, failed: 0 });
  t.strictSame(
    readSummary('    # { total: 3, pass: 3 }\n'),
    { passed: 0, failed: 1 },
    'a nested summary is not the last word',
  );
  t.strictSame(readSummary(''), { passed: 0, failed: 1 });
});

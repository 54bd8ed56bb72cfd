/** Nobody but its owner reads what is in a data directory: whatever the umask, and what was made wider before. */
import { spawnSync } from 'node:child_process';
import { chmodSync, lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openBook } from '../../src/store/book.js';
import { openDataFolder } from '../../src/store/data-folder.js';
import { isSnapshotName, isSnapshotPath } from '../../src/store/snapshot-names.js';
import { takeSnapshot } from '../../src/store/snapshots.js';
import { GAME } from './records.js';

const MODULES = ['data-folder', 'book', 'snapshots'].map(
  (name) => new URL(`../../src/store/${name}.js`, import.meta.url).href,
);

/** What others may do, of everything in a directory and itself. */
function openIn(dir: string): string[] {
  const names = ['.', ...readdirSync(dir, { recursive: true }).map(String)];
  return names
    .map((name) => ({ name, mode: lstatSync(join(dir, name)).mode & 0o777 }))
    .filter(({ mode }) => (mode & 0o077) !== 0)
    .map(({ name, mode }) => `${name} ${mode.toString(8)}`);
}

async function visit(dir: string, snapshot: string | null = null): Promise<readonly string[]> {
  const { engine, warnings, release } = await openDataFolder(dir);
  openBook(engine, { seed: 7, baseLevel: 11, game: GAME }, () => new Uint8Array(32), dir);
  engine.claim();
  if (snapshot !== null) await takeSnapshot(engine, dir, { name: snapshot, keep: 8 });
  await engine.close();
  release();
  return warnings;
}

for (const umask of ['000', '022', '077', '027'])
  t.test(`umask ${umask}`, (t) => {
    const dir = join(t.testdir({}), 'deep', 'data');
    const script = `const [folder, book, snapshots] = await Promise.all(${JSON.stringify(MODULES)}.map((m) => import(m)));
      const dir = ${JSON.stringify(dir)};
      for (const restore of [null, 'one']) {
        const { engine, release } = await folder.openDataFolder(dir, restore);
        book.openBook(engine, ${JSON.stringify({ seed: 7, baseLevel: 11, game: GAME })}, () => new Uint8Array(32), dir);
        engine.claim();
        if (restore === null) await snapshots.takeSnapshot(engine, dir, { name: 'one', keep: 8 });
        await engine.close(); release();
      }`;
    const words = ['-c', `umask ${umask} && exec "$0" --input-type=module -e "$1"`, process.execPath, script];
    const { status, stderr } = spawnSync('sh', words, { encoding: 'utf8' });
    t.equal(status, 0, stderr);
    t.ok(readdirSync(dir).includes('world.mdb.before-restore'));
    t.strictSame(openIn(dir), []);
    t.end();
  });

t.test('what was wider is narrowed, once, with a warning', async (t) => {
  const dir = join(t.testdir({}), 'data');
  t.strictSame(await visit(dir, 'one'), []);
  for (const name of ['.', ...readdirSync(dir, { recursive: true }).map(String)])
    chmodSync(join(dir, name), lstatSync(join(dir, name)).isDirectory() ? 0o755 : 0o644);
  const [warning, ...more] = await visit(dir);
  t.match(
    warning,
    /data.* and \d+ more could be used by other users of this machine: now by their owner only/,
  );
  t.strictSame(more, []);
  t.strictSame(openIn(dir), []);
  t.strictSame(await visit(dir), []);
});

t.test(
  'a directory that others use as well keeps its rights, and is told; the data in it are narrowed',
  async (t) => {
    const dir = join(t.testdir({}), 'shared');
    mkdirSync(dir);
    writeFileSync(join(dir, 'letter'), '');
    chmodSync(dir, 0o1777);
    chmodSync(join(dir, 'letter'), 0o644);
    t.match(await visit(dir), [/shared can be used by other users .* a directory of its own/]);
    t.strictSame(openIn(dir), ['. 777', 'letter 644']);
    t.equal(lstatSync(dir).mode & 0o7777, 0o1777);
  },
);

t.test(
  'names of snapshots are no options, paths, reserved names, nor those of snapshots that nobody named',
  (t) => {
    const right = ['monday', 'a', '2026-11-30', '_x', 'v1.2', 'x'.repeat(64), 'automatic'];
    const wrong = [
      ...['', '-rf', '--', '-', '.', '..', '.hidden', 'a/b', '../x', '/x', 'a\\b', 'a b', 'a\n', 'ä', 'a\0b'],
      ...['x'.repeat(65), 'x.draft', 'x.', 'auto-5', 'auto-', 'con', 'NUL', 'com1.txt', 'lpt9'],
    ];
    for (const name of right) t.ok(isSnapshotName(name) && isSnapshotPath(name), name);
    for (const name of wrong) t.notOk(isSnapshotName(name), JSON.stringify(name));
    for (const name of ['auto-5', '-rf']) t.ok(isSnapshotPath(name), `${name} may be one that is there`);
    for (const name of ['.', '..', 'a/b', '']) t.notOk(isSnapshotPath(name), name);
    t.end();
  },
);

/** A data directory that cannot be used is refused with its own code; one that a killed process left is taken. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, truncateSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { metaWrite, openBook, readFacts } from '../../src/store/book.js';
import { Codec, RecordBytes } from '../../src/store/codec.js';
import { asDataError } from '../../src/store/data-file.js';
import { openDataFolder } from '../../src/store/data-folder.js';
import { frame, sealNumbers } from '../../src/store/frame.js';
import { DATA_FILE } from '../../src/store/lmdb-engine.js';
import { takeSnapshot } from '../../src/store/snapshots.js';
import type { WorldIdentity } from '../../src/store/types.js';
import { GAME, NUMBERS } from './records.js';
import { mountsNot } from './small-disk.js';

const WORLD: WorldIdentity = { seed: 7, baseLevel: 11, game: GAME };
const secret = () => new Uint8Array(32).fill(9);

/** Opens, reads the book, closes. */
async function visit(dir: string, identity = WORLD, restore: string | null = null) {
  const { engine, release } = await openDataFolder(dir, restore);
  try {
    return readFacts(engine, openBook(engine, identity, secret, dir));
  } finally {
    await engine.close();
    release();
  }
}

t.test('a new directory is made, and what it holds is there again', async (t) => {
  const dir = join(t.testdir(), 'deep', 'data');
  t.equal((await visit(dir)).durableTick, 0);
  const { engine, release } = await openDataFolder(dir);
  engine.commit([metaWrite('durableTick', [123]), metaWrite('idLease', [77])], (trouble) =>
    t.equal(trouble, null),
  );
  await engine.close();
  release();
  t.match(await visit(dir), { durableTick: 123, idLease: 77, secret: secret() });
  t.equal(readFileSync(join(dir, 'lock'), 'utf8'), '', 'the lock names nobody');
});

t.test('another world', async (t) => {
  const dir = t.testdir();
  await visit(dir);
  const other = (change: Partial<WorldIdentity>) => visit(dir, { ...WORLD, ...change });
  await t.rejects(other({ seed: 8 }), {
    code: 'DATA_OTHER_WORLD',
    message: /seed \(--seed\) is 7, this server's is 8/,
  });
  await t.rejects(other({ baseLevel: 10 }), { code: 'DATA_OTHER_WORLD', message: /level/ });
  await t.rejects(other({ game: { ...GAME, name: 'chess' } }), {
    code: 'DATA_OTHER_WORLD',
    message: /game is 'test', this server's is 'chess'/,
  });
  await other({ game: { ...GAME, items: ['new', ...GAME.items] } });
});

t.test('a newer format is refused, with both numbers', async (t) => {
  const dir = t.testdir();
  await visit(dir);
  const { engine, release } = await openDataFolder(dir);
  engine.commit([metaWrite('format', [3])], () => {});
  await engine.close();
  release();
  const before = readFileSync(join(dir, DATA_FILE));
  await t.rejects(visit(dir), { code: 'DATA_VERSION', message: /format 3, this server reads up to 2/ });
  t.ok(readFileSync(join(dir, DATA_FILE)).equals(before), 'it is left as it was');
});

t.test('a directory that an older server filled is read, and written on', async (t) => {
  const dir = t.testdir();
  await visit(dir);
  const folder = await openDataFolder(dir);
  // As an older schema left it: its table has none of what came later.
  const older = frame(readFileSync(new URL('./entity-older.bin', import.meta.url)));
  const id = 4711;
  const place = { table: 'players', key: id, value: sealNumbers([0]) } as const;
  folder.engine.commit([{ table: 'entities', key: id, value: older }, place], () => {});
  const book = openBook(folder.engine, WORLD, secret, dir);
  t.match(readFacts(folder.engine, book), { entities: 1, guests: Float64Array.of(id) });
  const codec = new Codec(book.names);
  const record = new RecordBytes();
  t.equal(codec.decode(folder.engine.get('entities', id)!, record), null);
  const known = NUMBERS.map((field) => field(record));
  folder.engine.commit([{ table: 'entities', key: id, value: codec.encode(record) }], () => {});
  t.equal(codec.decode(folder.engine.get('entities', id)!, record), null);
  t.strictSame(
    NUMBERS.map((field) => field(record)),
    known,
    'written by this server it says the same',
  );
  await folder.engine.close();
  folder.release();
});

t.test('what is not the data it should be: cut short, foreign, with flipped bits', async (t) => {
  const dir = t.testdir();
  await visit(dir);
  const file = join(dir, DATA_FILE);
  const whole = readFileSync(file);
  truncateSync(file, whole.length - 4096);
  await t.rejects(visit(dir), { code: 'DATA_CORRUPT', message: /cut short/ });
  writeFileSync(file, 'a letter to grandmother'.repeat(1000));
  await t.rejects(visit(dir), { code: 'DATA_CORRUPT', message: /not a database/ });
  const flipped = Buffer.from(whole);
  // the world's identity, wherever its page is
  for (let at = flipped.indexOf('test'); at >= 0; at = flipped.indexOf('test', at + 1)) flipped[at] ^= 1;
  writeFileSync(file, flipped);
  await t.rejects(visit(dir), { code: 'DATA_CORRUPT', message: /checksum/ });
});

t.test('every trouble of the file system has its code', async (t) => {
  const cases = {
    EROFS: 'DATA_READ_ONLY',
    EACCES: 'DATA_READ_ONLY',
    ENOSPC: 'DATA_FULL',
    EDQUOT: 'DATA_FULL',
    EIO: 'DATA_CORRUPT',
  };
  for (const [errno, code] of Object.entries(cases)) {
    const work = () => {
      throw Object.assign(new Error(errno), { code: errno });
    };
    t.throws(() => asDataError('here', work), { code });
  }
  const dir = t.testdir({ file: '' });
  await t.rejects(visit(join(dir, 'file')), { code: 'DATA_READ_ONLY' });
  t.equal(
    new Set(
      ['DATA_VERSION', 'DATA_OTHER_WORLD', 'DATA_LOCKED', 'DATA_CORRUPT', 'DATA_READ_ONLY', 'DATA_FULL'].map(
        (name) => ERRORS[name as 'DATA_FULL'].number,
      ),
    ).size,
    6,
  );
});

t.test('a directory that cannot be written to', { skip: mountsNot() }, async (t) => {
  const dir = join(t.testdir({ disk: {} }), 'disk');
  const on = (...options: string[]) => spawnSync('mount', [...options, dir]).status;
  t.equal(on('-t', 'tmpfs', '-o', 'size=8m', 'tmpfs'), 0);
  try {
    await visit(dir);
    t.equal(on('-o', 'remount,ro'), 0);
    await t.rejects(visit(dir), { code: 'DATA_READ_ONLY', message: /read-only/ });
    t.equal(on('-o', 'remount,rw'), 0);
    t.equal((await visit(dir)).durableTick, 0);
  } finally {
    spawnSync('umount', ['-l', dir]);
  }
});

const named = (name: string | null, keep = 8) => ({ name, keep });

t.test('a snapshot is a data directory, and takes the place of the data when asked', async (t) => {
  const dir = t.testdir();
  const { engine, release } = await openDataFolder(dir);
  openBook(engine, WORLD, secret, dir);
  engine.commit([metaWrite('durableTick', [50])], () => {});
  t.match(await takeSnapshot(engine, dir, named('monday')), { name: 'monday', tick: 50, entities: 0 });
  await t.rejects(takeSnapshot(engine, dir, named('monday')), { message: /already/ });
  await t.rejects(takeSnapshot(engine, dir, named('../out')), { message: /named/ });
  await t.rejects(takeSnapshot(engine, null, named('x')), { message: /--data/ });
  engine.commit([metaWrite('durableTick', [60])], () => {});
  await engine.close();
  release();
  t.equal((await visit(join(dir, 'snapshots', 'monday'))).durableTick, 50);
  t.equal((await visit(dir)).durableTick, 60);
  t.equal((await visit(dir, WORLD, 'monday')).durableTick, 50, 'restored');
  await t.rejects(visit(dir, WORLD, 'tuesday'), { code: 'BAD_FLAG', message: /no snapshot 'tuesday'/ });
});

t.test('ids and incarnations that were granted after a snapshot are not granted again', async (t) => {
  const dir = t.testdir();
  const { engine, release } = await openDataFolder(dir);
  openBook(engine, WORLD, secret, dir);
  engine.commit([metaWrite('durableTick', [50]), metaWrite('idLease', [10])], () => {});
  await takeSnapshot(engine, dir, named('monday'));
  const later = [metaWrite('durableTick', [900]), metaWrite('idLease', [70]), metaWrite('incarnation', [7])];
  engine.commit(later, () => {});
  await engine.close();
  release();
  const back = { durableTick: 50, idLease: 70, incarnation: 7 };
  t.match(await visit(dir, WORLD, 'monday'), back);
  t.ok(readdirSync(dir).includes('world.mdb.before-restore'), 'what stood there is kept aside');

  // Started again with the same flags, it goes on: what came since then stays.
  const again = await openDataFolder(dir);
  again.engine.commit([metaWrite('durableTick', [60])], () => {});
  await again.engine.close();
  again.release();
  t.match(await visit(dir, WORLD, 'monday'), { ...back, durableTick: 60 });

  // Of data that cannot be read nobody knows what they granted.
  writeFileSync(join(dir, DATA_FILE), 'a letter to grandmother'.repeat(1000));
  const blind = await visit(dir, WORLD, 'monday');
  t.equal(blind.durableTick, 50);
  t.ok(blind.idLease > 1_000_000 && blind.incarnation > 1_000_000, 'far beyond anything it can have used');
  t.strictSame(readdirSync(dir).sort(), [
    'lock',
    'snapshots',
    'world.mdb',
    'world.mdb-lock',
    'world.mdb.before-restore',
    'world.mdb.before-restore-2',
  ]);
});

t.test('of snapshots that nobody named only so many are kept', async (t) => {
  const dir = t.testdir();
  const { engine, release } = await openDataFolder(dir);
  openBook(engine, WORLD, secret, dir);
  const all = () => readdirSync(join(dir, 'snapshots')).sort();
  await takeSnapshot(engine, dir, named('mine'));
  mkdirSync(join(dir, 'snapshots', 'killed.draft'));
  for (const tick of [8, 9, 10]) {
    engine.commit([metaWrite('durableTick', [tick])], () => {});
    t.match(await takeSnapshot(engine, dir, named(null, 2)), { name: `auto-${tick}`, tick });
    const path = join(dir, 'snapshots', `auto-${tick}`, DATA_FILE);
    utimesSync(path, tick, tick); // seconds, as if they were far apart
  }
  t.strictSame(all(), ['auto-10', 'auto-9', 'mine']);
  t.match(await takeSnapshot(engine, dir, named(null, 2)), { name: 'auto-10-2' }, 'the same tick once more');
  t.strictSame(all(), ['auto-10', 'auto-10-2', 'mine']);
  await t.rejects(takeSnapshot(engine, dir, named('x.draft')), { message: /named/ });
  await engine.close();
  release();
});

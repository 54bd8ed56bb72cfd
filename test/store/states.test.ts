/** Whatever state a data directory is in, a start either has its world or says what is wrong; nothing that was is lost. */
import {
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
} from 'node:fs';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { BlueMarbleError } from '../../src/base/errors.js';
import { metaWrite, openBook } from '../../src/store/book.js';
import { openDataFolder } from '../../src/store/data-folder.js';
import { DATA_FILE } from '../../src/store/lmdb-engine.js';
import { takeSnapshot } from '../../src/store/snapshots.js';
import { GAME } from './records.js';

const WORLD = { seed: 7, baseLevel: 11, game: GAME };

/** A start of a server: the tick that it goes on from, or the code of its refusal. */
async function start(dir: string, restore: string | null = null, goOnTo = 0): Promise<number | string> {
  try {
    const { engine, release } = await openDataFolder(dir, restore);
    try {
      const { durableTick } = openBook(engine, WORLD, () => new Uint8Array(32).fill(9), dir);
      engine.claim();
      if (goOnTo > 0) engine.commit([metaWrite('durableTick', [goOnTo])], () => {});
      return durableTick;
    } finally {
      await engine.close();
      release();
    }
  } catch (error) {
    if (error instanceof BlueMarbleError) return error.code;
    throw error;
  }
}

/** A world at tick 60 with snapshots of ticks 50 (monday) and 55 (auto-55). */
async function fill(dir: string): Promise<void> {
  const { engine, release } = await openDataFolder(dir);
  openBook(engine, WORLD, () => new Uint8Array(32).fill(9), dir);
  engine.claim();
  for (const [tick, name] of [
    [50, 'monday'],
    [55, null],
    [60, undefined],
  ] as const) {
    engine.commit([metaWrite('durableTick', [tick])], () => {});
    if (name !== undefined) await takeSnapshot(engine, dir, { name, keep: 8 });
  }
  await engine.close();
  release();
}

interface Case {
  /** What happens to the directory. */
  readonly what: string;
  readonly change: (dir: string) => void;
  /** Of a start, and of one with --restore monday. */
  readonly plain: number | string;
  readonly restored: number | string;
}

const all = (dir: string) => rmSync(join(dir, 'snapshots'), { recursive: true });
const data = (dir: string) => rmSync(join(dir, DATA_FILE));
const empty = (dir: string) => truncateSync(join(dir, DATA_FILE), 0);
const readers = (dir: string) => rmSync(join(dir, `${DATA_FILE}-lock`));
const aside = (dir: string) => renameSync(join(dir, DATA_FILE), join(dir, `${DATA_FILE}.before-restore`));
const both =
  (...changes: ((dir: string) => void)[]) =>
  (dir: string) => {
    for (const change of changes) change(dir);
  };
/** LMDB's own, of nothing. */
const blank = (dir: string) => {
  const other = `${dir}.blank`;
  mkdirSync(other);
  return openDataFolder(other).then(async ({ engine, release }) => {
    await engine.close();
    release();
    cpSync(join(other, DATA_FILE), join(dir, DATA_FILE));
    rmSync(other, { recursive: true });
  });
};

const M = 'DATA_MISSING';
const CASES: readonly Case[] = [
  { what: 'nothing', change: () => {}, plain: 60, restored: 50 },
  {
    what: 'it is gone as a whole',
    change: (dir) => rmSync(dir, { recursive: true }),
    plain: 0,
    restored: 'BAD_FLAG',
  },
  {
    what: 'everything in it is gone',
    change: (dir) => {
      for (const name of readdirSync(dir)) rmSync(join(dir, name), { recursive: true });
    },
    plain: 0,
    restored: 'BAD_FLAG',
  },
  { what: 'the file is gone', change: data, plain: M, restored: 50 },
  { what: 'the file is empty', change: empty, plain: M, restored: 50 },
  { what: 'the file is gone, and its readers', change: both(data, readers), plain: M, restored: 50 },
  { what: 'the file is gone, and snapshots', change: both(data, all), plain: M, restored: 'BAD_FLAG' },
  { what: 'the file is empty, snapshots are gone', change: both(empty, all), plain: M, restored: 'BAD_FLAG' },
  { what: 'only an empty file is left', change: both(empty, all, readers), plain: M, restored: 'BAD_FLAG' },
  { what: 'only before-restore is left', change: both(aside, all, readers), plain: M, restored: 'BAD_FLAG' },
  { what: 'only snapshots are left', change: both(data, readers), plain: M, restored: 50 },
  {
    what: 'the file is cut short',
    change: (dir) => truncateSync(join(dir, DATA_FILE), 8192),
    plain: 'DATA_CORRUPT',
    restored: 50,
  },
  {
    what: 'the file is something else',
    change: (dir) => writeFileSync(join(dir, DATA_FILE), 'a letter'.repeat(2000)),
    plain: 'DATA_CORRUPT',
    restored: 50,
  },
  {
    what: 'the file is a directory',
    change: both(data, (dir) => mkdirSync(join(dir, DATA_FILE))),
    plain: 'DATA_CORRUPT',
    restored: 'DATA_CORRUPT',
  },
  {
    what: 'the directory is a file',
    change: (dir) => {
      rmSync(dir, { recursive: true });
      writeFileSync(dir, '');
    },
    plain: 'DATA_READ_ONLY',
    restored: 'DATA_READ_ONLY',
  },
  {
    what: 'the directory is a link to nowhere',
    change: (dir) => {
      rmSync(dir, { recursive: true });
      symlinkSync('nowhere', dir);
    },
    plain: 'DATA_READ_ONLY',
    restored: 'DATA_READ_ONLY',
  },
  {
    what: 'the file is a link to nowhere',
    change: both(data, (dir) => symlinkSync('nowhere', join(dir, DATA_FILE))),
    plain: M,
    restored: 50,
  },
  { what: 'the lock is gone', change: (dir) => rmSync(join(dir, 'lock')), plain: 60, restored: 50 },
  { what: 'its readers are gone', change: readers, plain: 60, restored: 50 },
  { what: 'snapshots are gone', change: all, plain: 60, restored: 'BAD_FLAG' },
  {
    what: 'the snapshot is gone',
    change: (dir) => rmSync(join(dir, 'snapshots', 'monday'), { recursive: true }),
    plain: 60,
    restored: 'BAD_FLAG',
  },
  {
    what: 'the snapshot has no file',
    change: (dir) => rmSync(join(dir, 'snapshots', 'monday', DATA_FILE)),
    plain: 60,
    restored: 'BAD_FLAG',
  },
  {
    what: 'the snapshot is empty',
    change: (dir) => truncateSync(join(dir, 'snapshots', 'monday', DATA_FILE), 0),
    plain: 60,
    restored: 'DATA_CORRUPT',
  },
  {
    what: 'a restore was killed',
    change: (dir) => {
      mkdirSync(join(dir, 'restore.draft'));
      writeFileSync(join(dir, 'restore.draft', DATA_FILE), 'half');
    },
    plain: 60,
    restored: 50,
  },
  {
    what: 'a first start was killed',
    change: (dir) => {
      rmSync(dir, { recursive: true });
      mkdirSync(join(dir, 'new.draft'), { recursive: true });
      writeFileSync(join(dir, 'new.draft', DATA_FILE), '');
    },
    plain: 0,
    restored: 'BAD_FLAG',
  },
];

for (const { what, change, plain, restored } of CASES) {
  t.test(what, async (t) => {
    for (const [restore, expected] of [
      [null, plain],
      ['monday', restored],
    ] as const) {
      const dir = join(t.testdir(), `${restore}`);
      await fill(dir);
      change(dir);
      const before = listOf(dir);
      t.equal(await start(dir, restore), expected, `${restore ?? 'plain'}`);
      if (typeof expected === 'number') continue;
      // What was refused is left as it was, but for who held it.
      t.strictSame(listOf(dir), before);
    }
  });
}

function listOf(dir: string): string[] {
  try {
    return readdirSync(dir, { recursive: true })
      .map(String)
      .filter((name) => !/lock$|\.draft/.test(name))
      .sort();
  } catch {
    return [];
  }
}

t.test('a database of nothing beside snapshots', async (t) => {
  const dir = join(t.testdir(), 'data');
  await fill(dir);
  await blank(dir);
  t.equal(await start(dir), M);
  t.equal(await start(dir, 'monday'), 50);
  const fresh = join(t.testdir(), 'fresh');
  mkdirSync(fresh);
  await blank(fresh);
  t.equal(await start(fresh), 0, 'a first start that was killed before it had a world');
});

t.test('what stood there before a restore stays, however often', async (t) => {
  const dir = join(t.testdir(), 'data');
  await fill(dir);
  const first = readFileSync(join(dir, DATA_FILE));
  t.equal(await start(dir, 'monday', 70), 50);
  const second = readFileSync(join(dir, DATA_FILE));
  t.equal(await start(dir, 'auto-55', 80), 55);
  t.equal(await start(dir, 'monday'), 50);
  t.ok(readFileSync(join(dir, `${DATA_FILE}.before-restore`)).equals(first));
  t.ok(readFileSync(join(dir, `${DATA_FILE}.before-restore-2`)).equals(second));
  t.ok(readdirSync(dir).includes(`${DATA_FILE}.before-restore-3`));
});

t.test('the same flags go on, whether the snapshot is there still or not', async (t) => {
  const dir = join(t.testdir(), 'data');
  await fill(dir);
  t.equal(await start(dir, 'auto-55', 90), 55);
  t.equal(await start(dir, 'auto-55', 91), 90);
  rmSync(join(dir, 'snapshots', 'auto-55'), { recursive: true });
  t.equal(await start(dir, 'auto-55', 92), 91);
  t.equal(await start(dir, 'monday'), 50);
  t.equal(await start(dir, 'auto-55'), 'BAD_FLAG', 'since then the data went back to another one');
});

/** At most one process writes in a data directory, by whatever path and from whatever PID namespace it comes. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ApartEngine } from '../../src/store/apart-engine.js';
import { metaWrite, numbers, openBook } from '../../src/store/book.js';
import { openDataFolder, openReadOnly } from '../../src/store/data-folder.js';
import type { Engine } from '../../src/store/engine.js';
import { holdFolder, shareFolder } from '../../src/store/hold.js';
import { hasNoNamespaces, inNamespace } from './namespaces.js';
import { GAME } from './records.js';

const HOLD = new URL('../../src/store/hold.js', import.meta.url).href;
const WORLD = { seed: 7, baseLevel: 11, game: GAME };

type Place = 'here' | 'in a namespace of its own';
const places: Place[] = hasNoNamespaces === false ? ['here', 'in a namespace of its own'] : ['here'];

/** @param bind in a namespace of its own: a second path to the first of these directories */
function words(place: Place, script: string, bind: readonly string[] = []): [string, string[]] {
  const args = ['--input-type=module', '-e', `import * as hold from ${JSON.stringify(HOLD)}; ${script}`];
  if (place === 'here') return [process.execPath, args];
  const shell = `${bind.length > 0 ? 'mount --bind "$1" "$2" && ' : ''}shift 2 && exec "$@"`;
  return inNamespace('sh', ['-c', shell, 'sh', bind[0] ?? '', bind[1] ?? '', process.execPath, ...args]);
}

/** Another process that holds the directory until it is killed. */
async function holder(t: Test, dir: string, place: Place): Promise<ChildProcess> {
  const script = `hold.holdFolder(${JSON.stringify(dir)}); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(...words(place, script), { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout!.once('data', resolve));
  return child;
}

/** What another process is told that wants the directory by each of these paths, one line each. */
function attempt(paths: readonly string[], place: Place, bind: readonly string[]): Promise<string[]> {
  const script = `for (const path of ${JSON.stringify(paths)}) for (const how of ['holdFolder', 'shareFolder'])
    try { hold[how](path, 0); console.log('held') } catch (e) { console.log(e.code, e.message) }`;
  const child = spawn(...words(place, script, bind), { stdio: ['ignore', 'pipe', 'inherit'] });
  let told = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    told += text;
  });
  return new Promise((resolve) => child.once('close', () => resolve(told.trim().split('\n'))));
}

t.test('PID namespaces', { skip: hasNoNamespaces }, async (t) => {
  const { stdout } = spawnSync(...inNamespace('sh', ['-c', 'echo $$']), { encoding: 'utf8' });
  t.equal(stdout.trim(), '1', 'what runs in one is PID 1');
});

t.test('a second process, by every path, from every namespace', async (t) => {
  const dir = t.testdir({ data: {}, bound: {} });
  symlinkSync('data', join(dir, 'link'));
  for (const holds of places) await tryAll(t, dir, holds);
});

async function tryAll(t: Test, dir: string, holds: Place): Promise<void> {
  const data = join(dir, 'data');
  const first = await holder(t, data, holds);
  for (const place of places) {
    const bound = join(dir, 'bound');
    const paths = [data, `${data}/.`, join(dir, 'link'), ...(place === 'here' ? [] : [bound])];
    const told = await attempt(paths, place, [data, bound]);
    t.equal(
      told.length,
      2 * paths.length,
      `${holds}: ${place}, to write and to look, by ${paths.length} paths`,
    );
    for (const line of told) t.match(line, /^DATA_LOCKED process \d+ on \S+ uses/);
  }
  const ended = new Promise((resolve) => first.once('exit', resolve));
  first.kill('SIGKILL');
  await ended;
  t.match(readFileSync(join(data, 'lock'), 'utf8'), /process \d+ on/, 'killed, it left its name');
  holdFolder(data).release();
}

t.test('after kill -9 under a parent that never asks for it: a zombie holds nothing', async (t) => {
  const dir = t.testdir();
  const script = `hold.holdFolder(${JSON.stringify(dir)}); console.log(process.pid); setInterval(() => {}, 1000);`;
  const [node, args] = words('here', script);
  // the shell becomes a program that knows nothing of its child
  const parent = spawn('/bin/sh', ['-c', '"$0" "$@" & exec sleep 60', node, ...args], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  t.teardown(() => parent.kill('SIGKILL'));
  const pid = Number(await new Promise<string>((resolve) => parent.stdout.once('data', resolve)));
  t.throws(() => holdFolder(dir, 0), { code: 'DATA_LOCKED' }, 'it lives');
  process.kill(pid, 'SIGKILL');
  holdFolder(dir).release(); // at once: while its threads end, or thereafter
  t.match(readFileSync(`/proc/${pid}/stat`, 'utf8'), /\) Z /, 'a zombie has its number');
});

t.test('what a lock file says holds nobody up', (t) => {
  for (const text of ['', `${process.pid} 12345\n`, `0123456789abcdef process ${process.pid} on x\n`, '\0']) {
    const dir = t.testdir({ lock: text });
    holdFolder(dir).release();
    t.equal(readFileSync(join(dir, 'lock'), 'utf8'), '');
  }
  t.end();
});

t.test('a copy of a directory that is held is another one, its lock file a copy', (t) => {
  const dir = t.testdir({ data: {} });
  const first = holdFolder(join(dir, 'data'));
  cpSync(join(dir, 'data'), join(dir, 'copy'), { recursive: true });
  const second = holdFolder(join(dir, 'copy'));
  t.not(second.mark.number, first.mark.number);
  second.release();
  first.release();
  t.end();
});

t.test('many may look, while nobody writes', (t) => {
  const dir = t.testdir();
  holdFolder(dir).release();
  const looks = [shareFolder(dir), shareFolder(dir)];
  t.throws(() => holdFolder(dir, 0), { code: 'DATA_LOCKED' });
  for (const end of looks) end();
  const held = holdFolder(dir);
  t.throws(() => shareFolder(dir, 0), { code: 'DATA_LOCKED' });
  held.release();
  rmSync(join(dir, 'lock'));
  shareFolder(dir)(); // a copy on a medium that cannot be written has none
  t.end();
});

/** A directory with a world in it, held and claimed by this process, as a server does. */
async function serve(dir: string) {
  const folder = await openDataFolder(dir);
  openBook(folder.engine, WORLD, () => new Uint8Array(32), dir);
  folder.engine.claim();
  return folder;
}

function commit(engine: Engine, tick: number): Promise<string> {
  return new Promise((resolve) =>
    engine.commit([metaWrite('durableTick', [tick])], (trouble) =>
      resolve(trouble === null ? 'done' : ((trouble as NodeJS.ErrnoException).code ?? trouble.message)),
    ),
  );
}

t.test('where locks do not hold, the older server stops at its next transaction', async (t) => {
  for (const way of ['the file says so', 'only the database says so'] as const) {
    const dir = join(t.testdir(), way.replaceAll(' ', '-'));
    const older = await serve(dir);
    const writer = new ApartEngine(older.engine, dir, older.hold);
    const told: string[] = [];
    writer.onTaken = ({ message }) => told.push(message);
    t.equal(await commit(writer, 10), 'done');
    // As a file system without locks: the newer one is let in.
    const text = readFileSync(join(dir, 'lock'));
    rmSync(join(dir, 'lock'));
    const newer = await serve(dir);
    t.equal(numbers(newer.engine, 'durableTick', dir)[0], 10);
    const newText = readFileSync(join(dir, 'lock'));
    if (way === 'only the database says so') writeFileSync(join(dir, 'lock'), text);
    t.equal(await commit(writer, 11), 'DATA_TAKEN', way);
    t.equal(told.length, 1);
    await t.rejects(writer.copy(join(dir, 'copy')), { code: 'DATA_TAKEN' });
    writeFileSync(join(dir, 'lock'), newText);
    t.equal(await commit(newer.engine, 12), 'done', 'the newer one goes on');
    newer.engine.refresh();
    t.equal(numbers(newer.engine, 'durableTick', dir)[0], 12);
    newer.release();
    await writer.close();
    older.release();
  }
});

t.test('the database is asked inside of the transaction: no number, no write', async (t) => {
  const dir = join(t.testdir(), 'data');
  const { engine, release } = await serve(dir);
  engine.commit([{ table: 'meta', key: 'holder', value: new Uint8Array(20) }], () => {});
  t.match(await commit(engine, 5), /wrong checksum/);
  await engine.close();
  release();
});

t.test('a lock file that was removed is put back, and locks again', async (t) => {
  const dir = join(t.testdir(), 'data');
  const { engine, release } = await serve(dir);
  rmSync(join(dir, 'lock'));
  t.equal(await commit(engine, 5), 'done');
  t.throws(() => holdFolder(dir, 0), { code: 'DATA_LOCKED' });
  await engine.close();
  release();
});

t.test(
  'a directory that is gone, moved or replaced: nothing counts as written, until it is back',
  async (t) => {
    const dir = join(t.testdir({ data: {} }), 'data');
    const { engine, release } = await serve(dir);
    t.equal(await commit(engine, 5), 'done');
    spawnSync('mv', [dir, `${dir}.away`]);
    t.match(await commit(engine, 6), /gone or was replaced/);
    mkdirSync(dir);
    t.match(await commit(engine, 6), /gone or was replaced/);
    cpSync(`${dir}.away`, dir, { recursive: true });
    t.match(await commit(engine, 6), /another file now/);
    await t.rejects(engine.copy(join(dir, 'copy')), /another file now/, 'nor is it copied');
    rmSync(dir, { recursive: true });
    spawnSync('mv', [`${dir}.away`, dir]);
    t.equal(await commit(engine, 6), 'done');
    await engine.close();
    release();
    const seen = openReadOnly(dir);
    t.equal(numbers(seen, 'durableTick', dir)[0], 6);
    await seen.close();
  },
);

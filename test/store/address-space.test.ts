/** A limit of the address space below what LMDB would map: a smaller map, or a sentence; never the end of the process. */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';

const FOLDER = new URL('../../src/store/data-folder.js', import.meta.url).href;

for (const [gib, expected] of [
  [20, 'opened'],
  [3, 'DATA_NO_ROOM'],
] as const)
  t.test(`${gib} GiB`, (t) => {
    const script = `import { openDataFolder } from ${JSON.stringify(FOLDER)};
      try { const { engine, release } = await openDataFolder(${JSON.stringify(join(t.testdir(), 'data'))});
        await engine.close(); release(); console.log('opened') } catch (e) { console.log(e.code) }`;
    const words = [
      '-c',
      `ulimit -v ${gib * 2 ** 20} && exec "$0" --input-type=module -e "$1"`,
      process.execPath,
      script,
    ];
    const { stdout, status, signal } = spawnSync('sh', words, { encoding: 'utf8' });
    t.same({ told: stdout.trim(), status, signal }, { told: expected, status: 0, signal: null });
    t.end();
  });

/** The list of benchmarks: each is there under its name, and each of its flags is explained. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { command, load, NAMES } from '../../bench/benches.js';
import { helpOf } from '../../src/base/flags.js';
import { ROOT } from '../house/source.js';

t.test('every benchmark is listed, and says what its flags mean', async (t) => {
  const files = readdirSync(join(ROOT, 'bench')).filter((file) => /\.ts$/.test(file));
  const rest = ['main.ts', 'benches.ts', 'plot.ts', 'real.ts'];
  t.same(
    NAMES,
    files
      .filter((file) => !rest.includes(file))
      .map((file) => file.slice(0, -3))
      .sort(),
  );
  for (const name of NAMES) {
    const bench = await load(name);
    t.equal(bench.name, name);
    const { flags } = command(bench);
    t.same(
      flags.filter(({ help }) => help === '').map((flag) => flag.name),
      [],
      `flags of ${name}`,
    );
    t.match(helpOf(command(bench)), new RegExp(`Examples:\\n {2}npm run bench -- ${name}\\b`));
  }
});

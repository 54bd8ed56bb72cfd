/** The flags of Node: `npm start` gives them, and threads keep their own limits under them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import t from 'tap';
import { NODE_FLAGS } from '../../src/base/node-flags.js';

const MODULE = new URL('../../src/base/node-flags.js', import.meta.url).href;
const YOUNG_MB = 32;
/** Makes objects that live for a while, in the main thread and in one of its own; tells how large young ones may grow. */
const PROGRAM = `
import { Worker, isMainThread, parentPort } from 'node:worker_threads';
import v8 from 'node:v8';
import { leaveThreadsTheirLimits } from '${MODULE}';
const youngMb = () => v8.getHeapSpaceStatistics().find((space) => space.space_name === 'new_space').space_size / 2 ** 20;
const churn = () => {
  let [kept, most] = [[], 0];
  for (let i = 0; i < 2e6; i++) {
    kept.push({ i, list: [i] });
    if (kept.length > 150_000) kept = kept.slice(75_000);
    if (i % 10_000 === 0) most = Math.max(most, youngMb());
  }
  return most;
};
if (isMainThread) {
  leaveThreadsTheirLimits();
  const url = new URL('data:text/javascript,' + encodeURIComponent(process.env.PROGRAM));
  const worker = new Worker(url, { resourceLimits: { maxYoungGenerationSizeMb: ${YOUNG_MB} } });
  worker.on('message', (thread) => console.log(JSON.stringify({ thread, main: churn() })));
} else parentPort.postMessage(churn());
`;

t.test('npm start gives them', async (t) => {
  const { scripts } = JSON.parse(readFileSync('package.json', 'utf8')) as { scripts: Record<string, string> };
  t.ok(NODE_FLAGS.length > 0);
  t.ok(scripts.start.endsWith(`&& exec node ${NODE_FLAGS.join(' ')} dist/src/main.js`), scripts.start);
  t.equal(
    scripts.debug,
    scripts.start.replace('exec node', 'exec node --inspect'),
    'and npm run debug the same',
  );
});

t.test('the main thread has a larger young generation, a thread what it was given', async (t) => {
  const argv = [...NODE_FLAGS, '--input-type=module', '--eval', PROGRAM];
  const { stdout, stderr } = spawnSync(process.execPath, argv, { encoding: 'utf8', env: { PROGRAM } });
  t.equal(stderr, '');
  const { thread, main } = JSON.parse(stdout) as { thread: number; main: number };
  t.ok(thread > 1 && thread <= YOUNG_MB, `thread ${thread} MB`);
  t.ok(main > 2 * YOUNG_MB, `main ${main} MB`);
});

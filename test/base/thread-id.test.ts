/** A thread's nice value is its own, and what the system does not permit leaves it as it was. */
import { getPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { kernelThreadId, setThreadNice } from '../../src/base/thread-id.js';

const MODULE = new URL('../../src/base/thread-id.js', import.meta.url).href;
const PROGRAM = `
import { getPriority } from 'node:os';
import { parentPort } from 'node:worker_threads';
import { kernelThreadId, setThreadNice } from '${MODULE}';
const nice = setThreadNice(7);
parentPort.postMessage({ nice, told: getPriority(kernelThreadId()) });
`;

t.test('a thread gets a nice value, the others keep theirs', { skip: kernelThreadId() === 0 }, async (t) => {
  const before = getPriority(kernelThreadId());
  const worker = new Worker(new URL(`data:text/javascript,${encodeURIComponent(PROGRAM)}`));
  const said = await new Promise((resolve, reject) => worker.on('message', resolve).on('error', reject));
  t.same(said, { nice: 7, told: 7 });
  t.equal(getPriority(kernelThreadId()), before);
});

t.test('what is not permitted is not said to be so', async (t) => {
  const before = kernelThreadId() === 0 ? 0 : getPriority(kernelThreadId());
  const refused = () => {
    throw new Error('EACCES: permission denied');
  };
  t.equal(setThreadNice(-10, refused), before);
});

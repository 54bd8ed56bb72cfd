/**
 * A tick allocates nothing for an entity: a heap that does not grow is a heap that is not collected, and no tick is late
 * for a collection. Measured in processes of their own, without a collection in between; how many bytes a tick takes does
 * not depend on the machine's speed.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

// Ten thousand ticks of 5 000 entities, on a machine that may be busy.
t.setTimeout(600_000);

const CHILD = fileURLToPath(new URL('./allocation-child.js', import.meta.url));
const FLAGS = [
  '--expose-gc',
  // A young generation that holds the growth of the whole run, so that nothing is collected during it.
  '--min-semi-space-size=64',
  '--max-semi-space-size=64',
  // Compiled where it is called: on a busy machine a thread of its own would finish only after the warm-up.
  '--no-concurrent-recompilation',
];
/** What may be left: once a second some iterators over tiles, whatever the number of entities. */
const MOST_BYTES = 64;

interface Figures {
  /** Heap that a tick takes, above the same loop without it. */
  bytes: number;
  collections: number;
  entities: number;
  /** Messages to the gateway: an idle shard would allocate nothing, too. */
  records: number;
}

async function measure(entities: number, plant: 'none' | 'entity' | 'tick'): Promise<Figures> {
  const { stdout } = await promisify(execFile)(process.execPath, [...FLAGS, CHILD, `${entities}`, plant]);
  return JSON.parse(stdout) as Figures;
}

for (const entities of [100, 5000]) {
  t.test(`${entities} entities that walk and are watched`, { timeout: 500_000 }, async (t) => {
    const figures = await measure(entities, 'none');
    t.comment(JSON.stringify(figures));
    t.equal(figures.entities, entities, 'none is lost');
    t.ok(figures.records > entities, 'their neighbours are told of them');
    t.equal(figures.collections, 0, 'nothing was collected meanwhile');
    t.ok(figures.bytes <= MOST_BYTES, `a tick takes ${figures.bytes} bytes`);
  });
}

t.test('what is allocated on purpose is found', { timeout: 500_000 }, async (t) => {
  const entity = await measure(100, 'entity');
  t.ok(entity.bytes > 100 * 16, `an object for each entity: ${entity.bytes} bytes`);
  const tick = await measure(100, 'tick');
  t.ok(tick.bytes > MOST_BYTES, `one of 96 bytes a tick: ${tick.bytes} bytes`);
});

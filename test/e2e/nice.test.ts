/** The shards' threads get the nice value that was asked for, nobody else does. */
import { readFileSync } from 'node:fs';
import { getPriority } from 'node:os';
import t from 'tap';
import { Server } from './server.js';

const METRIC = /^bluemarble_shard_(nice|thread_id)\{shard="(\d)"\} (-?\d+)$/gm;

t.test('--shard-nice', { skip: process.platform !== 'linux' }, async (t) => {
  const own = getPriority();
  const wanted = Math.min(19, own + 4); // upwards it is always permitted
  const server = await Server.start(t, ['--shards', '2', '--pin-shards', '--shard-nice', String(wanted)]);
  const text = await (await fetch(`${server.admin}/metrics`)).text();
  const told = new Map(
    [...text.matchAll(METRIC)].map(([, name, shard, value]) => [name + shard, Number(value)]),
  );
  const stat = (name: string) => readFileSync(`/proc/${server.pid}/task/${name}/stat`, 'utf8');
  for (const shard of [0, 1]) {
    const thread = told.get(`thread_id${shard}`)!;
    t.equal(told.get(`nice${shard}`), wanted);
    t.equal(getPriority(thread), wanted);
    t.match(stat(String(thread)), /^\d+ \(/, 'a thread of the server');
  }
  t.equal(getPriority(server.pid), own, 'the main thread');
  await server.stop();
});

/** Work in the quiet: a thread wakes once a second for all of it; in company everything keeps its own pace. */
import t from 'tap';
import { paced } from '../../src/memory/pace.js';
import { SHARD_STATE } from '../../src/memory/shard-block.js';
import { VirtualTime } from '../simulation/time.js';

function begun(isResting: boolean) {
  const time = new VirtualTime();
  const block = { isResting, state: SHARD_STATE.RUNNING } as never;
  const pacing = { clock: time, timers: time, world: { shardBlocks: [block] } };
  const ran = new Map<string, number[]>();
  const begin = (name: string, ms: number) => {
    ran.set(name, []);
    return paced(pacing, ms, () => ran.get(name)!.push(time.now()));
  };
  return { time, ran, begin };
}

t.test('begun at odd times, in the quiet everything is done on the same beats, each second', (t) => {
  const { time, ran, begin } = begun(true);
  begin('leases', 100);
  time.advance(333.25);
  begin('plan', 500);
  time.advance(712.5);
  begin('sample', 1000);
  time.advance(6000);
  t.same(ran.get('leases'), [1000, 2000, 3000, 4000, 5000, 6000]);
  // A timer waits for whole milliseconds: the first beat is met within one.
  for (const [name, first] of [
    ['plan', 1000.25],
    ['sample', 2000.5],
  ] as const) {
    const [one, ...others] = ran.get(name)!;
    t.equal(one, first, name);
    t.ok(others.length >= 3, name);
    for (const at of others) t.ok(at % 1000 < 1, `${name} at ${at}`);
  }
  t.end();
});

t.test('in company each keeps its own pace; what has ended does nothing more', (t) => {
  const { time, ran, begin } = begun(false);
  const end = begin('leases', 100);
  begin('plan', 500);
  time.advance(1000);
  t.equal(ran.get('leases')!.length, 10);
  t.same(ran.get('plan'), [500, 1000]);
  end();
  time.advance(2000);
  t.equal(ran.get('leases')!.length, 10);
  t.equal(ran.get('plan')!.length, 4);
  t.end();
});

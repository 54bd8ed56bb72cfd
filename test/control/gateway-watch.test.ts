/** A gateway thread that hangs is noticed; one that is quiet, or a watcher that did not run, raises no alarm. */
import t from 'tap';
import { GATEWAY_SILENT_MS, GatewayWatch } from '../../src/control/gateway-watch.js';
import { GATEWAY_STATE, GatewayBlock } from '../../src/memory/gateway-block.js';
import { FakeLog, FakeTime } from './fakes.js';

t.test(
  'a heartbeat that stands still is an alarm, and the server is not ready until it goes on',
  async (t) => {
    const time = new FakeTime();
    const log = new FakeLog();
    const blocks = [GatewayBlock.create(), GatewayBlock.create()];
    for (const block of blocks) block.state = GATEWAY_STATE.RUNNING;
    const watch = new GatewayWatch(blocks, time, log);
    const live = (ms: number, ...beating: number[]) => {
      for (let passed = 0; passed < ms; passed += 250) {
        for (const gateway of beating) blocks[gateway]!.beat();
        time.advance(250);
        watch.look();
      }
    };
    live(1_000, 0, 1);
    live(GATEWAY_SILENT_MS - 250, 0);
    t.same(watch.reasons, []);
    live(500, 0);
    t.match(watch.reasons, [/gateway 1 hangs/]);
    live(5_000, 0);
    t.equal(log.of('fatal').length, 1, 'told once');
    live(500, 0, 1);
    t.same(watch.reasons, []);
    time.advance(60_000); // the process was stopped
    watch.look();
    t.same(watch.reasons, []);
    blocks[0]!.state = GATEWAY_STATE.CLOSING;
    live(10_000, 1);
    t.same(watch.reasons, [], 'one that ends is not awaited');
  },
);

t.test(
  'what uses its own time hangs after three seconds of it, what gets none has half a minute',
  async (t) => {
    const rows: [what: string, share: number | null, fromMs: number, toMs: number][] = [
      ['a core of its own', 1, 3_000, 3_500],
      ['half of a core', 0.5, 6_000, 6_500],
      ['no core, or it sleeps', 0, 30_000, 30_500],
      ['nothing is told', null, 30_000, 30_500],
    ];
    for (const [what, share, fromMs, toMs] of rows) {
      const time = new FakeTime();
      const block = GatewayBlock.create();
      block.state = GATEWAY_STATE.RUNNING;
      const hung: number[] = [];
      const begun = time.now();
      const cpuMs = () => (share === null ? -1 : (time.now() - begun) * share);
      const watch = new GatewayWatch([block], time, new FakeLog(), cpuMs, () => {
        hung.push(time.now() - begun);
        return true;
      });
      watch.look();
      for (let ms = 0; ms < 60_000; ms += 250) {
        time.advance(250);
        watch.look();
      }
      t.equal(hung.length, 1, `${what}: told once`);
      t.ok(hung[0]! >= fromMs && hung[0]! <= toMs, `${what}: after ${hung[0]} ms`);
    }
  },
);

t.test('one that stood in a debugger for a minute is not given up, and goes on', async (t) => {
  const time = new FakeTime();
  const block = GatewayBlock.create();
  block.state = GATEWAY_STATE.RUNNING;
  const log = new FakeLog();
  const watch = new GatewayWatch(
    [block],
    time,
    log,
    () => -1,
    () => false,
  );
  for (let ms = 0; ms < 60_000; ms += 250) {
    time.advance(250);
    watch.look();
  }
  t.match(watch.reasons, [/gateway 0 hangs/]);
  block.beat();
  time.advance(250);
  watch.look();
  t.same(watch.reasons, [], 'ready again');
  t.equal(log.of('info').length, 1, 'and told');
});

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

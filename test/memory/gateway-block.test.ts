/** The gateway block: words, counters, closes by code, doorbell. */
import t from 'tap';
import {
  GATEWAY_COUNTER,
  GATEWAY_GAUGE,
  GATEWAY_STATE,
  GatewayBlock,
} from '../../src/memory/gateway-block.js';

t.test('no two fields share a word', (t) => {
  const block = GatewayBlock.from(GatewayBlock.create().sab);
  const write: [() => void, () => unknown][] = [
    [() => (block.state = GATEWAY_STATE.RUNNING), () => block.state],
    [() => block.ring(), () => block.doorbell],
  ];
  for (const c of Object.values(GATEWAY_COUNTER))
    write.push([() => block.count(c, c + 1), () => block.counter(c)]);
  for (const g of Object.values(GATEWAY_GAUGE))
    write.push([() => block.setGauge(g, g + 0.5), () => block.gauge(g)]);
  for (let c = 4000; c <= 4062; c++) write.push([() => block.countClose(c), () => block.closes(c)]);
  const seen: unknown[] = [];
  for (const [set, get] of write) {
    set();
    seen.push(get());
    t.strictSame(
      write.slice(0, seen.length).map(([, get]) => get()),
      seen,
    );
  }
  for (const odd of [1000, 3999, 4063, 4064, 70_000]) block.countClose(odd);
  t.equal(block.closes(1006), 5, 'codes beyond the table are counted together');
  t.end();
});

t.test('a waiting gateway is woken by a ring, and does not wait when rung already', async (t) => {
  const block = GatewayBlock.create();
  const seen = block.doorbell;
  const waiting = block.whenRung(seen, 60_000);
  t.ok(waiting);
  block.ring();
  t.equal(await waiting, 'ok');
  t.equal(block.whenRung(seen, 60_000), undefined);
  t.throws(() => GatewayBlock.from(new SharedArrayBuffer(1024)), { message: /magic/ });
});

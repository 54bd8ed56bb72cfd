/** The fan-out bench: its arithmetic, its field, and one small run in which frames really arrive. Timing is not judged. */
import t from 'tap';
import { FANOUT_DEFAULTS, fanout } from '../../bench/fanout.js';
import { cpuOfStat } from '../../bench/fanout/children.js';
import { cellOfClient, makeField, placeOf } from '../../bench/fanout/field.js';
import {
  compare,
  floorOptions,
  median,
  perClientFrame,
  type Run,
  sumOf,
  type Window,
  windowOf,
} from '../../bench/fanout/figures.js';
import { emptyCounts } from '../../bench/fanout/talk.js';
import { columnOfCell, rowOfCell } from '../../src/geo/cell.js';
import { dx } from '../../src/geo/world.js';

/** 100 clients for 2 s at 10 Hz: 2000 client frames. */
function window(cpuUs: number, actions = 0): Window {
  return {
    seconds: 2,
    cpuUs,
    clients: 100,
    frames: { messages: 18_000, bytes: 3_600_000 },
    selfUpdates: { messages: 1000, bytes: 120_000 },
    replies: { messages: 200, bytes: 8000 },
    actions,
    pings: 200,
    statesPerClient: 1000,
    lateness: [],
  };
}

t.test('a window is the difference of two readings', (t) => {
  const before = {
    ...emptyCounts(),
    frames: { messages: 5, bytes: 500 },
    sampleStates: 100,
    sample: 5,
    actions: 1,
  };
  const after = {
    ...emptyCounts(),
    frames: { messages: 25, bytes: 2500 },
    sampleStates: 1100,
    sample: 5,
    actions: 4,
    open: 100,
  };
  const w = windowOf(before, after, 2, 77);
  t.same(w.frames, { messages: 20, bytes: 2000 });
  t.equal(w.actions, 3);
  t.equal(w.clients, 100);
  t.equal(w.statesPerClient, 200, 'for each client of the sample');
  const both = sumOf(w, w);
  t.equal(both.seconds, 4);
  t.equal(both.cpuUs, 154);
  t.same(both.frames, { messages: 40, bytes: 4000 });
  t.equal(both.statesPerClient, 400);
  t.end();
});

t.test('what the floor is told is what the server was seen to send', (t) => {
  const field = makeField('spread', 100, 50);
  t.same(floorOptions(field, window(1), 10), {
    field,
    framesPerSecond: 10,
    cellsPerClient: 9,
    frameBytes: 200,
    selfUpdatesPerFrame: 0.5,
    selfUpdateBytes: 120,
    repliesPerSecond: 1,
    replyBytes: 40,
    answersAtOnce: false,
  });
  t.same(perClientFrame(window(1), 10), { bytes: 1864, sends: 9.6, neighbours: 50 });
  t.end();
});

t.test('ratio: the median of the pairs; an action costs the difference', (t) => {
  const run = (active: number, silent: number): Run => ({
    active: window(active, 100),
    silent: window(silent),
  });
  const servers = [run(30_000, 26_000), run(60_000, 56_000), run(24_000, 20_000)];
  const floors = [run(20_000, 20_000), run(50_000, 50_000), run(20_000, 20_000)];
  const figures = compare(servers, floors, 10);
  t.same(figures.ratios, [1.5, 1.2, 1.2]);
  t.equal(figures.ratio, 1.2);
  t.equal(figures.ratioSilent, 1.12);
  t.equal(figures.serverUsPerClientFrame, 15);
  t.equal(figures.floorUsPerClientFrame, 10);
  t.equal(figures.usPerAction, 40);
  t.equal(median([4, 1, 3, 2]), 2.5);
  t.end();
});

t.test('CPU time is user and system of the whole process, whatever its name', (t) => {
  const stat = '42 (a ) b) S 1 42 42 0 -1 4194304 100 0 0 0 150 25 7 8 20 0 12 0 1000';
  t.equal(cpuOfStat(stat), 1_750_000);
  t.end();
});

t.test('the field gives the wanted neighbours', (t) => {
  for (const layout of ['spread', 'cell', 'border'] as const) {
    const field = makeField(layout, 1000, 50);
    const cells = Array.from({ length: field.clients }, (_, i) => cellOfClient(field, i));
    let pairs = 0;
    for (const a of cells)
      for (const b of cells)
        if (Math.abs(columnOfCell(a) - columnOfCell(b)) <= 1 && Math.abs(rowOfCell(a) - rowOfCell(b)) <= 1)
          pairs++;
    const seen = pairs / cells.length - 1;
    t.ok(Math.abs(seen - 50) < 5, `${layout}: ${seen}`);
  }
  const field = makeField('spread', 1000, 50);
  for (let i = 0; i < 1000; i++) {
    const { x, y } = placeOf(field, i);
    if (Math.abs(dx(field.x, x)) > field.side / 2 || Math.abs(y - field.y) > field.side / 2)
      t.fail(`client ${i} stands outside`);
  }
  t.end();
});

t.test('a small run: frames of everybody arrive, from the server and from the floor', async (t) => {
  const clients = 50;
  const result = await fanout({
    ...FANOUT_DEFAULTS,
    clients,
    neighbours: 60,
    seconds: 2,
    warmSeconds: 1,
    pairs: 1,
  });
  const n = result as unknown as Record<string, number>;
  t.equal(n.clients, clients);
  t.ok(
    n.neighbours! > 0.8 * (clients - 1) && n.neighbours! < 1.2 * (clients - 1),
    `${n.neighbours} neighbours`,
  );
  t.ok(n.sendsPerClientPerFrame! >= 1, `${n.sendsPerClientPerFrame} messages a frame`);
  // Who only walks is told in an EntityMove of 16 bytes (schemas/server.fbs).
  t.ok(n.bytesPerClientPerFrame! > 16 * clients * 0.8, `${n.bytesPerClientPerFrame} bytes a frame`);
  t.ok(n.actionsPerClientPerSecond! > 0.3, 'clients act');
  const { fanout: figures } = result as { fanout: Record<string, number> };
  for (const name of ['floorUsPerClientFrame', 'serverUsPerClientFrame', 'ratio', 'ratioSilent'])
    t.ok(figures[name]! > 0, name);
  t.ok(Number.isFinite(figures['usPerAction']), 'usPerAction');
});

/** Thread of view.test.ts: publishes views of 8 cells with 8 rows each, as fast as it can; x of every row is the tick. */
import { workerData } from 'node:worker_threads';
import { ViewWriter } from '../../src/memory/view.js';

const { sab, views } = workerData as { sab: SharedArrayBuffer; views: number };
const writer = ViewWriter.from(sab);

for (let tick = 1; tick <= views; tick++) {
  writer.begin(tick, 1);
  for (let i = 0; i < 64; i++) writer.addRow(writer.cell((i + tick) % 8));
  writer.place();
  for (let i = 0; i < 64; i++) writer.row(writer.cell((i + tick) % 8), i, tick, 0, 0, 0, 0, 0, i, 1, 0, 0);
  writer.publish();
  if (tick === 1) Atomics.notify(writer.i32, 16);
}

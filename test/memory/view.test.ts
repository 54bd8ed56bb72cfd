/** The view against a map of rows by cell, overtaken readers, stamps at their limit, and two threads. */
import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import fc from 'fast-check';
import t from 'tap';
import { ROW, ViewReader, ViewWriter } from '../../src/memory/view.js';

/** Word of buffer b's stamp in a view of given capacity. */
function stampWord(view: ViewReader, buffer: number): number {
  const bytes = (view.sab.byteLength - 128) / 2;
  return (128 + buffer * bytes) / 4 + 4;
}

/** Publishes entities (their id is their place in the list) standing in some cells. */
function publish(
  writer: ViewWriter,
  tick: number,
  cells: readonly number[],
  streams: readonly number[] = [],
): void {
  writer.begin(tick, 7);
  const places = cells.map((cell) => writer.cell(cell));
  for (const place of places) writer.addRow(place);
  for (const cell of streams) writer.setLastSeq(writer.cell(cell), tick);
  writer.place();
  for (const [i, c] of places.entries()) writer.row(c, i, tick, i + 0.5, 1, 2, 3, 4, i, 6, 7, 8);
  writer.publish();
}

/** Ids by cell, as a reader sees them. */
function read(reader: ViewReader): Map<number, number[]> {
  const found = new Map<number, number[]>();
  for (let c = 0; c < reader.cellCount; c++) {
    const rows: number[] = [];
    for (let row = reader.start(c); row < reader.start(c) + reader.count(c); row++) {
      rows.push(reader.f64[(reader.rowByte(row) + ROW.id) >> 3]);
    }
    assert.equal(reader.find(reader.cellAt(c)), c);
    found.set(reader.cellAt(c), rows);
  }
  return found;
}

t.test('a reader finds exactly the rows of each cell, view after view', (t) => {
  const cell = fc.oneof(fc.nat(12), fc.integer({ min: 0, max: 2 ** 35 - 1 }));
  fc.assert(
    fc.property(fc.array(fc.array(cell, { maxLength: 30 }), { minLength: 1, maxLength: 6 }), (views) => {
      const reader = ViewReader.create(30, 33);
      const writer = ViewWriter.from(reader.sab);
      assert.equal(reader.open(), false, 'nothing published');
      views.forEach((cells, tick) => {
        const extra = [2 ** 35, 2 ** 35 + 1];
        publish(writer, tick + 1, cells, extra);
        assert.ok(reader.open());
        assert.equal(reader.tick, tick + 1);
        assert.equal(reader.publisher, 7);
        assert.equal(reader.rowCount, cells.length);
        const wanted = new Map<number, number[]>(extra.map((cell) => [cell, []]));
        for (const [id, cell] of cells.entries()) wanted.set(cell, [...(wanted.get(cell) ?? []), id]);
        const found = read(reader);
        assert.deepEqual(new Map([...found].sort()), new Map([...wanted].sort()));
        assert.equal(reader.lastSeq(reader.find(extra[0])), tick + 1);
        for (const other of [13, 2 ** 34 + 12345])
          if (!wanted.has(other)) assert.equal(reader.find(other), -1);
        assert.ok(reader.valid());
        assert.deepEqual(new Set(writer.cellsOfLast()), new Set(wanted.keys()));
      });
    }),
    { numRuns: 100 },
  );
  t.end();
});

t.test('every field of a row comes out as it went in', (t) => {
  const reader = ViewReader.create(1, 1);
  const writer = ViewWriter.from(reader.sab);
  writer.begin(1, 2);
  const c = writer.cell(5);
  writer.addRow(c);
  writer.place();
  writer.row(c, 2 ** 53 - 1, -1.25, 2.5, 0.5, -0.5, 0xffffffff, 1, 65535, 0xfffffffe, 65535, 65534);
  writer.publish();
  reader.open();
  const at = reader.rowByte(reader.start(reader.find(5)));
  t.strictSame(
    [reader.f64[(at + ROW.id) >> 3], reader.f64[(at + ROW.x) >> 3], reader.f64[(at + ROW.y) >> 3]],
    [2 ** 53 - 1, -1.25, 2.5],
  );
  t.strictSame([reader.f32[(at + ROW.vx) >> 2], reader.f32[(at + ROW.vy) >> 2]], [0.5, -0.5]);
  t.strictSame([reader.u32[(at + ROW.pub0) >> 2], reader.u32[(at + ROW.pub1) >> 2]], [0xffffffff, 1]);
  t.strictSame([reader.i32[(at + ROW.slot) >> 2], reader.u32[(at + ROW.epoch) >> 2]], [65535, 0xfffffffe]);
  t.strictSame([reader.u16[(at + ROW.kind) >> 1], reader.u16[(at + ROW.flags) >> 1]], [65535, 65534]);
  t.end();
});

t.test('a reader keeps its view for a whole tick, and is told when it is overtaken', (t) => {
  const reader = ViewReader.create(4, 4);
  const writer = ViewWriter.from(reader.sab);
  publish(writer, 1, [1]);
  reader.open();
  writer.begin(2, 7);
  t.ok(reader.valid(), 'the other buffer is being filled');
  writer.place();
  writer.publish();
  t.ok(reader.valid(), 'there is a newer one, ours is untouched');
  writer.begin(3, 7);
  t.notOk(reader.valid(), 'ours is being filled');
  t.ok(reader.open());
  t.ok(reader.valid());
  t.equal(reader.tick, 2);
  t.end();
});

t.test('a writer that dies in the middle leaves the last view; its replacement goes on', (t) => {
  const reader = ViewReader.create(4, 4);
  const dead = ViewWriter.from(reader.sab);
  publish(dead, 1, [1, 1, 2], [3]);
  dead.begin(2, 7);
  dead.addRow(dead.cell(99));
  const writer = ViewWriter.from(reader.sab);
  t.strictSame(writer.cellsOfLast(), [1, 2, 3]);
  reader.open();
  t.equal(reader.find(99), -1);
  t.equal(reader.count(reader.find(1)), 2);
  publish(writer, 3, [4]);
  t.ok(reader.valid());
  reader.open();
  t.equal(reader.find(99), -1, 'the half-written view left no cell');
  t.equal(reader.count(reader.find(4)), 1);
  t.end();
});

t.test('stamps at their limit: old places do not come back', (t) => {
  for (const stamp of [2 ** 31 - 3, 2 ** 31 - 2, 2 ** 31 - 1]) {
    const reader = ViewReader.create(4, 4);
    for (const buffer of [0, 1]) reader.i32[stampWord(reader, buffer)] = stamp;
    const writer = ViewWriter.from(reader.sab);
    for (let tick = 1; tick <= 6; tick++) {
      publish(writer, tick, [tick]);
      reader.open();
      t.equal(reader.count(reader.find(tick)), 1);
      for (let old = 1; old < tick; old++) t.equal(reader.find(old), -1);
    }
    t.ok(reader.i32[stampWord(reader, 0)] > 0);
  }
  t.end();
});

t.test('versions wrap through all Int32 values', (t) => {
  for (const version of [2 ** 31 - 2, -3]) {
    const reader = ViewReader.create(4, 4);
    reader.i32[16] = version;
    reader.i32[17] = version;
    const writer = ViewWriter.from(reader.sab);
    for (let tick = 1; tick <= 4; tick++) {
      publish(writer, tick, [tick]);
      if (!reader.open()) continue; // version 0: for one tick, once in 2^32
      t.equal(reader.tick, tick);
      t.ok(reader.valid());
      writer.begin(99, 7);
      t.ok(reader.valid());
    }
  }
  t.end();
});

t.test('rows and cells at limit − 1, limit, limit + 1', (t) => {
  const writer = ViewWriter.from(ViewReader.create(3, 2).sab);
  publish(writer, 1, [1, 2]);
  publish(writer, 2, [1, 2, 2]);
  writer.begin(3, 7);
  for (const cell of [1, 2]) t.ok(writer.cell(cell) >= 0);
  t.equal(writer.cell(3), -1, 'cells are used up');
  t.ok(writer.cell(1) >= 0, 'known ones are found');
  for (let i = 0; i < 4; i++) writer.addRow(0);
  t.throws(() => writer.place(), { message: /I7/ });
  t.throws(() => ViewReader.from(new SharedArrayBuffer(64)), { message: /magic/ });
  t.end();
});

t.test('garbage in a buffer keeps an overtaken reader inside', (t) => {
  fc.assert(
    fc.property(fc.array(fc.integer(), { minLength: 1, maxLength: 64 }), fc.nat(20), (garbage, cell) => {
      const reader = ViewReader.create(4, 4);
      publish(ViewWriter.from(reader.sab), 1, [1, 2, 3]);
      reader.open();
      for (let at = 32; at < reader.i32.length; at++) reader.i32[at] = garbage[at % garbage.length];
      const c = reader.find(cell);
      assert.ok(c >= -1 && c < 4);
      if (c >= 0) assert.ok(reader.count(c) >= 0 && reader.count(c) <= 4);
    }),
    { numRuns: 100 },
  );
  t.end();
});

t.test('two threads: what valid() lets through is whole', async (t) => {
  const reader = ViewReader.create(64, 64);
  const views = 30_000;
  const worker = new Worker(new URL('./view-writer.js', import.meta.url), {
    workerData: { sab: reader.sab, views },
  });
  const exit = new Promise<number>((resolve) => worker.once('exit', resolve));
  let good = 0;
  let overtaken = 0;
  let torn = 0;
  let last = 0;
  while (last < views) {
    if (!reader.open()) {
      Atomics.wait(reader.i32, 16, 0, 10_000);
      continue;
    }
    const tick = reader.tick;
    let whole = reader.rowCount === 64;
    for (let cell = 0; cell < 8; cell++) {
      const c = reader.find(cell);
      if (c < 0 || reader.count(c) !== 8) whole = false;
      else
        for (let row = 0; row < 8; row++)
          whole &&= reader.f64[(reader.rowByte(reader.start(c) + row) + ROW.x) >> 3] === tick;
    }
    if (!reader.valid()) overtaken++;
    else if (whole && tick >= last) good++;
    else torn++;
    if (tick <= views && reader.valid()) last = Math.max(last, tick);
  }
  t.equal(torn, 0);
  t.ok(good > 0, `${good} whole views, ${overtaken} overtaken`);
  t.equal(await exit, 0);
});

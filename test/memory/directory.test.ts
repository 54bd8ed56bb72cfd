/** The directory against a reference tree: place, release, move, split, merge, in every mixture. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Directory } from '../../src/memory/directory.js';

const BASE = 1; // 4 × 2 tiles
const LEVELS = 2;
const TILES = 8;

type Leaf = number; // shard or −1
type Node = Leaf | Node[];

function leafAt(node: Node, path: number): Leaf {
  let here = node;
  for (let shift = (LEVELS - 1) * 2; Array.isArray(here); shift -= 2) here = here[(path >> shift) & 3];
  return here;
}

t.test('behaves as a tree of owners', (t) => {
  const step = fc.record({
    what: fc.constantFrom('place', 'release', 'move', 'split', 'split', 'merge'),
    tile: fc.nat(TILES - 1),
    path: fc.nat(15),
    depth: fc.nat(LEVELS),
    shard: fc.nat(2),
    other: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const directory = Directory.create(BASE, BASE + LEVELS, 6);
      const tree: Node[] = new Array(TILES).fill(-1);
      let blocks = 0;
      for (const { what, tile, path, depth, shard, other } of steps) {
        const before = directory.version;
        let changed = false;
        // The place of the addressed tile in the reference tree.
        let list: Node[] | null = tree;
        let index = tile;
        for (let level = 0; level < depth && list !== null; level++) {
          const node: Node = list[index];
          list = Array.isArray(node) ? node : null;
          index = (path >> ((LEVELS - 1 - level) * 2)) & 3;
        }
        if (what === 'place') {
          changed = directory.place(tile, shard);
          assert.equal(changed, tree[tile] === -1);
          if (changed) tree[tile] = shard;
        } else if (what === 'release') {
          changed = directory.release(tile, shard);
          assert.equal(changed, tree[tile] === shard);
          if (changed) tree[tile] = -1;
        } else if (what === 'move') {
          changed = directory.move(tile, shard, other);
          assert.equal(changed, tree[tile] === shard);
          if (changed) tree[tile] = other;
        } else if (what === 'split') {
          const owners = [shard, other, shard, other];
          changed = directory.split(tile, path, depth, shard, owners);
          assert.equal(changed, list !== null && list[index] === shard && depth < LEVELS && blocks < 6);
          if (changed && list !== null) {
            list[index] = owners;
            blocks++;
          }
        } else {
          const node: Node | undefined = list?.[index];
          changed = directory.merge(tile, path, depth, shard);
          assert.equal(changed, Array.isArray(node) && !node.some((child) => Array.isArray(child)));
          if (changed && list !== null) {
            list[index] = shard;
            blocks--;
          }
        }
        assert.equal(directory.version, before + (changed ? 1 : 0));
        for (let i = 0; i < TILES; i++) {
          for (let p = 0; p < 16; p++) assert.equal(directory.lookup(i, p), leafAt(tree[i], p));
        }
        for (let s = 0; s < 3; s++) {
          const found: number[] = [];
          directory.tilesOf(s, (tile) => found.push(tile));
          assert.deepEqual(
            found,
            [...tree.keys()].filter((i) => tree[i] === s),
          );
        }
      }
    }),
    { numRuns: 150 },
  );
  t.end();
});

t.test('column and row of the deepest level lead to the same leaf as tile and path', (t) => {
  const directory = Directory.create(BASE, BASE + LEVELS, 8);
  directory.place(6, 0); // column 2, row 1
  t.ok(directory.split(6, 0, 0, 0, [10, 11, 12, 13]));
  t.ok(directory.split(6, 0b0100, 1, 11, [20, 21, 22, 23])); // its north-east child
  t.equal(directory.lookupDeepest(2 * 4 + 0, 4 + 0), 10);
  t.equal(directory.lookupDeepest(2 * 4 + 2, 4 + 0), 20);
  t.equal(directory.lookupDeepest(2 * 4 + 3, 4 + 0), 21);
  t.equal(directory.lookupDeepest(2 * 4 + 2, 4 + 1), 22);
  t.equal(directory.lookupDeepest(2 * 4 + 1, 4 + 3), 12);
  t.equal(directory.lookupDeepest(2 * 4 + 3, 4 + 2), 13);
  t.equal(directory.lookupDeepest(0, 0), -1);
  t.notOk(directory.split(6, 0b0100, 2, 20, [1, 1, 1, 1]), 'the deepest level is not split');
  t.end();
});

t.test('blocks are used up at their limit, and come back with a merge', (t) => {
  const directory = Directory.create(BASE, BASE + LEVELS, 2);
  for (let tile = 0; tile < 3; tile++) directory.place(tile, 0);
  for (let round = 0; round < 5; round++) {
    t.ok(directory.split(0, 0, 0, 0, [0, 0, 0, 0]));
    t.ok(directory.split(1, 0, 0, 0, [1, 1, 1, 1]));
    t.notOk(directory.split(2, 0, 0, 0, [2, 2, 2, 2]), 'no third block');
    t.strictSame(
      [0, 1, 2].map((tile) => directory.lookup(tile)),
      [0, 1, 0],
    );
    t.ok(directory.merge(0, 0, 0, 0));
    t.ok(directory.merge(1, 0, 0, 0));
  }
  t.end();
});

t.test('touched and generated ticks are kept per base tile', (t) => {
  const directory = Directory.from(Directory.create(BASE, BASE).sab);
  directory.touch(7, 5);
  directory.setGeneratedTick(6, 9);
  t.strictSame([directory.touchedTick(7), directory.touchedTick(6)], [5, 0]);
  t.strictSame([directory.generatedTick(7), directory.generatedTick(6)], [0, 9]);
  t.equal(directory.lookup(6), -1);
  t.throws(() => Directory.from(new SharedArrayBuffer(64)), { message: /magic/ });
  t.end();
});

t.test('the planet’s own directory: first and last tile', (t) => {
  const directory = Directory.create();
  const last = directory.columns * (directory.columns / 2) - 1;
  t.equal(directory.columns, 4096);
  t.ok(directory.place(last, 63));
  t.ok(directory.place(0, 0));
  t.strictSame([directory.lookup(last), directory.lookup(0), directory.lookup(1)], [63, 0, -1]);
  t.ok(directory.split(last, 0, 0, 63, [1, 2, 3, 4]));
  t.equal(directory.lookupDeepest(4096 * 4 - 1, 2048 * 4 - 1), 4);
  t.end();
});

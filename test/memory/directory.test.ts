/** The directory against a reference tree: place, release, move, split, merge, in every mixture. */
import assert from 'node:assert/strict';
import fc from 'fast-check';
import t from 'tap';
import { Directory } from '../../src/memory/directory.js';

const BASE = 1; // 4 × 2 tiles
const LEVELS = 2;
const TILES = 8;
const BLOCKS = 6;

type Leaf = number; // shard or −1
type Node = Leaf | Node[];

function leafAt(node: Node, path: number): Leaf {
  let here = node;
  for (let shift = (LEVELS - 1) * 2; Array.isArray(here); shift -= 2) here = here[(path >> shift) & 3];
  return here;
}

interface Step {
  what: 'place' | 'release' | 'move' | 'split' | 'merge';
  tile: number;
  path: number;
  depth: number;
  shard: number;
  other: number;
}

/** The tree that the directory is held to. */
class Reference {
  readonly tree: Node[] = new Array(TILES).fill(-1);
  private blocks = 0;

  /** Does to the tree what `step` should do to the directory. @returns whether anything changed */
  apply({ what, tile, path, depth, shard, other }: Step): boolean {
    if (what === 'place') return this.replace(this.tree, tile, -1, shard);
    if (what === 'release') return this.replace(this.tree, tile, shard, -1);
    if (what === 'move') return this.replace(this.tree, tile, shard, other);
    let list: Node[] = this.tree;
    let index = tile;
    for (let level = 0; level < depth; level++) {
      const node = list[index];
      if (!Array.isArray(node)) return false;
      list = node;
      index = (path >> ((LEVELS - 1 - level) * 2)) & 3;
    }
    if (what === 'split') {
      if (depth >= LEVELS || this.blocks >= BLOCKS) return false;
      const changed = this.replace(list, index, shard, [shard, other, shard, other]);
      if (changed) this.blocks++;
      return changed;
    }
    const node = list[index];
    if (!Array.isArray(node) || node.some((child) => Array.isArray(child))) return false;
    this.blocks--;
    return this.replace(list, index, node, shard);
  }

  private replace(list: Node[], index: number, from: Node, to: Node): boolean {
    if (list[index] !== from) return false;
    list[index] = to;
    return true;
  }
}

function change(directory: Directory, { what, tile, path, depth, shard, other }: Step): boolean {
  if (what === 'place') return directory.place(tile, shard);
  if (what === 'release') return directory.release(tile, shard);
  if (what === 'move') return directory.move(tile, shard, other);
  if (what === 'split') return directory.split(tile, path, depth, shard, [shard, other, shard, other]);
  return directory.merge(tile, path, depth, shard);
}

/** By base tile: its owners, path by path. */
function ownersOf(directory: Directory): string[] {
  return Array.from({ length: TILES }, (_, i) =>
    Array.from({ length: 16 }, (_, p) => directory.lookup(i, p)).join(' '),
  );
}

t.test('behaves as a tree of owners', (t) => {
  const step: fc.Arbitrary<Step> = fc.record({
    what: fc.constantFrom('place', 'release', 'move', 'split', 'split', 'merge'),
    tile: fc.nat(TILES - 1),
    path: fc.nat(15),
    depth: fc.nat(LEVELS),
    shard: fc.nat(2),
    other: fc.nat(2),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
      const directory = Directory.create(BASE, BASE + LEVELS, BLOCKS);
      const reference = new Reference();
      const { tree } = reference;
      for (const step of steps) {
        const before = directory.version;
        const owners = ownersOf(directory);
        const changed = change(directory, step);
        assert.equal(changed, reference.apply(step));
        assert.equal(directory.version, before + (changed ? 1 : 0));
        for (let i = 0; i < TILES; i++) {
          for (let p = 0; p < 16; p++) assert.equal(directory.lookup(i, p), leafAt(tree[i], p));
        }
        const told = new Set<number>();
        assert.ok(directory.forEachChanged(before, directory.version, (tile) => told.add(tile)));
        const now = ownersOf(directory);
        for (let i = 0; i < TILES; i++) if (now[i] !== owners[i]) assert.ok(told.has(i), `tile ${i} changed`);
        const taken: number[] = [];
        directory.forEachTaken((tile) => taken.push(tile));
        assert.deepEqual(
          taken,
          [...tree.keys()].filter((i) => tree[i] !== -1),
        );
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

t.test('more changes than are remembered: anything may have changed', (t) => {
  const directory = Directory.create(BASE, BASE + LEVELS, BLOCKS);
  const first = directory.version;
  directory.place(0, 0);
  for (let i = 1; i < 256; i++) directory.move(0, (i + 1) % 2, i % 2);
  t.equal(directory.version, first + 256);
  t.ok(directory.forEachChanged(first, directory.version, (tile) => t.equal(tile, 0)));
  directory.move(0, 1, 0);
  t.notOk(directory.forEachChanged(first, directory.version, () => {}));
  t.notOk(
    directory.forEachChanged(-1, directory.version, () => {}),
    'a reader that has seen nothing',
  );
  t.end();
});

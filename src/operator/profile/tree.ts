/**
 * Profiles of V8 as trees: `.cpuprofile` (samples) and `.heapprofile` (allocated bytes) become one form, which tables and
 * flame graphs are made from. Time in which a thread sleeps is told apart from time in which it works.
 */

interface CallFrame {
  readonly functionName: string;
  readonly url: string;
  /** From 0. */
  readonly lineNumber: number;
}

export interface CpuProfile {
  readonly nodes: readonly {
    readonly id: number;
    readonly callFrame: CallFrame;
    readonly children?: readonly number[];
  }[];
  /** µs. */
  readonly startTime: number;
  readonly endTime: number;
  readonly samples: readonly number[];
  readonly timeDeltas: readonly number[];
}

interface HeapNode {
  readonly callFrame: CallFrame;
  readonly selfSize: number;
  readonly children: readonly HeapNode[];
}
export interface HeapProfile {
  readonly head: HeapNode;
}

export interface TreeNode {
  readonly name: string;
  /** "shard/tick.js:120", '' for native code. */
  readonly place: string;
  /** µs, or bytes. */
  self: number;
  total: number;
  readonly children: TreeNode[];
}

export interface Profile {
  readonly root: TreeNode;
  /** µs asleep; 0 for heap profiles. */
  readonly sleep: number;
  /** µs from its start to its end; 0 for heap profiles. */
  readonly wall: number;
}

/** Where a thread sleeps: in its event loop, or (a shard) in `Atomics.wait`, which V8 counts for its caller. */
function isSleep({ functionName, url }: CallFrame): boolean {
  if (functionName === '(idle)') return true;
  return functionName === 'wait' && (url === '' || url.endsWith('/memory/shard-block.js'));
}

/** What the profiler does in the thread that it looks at. */
function isOwn({ url }: CallFrame): boolean {
  return url.includes('/operator/profile/');
}

function nodeOf({ functionName, url, lineNumber }: CallFrame, self: number): TreeNode {
  const name = functionName === '' ? '(anonymous)' : functionName;
  return { name, place: placeOf(url, lineNumber), self, total: self, children: [] };
}

/** The end of a path says enough; node's own modules keep their name. */
export function placeOf(url: string, line: number): string {
  if (url === '') return '';
  const path = url
    .replace(/^file:\/\//, '')
    .replace(/^.*\/dist\/(src\/)?/, '')
    .replace(/^.*\/node_modules\//, '');
  return `${path}:${line + 1}`;
}

export function readCpuProfile(profile: CpuProfile): Profile {
  const self = new Map<number, number>();
  for (const [i, id] of profile.samples.entries())
    self.set(id, (self.get(id) ?? 0) + Math.max(0, profile.timeDeltas[i] ?? 0));
  const byId = new Map(profile.nodes.map((node) => [node.id, node]));
  let sleep = 0;
  const build = (id: number): TreeNode | null => {
    const node = byId.get(id);
    if (node === undefined) return null;
    const { callFrame } = node;
    if (isOwn(callFrame)) return null;
    if (isSleep(callFrame)) {
      sleep += self.get(id) ?? 0;
      return null;
    }
    const made = nodeOf(callFrame, self.get(id) ?? 0);
    for (const child of node.children ?? []) adopt(made, build(child));
    return made;
  };
  const root = build(profile.nodes[0]?.id ?? 0);
  if (root === null) throw new Error('a CPU profile without a root');
  return { root: { ...root, name: 'all', place: '' }, sleep, wall: profile.endTime - profile.startTime };
}

export function readHeapProfile({ head }: HeapProfile): Profile {
  const build = (node: HeapNode): TreeNode | null => {
    if (isOwn(node.callFrame)) return null;
    const made = nodeOf(node.callFrame, node.selfSize);
    for (const child of node.children) adopt(made, build(child));
    return made;
  };
  const root = build(head);
  if (root === null) throw new Error('a heap profile without a root');
  return { root: { ...root, name: 'all', place: '' }, sleep: 0, wall: 0 };
}

/** The same function called from one place is one node, whatever V8 compiled it to. */
function adopt(parent: TreeNode, child: TreeNode | null): void {
  if (child === null) return;
  parent.total += child.total;
  const twin = parent.children.find((one) => one.name === child.name && one.place === child.place);
  if (twin === undefined) parent.children.push(child);
  else merge(twin, child);
}

function merge(into: TreeNode, from: TreeNode): void {
  into.self += from.self;
  into.total += from.self;
  for (const child of from.children) {
    into.total += child.total;
    const twin = into.children.find((one) => one.name === child.name && one.place === child.place);
    if (twin === undefined) into.children.push(child);
    else merge(twin, child);
  }
}

export interface TopFunction {
  readonly name: string;
  readonly place: string;
  readonly self: number;
  /** With all that it calls; a recursive function counts once. */
  readonly total: number;
}

/** Functions by what they spend themselves, most first. */
export function topFunctions(root: TreeNode, count: number): TopFunction[] {
  const sums = new Map<string, { name: string; place: string; self: number; total: number }>();
  const open = new Set<string>();
  const visit = (node: TreeNode): void => {
    const key = `${node.name}\n${node.place}`;
    const sum = sums.get(key) ?? { name: node.name, place: node.place, self: 0, total: 0 };
    sums.set(key, sum);
    sum.self += node.self;
    const isOuter = !open.has(key);
    if (isOuter) {
      sum.total += node.total;
      open.add(key);
    }
    for (const child of node.children) visit(child);
    if (isOuter) open.delete(key);
  };
  for (const child of root.children) visit(child);
  return [...sums.values()].sort((a, b) => b.self - a.self).slice(0, count);
}

/** [name, place, self, children] with everything below `least` left out: what a page can carry. */
export type Packed = [name: string, place: string, total: number, self: number, children: Packed[]];

export function pack(node: TreeNode, least: number): Packed {
  const children = node.children.filter((child) => child.total >= least).sort((a, b) => b.total - a.total);
  return [
    node.name,
    node.place,
    Math.round(node.total),
    Math.round(node.self),
    children.map((c) => pack(c, least)),
  ];
}

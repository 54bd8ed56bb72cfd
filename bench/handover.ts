/**
 * How many handovers a second pass between two threads, by the production steps (world/handover.ts) over the production
 * arena and rings, with ownership checked on every one: the record carries a count that only its owner may raise, and a
 * lost, doubled or unowned handover shows as a wrong count.
 */
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads';
import { monotonicClock } from '../src/base/clock.js';
import { assert } from '../src/base/assert.js';
import { Arena } from '../src/memory/arena.js';
import { HEADER, HOT, NOBODY, OWNER, packOwner } from '../src/memory/record.js';
import { SpscRing } from '../src/memory/ring.js';
import { type Carrier, acceptNow, offerNow } from '../src/world/handover.js';

export const name = 'handover';
export const describe = 'Handovers a second between two threads, ownership checked on every one.';

const SLOTS = 1024;
const ENTRY_WORDS = 4;
const PLACES = 4096;

interface Shared {
  arena: SharedArrayBuffer;
  to: [SharedArrayBuffer, SharedArrayBuffer];
  /** Words: 0 start, 1 stop. */
  gate: SharedArrayBuffer;
}

/** One side of the ping-pong: accepts what arrives, checks and raises its count, offers it back. */
class Side implements Carrier {
  readonly arena: Arena;
  readonly incoming: SpscRing;
  readonly outgoing: SpscRing;
  handovers = 0;
  private readonly generationOf: (slot: number) => number;

  constructor(
    shared: Shared,
    private readonly me: number,
  ) {
    this.arena = Arena.from(shared.arena);
    this.incoming = SpscRing.from(shared.to[me as 0 | 1]);
    this.outgoing = SpscRing.from(shared.to[(1 - me) as 0 | 1]);
    const { arena } = this;
    this.generationOf = (slot) => arena.u32[(arena.header(slot) + HEADER.generation) >> 2]!;
  }

  /** @returns whether there was something to do */
  turn(): boolean {
    const at = this.incoming.peek();
    if (at < 0) return false;
    const w = at >> 2;
    const slot = this.incoming.i32[w]!;
    const generation = this.incoming.u32[w + 1]!;
    const epoch = this.incoming.u32[w + 2]!;
    this.incoming.advance();
    const next = acceptNow(this.arena.owner, slot, this.me, generation, epoch, this.generationOf);
    assert(next >= 0, 'I1: an entry of this bench always matches');
    this.check(slot, next);
    this.send(slot, next);
    return true;
  }

  /** The count in the record equals the epoch: one raise a handover, each by its owner. */
  private check(slot: number, epoch: number): void {
    const { arena } = this;
    const at = (arena.hot(slot) + HOT.x) >> 3;
    const count = arena.f64[at]! + 1;
    arena.f64[at] = count;
    assert(count === epoch, `I1: slot ${slot} was raised ${count} times in ${epoch} handovers`);
    arena.u32[(arena.header(slot) + HEADER.epoch) >> 2] = epoch;
    this.handovers++;
  }

  send(slot: number, epoch: number): void {
    const result = offerNow(this.arena.owner, slot, this.me, 1 - this.me, epoch, this);
    assert(result === 'sent', 'I7: the ring holds every slot of this bench');
  }

  push(slot: number, _target: number, epoch: number): boolean {
    const at = this.outgoing.offer();
    if (at < 0) return false;
    const w = at >> 2;
    this.outgoing.i32[w] = slot;
    this.outgoing.u32[w + 1] = this.generationOf(slot);
    this.outgoing.u32[w + 2] = epoch;
    this.outgoing.commit();
    return true;
  }
}

function play(shared: Shared, me: number, until: () => boolean): Side {
  const side = new Side(shared, me);
  const gate = new Int32Array(shared.gate);
  for (let turns = 0; ; turns++) {
    if (!side.turn() && Atomics.load(gate, 1) === 1) return side;
    if ((turns & 1023) === 0 && until()) Atomics.store(gate, 1, 1);
    if (Atomics.load(gate, 1) === 1 && turns > 0) return side;
  }
}

/** @returns figures of one measurement of about `ms` */
async function measure(ms: number): Promise<number> {
  const arena = Arena.create(SLOTS);
  const shared: Shared = {
    arena: arena.sab,
    to: [SpscRing.create(PLACES, ENTRY_WORDS).sab, SpscRing.create(PLACES, ENTRY_WORDS).sab],
    gate: new SharedArrayBuffer(8),
  };
  const first = new Side(shared, 0);
  for (let slot = 0; slot < SLOTS; slot++) {
    Atomics.store(arena.owner, slot, packOwner(OWNER.OWNED, 0, NOBODY, 0));
    first.send(slot, 0);
  }
  const worker = new Worker(new URL(import.meta.url), { workerData: shared });
  await new Promise((resolve) => worker.once('message', resolve)); // attached
  const clock = monotonicClock();
  const done = new Promise<number>((resolve) => worker.once('message', resolve));
  const started = clock.now();
  const gate = new Int32Array(shared.gate);
  Atomics.store(gate, 0, 1);
  Atomics.notify(gate, 0);
  const mine = play(shared, 0, () => clock.now() - started > ms).handovers;
  const elapsed = clock.now() - started;
  const theirs = await done;
  let total = 0;
  for (let slot = 0; slot < SLOTS; slot++) total += arena.f64[(arena.hot(slot) + HOT.x) >> 3]!;
  assert(total === mine + theirs, `I1: ${total} raises in ${mine + theirs} handovers`);
  return (total / elapsed) * 1000;
}

/** @returns `handover {perSecond}`: the median of five runs of a second each, and all five */
export async function run(): Promise<Record<string, unknown>> {
  const runs: number[] = [];
  for (let i = 0; i < 5; i++) runs.push(Math.round(await measure(1000)));
  const sorted = [...runs].sort((a, b) => a - b);
  return { handover: { perSecond: sorted[2] }, runs, entities: SLOTS, threads: 2 };
}

if (!isMainThread) {
  const shared = workerData as Shared;
  parentPort!.postMessage(0);
  Atomics.wait(new Int32Array(shared.gate), 0, 0);
  parentPort!.postMessage(play(shared, 1, () => false).handovers);
}

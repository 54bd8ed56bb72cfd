/**
 * Exhaustive model of going to rest and coming back: production shards, store and memory. An account leaves, is parked,
 * its record becomes durable, it is unloaded; somebody logs in or asks for it, it is loaded and taken. In each of these
 * four, before every change of shared memory: the process dies and begins anew from its disk, the shard that works there
 * dies, or another thread does something in between. Nobody is lost, nobody is there twice, items add up, and whoever
 * comes back is the newest. Planted bugs are caught.
 */
import t from 'tap';
import { ITEM } from '../../src/game/constants.js';
import { HEADER, NOBODY, OWNER, epochOf, packOwner } from '../../src/memory/record.js';
import { STORE_THREAD } from '../../src/memory/store-ring.js';
import { Tiles } from '../../src/shard/tiles.js';
import { freeSlot } from '../../src/memory/slots.js';
import type { Core } from '../../src/shard/core.js';
import { Cut } from '../../src/shard/cut.js';
import type { StoreParts } from '../../src/store/core.js';
import { Cuts } from '../../src/store/cuts.js';
import { Residence } from '../../src/store/residence.js';
import { Resting } from '../../src/store/resting.js';
import { interrupted, until } from '../shard/death.js';
import { House } from './rest-house.js';

/** One of the four: brings a house before it, and does it. `shard`: in whose tick it is, −1 = the store's. */
interface Part {
  readonly name: string;
  readonly shard: number;
  readonly isSlow?: boolean;
  before(house: House): void;
  work(house: House): void;
}

const tick = (house: House, shard: number) => {
  house.planet.tick++;
  house.planet.clock.time = house.planet.tick * 50;
  house.planet.runShard(shard);
};
const asked = (house: House) => {
  house.toRest();
  const { asking } = house.planet.shards[1]!.core;
  asking.want(house.rester.id);
  house.planet.step(); // the question is under way
};
const PARTS = [
  { name: 'park', shard: 0, before: (h) => h.toPark(), work: (h) => tick(h, 0) },
  { name: 'unload', shard: -1, before: (h) => h.toUnload(), work: (h) => h.engine.advance() },
  {
    name: 'load for a login',
    shard: -1,
    before: (h) => h.toRest(),
    work: (h) => void h.kept.store.loadEntity(h.rester.id),
  },
  { name: 'load for a letter', shard: -1, before: asked, work: (h) => void h.kept.store.poll() },
  {
    name: 'take what was loaded',
    shard: 1,
    before: (h) => {
      asked(h);
      h.kept.store.poll();
    },
    work: (h) => tick(h, 1),
  },
] as const satisfies readonly Part[];

/** Never in production: nobody is out of the arena while its record waits for the disk. */
const WRITTEN: Part = {
  name: 'load while it is being written',
  shard: -1,
  isSlow: true,
  before: (h) => h.toUnload(),
  work: (h) => void h.kept.store.loadEntity(h.rester.id),
};

/** What others do in the middle. */
const OTHERS: Record<string, (house: House, part: Part) => void> = {
  'a login': (h, { shard }) => {
    if (h.slot() < 0 || !h.login()) return;
    // And the shard takes it.
    if (shard < 0) tick(h, 0);
    else h.planet.runShard(0);
  },
  'a letter to it': (h) => {
    h.planet.act(h.giver, 'give', { target: h.rester.id, item: ITEM.coin, count: 1 });
    tick(h, 1);
  },
  'the death of a shard': (h) => {
    h.planet.kill(1);
    tick(h, 1);
  },
};

interface Bug {
  storeFault?: StoreParts['fault'];
  plant?: () => () => void;
  /** What shows it; all that may happen if not given. */
  kind?: string;
}
interface Found {
  runs: number;
  /** Logins that came in the middle. */
  logins: number;
  fault: string | null;
}

/** Memory that is written to make a point of death of what is otherwise none. */
const SCRATCH = new Int32Array(new SharedArrayBuffer(4));

/** Makes points of death before plain writes, too: the filling of a record, the counting of items. */
function withPoints<T>(work: () => T): T {
  const fill = Object.getOwnPropertyDescriptor(Residence.prototype, 'fill')!;
  const count = Object.getOwnPropertyDescriptor(Resting.prototype, 'count')!;
  for (const [owner, name, was] of [
    [Residence.prototype, 'fill', fill],
    [Resting.prototype, 'count', count],
  ] as const)
    Object.defineProperty(owner, name, {
      ...was,
      value(this: unknown, ...args: unknown[]) {
        Atomics.store(SCRATCH, 0, 0);
        return (was.value as (...a: unknown[]) => unknown).apply(this, args);
      },
    });
  try {
    return work();
  } finally {
    Object.defineProperty(Residence.prototype, 'fill', fill);
    Object.defineProperty(Resting.prototype, 'count', count);
  }
}

/** A house before the part, whose store has slots in hand: each of those is four changes that are no part of a load. */
function prepared(part: Part, bug: Bug): House {
  const house = new House(part.isSlow, bug.storeFault);
  const { slots } = house.kept.store.residence as unknown as { slots: { refill(): void } };
  slots.refill();
  part.before(house);
  return house;
}

/** Without a disturbance. */
const NOTHING = 'nothing';

/** What may happen in the middle of a part. */
function kindsOf({ shard, name }: Part): string[] {
  if (shard < 0) return [NOTHING, 'the process dies', ...Object.keys(OTHERS)];
  // Who plays until it is parked cannot log in.
  const logins = name === 'take what was loaded' ? ['a login'] : [];
  return [NOTHING, 'the process dies', 'its shard dies', ...logins];
}

/** Every point of the part, with each kind of disturbance. @returns runs, and the first fault */
async function explore(part: Part, bug: Bug = {}, kinds = kindsOf(part)): Promise<Found> {
  const found: Found = { runs: 0, logins: 0, fault: null };
  const restore = bug.plant?.();
  try {
    for (const kind of kinds) {
      // A whole tick has a hundred points: the deaths take turns.
      const stride = part.shard >= 0 && OTHERS[kind] === undefined ? 2 : 1;
      const first = kind === NOTHING ? Number.POSITIVE_INFINITY : kinds.indexOf(kind) % stride;
      for (let n = first, isOver = false; !isOver; n += stride) {
        found.runs++;
        const house = prepared(part, bug);
        isOver = withPoints(() => disturb(house, part, kind, n));
        found.logins += house.logins;
        const faults = await house.end();
        if (faults.length > 0) return { ...found, fault: `${part.name}, ${kind} at ${n}: ${faults[0]}` };
      }
    }
    return found;
  } finally {
    restore?.();
  }
}

/** @returns whether the part has no n-th change: all were tried */
function disturb(house: House, part: Part, kind: string, n: number): boolean {
  const other = OTHERS[kind];
  if (other !== undefined) {
    let came = false;
    interrupted(
      n,
      () => part.work(house),
      () => {
        came = true;
        other(house, part);
      },
    );
    return !came;
  }
  const { died } = until(n, () => part.work(house));
  if (!died) return true;
  if (kind === 'the process dies') house.restart();
  else {
    house.planet.lose(part.shard);
    house.planet.replace(part.shard);
  }
  return false;
}

for (const part of PARTS)
  t.test(`${part.name}: nobody is lost or doubled, wherever somebody dies or comes in between`, async (t) => {
    const { runs, logins, fault } = await explore(part);
    t.equal(fault, null);
    t.ok(runs > 6, `${runs} runs`);
    if (part.name === 'unload' || part.name === 'take what was loaded')
      t.ok(logins > 0 && logins < runs, `${logins} logins came in time`);
  });

/** Puts something else in the place of a method. @returns what puts it back */
function instead<T extends object>(owner: T, name: string, make: (was: Method) => Method): () => void {
  const methods = owner as Record<string, Method>;
  const was = methods[name]!;
  methods[name] = make(was);
  return () => {
    methods[name] = was;
  };
}
// biome-ignore lint/suspicious/noExplicitAny: methods of several classes
type Method = (this: any, ...args: any[]) => any;

/** Unloads when the write begins, not when it has ended. */
const unloadsEarly = () =>
  instead(
    Cuts.prototype,
    'write',
    (was) =>
      function () {
        const cut = this.writing;
        was.call(this);
        if (this.writing === cut) this.onDurable(cut);
      },
  );

const BUGS: Record<string, { part: Part; bug: Bug; text: RegExp }> = {
  'unloads without a look at the word': {
    part: PARTS[1],
    text: /coins|login|nowhere|times|item/,
    bug: {
      plant: () =>
        instead(
          Residence.prototype,
          'unload',
          () =>
            function (id: number, slot: number, epoch: number) {
              const { arena, ids } = this.world;
              Atomics.store(arena.owner, slot, packOwner(OWNER.RESERVED, STORE_THREAD, NOBODY, epoch));
              ids.remove(id, slot);
              this.resting.count(slot, 1);
              freeSlot(arena, slot);
              this.active.delete(id);
              return true;
            },
        ),
    },
  },
  'the id goes before the word': {
    part: PARTS[1],
    text: /login|play/,
    bug: {
      plant: () =>
        instead(
          Residence.prototype,
          'unload',
          (was) =>
            function (id: number, slot: number, epoch: number) {
              this.world.ids.remove(id, slot);
              return was.call(this, id, slot, epoch);
            },
        ),
    },
  },
  'is not counted when it goes': {
    part: PARTS[1],
    text: /item/,
    bug: { plant: () => instead(Resting.prototype, 'count', () => () => {}) },
  },
  'can be taken before it is filled': {
    part: PARTS[3],
    text: /coins|login|play|times|item/,
    bug: {
      plant: () =>
        instead(
          Residence.prototype,
          'fill',
          (was) =>
            function (slot: number, record: { id: number }) {
              const { arena, ids } = this.world;
              arena.f64[(arena.header(slot) + HEADER.id) >> 3] = record.id;
              ids.insert(record.id, slot);
              const epoch = epochOf(arena.owner[slot]);
              Atomics.store(arena.owner, slot, packOwner(OWNER.PARKED, NOBODY, NOBODY, epoch));
              Atomics.store(SCRATCH, 0, 0);
              return was.call(this, slot, record);
            },
        ),
    },
  },
  'is taken without a look at the word': {
    part: PARTS[4],
    text: /coins|login|play|times|item|I\d/,
    bug: {
      kind: 'a login',
      plant: () =>
        instead(
          Tiles.prototype,
          'claim',
          () =>
            function (slot: number, word: number) {
              const core = this.core as Core;
              const mine = packOwner(OWNER.OWNED, core.shard, NOBODY, epochOf(word) + 1);
              Atomics.store(core.arena.owner, slot, mine);
              core.setEpochFromWord(slot, mine);
              core.adopt(slot);
              return true;
            },
        ),
    },
  },
  'the store is not told of who is parked': {
    part: PARTS[0],
    text: /rest|login|coins|nowhere|item/,
    bug: {
      plant: () =>
        instead(
          Cut.prototype,
          'leave',
          (was) =>
            function (slot: number, parked: boolean) {
              return parked || was.call(this, slot, parked);
            },
        ),
    },
  },
  'the file before the newer write': {
    part: WRITTEN,
    text: /coins|item/,
    bug: { storeFault: 'reads-the-file-first', plant: unloadsEarly },
  },
};

for (const [name, { part, bug, text }] of Object.entries(BUGS))
  t.test(`planted: ${name}`, async (t) => {
    const { runs, fault } = await explore(part, bug, bug.kind ? [bug.kind] : kindsOf(part)).catch(
      (error: Error) => ({
        runs: 0,
        fault: error.message,
      }),
    );
    t.match(fault, text, `${fault}, after ${runs} runs`);
  });

t.test('the newer write hides the file: who was unloaded too early comes back as it was', async (t) => {
  const { fault } = await explore(WRITTEN, { plant: unloadsEarly }, [NOTHING]);
  t.equal(fault, null);
});

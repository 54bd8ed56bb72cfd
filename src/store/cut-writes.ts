/** A cut as one transaction: what changes in the tables when a pending set becomes durable as of its tick. Pure. */
import { LIMITS } from '../base/limits.js';
import { metaWrite } from './book.js';
import type { Write } from './engine.js';
import { sealNumbers } from './frame.js';
import type { Names } from './names.js';
import type { Pending } from './pending.js';
import type { TransferLine } from '../memory/store-ring.js';

const EMPTY = new Uint8Array(0);
const NOTHING = sealNumbers([]);

/** Item totals by stored item number: of earlier processes, and of this one's shards as of the cut. */
export interface TotalsBook {
  readonly createdBefore: readonly number[];
  readonly consumedBefore: readonly number[];
}

/**
 * @param active base tile that an entity's place in the engine says (residence.ts)
 * @param totals of all shards that ever reported, newest each
 * @returns the writes, entities first
 */
export function writesOf(
  pending: Pending,
  tick: number,
  active: ReadonlyMap<number, number>,
  names: Names,
  before: TotalsBook,
  totals: Pending['totals'],
): Write[] {
  const writes: Write[] = [];
  for (const [id, version] of pending.entities) {
    const place = active.get(id) ?? -2;
    if (version.value === null) {
      if (place === -2) continue; // born and gone between two cuts
      writes.push({ table: 'entities', key: id, value: null });
      if (place >= 0) writes.push({ table: 'places', key: [place, id], value: null });
      else writes.push({ table: 'players', key: id, value: null });
      continue;
    }
    writes.push({ table: 'entities', key: id, value: version.value });
    if (version.player >= 0) {
      if (place === -2) writes.push({ table: 'players', key: id, value: sealNumbers([version.player]) });
    } else if (place !== version.tile) {
      if (place >= 0) writes.push({ table: 'places', key: [place, id], value: null });
      writes.push({ table: 'places', key: [version.tile, id], value: EMPTY });
    }
  }
  for (const [tile, made] of pending.tiles) {
    writes.push({ table: 'tiles', key: tile, value: sealNumbers([made]) });
  }
  for (const origin of pending.touched) writes.push({ table: 'touched', key: origin, value: NOTHING });
  for (const line of pending.journal) writes.push(...lineWrites(line, names));
  if (pending.totals.size > 0) {
    const sums = sumTotals(names, before, totals);
    writes.push(metaWrite('created', sums.created), metaWrite('consumed', sums.consumed));
  }
  writes.push(metaWrite('durableTick', [tick]));
  return writes;
}

/** A line stands in the journal of both sides. */
function lineWrites(line: TransferLine, names: Names): Write[] {
  const item = names.itemStored[line.itemKind] ?? line.itemKind;
  const { source, counter, from, to, count, tick, how } = line;
  const value = sealNumbers([source, counter, from, to, item, count, tick, how]);
  return [...new Set([from, to])]
    .filter((entity) => entity > 0)
    .map((entity) => ({ table: 'journal' as const, key: [entity, tick, source, counter, how], value }));
}

/** By stored item number. */
export function sumTotals(
  names: Names,
  before: TotalsBook,
  totals: Pending['totals'],
): { created: number[]; consumed: number[] } {
  const created = names.stored.items.map((_, item) => before.createdBefore[item] ?? 0);
  const consumed = names.stored.items.map((_, item) => before.consumedBefore[item] ?? 0);
  for (const shard of totals.values()) {
    for (let item = 0; item < LIMITS.itemKinds; item++) {
      const stored = names.itemStored[item];
      if (stored === undefined) continue;
      created[stored] += shard.created[item];
      consumed[stored] += shard.consumed[item];
    }
  }
  return { created, consumed };
}

/**
 * The conservation audit (I2): whether the items of the world are what was created less what was consumed. Always on,
 * a few dozen additions a look; reads committed sums and journals only, stops nobody.
 *
 * What is compared, and why a handover, a death or a message under way is no false alarm:
 * - Bags: each shard compares its entities with its books once a second (shard/ledger.ts) and leaves a line in its
 *   journal where they differ. Read here, told with the last transfers of the entity.
 * - Each shard for itself, at one commit: `held = created − consumed − posted + returned + arrived`. Sums go by who
 *   made the change, so it does not matter who owns what; a dead shard's uncommitted tick is in none of them.
 * - All shards together: never more has arrived or returned than was posted. What arrived is read first and what was
 *   posted after it, so that shards at different ticks cannot make it look wrong: a message is posted, committed and
 *   only then sent. A message that was applied twice shows as soon as less than it carried is under way.
 */
import { LIMITS } from '../base/limits.js';
import { BOOK, BOOK_WORDS, type ShardBlock } from '../memory/shard-block.js';
import { HOW, type Transfer, type TransferRing } from '../memory/transfer-ring.js';
import { COLD } from '../memory/record.js';
import type { SharedWorld } from '../memory/shared-world.js';
import type { Log } from './log.js';

const KINDS = LIMITS.itemKinds;
/** Lines of an entity that a difference is told with. */
const TOLD_LINES = 8;
/** Differences that are kept for the status. */
const KEPT = 20;

export interface Difference {
  tick: number;
  /** `bag` of an entity, `books` of a shard, `mail` between shards. */
  where: 'bag' | 'books' | 'mail';
  /** Entity of a bag, shard of books; 0 for mail. */
  id: number;
  item: number;
  /** How many too many; negative: missing. */
  count: number;
}

export interface AuditStatus {
  ok: boolean;
  differences: number;
  /** Oldest tick that the last look had before it. */
  lastCheckTick: number;
  last: Difference[];
}

/** What the audit needs of the world. */
export interface AuditedWorld {
  readonly shardBlocks: readonly Pick<ShardBlock, 'totals' | 'committedTick' | 'state'>[];
  readonly transfers: readonly Pick<TransferRing, 'read' | 'written' | 'oldest'>[];
}

export class Audit {
  private readonly cursors: number[];
  /** By shard: held − (created − …) at the start, what a restart brought with it. */
  private readonly base: Float64Array[];
  /** By shard and in the end for mail: what was told already. */
  private readonly told: Float64Array[];
  private readonly created = new Float64Array(KINDS);
  private readonly consumed = new Float64Array(KINDS);
  private readonly books = new Float64Array(BOOK_WORDS);
  private readonly arrived = new Float64Array(KINDS);
  private readonly posted = new Float64Array(KINDS);
  private count = 0;
  private lastTick = 0;
  private readonly last: Difference[] = [];

  /** Before the shards run: what stands in their books now is where counting begins. */
  constructor(
    private readonly world: AuditedWorld,
    private readonly items: () => readonly string[],
    private readonly log: Log,
  ) {
    this.cursors = world.transfers.map((ring) => ring.written);
    this.base = world.shardBlocks.map((_, shard) => {
      const base = new Float64Array(KINDS);
      this.read(shard);
      for (let kind = 0; kind < KINDS; kind++) base[kind] = this.unexplained(kind);
      return base;
    });
    this.told = Array.from({ length: world.shardBlocks.length + 1 }, () => new Float64Array(KINDS));
  }

  status(): AuditStatus {
    const { count: differences, lastTick: lastCheckTick, last } = this;
    return { ok: differences === 0, differences, lastCheckTick, last: [...last] };
  }

  /** One look; called about twice a second. */
  look(): void {
    const { shardBlocks } = this.world;
    this.arrived.fill(0);
    this.posted.fill(0);
    let oldest = 0;
    for (let shard = 0; shard < shardBlocks.length; shard++) {
      const tick = this.read(shard);
      if (tick > 0 && (oldest === 0 || tick < oldest)) oldest = tick;
      this.sum(this.arrived, BOOK.arrived);
      this.sum(this.arrived, BOOK.returned);
      for (let kind = 0; kind < KINDS; kind++)
        this.judge(shard, kind, this.unexplained(kind) - this.base[shard][kind], tick);
    }
    for (let shard = 0; shard < shardBlocks.length; shard++) {
      this.read(shard);
      this.sum(this.posted, BOOK.posted);
      this.sum(this.posted, BOOK.entered);
    }
    for (let kind = 0; kind < KINDS; kind++)
      this.judge(shardBlocks.length, kind, Math.max(0, this.arrived[kind] - this.posted[kind]), oldest);
    this.lastTick = oldest;
    this.readJournals();
  }

  /** The newest transfers from or to an entity that are still in the journals, oldest first. */
  journal(entity: number, most = TOLD_LINES): Transfer[] {
    const lines: Transfer[] = [];
    this.world.transfers.forEach((ring, shard) => {
      ring.read(ring.oldest, this.world.shardBlocks[shard].committedTick, (line) => {
        if (line.from === entity || line.to === entity) lines.push({ ...line });
      });
    });
    return lines.sort((a, b) => a.tick - b.tick).slice(-most);
  }

  private readJournals(): void {
    this.world.transfers.forEach((ring, shard) => {
      const committed = this.world.shardBlocks[shard].committedTick;
      this.cursors[shard] = ring.read(this.cursors[shard], committed, (line) => {
        if (line.how !== HOW.difference) return;
        this.report({ tick: line.tick, where: 'bag', id: line.to, item: line.item, count: line.count });
      });
    });
  }

  private read(shard: number): number {
    return this.world.shardBlocks[shard].totals(this.created, this.consumed, this.books);
  }

  private sum(into: Float64Array, book: number): void {
    for (let kind = 0; kind < KINDS; kind++) into[kind] += this.books[book * KINDS + kind];
  }

  /** Of the shard that was read last: what it holds beyond what it can explain. */
  private unexplained(kind: number): number {
    const of = (book: number) => this.books[book * KINDS + kind];
    const explained = this.created[kind] - this.consumed[kind] - of(BOOK.posted) + of(BOOK.returned);
    return of(BOOK.held) - explained - of(BOOK.arrived);
  }

  /** Tells of a sum that is wrong once, and again when it changes. */
  private judge(shard: number, item: number, wrong: number, tick: number): void {
    const isMail = shard === this.world.shardBlocks.length;
    const told = this.told[shard];
    const count = wrong - told[item];
    // Of mail only a growing surplus is news: it is a lower bound, and hides when much is under way.
    if (count === 0 || (isMail && count < 0)) return;
    told[item] = wrong;
    this.report({ tick, where: isMail ? 'mail' : 'books', id: isMail ? 0 : shard, item, count });
  }

  private report(difference: Difference): void {
    this.count++;
    this.last.push(difference);
    if (this.last.length > KEPT) this.last.shift();
    const { where, id, item, count, tick } = difference;
    const transfers = where === 'bag' ? this.journal(id).map((line) => describe(line, this.items())) : [];
    const name = this.items()[item] ?? String(item);
    const facts = { where, tick, item: name, count, transfers };
    if (where === 'bag') this.log.error({ ...facts, entity: id }, 'audit: items are not conserved');
    else this.log.error({ ...facts, shard: id }, 'audit: items are not conserved');
  }
}

/** A line of the journal for programs. */
export function shown(line: Transfer, items: readonly string[]): object {
  const { source, counter, from, to, item, count, tick, how } = line;
  const name = Object.entries(HOW).find(([, value]) => value === how)?.[0];
  return { transfer: `${source}.${counter}`, tick, from, to, item: items[item] ?? item, count, how: name };
}

/** For tests: adds items to a bag in memory, past every book. @returns false when there is no such entity */
export function plantDuplicate(world: SharedWorld, entity: number, item: number, count: number): boolean {
  const slot = world.ids.lookup(entity);
  if (slot < 0) return false;
  world.arena.u32[((world.arena.cold(slot) + COLD.items) >> 2) + item] += count;
  return true;
}

/** A line of the journal for people. */
export function describe(line: Transfer, items: readonly string[]): string {
  const name = items[line.item] ?? String(line.item);
  if (line.how === HOW.difference)
    return `tick ${line.tick}: entity ${line.to} has ${line.count} ${name} unexplained`;
  return `tick ${line.tick}: transfer ${line.source}.${line.counter}, ${line.count} ${name} from ${line.from} to ${line.to}`;
}

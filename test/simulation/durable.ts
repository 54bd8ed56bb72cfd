/**
 * What must hold of the disk (I12, I2, I4, I3): every cut on it is the world as of its tick and nothing else, entity by
 * entity; what a player was told to be durable is there after a crash; a session that is there goes on; ids of a life
 * that is over are nobody else's. Keeps a shadow of each entity: what it was at the end of each tick, by its owner.
 */
import { FNV_BASIS, fnvBytes } from '../../src/base/fnv.js';
import { LIMITS } from '../../src/base/limits.js';
import { PLAYER_KIND } from '../../src/memory/player.js';
import { COLD, HEADER, HOT, OWNER, ownerState } from '../../src/memory/record.js';
import { STORED_RECORD as AT } from '../../src/memory/store-ring.js';
import type { Shard } from '../../src/shard/tick.js';
import { numbers, openBook } from '../../src/store/book.js';
import { Codec, RecordBytes } from '../../src/store/codec.js';
import { verifyData } from '../../src/store/verify.js';
import { fail } from './fail.js';
import type { Simulation } from './simulation.js';

const WHERE = 'the simulated disk';
/** A world in which nothing happens writes its tick once in so many ticks. */
const QUIET_TICKS = 24;

/** The print of who is no more. */
const GONE = -1;
/** Of natural content that nobody has touched: the disk must not know it, and it is there once. */
const NATURAL = -2;

interface Shadow {
  readonly tick: number;
  readonly epoch: number;
  readonly print: number;
}

/** Of what a cut must not mix: place, newest action, items. */
function printOf(u8: Uint8Array, hot: number, cold: number): number {
  let hash = fnvBytes(FNV_BASIS, u8, hot + HOT.x, 8);
  hash = fnvBytes(hash, u8, hot + HOT.y, 8);
  hash = fnvBytes(hash, u8, hot + HOT.lastActionId, 4);
  return fnvBytes(hash, u8, cold + COLD.items, LIMITS.itemKinds * 4);
}

export class DurableWatch {
  /** Cuts that were compared with the shadows. */
  compared = 0;
  private readonly shadows = new Map<number, Shadow[]>();
  private readonly past = new Set<number>();
  private readonly present = new Set<number>();
  private readonly origins = new Map<number, number>();
  private tick = 0;
  private readonly record = new RecordBytes();

  constructor(private readonly sim: Simulation) {
    const { disk } = sim.node;
    disk.onFlushed = () => this.flushed();
  }

  /** A shard was made: it is looked at after each of its commits. */
  follow(shard: Shard): void {
    const { core } = shard;
    const resume = core.cut.resume.bind(core.cut);
    core.cut.resume = (committed, first, hasTold) => {
      const asked = core.cut.askedTick;
      resume(committed, first, hasTold);
      // It has answered for the dead one, which had committed a tick and died before it could be looked at.
      const hasAnswered = asked > 0 && core.world.cut.marked(core.shard) === core.world.cut.asked;
      for (let i = 0; hasAnswered && i < core.owned.count; i++)
        if (core.givenTick(core.owned.slots[i]!) <= committed) this.note(shard, core.owned.slots[i]!);
    };
    const take = core.cut.take.bind(core.cut);
    core.cut.take = (hasTold) => {
      for (let i = 0; i < core.owned.count; i++) this.note(shard, core.owned.slots[i]!);
      take(hasTold);
    };
    // In the tick in which its last owner had it somebody else may still have shown it to be there.
    const end = core.cut.end.bind(core.cut);
    core.cut.end = (slot) => {
      const tick = core.arena.i32[(core.arena.header(slot) + HEADER.freedTick) >> 2]!;
      this.add(core.id(slot), { tick, epoch: core.epoch(slot), print: GONE });
      end(slot);
    };
  }

  private note({ core }: Shard, slot: number): void {
    const { arena } = core;
    const print = core.isNatural(slot) ? NATURAL : printOf(arena.u8, arena.hot(slot), arena.cold(slot));
    this.add(core.id(slot), { tick: core.tick, epoch: core.epoch(slot), print });
  }

  private add(id: number, shadow: Shadow): void {
    const list = this.shadows.get(id);
    if (list === undefined) this.shadows.set(id, [shadow]);
    else list.push(shadow);
  }

  /** After each tick: ids of earlier lives belong to whom the disk says. */
  check(): void {
    const { world, disk } = this.sim.node;
    const { arena } = world;
    this.origins.clear();
    for (let slot = 0; slot < arena.capacity; slot++) {
      if (ownerState(Atomics.load(arena.owner, slot)) < OWNER.OWNED) continue;
      this.checkOrigin(slot);
      const id = arena.f64[(arena.header(slot) + HEADER.id) >> 3]!;
      if (this.present.has(id)) continue;
      if (this.past.has(id) && disk.get('entities', id) === undefined)
        fail('I4', `the id ${id} was used before the restart`);
      this.present.add(id);
    }
  }

  /** Of natural content each piece is in the world once. */
  private checkOrigin(slot: number): void {
    const { arena } = this.sim.node.world;
    const hot = arena.hot(slot);
    const origin = arena.u32[(hot + HOT.origin) >> 2]!;
    if (arena.u16[(hot + HOT.kind) >> 1] === PLAYER_KIND || origin === 0) return;
    const other = this.origins.get(origin);
    if (other !== undefined) fail('I2', `the natural content ${origin} is in slots ${other} and ${slot}`);
    this.origins.set(origin, slot);
  }

  private flushed(): void {
    const { disk } = this.sim.node;
    if (this.sim.isVolatile || disk.isStarting || disk.get('meta', 'durableTick') === undefined) return;
    const [tick] = numbers(disk, 'durableTick', WHERE);
    if (tick === this.tick) return;
    if (tick < this.tick) fail('I12', `the durable tick fell from ${this.tick} to ${tick}`);
    this.tick = tick;
    this.compare(tick);
  }

  /** The disk as of tick K against what the owners had at the end of K. */
  private compare(tick: number): void {
    const { node } = this.sim;
    this.compared++;
    const codec = this.codec();
    const there = new Set<number>();
    for (const [key, bytes] of node.disk.entries('entities')) {
      const id = key as number;
      there.add(id);
      const fault = codec.decode(bytes, this.record);
      if (fault !== null) fail('I12', `entity ${id}: ${fault}`);
      const lastTick = this.record.tick;
      if (lastTick > tick) fail('I12', `the cut of ${tick} holds ${id} as of ${lastTick}`);
      const shadow = newest(this.shadows.get(id) ?? [], tick);
      if (shadow === null) fail('I12', `the cut of ${tick} holds ${id}, which was nowhere then`);
      if (shadow.print === NATURAL) fail('I12', `the cut of ${tick} holds ${id}, which nobody had touched`);
      if (shadow.print === GONE)
        fail('I12', `the cut of ${tick} holds ${id}, which was gone in ${shadow.tick}`);
      if (shadow.print !== printOf(this.record.u8, AT.hot, AT.cold))
        fail('I12', `the cut of ${tick} does not hold ${id} as it was (last seen in ${shadow.tick})`);
    }
    for (const [id, list] of this.shadows) {
      const shadow = newest(list, tick);
      if (shadow === null) continue;
      if (shadow.tick === tick && shadow.print !== GONE && shadow.print !== NATURAL && !there.has(id))
        fail('I12', `the cut of ${tick} lacks ${id}`);
      this.shadows.set(
        id,
        list.filter((one) => one.tick > tick || one === shadow),
      );
    }
  }

  /** The process has died: what is on the disk is all there is. Before the restart. */
  async crashed(): Promise<void> {
    const { node, players } = this.sim;
    const { disk } = node;
    const [tick] = numbers(disk, 'durableTick', WHERE);
    const told = node.world.cut.durableTick;
    if (told > tick + QUIET_TICKS) fail('I12', `${told} was called durable, the disk has ${tick}`);
    await this.verify();
    this.sim.accounts.crashed();
    const codec = this.codec();
    for (const player of players) {
      const { welcome } = player.client;
      if (welcome === null || player.isLeaving) {
        player.crashed(false); // a Welcome may be on its way to it
        continue;
      }
      const bytes = disk.get('entities', welcome.entity);
      const isThere =
        bytes !== undefined &&
        codec.decode(bytes, this.record) === null &&
        this.record.f64[(AT.hot + HOT.sessionId) >> 3] === welcome.session;
      const action = isThere ? this.record.u32[(AT.hot + HOT.lastActionId) >> 2]! : 0;
      // Another client of it came in later: this one has not heard of that yet.
      const isTaken =
        this.sim.node.routed !== null && bytes !== undefined && !isThere && player.overtaken.length > 0;
      if (action < player.durable && !isTaken)
        fail('I12', `player ${player.index}: ${player.durable} was durable, the disk has ${action}`);
      player.crashed(isThere);
    }
    for (const [id, list] of this.shadows)
      this.shadows.set(
        id,
        list.filter((one) => one.tick <= tick),
      );
    for (const id of this.present) this.past.add(id);
    this.present.clear();
  }

  /** Checksums, tables, places, items of what is on the disk. */
  async verify(): Promise<void> {
    if (this.sim.isVolatile) return; // of those in the arena it was told nothing
    const { faults, orphans } = await verifyData(this.sim.node.disk, WHERE);
    if (faults.length > 0) fail('I2', faults[0]!);
    if (orphans.length > 0) fail('I5', orphans[0]!);
  }

  private codec(): Codec {
    const { node } = this.sim;
    return new Codec(openBook(node.disk, node.identity, () => new Uint8Array(32), WHERE).names);
  }
}

function newest(list: readonly Shadow[], tick: number): Shadow | null {
  let best: Shadow | null = null;
  for (const one of list) {
    if (one.tick > tick) continue;
    if (best === null || one.tick > best.tick || (one.tick === best.tick && one.epoch > best.epoch))
      best = one;
  }
  return best;
}

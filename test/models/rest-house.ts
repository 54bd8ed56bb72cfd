import { LIMITS } from '../../src/base/limits.js';
import { ITEM } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { FLAG } from '../../src/memory/player.js';
import { HEADER, HOT, OWNER, ownerOf, ownerState } from '../../src/memory/record.js';
import { STORE_THREAD } from '../../src/memory/store-ring.js';
import type { StoreParts } from '../../src/store/core.js';
import { MapEngine } from '../../src/store/map-engine.js';
import { verifyData } from '../../src/store/verify.js';
import type { TestPlayer } from '../shard/planet.js';
import { FaultyEngine } from '../store/faulty-engine.js';
import { indexOfOrigin, tileOfOrigin } from '../../src/memory/nature.js';
import { type Kept, keep } from '../store/keeper.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const y = tile.south + 500;
/** Coins that the two have together. */
const COINS = 20;
/** Long enough for an account to be parked again, durable, and out of the arena. */
const SETTLE_TICKS = 45;

/** A planet with an account that goes to rest, and a neighbour of another shard. */
export class House {
  readonly faults: string[] = [];
  readonly disk = new MapEngine();
  engine = new FaultyEngine(this.disk);
  kept: Kept;
  readonly rester: TestPlayer;
  readonly giver: TestPlayer;
  restarts = 0;
  logins = 0;

  /** @param isSlow the disk keeps the last gift waiting until the record of the parked one can go with it */
  constructor(
    isSlow = false,
    private readonly storeFault?: StoreParts['fault'],
  ) {
    this.kept = keep(game, this.engine, { entities: 128 }, storeFault);
    const { planet } = this.kept;
    planet.assign(tile.east - 50, y, 0);
    planet.assign(tile.east + 50, y, 1);
    this.rester = planet.join(tile.east - 1, y, FLAG.NEW | FLAG.ACCOUNT);
    this.giver = planet.join(tile.east + 1, y, FLAG.NEW | FLAG.ACCOUNT);
    this.run(4);
    this.give();
    this.run(8);
    if (isSlow) {
      this.engine.delay = 1000;
      this.run(4);
      this.give();
      this.run(4);
    }
    planet.leave(this.rester);
  }

  private give(): void {
    this.planet.act(this.rester, 'give', { target: this.giver.id, item: ITEM.coin, count: 1 });
  }

  get planet() {
    return this.kept.planet;
  }

  run(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      this.planet.step();
      this.turn();
    }
  }

  /** A turn of the store, and of a disk that takes one for a write. */
  turn(): void {
    this.engine.advance();
    this.kept.store.poll();
    this.look();
  }

  slot(): number {
    return this.planet.world.ids.lookup(this.rester.id);
  }

  /** Before the tick in which it is parked; then before its unload; then at rest. */
  toPark(): void {
    for (let i = 0; i < PARK_TICKS; i++) this.run(1);
  }
  toUnload(): void {
    this.engine.delay = 0;
    this.engine.advance(); // what has waited
    this.engine.delay = 1;
    const isDue = () => (this.kept.store.cuts.writing?.entities.get(this.rester.id)?.parkedSlot ?? -1) >= 0;
    for (let i = 0; i < SETTLE_TICKS && !isDue(); i++) this.run(1);
    if (!isDue()) this.faults.push('it is never told to be parked');
  }
  toRest(): void {
    for (let i = 0; i < SETTLE_TICKS && this.slot() >= 0; i++) this.run(1);
    if (this.slot() >= 0) this.faults.push('it never goes to rest');
  }

  /** The process is gone; what the disk has not written is as well. */
  restart(): void {
    this.restarts++;
    this.logins = 0;
    const { tick } = this.planet;
    const { sessions } = this.planet as unknown as { sessions: number };
    this.engine = new FaultyEngine(this.disk);
    const kept = keep(game, this.engine, { entities: 128, tick: tick + 1 }, this.storeFault);
    const { world } = kept.planet;
    const { facts } = kept;
    world.ids.begin(1000); // what control/leases.ts would grant
    for (let i = 0; i < facts.generated.length; i += 2)
      world.directory.setGeneratedTick(facts.generated[i]!, facts.generated[i + 1]!);
    for (const origin of facts.touched) world.nature.take(tileOfOrigin(origin), indexOfOrigin(origin));
    facts.itemsCreated.forEach((created, kind) => {
      world.cut.resting[kind] = created - (facts.itemsConsumed[kind] ?? 0);
    });
    this.kept = kept;
    Object.assign(kept.planet, { sessions }); // no session's number is ever used again
    kept.planet.assign(tile.east - 50, y, 0);
    kept.planet.assign(tile.east + 50, y, 1);
  }

  /** A login: it is loaded if it rests, and taken if it is parked. */
  login(): boolean {
    if (this.slot() < 0 && this.kept.store.loadEntity(this.rester.id) !== 'here') return false;
    this.rester.slot = this.slot();
    const came = this.planet.comeBack(this.rester);
    if (came) this.logins++;
    return came;
  }

  /** Whether it is simulated, with a session that is there. */
  private plays(): boolean {
    const slot = this.slot();
    if (slot < 0 || this.planet.stateOf(slot) !== OWNER.OWNED) return false;
    const { arena } = this.planet.world;
    return (arena.u16[(arena.hot(slot) + HOT.flags) >> 1]! & FLAG.OFFLINE) === 0;
  }

  /** Nobody twice, nobody nowhere. */
  look(): void {
    const { arena } = this.planet.world;
    let there = 0;
    for (let slot = 0; slot < arena.capacity; slot++) {
      if (ownerState(Atomics.load(arena.owner, slot)) < OWNER.OWNED) continue;
      if (arena.f64[(arena.header(slot) + HEADER.id) >> 3] === this.rester.id) there++;
    }
    if (there > 1) this.faults.push(`it is there ${there} times`);
    const slot = this.slot();
    const owners = this.planet.shards.filter(
      ({ core }, s) => !this.planet.isLost(s) && slot >= 0 && core.owned.has(slot),
    );
    if (owners.length > 1) this.faults.push('I1: two shards have it');
    if (there === 0 && !this.kept.store.read(this.rester.id)) this.faults.push('it is nowhere');
  }

  coins(player: TestPlayer): number {
    const { ids } = this.planet.world;
    if (ids.lookup(player.id) < 0) this.kept.store.loadEntity(player.id);
    const slot = ids.lookup(player.id);
    return slot < 0 ? Number.NaN : this.planet.items(slot, ITEM.coin);
  }

  /** Everything comes to an end, then it logs in. */
  async end(): Promise<string[]> {
    const { store } = this.kept;
    this.engine.delay = 0;
    this.run(SETTLE_TICKS);
    if (this.logins > 0) {
      if (!this.plays()) this.faults.push('who has logged in does not play');
    } else {
      // Who was loaded for a login may wait for half a minute for it.
      if (this.slot() >= 0 && store.residence.loads === 0) this.faults.push('it never goes to rest');
      if (!this.login()) this.faults.push('nobody can log in');
      this.run(8);
      if (!this.plays()) this.faults.push('it does not play after a login');
    }
    const [mine, its] = [this.coins(this.rester), this.coins(this.giver)];
    if (mine + its !== COINS || mine < COINS / 2 - 2) this.faults.push(`coins: ${mine} and ${its}`);
    const { planet } = this;
    for (let kind = 0; kind < game.items.length; kind++) {
      const there = planet.totalItems(kind) + planet.world.cut.resting[kind]!;
      const booked = planet.balance(kind) + this.bookedBefore(kind);
      if (there !== booked) this.faults.push(`item ${kind}: ${there} are there, ${booked} in the books`);
    }
    const { arena } = planet.world;
    const held = (store.residence as unknown as { slots: { count: number } }).slots.count;
    const reserved = arena.owner.filter(
      (word) => ownerState(word) === OWNER.RESERVED && ownerOf(word) === STORE_THREAD,
    ).length;
    if (reserved !== held) this.faults.push(`the store holds ${reserved} slots, knows of ${held}`);
    this.run(20);
    this.faults.push(...(await verifyData(this.engine, 'the model')).faults);
    return this.faults;
  }

  private bookedBefore(kind: number): number {
    const { itemsCreated, itemsConsumed } = this.kept.facts;
    return this.restarts === 0 ? 0 : (itemsCreated[kind] ?? 0) - (itemsConsumed[kind] ?? 0);
  }
}

/** Ticks from a goodbye to the one in which the account is parked. */
const PARK_TICKS = (() => {
  const house = new House();
  for (let ticks = 0; ; ticks++) {
    house.planet.step();
    if (house.planet.stateOf(house.rester.slot) === OWNER.PARKED) return ticks;
    house.turn();
  }
})();

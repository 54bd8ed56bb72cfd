/**
 * A rehearsal: what a shard's thread will have to do, done before in a small world of its own, so that the engine has
 * compiled it by then. A replacement runs its first ticks while players wait for them; from the interpreter each takes
 * several times as long.
 *
 * Contract: a generator that yields after each slice of some milliseconds; its driver decides about pauses and the end, and
 * may drop it at any yield. Synchronous, deterministic, on a hand-driven clock, over structures that nobody else has:
 * nothing of it can be seen outside of the thread. It always plays the built-in game, which keeps no state of its own:
 * a studio's game is not called, since what it keeps beside the world's records would remember entities that never were.
 */
import type { Clock } from '../base/clock.js';
import { assert } from '../base/assert.js';
import { type Random, seededRandom } from '../base/random.js';
import { encodePayload } from '../base/payload.js';
import { LIMITS } from '../base/limits.js';
import { boundsOf, tileAt } from '../geo/address.js';
import { cellNumber, cellsAround } from '../geo/cell.js';
import { tileIndex } from '../geo/tile.js';
import { dx, wrapX } from '../geo/world.js';
import { STORE_STATE } from '../memory/cut-block.js';
import { IdLease } from '../memory/ids.js';
import { CONTROL, PRESENCE_STATE } from '../memory/inbox.js';
import { FLAG } from '../memory/player.js';
import { GATEWAY_THREAD, HEADER, HOT, OWNER, ownerState } from '../memory/record.js';
import { SHARD_STATE } from '../memory/shard-block.js';
import { type SharedWorld, createSharedWorld } from '../memory/shared-world.js';
import { SlotCache, nextInUse, sendReserved } from '../memory/slots.js';
import type { CompiledGame } from '../world/game.js';
import { Shard } from './tick.js';

const SHARDS = 2;
const ENTITIES = 512;
const PLAYERS = 40;
/** Of them in a tick, in the first ones; in pairs. */
const JOINS = 4;
const TICK_MS = 1000 / LIMITS.tickRateHz;
/** Ticks from one death to the next, and deaths: in all some 200 slices, 0.2 s of a core. More of them gain little. */
const LIFE_TICKS = 14;
const LIVES = 7;
/** A quarter of the players does something in a tick: one of five deeds, or it walks. */
const TURNS = 4;
const DEEDS = 12;
/** A cut of the store every so many ticks. */
const CUT_TICKS = 3;
/** Where players begin, on either side of the border and in pairs along it, and how far they then go, metres. */
const FAR_M = 5;
const NEAR_M = 2;
const APART_M = 1;
const WALK_MPS = 5;
/** Streams of a cell that are watched: the whole at full rate and two slow ones. */
const PARTS = [0, 2, 3];

interface Player {
  readonly slot: number;
  readonly id: number;
  readonly word: number;
  readonly session: number;
  sent: number;
}

/** The world, its two shards, and everybody else whom they deal with: a gateway, players, a store. */
export class Stage {
  time = TICK_MS;
  tick = 1;
  readonly clock: Clock = { now: () => this.time };
  readonly world: SharedWorld;
  readonly shards: Shard[] = [];
  private readonly random: Random = seededRandom(1);
  private readonly slots: SlotCache;
  private readonly lease: IdLease;
  private readonly players: Player[] = [];
  /** Of the western one of the two tiles. */
  private readonly area = boundsOf(tileAt(0, 0, LIMITS.baseTileLevel));
  private readonly pileKind: number;
  private incarnations = 0;

  constructor(private readonly game: CompiledGame) {
    this.world = createSharedWorld({ shards: SHARDS, gateways: 1, startMs: 0, maxEntities: ENTITIES });
    this.slots = new SlotCache(this.world.arena, GATEWAY_THREAD);
    this.lease = new IdLease(this.world.ids);
    this.world.cut.state = STORE_STATE.RUNNING;
    this.pileKind = game.kinds.indexOf('pile');
  }

  /** The border lies between the two shards' tiles, and everything within some cells of it is watched. */
  open(): void {
    const { directory, filters } = this.world;
    for (let s = 0; s < SHARDS; s++)
      directory.place(tileIndex(this.home(s), this.middle, LIMITS.baseTileLevel), s);
    const cells = new Float64Array(LIMITS.farCells ** 2);
    const count = cellsAround(cellNumber(this.area.east, this.middle), LIMITS.farCells, cells);
    for (let i = 0; i < count; i++) for (const part of PARTS) filters[0]!.add(cells[i]!, part);
  }

  private get middle(): number {
    return (this.area.south + this.area.north) / 2;
  }
  private home(shard: number): number {
    return wrapX(this.area.east + (shard === 0 ? -FAR_M : FAR_M));
  }

  /** Starts a shard, or replaces a dead one. */
  boot(shard: number): void {
    const { world, game, clock } = this;
    const block = world.shardBlocks[shard]!;
    const dead = block.incarnation;
    block.incarnation = ++this.incarnations;
    block.state = SHARD_STATE.STARTING;
    const options = { shard, incarnation: block.incarnation, worldSeed: 1, frameEvery: 2 };
    const made = new Shard(world, game, clock, { ...options, capacity: PLAYERS, quarantine: [] });
    this.shards[shard] = made;
    made.start(dead);
    block.state = SHARD_STATE.RUNNING;
  }

  run(shard: number): void {
    this.shards[shard]!.run(this.tick);
  }

  /** A login, as a gateway does it. */
  join(): void {
    const slot = this.slots.take();
    assert(slot >= 0, 'a rehearsal has room for its players');
    const { inboxes } = this.world;
    const index = this.players.length;
    const side = index % SHARDS;
    const id = this.fill(slot, this.home(side), this.middle + (index >> 1) * APART_M);
    const player = { slot, id, session: id, sent: 0, word: inboxes.claim(slot, inboxes.writer(slot), 0) };
    inboxes.write(slot, player.word, id, 0, CONTROL.START, new Uint8Array(0), 0);
    inboxes.setPresence(slot, player.word, PRESENCE_STATE.CONNECTED, this.tick);
    this.send(slot, side);
    this.players.push(player);
  }

  /** @returns the new player's id */
  private fill(slot: number, x: number, y: number): number {
    const { arena, inboxes, ids, cut } = this.world;
    const [h, hot] = [arena.header(slot), arena.hot(slot)];
    const id = this.lease.next();
    arena.f64[(h + HEADER.id) >> 3] = id;
    arena.i32[(h + HEADER.birthTick) >> 2] = this.tick;
    arena.f64[(hot + HOT.x) >> 3] = x;
    arena.f64[(hot + HOT.y) >> 3] = y;
    arena.i32[(hot + HOT.lastTick) >> 2] = this.tick;
    arena.i32[(hot + HOT.tile) >> 2] = tileIndex(x, y, LIMITS.baseTileLevel);
    arena.u16[(hot + HOT.flags) >> 1] = FLAG.NEW | FLAG.RESTED;
    arena.f32[(hot + HOT.rateTokens) >> 2] = LIMITS.actionBurst;
    inboxes.reset(slot);
    cut.reset(slot, 1);
    ids.insert(id, slot);
    return id;
  }

  private send(slot: number, shard: number): void {
    const { arena, arrivals } = this.world;
    const h = arena.header(slot);
    sendReserved(arena, slot, GATEWAY_THREAD, shard);
    const ring = arrivals[GATEWAY_THREAD]![shard]!;
    const at = ring.offer() >> 2;
    ring.i32[at] = slot;
    ring.u32[at + 1] = arena.u32[(h + HEADER.generation) >> 2]!;
    ring.u32[at + 2] = arena.u32[(h + HEADER.epoch) >> 2]!;
    ring.i32[at + 3] = 0;
    ring.commit();
  }

  /** Some players do something: most walk on, across the border or away from it. */
  play(): void {
    for (let i = this.tick % TURNS; i < this.players.length; i += TURNS)
      this.doOne(this.players[i]!, this.players[i ^ 1]!.id);
  }

  /** @param target id of who walks next to the player */
  private doOne(player: Player, target: number): void {
    switch (this.random.int(DEEDS)) {
      case 0:
        return this.act(player, 'say', 'Good morning!');
      case 1:
        return this.act(player, 'forage');
      case 2:
        return this.act(player, 'drop', { item: 0, count: 1 });
      case 3:
        return this.act(player, 'give', { target, item: 0, count: 1 });
      case 4:
        return this.act(player, 'pick', { target: this.pile() });
      default:
        return this.walk(player);
    }
  }

  private walk(player: Player): void {
    const { arena } = this.world;
    const east = dx(this.area.east, arena.f64[(arena.hot(player.slot) + HOT.x) >> 3]!);
    const back = Math.abs(east) > NEAR_M ? (east > 0 ? Math.PI : 0) : this.random.next() * 2 * Math.PI;
    const heading = back + this.random.next() - 0.5;
    this.act(player, 'walk', { heading, speed: WALK_MPS, seconds: 1 + this.random.int(4) });
  }

  /** Id of a pile, 0 = there is none. */
  private pile(): number {
    const { arena } = this.world;
    for (let slot = nextInUse(arena, 0); slot < arena.capacity; slot = nextInUse(arena, slot + 1)) {
      if (ownerState(Atomics.load(arena.owner, slot)) !== OWNER.OWNED) continue;
      if (arena.u16[(arena.hot(slot) + HOT.kind) >> 1] === this.pileKind)
        return arena.f64[(arena.header(slot) + HEADER.id) >> 3]!;
    }
    return 0;
  }

  private act(player: Player, name: string, values?: string | Record<string, number>): void {
    const { kind } = this.game.actions.find((action) => action.name === name)!;
    const bytes = encodePayload(this.game.module.actions[name]!.payload, values);
    const { slot, word, session } = player;
    if (this.world.inboxes.write(slot, word, session, player.sent + 1, kind, bytes, bytes.length) === 'ok')
      player.sent++;
  }

  /** A tick ends: what the gateway and the store would have read is read, time goes on. */
  turn(): void {
    const { world } = this;
    for (const row of world.frames) for (const ring of row) for (; ring!.next() >= 0; ) ring!.release();
    for (const ring of world.stored) for (; ring!.next() >= 0; ) ring!.release();
    if (this.tick % CUT_TICKS === 0) world.cut.ask(this.tick + 1);
    this.tick++;
    this.time = this.tick * TICK_MS;
  }
}

/**
 * @param game the built-in one, compiled
 * @yields after each slice: a start, or a tick of one shard
 * @returns its stage, to be kept until the thread's own shard has started (rehearsing.ts)
 */
export function* rehearse(game: CompiledGame): Generator<void, Stage, void> {
  const stage = new Stage(game);
  stage.open();
  yield;
  for (let s = 0; s < SHARDS; s++) {
    stage.boot(s);
    yield;
  }
  for (let life = 0; life < LIVES; life++) {
    for (let k = 0; k < LIFE_TICKS; k++) {
      stage.turn();
      if (life === 0 && k < PLAYERS / JOINS) for (let i = 0; i < JOINS; i++) stage.join();
      stage.play();
      for (let s = 0; s < SHARDS; s++) {
        stage.run(s);
        yield;
      }
    }
    stage.boot(life % SHARDS);
    yield;
  }
  return stage;
}

/**
 * Real shard threads over one shared world, with players but without gateways: each has a record and an inbox, entered by
 * the steps of a login, and its wishes are written as a gateway writes them.
 */
import { LIMITS } from '../../src/base/limits.js';
import { monotonicClock, systemTimers } from '../../src/base/clock.js';
import { createLog } from '../../src/base/log.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { tileIndex } from '../../src/geo/tile.js';
import { shardLauncher, shardWatch } from '../../src/control/launch.js';
import { IdLease } from '../../src/memory/ids.js';
import { CONTROL, PRESENCE_STATE } from '../../src/memory/inbox.js';
import { FLAG, PLAYER_KIND } from '../../src/memory/player.js';
import {
  COLD_BYTES,
  GATEWAY_THREAD,
  HEADER,
  HOT,
  HOT_BYTES,
  OWNER,
  ownerOf,
  ownerState,
} from '../../src/memory/record.js';
import { type SharedWorld, createSharedWorld } from '../../src/memory/shared-world.js';
import { SlotCache, sendReserved } from '../../src/memory/slots.js';
import { type CompiledGame, compileGame } from '../../src/world/game.js';
import { Placer } from '../../src/world/placing.js';
import walkers from './walkers.js';

const WALKERS = { module: walkers as unknown, file: new URL('./walkers.js', import.meta.url).pathname };
/** The one base tile on which everybody stands. */
export const TILE = tileAt(10_000, 10_000, LIMITS.baseTileLevel);
const AREA = boundsOf(TILE);
const NOTHING = new Uint8Array(0);

export interface Player {
  slot: number;
  session: number;
  word: number;
  sent: number;
}

export class Threads {
  readonly clock = monotonicClock();
  readonly world: SharedWorld;
  readonly players: Player[] = [];
  readonly game: CompiledGame;
  private readonly exits: Promise<void>[] = [];
  private readonly watch;

  constructor(
    private readonly shards: number,
    private readonly rules = WALKERS,
  ) {
    this.game = compileGame(rules.module, rules.file);
    this.world = createSharedWorld({ shards, gateways: 1, startMs: this.clock.now(), maxEntities: 16_384 });
    this.watch = shardWatch(this.world);
  }

  get tick(): number {
    return this.world.clock.tickAt(this.clock.now());
  }

  async start(): Promise<void> {
    const { launch } = shardLauncher({
      world: this.world,
      gameFile: this.rules.file,
      declared: () => this.game.declared,
      worldSeed: 1,
      frameEvery: LIMITS.tickRateHz / LIMITS.frameRateHz,
      capacity: LIMITS.capacityPlayers,
      nice: 0,
      env: process.env,
      timers: systemTimers(),
      log: createLog(),
      faults: { take: () => {}, ended: () => {} }, // its game makes none
    });
    const ready = Array.from({ length: this.shards }, (_, shard) => {
      const begin = { shard, incarnation: shard + 1, previousIncarnation: 0, quarantine: [] };
      this.watch.starting(begin);
      return new Promise<void>((resolve, reject) => {
        const fault = (reason: string) => reject(new Error(reason));
        this.exits.push(
          new Promise((exit) => void launch(begin, { ready: resolve, fault, exit: () => exit() })),
        );
      });
    });
    await Promise.all(ready);
  }

  async stop(): Promise<void> {
    for (let shard = 0; shard < this.shards; shard++) this.watch.close(shard);
    await Promise.all(this.exits);
  }

  /** Players all over the tile, none of them near its edges. */
  populate(count: number): void {
    const slots = new SlotCache(this.world.arena, GATEWAY_THREAD);
    const lease = new IdLease(this.world.ids);
    const placer = new Placer(this.world, GATEWAY_THREAD);
    const side = Math.ceil(Math.sqrt(count));
    const step = (AREA.north - AREA.south - 400) / side;
    for (let i = 0; i < count; i++) {
      const x = AREA.west + 200 + ((i % side) + 0.5) * step;
      const y = AREA.south + 200 + (Math.floor(i / side) + 0.5) * step;
      this.enter(slots.take(), lease.next(), x, y, placer.ensureOwner(x, y));
    }
  }

  private enter(slot: number, id: number, x: number, y: number, shard: number): void {
    const { arena, inboxes, ids } = this.world;
    const h = arena.header(slot);
    const hot = arena.hot(slot);
    const { tick } = this;
    arena.i32.fill(0, hot >> 2, (hot + HOT_BYTES) >> 2);
    arena.i32.fill(0, arena.cold(slot) >> 2, (arena.cold(slot) + COLD_BYTES) >> 2);
    arena.f64[(h + HEADER.handoverStamp) >> 3] = 0;
    arena.i32[(h + HEADER.birthTick) >> 2] = tick;
    arena.i32[(hot + HOT.lastTick) >> 2] = tick;
    arena.f64[(hot + HOT.x) >> 3] = x;
    arena.f64[(hot + HOT.y) >> 3] = y;
    arena.i32[(hot + HOT.tile) >> 2] = tileIndex(x, y, LIMITS.baseTileLevel);
    arena.u16[(hot + HOT.kind) >> 1] = PLAYER_KIND;
    arena.u16[(hot + HOT.flags) >> 1] = FLAG.NEW | FLAG.RESTED;
    inboxes.reset(slot);
    arena.f64[(h + HEADER.id) >> 3] = id;
    ids.insert(id, slot);
    const word = inboxes.claim(slot, inboxes.writer(slot), 0);
    const player = { slot, session: 1 + this.players.length, word, sent: 0 };
    this.players.push(player);
    inboxes.write(slot, word, player.session, 0, CONTROL.START, NOTHING, 0);
    inboxes.setPresence(slot, word, PRESENCE_STATE.CONNECTED, this.tick);
    sendReserved(arena, slot, GATEWAY_THREAD, shard);
    const ring = this.world.arrivals[GATEWAY_THREAD]![shard]!;
    const at = ring.offer() >> 2;
    ring.i32[at] = slot;
    ring.u32[at + 1] = arena.u32[(h + HEADER.generation) >> 2]!;
    ring.u32[at + 2] = arena.u32[(h + HEADER.epoch) >> 2]!;
    ring.i32[at + 3] = 0;
    ring.commit();
  }

  /** Everybody wishes something: an action in each inbox. */
  wish(): void {
    for (const player of this.players)
      this.world.inboxes.write(player.slot, player.word, player.session, ++player.sent, 1, NOTHING, 0);
  }

  /** Shard of a slot's owner word, −1 = on its way. */
  ownerOf(slot: number): number {
    const word = Atomics.load(this.world.arena.owner, slot);
    return ownerState(word) === OWNER.OWNED ? ownerOf(word) : -1;
  }

  /** A column of the game in a player's record, read from outside. */
  value(slot: number, column: string): number {
    const { arena } = this.world;
    const { offset } = this.game.columns.find((c) => c.name === column)!;
    return arena.f64[(arena.hot(slot) + HOT.components + offset) >> 3]!;
  }

  /** One of them wishes something. @returns the action's number; 0 = its inbox is full */
  wishOf(player: Player, payload: Uint8Array): number {
    const { slot, word, session, sent } = player;
    if (!this.world.inboxes.write(slot, word, session, sent + 1, 1, payload, payload.length)) return 0;
    return ++player.sent;
  }

  idOf({ slot }: Player): number {
    return this.world.arena.f64[(this.world.arena.header(slot) + HEADER.id) >> 3]!;
  }

  applied({ slot }: Player): number {
    return this.world.arena.u32[(this.world.arena.hot(slot) + HOT.lastActionId) >> 2]!;
  }
}

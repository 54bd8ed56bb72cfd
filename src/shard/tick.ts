/**
 * One shard, one tick: the steps of design's tick in their order. Synchronous; nothing leaves the shard before the
 * commit, and nothing after it can fail in a way that a replacement does not finish.
 *
 * ```
 * mail's arrivals noted → mail → arrivals → tiles, jobs → inboxes → steps → leaving      (in the transaction)
 * ── commit ──
 * view → READY, logs → mail out → handovers → parking → frames → self updates → wake gateways
 * ```
 * The view is published before the handovers, so that an entity handed over in this tick is still seen in it.
 */
import type { Clock } from '../base/clock.js';
import { LIMITS } from '../base/limits.js';
import { SHARD_COUNTER, SHARD_GAUGE } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';
import type { CompiledGame } from '../world/game.js';
import type { TileArea } from '../world/facade.js';
import { ClosingWatch, isUnreachable } from '../world/retirement.js';
import { Placer } from '../world/placing.js';
import { Actions } from './actions.js';
import { adoptAfter } from './adopt.js';
import { Arrivals } from './arrivals.js';
import { Border } from './border.js';
import { commit } from './commit.js';
import { Core } from './core.js';
import { Events } from './events.js';
import { Facade } from './facade.js';
import { Frames } from './frames.js';
import { GatewayRings } from './gateway-rings.js';
import { Jobs } from './jobs.js';
import { Leaving } from './leaving.js';
import { LoadNotes } from './load.js';
import { Mail } from './mail.js';
import { Migration } from './migration.js';
import type { CoreOptions } from './options.js';
import { Published } from './published.js';
import { Rest } from './rest.js';
import { SelfUpdates } from './self.js';
import { setUp } from './set-up.js';
import { Stepper } from './step.js';
import { Streams } from './streams.js';
import { Tiles } from './tiles.js';
import { ViewPublisher } from './view.js';

/** Streams that one shard can have at a time, twice that many places. */
const STREAM_PLACES = 1 << 17;
/** Shares of the arena that game content may fill, and natural content of it. */
const GAME_SHARE = 7 / 8;
const NATURE_SHARE = 3 / 4;

export class Shard {
  readonly core: Core;
  readonly facade: Facade;
  private readonly tiles: Tiles;
  private readonly mail: Mail;
  private readonly arrivals: Arrivals;
  private readonly actions: Actions;
  private readonly stepper: Stepper;
  private readonly leaving: Leaving;
  private readonly migration: Migration;
  private readonly closing: ClosingWatch;
  private readonly border: Border;
  private readonly rings: GatewayRings;
  private readonly streams = new Streams(STREAM_PLACES);
  private readonly frames: Frames;
  private readonly selfs: SelfUpdates;
  private readonly jobs: Jobs;
  private readonly placer: Placer;
  private readonly load: LoadNotes;
  private readonly viewPublisher: ViewPublisher;
  /** The tick that a replacement ran first. */
  private first = 0;
  /** Whether it may sleep longer than a tick. */
  readonly rest: Rest;

  constructor(
    readonly world: SharedWorld,
    game: CompiledGame,
    readonly clock: Clock,
    options: CoreOptions,
  ) {
    const core = new Core(world, game, clock, options);
    this.core = core;
    const events = new Events(core);
    const published = new Published(core);
    this.jobs = new Jobs(core);
    this.facade = new Facade(core, events, this.jobs);
    this.placer = new Placer(world, options.shard, options.capacity);
    this.tiles = new Tiles(core, this.placer);
    this.mail = new Mail(core, this.facade, this.tiles);
    this.facade.connect(this.mail);
    this.arrivals = new Arrivals(core, this.tiles);
    this.actions = new Actions(core, this.facade);
    this.stepper = new Stepper(core, this.facade, this.mail);
    this.leaving = new Leaving(core, this.mail);
    this.migration = new Migration(core, this.tiles);
    this.closing = new ClosingWatch(world.shardBlocks, options.shard);
    this.border = new Border(core, this.placer, this.closing, this.migration);
    this.rings = new GatewayRings(world, options.shard);
    this.frames = new Frames(core, this.view, this.streams, published, events, this.rings);
    this.selfs = new SelfUpdates(core, this.rings);
    this.load = new LoadNotes(core);
    this.viewPublisher = new ViewPublisher(core, this.view, this.streams, published);
    this.rest = new Rest(core, [this.tiles, core.asking, core.cut, this.migration, this.frames]);
    core.onAdopt = (slot, isHandedOver) => {
      if (!isHandedOver) core.ledger.adopt(slot);
      published.arrived(slot);
      this.selfs.forget(slot);
    };
    core.onGone = (slot) => published.gone(slot);
    core.onLeave = (slot, withTile) => {
      if (!withTile) core.ledger.verify(slot, core.tick);
      published.leaves(slot);
    };
  }

  get view() {
    return this.world.viewWriters[this.core.shard]!;
  }

  /**
   * Takes over a shard number: from a dead incarnation, or for the first time.
   * @param dead incarnation before this one, 0 = none
   * @returns the tick to run first
   */
  start(dead: number): number {
    const { core, world } = this;
    const { block } = core;
    const now = world.clock.tickAt(this.clock.now());
    core.begin(dead === 0 ? now : block.committedTick);
    setUp(core, this.facade);
    core.cut.open();
    if (dead === 0) {
      this.rest.start();
      return now + 1;
    }
    core.isSlowed = world.directory.anySlow > 0;
    this.frames.closeAfter(block.publishers(), this.view.cellsOfLast());
    adoptAfter(core, dead);
    this.tiles.adoptHeld(block.committedTick);
    this.migration.adopt();
    // Missed ticks run back to back; after a longer stall entities go on from where they are (counted as frozen).
    this.first = Math.max(block.committedTick + 1, now - world.clock.ticksPerSecond);
    this.rest.start();
    core.cut.resume(block.committedTick, this.first, this.tiles.rollForward());
    return this.first;
  }

  /** Runs tick k: the one after the last, never skipped, never twice. */
  run(k: number): void {
    const { core } = this;
    const started = this.clock.now();
    core.begin(k);
    core.cut.look();
    core.isSlowed = this.world.directory.anySlow > 0;
    this.closing.look();
    this.migration.look();
    this.beginNotes();
    this.transaction();
    commit(core);
    core.block.beat(); // whoever has got here is not silent, however long the rest takes
    core.traces.committed();
    this.aftermath(k);
    this.rest.note();
    core.faults.tell();
    this.measure(started);
  }

  /** Whether nobody can offer anything to this shard any more, once its block is marked CLOSING, and nothing waits. */
  get isUnreachable(): boolean {
    // Nothing, not even what was given in a tick that this shard has still to run: it would be nobody's.
    return isUnreachable(this.world.shardBlocks, this.core.shard) && this.arrivals.isEmpty;
  }

  /** The last thing in good order: takes what was still offered, gives free slots back. */
  end(): void {
    this.arrivals.snapshot();
    this.arrivals.drain();
    this.core.slots.release();
    this.core.cut.close();
  }

  /** Gives the base tile of a point to this shard if it is nobody's, and wakes it (tools and benches). */
  wakeTileOf(x: number, y: number): void {
    this.placer.ensureOwner(x, y);
  }

  private beginNotes(): void {
    const { core } = this;
    core.created.count = 0;
    core.freed.count = 0;
    core.drained.count = 0;
    core.foreign.count = 0;
    core.senders.count = 0;
    if (core.createdById.size > 0) core.createdById.clear(); // a Map that is cleared gets a new table
    let entities = 0;
    const { shardBlocks } = this.world;
    for (let s = 0; s < shardBlocks.length; s++) entities += shardBlocks[s]!.gauge(SHARD_GAUGE.entities);
    const { capacity } = core.arena;
    core.roomForGame = Math.floor(capacity * GAME_SHARE) - entities;
    core.roomForNature = Math.floor(capacity * NATURE_SHARE) - entities;
    this.tiles.isCrowded = entities > capacity * LIMITS.crowdedShare;
  }

  private readonly makeContent = (tile: number, area: TileArea): unknown =>
    this.core.game.module.populate?.(this.facade, area, this.tiles.random(tile));

  private transaction(): void {
    const { core } = this;
    // Arrivals wait for all the mail that was there when they were noted: rule 3 of mail.ts.
    if (!this.mail.isBehind) this.arrivals.snapshot();
    this.mail.drain();
    if (!this.mail.isBehind) this.arrivals.drain();
    core.asking.ask();
    this.tiles.searchHeld();
    this.tiles.unpark();
    this.tiles.populate(this.makeContent);
    this.jobs.drain(this.facade);
    this.actions.drain();
    this.stepper.stepAll();
    this.leaving.review();
    this.tiles.unmakeIdle(this.leaving, core.tick % this.world.clock.ticksPerSecond === 0);
    core.ledger.look(core.owned, core.tick, this.world.clock.ticksPerSecond);
  }

  private aftermath(k: number): void {
    const { core } = this;
    core.cut.take(this.tiles.rollForward());
    this.viewPublisher.publish(this.frames.unclosed);
    this.selfs.answer(); // before the handovers: the next owner knows nothing of who waits for an answer
    this.mail.send();
    this.jobs.send();
    this.border.handOver();
    this.migration.settle();
    this.leaving.parkAccounts();
    this.lookAround(k);
    this.load.publish(k);
    const hasFrames = k % core.options.frameEvery === 0;
    if (hasFrames) this.frames.publish();
    // After its frames, which leave in one write with it; in a replacement's first tick players have waited long enough.
    if (this.selfs.isDue(k) || k === this.first) this.selfs.publish();
    if (hasFrames) core.traces.framed();
    this.rings.ring();
  }

  /** Once a second for each player: its view keeps tiles awake. Once a second: idle tiles go to sleep. */
  private lookAround(k: number): void {
    const { core } = this;
    const { players } = core;
    const every = this.world.clock.ticksPerSecond;
    for (let i = k % every; i < players.count; i += every) this.tiles.touchAround(players.slots[i]!);
    this.tiles.sleepIdle(this.leaving);
    if (k % every === 0) {
      // Whoever gives or takes a tile counts it here, and may die in between: once a second the truth.
      core.block.tiles = this.tiles.countLeaves();
    }
    core.block.setGauge(SHARD_GAUGE.entities, core.owned.count);
    core.block.setGauge(SHARD_GAUGE.players, players.count);
    core.block.setGauge(SHARD_GAUGE.tiles, this.tiles.count);
  }

  private measure(started: number): void {
    const ms = this.clock.now() - started;
    this.core.block.tickMs.record(ms);
    this.core.block.count(SHARD_COUNTER.ticks);
    this.core.block.beat();
  }
}

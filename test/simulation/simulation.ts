/**
 * A whole node in one thread under virtual time: production shards and gateways over production memory, production SDK
 * clients over links that are delayed and cut. The seed decides everything: order of shards, stalls, deaths between and
 * inside ticks, what players do. After each tick the invariants are checked; in the end faults stop (liveness phase) and
 * everything must come right. The same seed gives the same event log, so the same hash.
 *
 * Source of the method: FoundationDB's simulation (Zhou et al., SIGMOD 2021); swarm mixes: faults.ts.
 */
import { FNV_BASIS, fnvBytes } from '../../src/base/fnv.js';
import { LIMITS } from '../../src/base/limits.js';
import { formatTile, parseTile, tileAt } from '../../src/geo/address.js';
import { tileColumns, tileIndex } from '../../src/geo/tile.js';
import { wrapX } from '../../src/geo/world.js';
import { type Random, hash2, seededRandom } from '../../src/base/random.js';
import type { Client } from '../../src/client/client.js';
import game from '../../src/game/game.js';
import { packService } from '../../src/memory/service.js';
import type { StoreParts } from '../../src/store/core.js';
import type { Column, GameModule, World } from '../../src/world/facade.js';
import { SQUARES, leafAt, pathAt } from '../../src/world/layout.js';
import { CALM, type FaultMix, drawMix } from './faults.js';
import { DurableWatch } from './durable.js';
import { interrupted, until } from '../shard/death.js';
import { SimPlayer, SPOT } from './player.js';
import { SimNode } from './node.js';
import { checkEnd, checkTick } from './checks.js';
import { Retirement } from './retire.js';
import { Watch } from './watch.js';

export interface SimulationOptions {
  seed: number;
  /** Ticks with faults; the liveness phase comes on top. */
  ticks: number;
  shards?: number;
  gateways?: number;
  players?: number;
  /** Of each client; drawn from the seed if left out. */
  clientBytesPerS?: number;
  /** Faults; drawn from the seed if left out. */
  mix?: FaultMix;
  /** A bug of the store to plant. */
  storeFault?: StoreParts['fault'];
  /** See `Simulation.isVolatile`; default: drawn. */
  isVolatile?: boolean;
  /** A bug to plant, for the tests of the checkers. */
  plant?: (sim: Simulation) => void;
}

export interface SimulationResult {
  seed: number;
  ticks: number;
  /** FNV-1a of the event log, hex. */
  hash: string;
  deaths: number;
  handovers: number;
  actions: number;
  /** Splits, merges and moves carried out. */
  reshapes: number;
  /** Shards that ended in good order. */
  retired: number;
  /** Letters between shards. */
  letters: number;
  /** Ticks of entities that were left out in slowed tiles. */
  dilated: number;
  /** Deaths of the whole process. */
  crashes: number;
  /** Durable cuts, each compared with the world as of its tick. */
  cuts: number;
  /** Entities that went to rest in the store. */
  unloads: number;
}

const TICK_MS = 50;
/** Column that the simulation adds to the game: steps of an entity, counted by nobody but its own step; a run is short. */
const STEPS = 'simulatedSteps';
const LIVENESS_TICKS = 1500;

/** Thrown by the game inside a tick when the simulation wants a shard to die there. */
class PlannedDeath extends Error {}

/** For half of the seeds so few bytes a second that a dozen players are a crowd, and cells fall into squares. */
function drawBudget(draw: number): number {
  return draw & 1 ? LIMITS.clientBytesPerS : 3000 + ((draw >>> 1) % 6000);
}

/** The shard wraps what game code throws; the reason stands behind it. */
function isPlanned(error: unknown): boolean {
  return error instanceof PlannedDeath || (error instanceof Error && isPlanned(error.cause));
}

export class Simulation {
  readonly random: Random;
  readonly node: SimNode;
  readonly players: SimPlayer[] = [];
  mix: FaultMix;
  tick = 0;
  deaths = 0;
  readonly watch: Watch;
  readonly durable: DurableWatch;
  readonly retirement: Retirement;
  /** A world in memory: for half of the seeds in which the process does not die. */
  readonly isVolatile: boolean;
  crashes = 0;
  /** Bytes a second of each client. */
  readonly budget: number;
  private steps: Column;
  /** Steps and actions until a shard dies inside its tick; −1 = it does not. */
  private fuse = -1;
  private hash = FNV_BASIS;
  private readonly scratch = new Uint8Array(8);
  private readonly stalled: number[];

  constructor(readonly options: SimulationOptions) {
    this.random = seededRandom(hash2(options.seed, 0x51a));
    const drawn = drawMix(this.random);
    this.mix = options.mix ?? drawn;
    this.budget = options.clientBytesPerS ?? drawBudget(hash2(options.seed, 0xb1d));
    this.isVolatile = options.isVolatile ?? (this.mix.crash === 0 && (hash2(options.seed, 0x701) & 1) === 0);
    this.node = new SimNode(this.mined(game as unknown as GameModule), this.random, {
      shards: options.shards ?? 3,
      gateways: options.gateways ?? 2,
      seed: options.seed,
      clientBytesPerS: this.budget,
      storeFault: options.storeFault,
      isVolatile: this.isVolatile,
    });
    this.watch = new Watch(this);
    this.durable = new DurableWatch(this);
    for (const shard of this.node.shards) this.durable.follow(shard);
    this.node.onBoot = (shard) => this.durable.follow(shard);
    this.node.disk.slowestMs = this.mix.diskMs;
    this.retirement = new Retirement(this.node);
    this.steps = this.node.shards[0]!.facade.column(STEPS);
    this.stalled = new Array<number>(this.node.shards.length).fill(0);
    for (let i = 0; i < (options.players ?? 12); i++)
      this.players.push(new SimPlayer(this.node, this.random, i, this.mix.far));
  }

  /** Runs to the end. @throws Error naming the invariant that broke */
  async run(): Promise<SimulationResult> {
    this.options.plant?.(this);
    for (let i = 0; i < this.options.ticks; i++) await this.step(true);
    this.mix = CALM;
    this.node.disk.slowestMs = 0;
    if (this.options.seed % 2 === 0) this.speedUp();
    for (const player of this.players) player.settle();
    for (let i = 0; i < LIVENESS_TICKS && !(i > 100 && this.isSettled); i++) await this.step(false);
    for (const player of this.players) player.askForLog();
    for (let i = 0; i < 60; i++) await this.step(false);
    checkEnd(this);
    await this.durable.verify();
    const { splits, merges, moves } = this.node.reshaper.counts;
    const actions = this.players.reduce((sum, p) => sum + p.record.sent, 0);
    return {
      seed: this.options.seed,
      ticks: this.tick,
      hash: this.hash.toString(16).padStart(8, '0'),
      deaths: this.deaths,
      handovers: this.node.counter('handoversIn'),
      actions,
      reshapes: splits + merges + moves,
      retired: this.node.retired,
      letters: this.node.counter('messagesSent'),
      dilated: this.node.counter('ticksDilated'),
      crashes: this.crashes,
      cuts: this.durable.compared,
      unloads: this.node.unloads + this.node.store.residence.unloads,
    };
  }

  private get isSettled(): boolean {
    return this.node.isShown && this.players.every((p) => p.isSettled);
  }

  /** One tick of everybody: players and faults first, then the shards in some order, then what is due meanwhile. */
  private async step(withFaults: boolean): Promise<void> {
    this.tick++;
    for (const player of this.players) withFaults ? player.play(this.mix) : player.comeBack();
    if (this.random.next() < this.mix.reshape) this.reshape();
    if (this.random.next() < this.mix.degrade) this.degrade();
    this.retire();
    const start = this.tick * TICK_MS;
    this.node.time.advance(start);
    const doom = this.random.next() < this.mix.crash ? this.random.int(8) : -1;
    for (const [i, shard] of this.order().entries()) {
      this.runShard(shard);
      if (this.random.next() < 0.3) this.pollStore();
      if (i !== doom) continue;
      await this.crash();
      break;
    }
    checkTick(this);
    this.watch.check();
    this.durable.check();
    for (let ms = 10; ms < TICK_MS; ms += 10) {
      this.node.time.advance(start + ms);
      this.pollStore();
      if (doom === 3 + ms / 10) await this.crash();
      for (const gateway of this.node.gateways) this.interruptibly(() => gateway.poll());
      // Promises of logins and clients go on in microtasks; a few turns settle them, always in the same order.
      for (let i = 0; i < 8; i++) await Promise.resolve();
    }
  }

  private pollStore(): void {
    this.interruptibly(() => this.node.pollStore(), -1, true);
  }

  /** The whole process dies and begins anew. */
  private async crash(): Promise<void> {
    this.crashes++;
    this.log(this.crashes, this.tick);
    await this.node.restart(() => this.durable.crashed());
    this.watch.restarted();
    this.retirement.shard = -1;
    this.stalled.fill(0);
    this.steps = this.node.shards[0]!.facade.column(STEPS);
  }

  /** A leaf about the corner is split or moved, or merged with its siblings; refusals are part of it. */
  private reshape(): void {
    const { random, node } = this;
    const choice = random.int(3);
    const address = this.someTile(choice === 1);
    const before = node.world.directory.version;
    if (choice === 0) node.reshaper.split(address, 'seed');
    else if (choice === 1) node.reshaper.merge(address, 'seed');
    else node.reshaper.move(address, random.int(node.shards.length), 'seed');
    const { z, x, y } = parseTile(address)!;
    const up = z - LIMITS.baseTileLevel;
    if (node.world.directory.version !== before)
      this.watch.began((y >> up) * tileColumns(LIMITS.baseTileLevel) + (x >> up));
  }

  /** A leaf about the corner, or its parent; now and then any tile, whatever it is. */
  private someTile(parent: boolean): string {
    const { random, node } = this;
    const at = () => (random.next() * 2 - 1) * 40;
    const [x, y] = [wrapX(SPOT.x + at()), SPOT.y + at()];
    const leaf = leafAt(node.world.directory, tileIndex(x, y, LIMITS.deepestTileLevel));
    let level = LIMITS.baseTileLevel + random.int(3);
    if (leaf !== null && random.next() < 0.8) level = leaf.address.z - (parent ? 1 : 0);
    return formatTile(tileAt(x, y, Math.max(level, LIMITS.baseTileLevel)));
  }

  /** The leaf at some place about the corner gets another share of time. */
  private degrade(): void {
    const { random, node } = this;
    const at = () => (random.next() * 2 - 1) * 40;
    const [x, y] = [wrapX(SPOT.x + at()), SPOT.y + at()];
    const percent = random.next() < 0.3 ? 100 : 10 + random.int(91);
    this.serve(tileIndex(x, y, LIMITS.baseTileLevel), pathAt(x, y), packService(percent, 100, 100));
    this.log(percent, node.world.directory.anySlow);
  }

  private serve(tile: number, path: number, word: number): void {
    const { directory } = this.node.world;
    directory.setService(tile, path, directory.depthOf(tile, path), word);
  }

  /** Relief: everything in full again. */
  private speedUp(): void {
    this.node.world.directory.forEachTaken((tile) => {
      for (let path = 0; path < SQUARES; path++) this.serve(tile, path, 0);
    });
  }

  private retire(): void {
    const { random, node, retirement } = this;
    const all = node.shards.map((_, s) => s);
    if (random.next() < this.mix.retire) {
      if (retirement.shard < 0) retirement.begin(random.int(all.length));
      else retirement.revive();
    } else if (this.mix === CALM) retirement.revive();
    for (const tile of retirement.tend(all.filter((s) => s !== retirement.shard))) this.watch.began(tile);
  }

  /** Steps that the game has made of an entity since its birth, as its own record says. */
  stepsOf(slot: number): number {
    return this.steps.get(slot);
  }

  private order(): number[] {
    const order = this.node.shards.map((_, s) => s);
    for (let i = order.length - 1; i > 0; i--) {
      const j = this.random.int(i + 1);
      [order[i], order[j]] = [order[j]!, order[i]!];
    }
    return order;
  }

  private runShard(shard: number): void {
    const { mix, random } = this;
    if (this.node.isGone(shard)) return;
    if (this.stalled[shard]! > 0) {
      this.stalled[shard]!--;
      return;
    }
    if (random.next() < mix.stall) this.stalled[shard] = 1 + random.int(6);
    if (random.next() < mix.killBetween) this.kill(shard, 'between');
    if (random.next() < mix.killInside) this.fuse = random.int(60);
    const last = random.next() < mix.killAnywhere ? this.somePoint() : Number.POSITIVE_INFINITY;
    try {
      const run = () => this.node.runShard(shard);
      if (last === Number.POSITIVE_INFINITY) this.interruptibly(run, shard);
      else if (until(last, run).died) this.kill(shard, 'anywhere');
    } catch (error) {
      if (!isPlanned(error)) throw error;
      this.kill(shard, 'inside');
    }
    this.fuse = -1;
  }

  /** Number of a change of shared memory: often one of the first, where protocols begin. */
  private somePoint(): number {
    return this.random.int(this.random.int(2) === 0 ? 40 : 600);
  }

  /** A thread's work, in the middle of which a shard may run, or the store. @param shard whose work it is, −1 = nobody's */
  private interruptibly(work: () => void, shard = -1, isStore = false): void {
    const { random, node } = this;
    if (random.next() >= this.mix.interrupt) return work();
    const other = random.int(node.shards.length + (isStore ? 0 : 1));
    const isFree = other !== shard && (other === node.shards.length || this.stalled[other] === 0);
    interrupted(this.somePoint(), work, () => {
      const { fuse } = this;
      this.fuse = -1; // it is the other's
      if (other === node.shards.length) node.pollStore();
      else if (isFree) node.runShard(other);
      this.fuse = fuse;
    });
  }

  private kill(shard: number, where: string): void {
    this.deaths++;
    this.log(shard, where.length);
    this.node.replace(shard);
  }

  /** The game with a fuse in it: burns down with each step and action of the shard that is running. */
  private mined(module: GameModule): GameModule {
    const burn = () => {
      if (this.fuse >= 0 && this.fuse-- === 0) throw new PlannedDeath();
    };
    const actions = Object.fromEntries(
      Object.entries(module.actions).map(([name, action]) => [
        name,
        {
          ...action,
          apply: (world: World, actor: number, payload: never) => {
            burn();
            const outcome = action.apply(world, actor, payload);
            burn(); // half of an action's tick is written
            return outcome;
          },
        },
      ]),
    );
    return {
      ...module,
      actions,
      components: { ...module.components, [STEPS]: 'u16' },
      step: (world, entity) => {
        burn();
        const steps = world.column(STEPS);
        steps.set(entity, steps.get(entity) + 1);
        module.step(world, entity);
      },
    };
  }

  /** Adds two numbers to the event log. */
  log(a: number, b: number): void {
    new DataView(this.scratch.buffer).setInt32(0, a | 0);
    new DataView(this.scratch.buffer).setInt32(4, b | 0);
    this.hash = fnvBytes(this.hash, this.scratch, 0, 8);
  }

  client(i: number): Client {
    return this.players[i]!.client;
  }
}

export { SPOT };

/**
 * A whole node in one thread under virtual time: production shards and gateways over production memory, production SDK
 * clients over links that are delayed and cut. The seed decides everything: order of shards, stalls, deaths between and
 * inside ticks, what players do. After each tick the invariants are checked; in the end faults stop (liveness phase) and
 * everything must come right. The same seed gives the same event log, so the same hash.
 *
 * Source of the method: FoundationDB's simulation (Zhou et al., SIGMOD 2021); swarm mixes: faults.ts.
 */
import { ERRORS } from '../../src/base/errors.js';
import { FNV_BASIS, fnvBytes } from '../../src/base/fnv.js';
import { LIMITS } from '../../src/base/limits.js';
import { type Random, hash2, seededRandom } from '../../src/base/random.js';
import type { Client } from '../../src/client/client.js';
import game from '../../src/game/game.js';
import type { Shard } from '../../src/shard/tick.js';
import type { StoreParts } from '../../src/store/core.js';
import type { GameModule } from '../../src/world/facade.js';
import { readColumn } from '../shard/column.js';
import { AccountWatch } from './accounts.js';
import { CALM, type FaultMix, drawMix } from './faults.js';
import { DurableWatch } from './durable.js';
import { interrupted, until } from '../shard/death.js';
import { fail } from './fail.js';
import { SimPlayer, SPOT } from './player.js';
import { SimNode } from './node.js';
import { RandomLayout } from './layout.js';
import { CALM_LINKS } from './links.js';
import { Fuse, STEPS, isBurnt, mined } from './mined.js';
import { drawPlanned, isPlanned, neighboursAt, placeOf, plannedMix } from './planned.js';
import { PlannerWatch } from './planner-watch.js';
import { checkEnd, checkTick } from './checks.js';
import { Retirement } from './retire.js';
import { Watch } from './watch.js';
import { Whim } from './whim.js';

export interface SimulationOptions {
  seed: number;
  /** Ticks with faults; the liveness phase comes on top. */
  ticks: number;
  shards?: number;
  gateways?: number;
  /** Routers before the node, and faults of their links. */
  routers?: number;
  players?: number;
  /** Of each client; drawn from the seed if left out. */
  clientBytesPerS?: number;
  /** Faults; drawn from the seed if left out. */
  mix?: FaultMix;
  /** A bug of the store to plant. */
  storeFault?: StoreParts['fault'];
  /** See `Simulation.isVolatile`; default: drawn. */
  isVolatile?: boolean;
  /** Whether the production planner decides; drawn from the seed if left out. */
  planner?: boolean;
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
  /** Those in the middle of a turn of the store. */
  storeDeaths: number;
  /** Durable cuts, each compared with the world as of its tick. */
  cuts: number;
  /** Decisions of the production planner, where it decides. */
  decisions: number;
  /** Entities that went to rest in the store. */
  unloads: number;
  /** Accounts that came in for the first time. */
  accounts: number;
  /** Calls of the game that threw. */
  stumbles: number;
}

const TICK_MS = 50;
const LIVENESS_TICKS = 1500;
/** Behind a router an honest client is never told that it broke a rule. */
const FAULTS_OF_OURS = (
  [
    'ACTION_GAP',
    'WINDOW_EXCEEDED',
    'BAD_VALUE',
    'BAD_FRAME',
    'UNEXPECTED_MESSAGE',
    'RATE_LIMITED',
    'INTERNAL',
  ] as const
).map((name): number => ERRORS[name].number);

/** For half of the seeds so few bytes a second that a dozen players are a crowd, and cells fall into squares. */
function drawBudget(draw: number): number {
  return draw & 1 ? LIMITS.clientBytesPerS : 3000 + ((draw >>> 1) % 6000);
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
  readonly accounts = new AccountWatch(this);
  readonly retirement: Retirement;
  /** A world in memory: for half of the seeds in which the process does not die. */
  readonly isVolatile: boolean;
  crashes = 0;
  private storeDeaths = 0;
  /** Bytes a second of each client. */
  readonly budget: number;
  private readonly fuse = new Fuse();
  readonly whim = new Whim();
  /** What it draws by. */
  private readonly whims: Random;
  /** Changes of shared memory by the store until the process dies in the middle of its turn; −1 = it does not. */
  private storeFuse = -1;
  readonly layout: RandomLayout;
  /** Where the production planner decides. */
  readonly planner: PlannerWatch | null;
  private hash = FNV_BASIS;
  private readonly scratch = new Uint8Array(8);
  private readonly stalled: number[];

  constructor(readonly options: SimulationOptions) {
    this.random = seededRandom(hash2(options.seed, 0x51a));
    this.whims = seededRandom(hash2(options.seed, 0x9a3e));
    const drawn = drawMix(this.random, seededRandom(hash2(options.seed, 0xacc)), this.whims);
    this.mix = options.mix ?? drawn;
    this.budget = options.clientBytesPerS ?? drawBudget(hash2(options.seed, 0xb1d));
    this.isVolatile = options.isVolatile ?? (this.mix.crash === 0 && (hash2(options.seed, 0x701) & 1) === 0);
    const shards = options.shards ?? 3;
    const planned = (options.planner ?? isPlanned(options.seed)) ? drawPlanned(options.seed, shards) : null;
    if (planned !== null) this.mix = plannedMix(this.mix);
    const spoilt = this.whim.spoil(mined(game as unknown as GameModule, this.fuse));
    this.node = new SimNode(spoilt, this.random, {
      shards,
      gateways: options.routers ? 1 : (options.gateways ?? 2),
      routers: options.routers,
      seed: options.seed,
      clientBytesPerS: this.budget,
      storeFault: options.storeFault,
      isVolatile: this.isVolatile,
      planned,
    });
    this.node.net.onEnd = (code) => {
      if (this.node.routed !== null && FAULTS_OF_OURS.includes(code))
        fail('I3', `a client was closed with ${code}`);
    };
    this.watch = new Watch(this);
    this.layout = new RandomLayout(this);
    this.planner = planned === null ? null : new PlannerWatch(this, planned);
    this.durable = new DurableWatch(this);
    const follow = (shard: Shard) => {
      this.durable.follow(shard);
      this.whim.follow(shard, this.node.world);
    };
    this.node.shards.forEach(follow);
    this.node.onBoot = follow;
    this.node.disk.slowestMs = this.mix.diskMs;
    this.retirement = new Retirement(this.node);
    this.stalled = new Array<number>(shards).fill(0);
    const place = planned === null ? null : () => placeOf(planned, options.seed, this.tick);
    for (let i = 0; i < (options.players ?? 12); i++)
      this.players.push(new SimPlayer(this.node, this.random, i, this.mix.far, place));
  }

  /** Runs to the end. @throws Error naming the invariant that broke */
  async run(): Promise<SimulationResult> {
    this.options.plant?.(this);
    for (let i = 0; i < this.options.ticks; i++) await this.step(true);
    this.mix = CALM;
    if (this.node.routed !== null) this.node.routed.mix = CALM_LINKS;
    this.storeFuse = -1;
    this.node.disk.slowestMs = 0;
    this.planner?.relieve();
    if (this.planner === null && this.options.seed % 2 === 0) this.layout.speedUp();
    for (const player of this.players) player.settle();
    for (let i = 0; i < LIVENESS_TICKS && !(i > 100 && this.isSettled); i++) await this.step(false);
    for (const player of this.players) player.askForLog();
    // Who has just left for good, a guest of an earlier process say, is still to be told of; a change of layout ends.
    for (let i = 0; i < 60 || (i < 300 && this.planner?.isChanging === true); i++) await this.step(false);
    checkEnd(this);
    this.accounts.checkEnd();
    await this.planner?.empty(() => this.step(false));
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
      storeDeaths: this.storeDeaths,
      cuts: this.durable.compared,
      decisions: this.planner?.decided ?? 0,
      unloads: this.node.unloads + this.node.store.residence.unloads,
      accounts: this.accounts.accounts,
      stumbles: this.whim.thrown,
    };
  }

  private get isSettled(): boolean {
    return (this.node.routed?.isSound ?? true) && this.node.isShown && this.players.every((p) => p.isSettled);
  }

  /** Time goes by for the cores; other programs come and go. */
  private stepMachine(withFaults: boolean): void {
    const { machine } = this.node;
    if (machine === null || this.planner === null) return;
    machine.neighbours = withFaults ? neighboursAt(this.planner.planned, this.options.seed, this.tick) : 0;
    machine.step(TICK_MS);
  }

  /** One tick of everybody: players and faults first, then the shards in some order, then what is due meanwhile. */
  private async step(withFaults: boolean): Promise<void> {
    this.tick++;
    for (const player of this.players) withFaults ? player.play(this.mix) : player.comeBack();
    if (this.mix.group > 0 && this.random.next() < this.mix.group)
      for (const player of this.players) if (this.random.int(2) === 0) player.renew();
    this.node.routed?.play();
    if (this.random.next() < this.mix.reshape) this.layout.reshape();
    if (this.random.next() < this.mix.degrade) this.layout.degrade();
    if (this.planner === null) this.retire();
    else this.planner.play(withFaults);
    const start = this.tick * TICK_MS;
    this.node.time.advance(start);
    this.stepMachine(withFaults);
    const doom = this.random.next() < this.mix.crash ? this.random.int(8) : -1;
    for (const [i, shard] of this.order().entries()) {
      this.runShard(shard);
      const isDead = this.random.next() < 0.3 && this.pollStore();
      if (i !== doom && !isDead) continue;
      await this.crash();
      break;
    }
    checkTick(this);
    this.planner?.check();
    this.watch.check();
    this.durable.check();
    this.accounts.check();
    for (let ms = 10; ms < TICK_MS; ms += 10) {
      this.node.time.advance(start + ms);
      if (doom === 3 + ms / 10 && this.storeFuse < 0) this.storeFuse = this.random.int(40);
      if (this.pollStore()) await this.crash();
      for (const gateway of this.node.gateways) this.interruptibly(() => gateway.poll());
      // Promises of logins and clients go on in microtasks; a few turns settle them, always in the same order.
      for (let i = 0; i < 8; i++) await Promise.resolve();
    }
  }

  /** A turn of the store. @returns true when the process dies in the middle of it */
  private pollStore(): boolean {
    const turn = () => this.node.pollStore();
    if (this.storeFuse < 0) {
      this.interruptibly(turn, -1, true);
      return false;
    }
    const { changes, died } = until(this.storeFuse, turn);
    this.storeFuse -= changes;
    if (died) this.storeDeaths++;
    return died;
  }

  /** The whole process dies and begins anew. */
  private async crash(): Promise<void> {
    this.crashes++;
    this.storeFuse = -1;
    this.log(this.crashes, this.tick);
    await this.node.restart(() => this.durable.crashed());
    this.watch.restarted();
    this.retirement.shard = -1;
    this.stalled.fill(0);
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
    return readColumn(this.node.world.arena, this.node.game, STEPS, slot);
  }

  private order(): number[] {
    const order = this.stalled.map((_, s) => s);
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
    if (random.next() < mix.killInside) this.fuse.left = random.int(60);
    if (this.whims.next() < mix.stumble) this.whim.draw(this.whims);
    const last = random.next() < mix.killAnywhere ? this.somePoint() : Number.POSITIVE_INFINITY;
    try {
      const run = () => this.node.runShard(shard);
      if (last === Number.POSITIVE_INFINITY) this.interruptibly(run, shard);
      else if (until(last, run).died) this.kill(shard, 'anywhere');
    } catch (error) {
      if (!isBurnt(error)) throw error;
      this.kill(shard, 'inside');
    }
    this.fuse.left = -1;
    this.whim.begin(-1);
  }

  /** Number of a change of shared memory: often one of the first, where protocols begin. */
  private somePoint(): number {
    return this.random.int(this.random.int(2) === 0 ? 40 : 600);
  }

  /** A thread's work, in the middle of which a shard may run, or the store. @param shard whose work it is, −1 = nobody's */
  private interruptibly(work: () => void, shard = -1, isStore = false): void {
    const { random, node } = this;
    if (random.next() >= this.mix.interrupt) return work();
    const other = random.int(this.stalled.length + (isStore ? 0 : 1));
    const isFree = other !== shard && (other === this.stalled.length || this.stalled[other] === 0);
    interrupted(this.somePoint(), work, () => {
      const { left } = this.fuse;
      this.fuse.left = -1; // it is the other's
      if (other === this.stalled.length) node.pollStore();
      else if (isFree) this.whim.aside(() => node.runShard(other));
      this.fuse.left = left;
    });
  }

  private kill(shard: number, where: string): void {
    this.deaths++;
    this.log(shard, where.length);
    this.node.replace(shard);
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

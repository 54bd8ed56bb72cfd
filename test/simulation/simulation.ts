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
import { formatTile, tileAt } from '../../src/geo/address.js';
import { wrapX } from '../../src/geo/world.js';
import { type Random, hash2, seededRandom } from '../../src/base/random.js';
import type { Client } from '../../src/client/client.js';
import game from '../../src/game/game.js';
import type { GameModule, World } from '../../src/world/facade.js';
import { CALM, type FaultMix, drawMix } from './faults.js';
import { SimPlayer, SPOT } from './player.js';
import { SimNode } from './node.js';
import { checkEnd, checkTick } from './checks.js';

export interface SimulationOptions {
  seed: number;
  /** Ticks with faults; the liveness phase comes on top. */
  ticks: number;
  shards?: number;
  gateways?: number;
  players?: number;
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
}

const TICK_MS = 50;
const LIVENESS_TICKS = 700;

/** Thrown by the game inside a tick when the simulation wants a shard to die there. */
class PlannedDeath extends Error {}

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
  /** Steps and actions until a shard dies inside its tick; −1 = it does not. */
  private fuse = -1;
  private hash = FNV_BASIS;
  private readonly scratch = new Uint8Array(8);
  private readonly stalled: number[];

  constructor(readonly options: SimulationOptions) {
    this.random = seededRandom(hash2(options.seed, 0x51a));
    this.mix = drawMix(this.random);
    this.node = new SimNode(this.mined(game as unknown as GameModule), this.random, {
      shards: options.shards ?? 3,
      gateways: options.gateways ?? 2,
      seed: options.seed,
    });
    this.stalled = new Array<number>(this.node.shards.length).fill(0);
    for (let i = 0; i < (options.players ?? 12); i++)
      this.players.push(new SimPlayer(this.node, this.random, i));
  }

  /** Runs to the end. @throws Error naming the invariant that broke */
  async run(): Promise<SimulationResult> {
    this.options.plant?.(this);
    for (let i = 0; i < this.options.ticks; i++) await this.step(true);
    this.mix = CALM;
    for (const player of this.players) player.settle();
    for (let i = 0; i < LIVENESS_TICKS && !(i > 100 && this.players.every((p) => p.isSettled)); i++)
      await this.step(false);
    for (const player of this.players) player.askForLog();
    for (let i = 0; i < 60; i++) await this.step(false);
    checkEnd(this);
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
    };
  }

  /** One tick of everybody: players and faults first, then the shards in some order, then what is due meanwhile. */
  private async step(withFaults: boolean): Promise<void> {
    this.tick++;
    if (withFaults) for (const player of this.players) player.play(this.mix);
    if (this.random.next() < this.mix.reshape) this.reshape();
    const start = this.tick * TICK_MS;
    this.node.time.advance(start);
    for (const shard of this.order()) this.runShard(shard);
    checkTick(this);
    for (let ms = 10; ms < TICK_MS; ms += 10) {
      this.node.time.advance(start + ms);
      for (const gateway of this.node.gateways) gateway.poll();
      // Promises of logins and clients go on in microtasks; a few turns settle them, always in the same order.
      for (let i = 0; i < 8; i++) await Promise.resolve();
    }
  }

  /** Some tile of some level about the corner; refusals are part of it. */
  private reshape(): void {
    const { random, node } = this;
    const at = () => (random.next() * 2 - 1) * 40;
    const level = LIMITS.baseTileLevel + random.int(3);
    const address = formatTile(tileAt(wrapX(SPOT.x + at()), SPOT.y + at(), level));
    const choice = random.int(3);
    if (choice === 0) node.reshaper.split(address, 'seed');
    else if (choice === 1) node.reshaper.merge(address, 'seed');
    else node.reshaper.move(address, random.int(node.shards.length), 'seed');
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
    if (this.stalled[shard]! > 0) {
      this.stalled[shard]!--;
      return;
    }
    if (random.next() < mix.stall) this.stalled[shard] = 1 + random.int(6);
    if (random.next() < mix.killBetween) this.kill(shard, 'between');
    if (random.next() < mix.killInside) this.fuse = random.int(60);
    try {
      this.node.runShard(shard);
    } catch (error) {
      if (!isPlanned(error)) throw error;
      this.kill(shard, 'inside');
    }
    this.fuse = -1;
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
      step: (world, entity) => {
        burn();
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

/** The server side of a simulation: shared world, shards, gateways; shards are replaced as the supervisor would. */
import { type Random, hash2, seededRandom } from '../../src/base/random.js';
import { createLog } from '../../src/base/log.js';
import { LIMITS } from '../../src/base/limits.js';
import { worldCard } from '../../src/control/card.js';
import { Reshaper } from '../../src/control/reshape.js';
import { Gateway } from '../../src/gateway/gateway.js';
import { SessionTokens } from '../../src/gateway/session-token.js';
import { GATEWAY_THREAD } from '../../src/memory/record.js';
import { SHARD_COUNTER, SHARD_STATE } from '../../src/memory/shard-block.js';
import { type SharedWorld, createSharedWorld } from '../../src/memory/shared-world.js';
import { Shard } from '../../src/shard/tick.js';
import { type CompiledGame, compileGame } from '../../src/world/game.js';
import type { GameModule } from '../../src/world/facade.js';
import { Placer } from '../../src/world/placing.js';
import { SPOT } from './player.js';
import { SimNet, simTransport } from './net.js';
import { VirtualTime } from './time.js';

const ENTITIES = 512;

export interface SimNodeOptions {
  shards: number;
  gateways: number;
  seed: number;
  /** A small one makes every meeting a crowd. */
  clientBytesPerS?: number;
}

export class SimNode {
  readonly time = new VirtualTime();
  readonly world: SharedWorld;
  readonly game: CompiledGame;
  readonly shards: Shard[] = [];
  readonly gateways: Gateway[] = [];
  readonly net: SimNet;
  readonly reshaper: Reshaper;
  private readonly nextTick: number[] = [];
  private readonly gone = new Set<number>();
  retired = 0;
  private incarnations = 0;

  constructor(
    module: GameModule,
    random: Random,
    private readonly options: SimNodeOptions,
  ) {
    this.world = createSharedWorld({
      shards: options.shards,
      gateways: options.gateways,
      startMs: 0,
      maxEntities: ENTITIES,
      arrivalsPlaces: 16,
      messagePlaces: 16,
      frameRingBytes: 2 ** 22,
    });
    this.game = compileGame(module, 'simulation');
    this.reshaper = new Reshaper(this.world, this.time, () => 0, createLog({ level: 'silent' }));
    for (let s = 0; s < options.shards; s++) this.boot(s, 0);
    this.net = new SimNet(this.time, random, () => this.gateways);
    for (let g = 0; g < options.gateways; g++) this.openGateway(g);
  }

  private boot(shard: number, dead: number): void {
    const incarnation = ++this.incarnations;
    const block = this.world.shardBlocks[shard]!;
    block.incarnation = incarnation;
    block.state = SHARD_STATE.STARTING;
    const made = new Shard(this.world, this.game, this.time, {
      shard,
      incarnation,
      worldSeed: this.options.seed,
      frameEvery: LIMITS.tickRateHz / LIMITS.frameRateHz,
      capacity: LIMITS.capacityPlayers,
      quarantine: [],
    });
    this.shards[shard] = made;
    this.nextTick[shard] = made.start(dead);
    block.state = SHARD_STATE.RUNNING;
  }

  /** What the supervisor does after an exit. */
  replace(shard: number): void {
    this.world.shardBlocks[shard]!.state = SHARD_STATE.DEAD;
    this.boot(shard, this.shards[shard]!.core.options.incarnation);
  }

  /** A shard has ended in good order: its number does nothing until it is revived. */
  end(shard: number): void {
    this.world.shardBlocks[shard]!.state = SHARD_STATE.NONE;
    this.gone.add(shard);
    this.retired++;
  }
  isGone(shard: number): boolean {
    return this.gone.has(shard);
  }
  revive(shard: number): void {
    this.gone.delete(shard);
    this.boot(shard, this.shards[shard]!.core.options.incarnation);
  }

  /** Runs the ticks of a shard that are due. */
  runShard(shard: number): void {
    if (this.gone.has(shard)) return;
    const now = this.world.clock.tickAt(this.time.now());
    while (this.nextTick[shard]! <= now) {
      this.shards[shard]!.run(this.nextTick[shard]!);
      this.nextTick[shard]!++;
    }
  }

  private openGateway(number: number): void {
    const placer = new Placer(this.world, GATEWAY_THREAD + number);
    const numbers = seededRandom(hash2(this.options.seed, 77 + number));
    const gateway: Gateway = new Gateway(
      {
        world: this.world,
        number,
        clock: this.time,
        transport: simTransport(
          () => this.net,
          () => gateway,
        ),
        authenticate: async () => ({ guest: true }),
        accounts: { find: async () => 0, bind: async () => 0, load: async () => 'absent' },
        ensureOwner: (x, y) => placer.ensureOwner(x, y),
        tokens: new SessionTokens(new Uint8Array(32)),
        secretNumbers: () => 1 + numbers.u32(),
        card: worldCard(this.game, { tickRate: LIMITS.tickRateHz, frameRate: LIMITS.frameRateHz }),
        spawn: { x: SPOT.x, y: SPOT.y },
        log: createLog({ level: 'silent' }),
        maxConnections: 1000,
        clientBytesPerS: this.options.clientBytesPerS ?? LIMITS.clientBytesPerS,
      },
      this.time,
    );
    this.gateways.push(gateway);
  }

  /** Whether every connection watches all that it should. */
  get isShown(): boolean {
    return this.gateways.every(({ core }) => [...core.connections].every((c) => !c.isBehind));
  }

  counter(name: keyof typeof SHARD_COUNTER): number {
    return this.world.shardBlocks.reduce((sum, block) => sum + block.counter(SHARD_COUNTER[name]), 0);
  }
}

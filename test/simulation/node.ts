/**
 * The server side of a simulation: shared world, shards, gateways, store; shards are replaced as the supervisor would,
 * and the whole process begins anew from its disk as control/durability.ts and node.ts would let it.
 */
import { type Random, hash2, seededRandom } from '../../src/base/random.js';
import { createLog } from '../../src/base/log.js';
import { LIMITS } from '../../src/base/limits.js';
import { worldCard } from '../../src/control/card.js';
import { LeaseKeeper } from '../../src/control/leases.js';
import { Reshaper } from '../../src/control/reshape.js';
import { Gateway } from '../../src/gateway/gateway.js';
import { SessionTokens } from '../../src/gateway/session-token.js';
import { GATEWAY_THREAD } from '../../src/memory/record.js';
import { STORE_STATE } from '../../src/memory/cut-block.js';
import { SHARD_COUNTER, SHARD_STATE } from '../../src/memory/shard-block.js';
import { type SharedWorld, createSharedWorld } from '../../src/memory/shared-world.js';
import { Shard } from '../../src/shard/tick.js';
import { openBook, readFacts } from '../../src/store/book.js';
import { Codec, RecordBytes } from '../../src/store/codec.js';
import { StoreCore, type StoreParts } from '../../src/store/core.js';
import type { StoreFacts, WorldIdentity } from '../../src/store/types.js';
import { type CompiledGame, compileGame } from '../../src/world/game.js';
import type { GameModule } from '../../src/world/facade.js';
import { Placer } from '../../src/world/placing.js';
import { SimDisk } from './disk.js';
import { SPOT } from './player.js';
import { SimNet, simTransport } from './net.js';
import { VirtualTime } from './time.js';

const ENTITIES = 512;
/** Shard starts of one process, as control/durability.ts records them. */
const INCARNATIONS = 65_536;
/** Tiles sleep sooner than in a real world. */
const TILE_SLEEP_S = 2;

export interface SimNodeOptions {
  shards: number;
  gateways: number;
  seed: number;
  /** A small one makes every meeting a crowd. */
  clientBytesPerS?: number;
  /** The disk ends with the process, as with `--memory`: it must not crash. */
  isVolatile?: boolean;
  /** A bug of the store, planted. */
  storeFault?: StoreParts['fault'];
}

export class SimNode {
  readonly time = new VirtualTime();
  readonly disk: SimDisk;
  readonly game: CompiledGame;
  readonly identity: WorldIdentity;
  readonly shards: Shard[] = [];
  readonly gateways: Gateway[] = [];
  readonly net: SimNet;
  /** Of the present process, like all that follows. */
  world!: SharedWorld;
  store!: StoreCore;
  facts!: StoreFacts;
  reshaper!: Reshaper;
  /** Told of the store of each process, before anybody uses it. */
  onStore: (store: StoreCore) => void = () => {};
  /** Told of each shard that is made. */
  onBoot: (shard: Shard) => void = () => {};
  retired = 0;
  unloads = 0;
  private leases!: LeaseKeeper;
  private lives = 0;
  private readonly nextTick: number[] = [];
  private readonly gone = new Set<number>();
  private incarnations = 0;
  /** Counters of the processes before. */
  private readonly counted = new Map<string, number>();

  constructor(
    module: GameModule,
    random: Random,
    private readonly options: SimNodeOptions,
  ) {
    this.game = compileGame(module, 'simulation');
    const { columns, kinds } = this.game;
    const game = { name: module.name, kinds, items: module.items, columns };
    this.identity = { seed: options.seed, baseLevel: LIMITS.baseTileLevel, game };
    this.disk = new SimDisk(this.time, random);
    this.net = new SimNet(this.time, random, () => this.gateways);
    this.openStore();
    this.openThreads();
  }

  /** The process dies where it stands, and another one begins with what is on the disk. @param look between the two */
  async restart(look: () => Promise<void>): Promise<void> {
    for (const name of Object.keys(SHARD_COUNTER) as (keyof typeof SHARD_COUNTER)[])
      this.counted.set(name, this.counter(name));
    this.unloads += this.store.residence.unloads;
    this.disk.crash();
    await look();
    this.shards.length = 0;
    this.gateways.length = 0;
    this.gone.clear();
    for (const link of [...this.net.links]) this.net.cut(link);
    this.openStore();
    await this.leases.keep();
    this.openThreads();
    await this.gateways[0]!.bringBack([...this.facts.guests]);
  }

  /** As control/durability.ts. */
  private openStore(): void {
    const { options, time, disk } = this;
    const world = createSharedWorld({
      shards: options.shards,
      gateways: options.gateways,
      startMs: time.now(),
      maxEntities: ENTITIES,
      arrivalsPlaces: 16,
      messagePlaces: 16,
      frameRingBytes: 2 ** 22,
      grantedIdLease: 0,
    });
    const log = createLog({ level: 'silent' });
    disk.isStarting = true;
    const book = openBook(disk, this.identity, () => new Uint8Array(32), 'the simulated disk');
    const facts = readFacts(disk, book);
    world.clock.begin(time.now() - (facts.durableTick + 1) * world.clock.tickMs);
    world.ids.begin(facts.idLease + 1);
    for (let i = 0; i < facts.generated.length; i += 2)
      world.directory.setGeneratedTick(facts.generated[i]!, facts.generated[i + 1]!);
    facts.itemsCreated.forEach((created, kind) => {
      world.cut.resting[kind] = created - (facts.itemsConsumed[kind] ?? 0);
    });
    world.cut.durableTick = facts.durableTick;
    world.cut.isVolatile = options.isVolatile === true;
    world.cut.state = STORE_STATE.RUNNING;
    const store = new StoreCore({ world, engine: disk, book, clock: time, log, fault: options.storeFault });
    store.recordIncarnation(facts.incarnation + INCARNATIONS, () => {});
    this.leases = new LeaseKeeper(
      world.ids,
      (bound) => new Promise<void>((resolve) => store.recordLease(bound, resolve)),
    );
    void this.leases.keep();
    disk.isStarting = false;
    this.incarnations = facts.incarnation;
    Object.assign(this, { world, facts, store });
    this.onStore(store);
  }

  private openThreads(): void {
    this.lives++;
    this.reshaper = new Reshaper(this.world, this.time, () => 0, createLog({ level: 'silent' }));
    for (let s = 0; s < this.options.shards; s++) this.boot(s, 0);
    for (let g = 0; g < this.options.gateways; g++) this.openGateway(g);
  }

  /** A turn of the store's thread. */
  pollStore(): void {
    this.store.poll();
    void this.leases.keep();
  }

  /** What the store would say of an entity that is not in the arena. */
  stored(id: number): RecordBytes | null {
    const bytes = this.store.read(id);
    if (bytes === undefined || bytes === null) return null;
    const book = openBook(this.disk, this.identity, () => new Uint8Array(32), 'the simulated disk');
    const record = new RecordBytes();
    return new Codec(book.names).decode(bytes, record) === null ? record : null;
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
      tileSleepS: TILE_SLEEP_S,
    });
    this.shards[shard] = made;
    this.onBoot(made);
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
    const numbers = seededRandom(hash2(this.options.seed, 77 + number + 100 * (this.lives - 1)));
    const { store } = this;
    const gateway: Gateway = new Gateway(
      {
        world: this.world,
        number,
        clock: this.time,
        transport: simTransport(
          () => this.net,
          () => gateway,
        ),
        authenticate: async (ticket) => (ticket === '' ? { guest: true } : { playerId: ticket }),
        accounts: {
          find: (playerId) => new Promise((resolve) => store.findAccount(playerId, resolve)),
          bind: (playerId, expected, entity) =>
            new Promise((resolve) => store.bindAccount(playerId, expected, entity, resolve)),
          load: async (entity) => store.loadEntity(entity),
        },
        ensureOwner: (x, y) => placer.ensureOwner(x, y),
        tokens: new SessionTokens(this.facts.secret),
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
    const before = this.counted.get(name) ?? 0;
    return this.world.shardBlocks.reduce((sum, block) => sum + block.counter(SHARD_COUNTER[name]), before);
  }
}

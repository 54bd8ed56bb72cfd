/**
 * The server side of a simulation: shared world, shards, gateways, store; shards are replaced as the supervisor would,
 * and the whole process begins anew from its disk as control/durability.ts and node.ts would let it.
 */
import { type Random, hash2, seededRandom } from '../../src/base/random.js';
import { createLog } from '../../src/base/log.js';
import { LIMITS } from '../../src/base/limits.js';
import { type Breathing, makeBreathing } from '../../src/control/breathing.js';
import { worldCard } from '../../src/control/card.js';
import { shardWatch } from '../../src/control/launch.js';
import { LeaseKeeper } from '../../src/control/leases.js';
import { Reshaper } from '../../src/control/reshape.js';
import { Supervisor } from '../../src/control/supervisor.js';
import { ThreadCpu } from '../../src/control/thread-cpu.js';
import { Traces } from '../../src/control/traces.js';
import { Gateway } from '../../src/gateway/gateway.js';
import { SessionTokens } from '../../src/gateway/session-token.js';
import { GATEWAY_THREAD } from '../../src/memory/record.js';
import { indexOfOrigin, tileOfOrigin } from '../../src/memory/nature.js';
import { STORE_STATE } from '../../src/memory/cut-block.js';
import { SHARD_COUNTER, SHARD_GAUGE, SHARD_STATE } from '../../src/memory/shard-block.js';
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
import { Machine } from './machine.js';
import { SPOT } from './player.js';
import type { Planned } from './planned.js';
import { SimRouters } from './links.js';
import { SimNet, simTransport } from './net.js';
import { ProcessTimers, SimThreads } from './threads.js';
import { VirtualTime } from './time.js';

const ENTITIES = 512;
/** Shard starts of one process, as control/durability.ts records them. */
const INCARNATIONS = 65_536;
/** Tiles sleep sooner than in a real world. */
const TILE_SLEEP_S = 2;

const SILENT = { info: () => {}, warn: () => {}, error: () => {}, fatal: () => {} };

export interface SimNodeOptions {
  shards: number;
  gateways: number;
  seed: number;
  /** A small one makes every meeting a crowd. */
  clientBytesPerS?: number;
  /** The disk ends with the process, as with `--memory`: it must not crash. */
  isVolatile?: boolean;
  /** The production supervisor and planner decide; otherwise whoever uses the node. */
  planned?: Planned | null;
  /** Routers before the node; 0 = clients come to its gateways. */
  routers?: number;
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
  readonly routed: SimRouters | null;
  /** Of the present process, like all that follows. */
  world!: SharedWorld;
  store!: StoreCore;
  facts!: StoreFacts;
  reshaper!: Reshaper;
  /** Where the planner decides. */
  breathing: Breathing | null = null;
  supervisor: Supervisor | null = null;
  readonly machine: Machine | null;
  /** Told of what supervisor and planner complain of. */
  onError: (text: string, fields: object) => void = () => {};
  /** Told of each planner that begins, before it has decided anything. */
  onPlanner: (breathing: Breathing) => void = () => {};
  /** Told of the store of each process, before anybody uses it. */
  onStore: (store: StoreCore) => void = () => {};
  /** Told of each shard that is made. */
  onBoot: (shard: Shard) => void = () => {};
  retired = 0;
  unloads = 0;
  private timers: ProcessTimers;
  private threads!: SimThreads;
  private leases!: LeaseKeeper;
  private lives = 0;
  private readonly nextTick: number[] = [];
  private readonly leftOut: number[] = [];
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
    this.net = new SimNet(this.time, random, () => this.routed?.routers ?? this.gateways);
    const { routers = 0 } = options;
    this.routed = routers === 0 ? null : new SimRouters(this.time, random, () => this.net, routers);
    this.net.onSaid = (bytes) => this.routed?.hellos.byClient(bytes);
    this.timers = new ProcessTimers(this.time);
    const { planned } = options;
    this.machine = planned ? new Machine(planned.cores, planned.costs) : null;
    this.openStore();
    this.openThreads();
  }

  /** The process dies where it stands, and another one begins with what is on the disk. @param look between the two */
  async restart(look: () => Promise<void>): Promise<void> {
    for (const name of Object.keys(SHARD_COUNTER) as (keyof typeof SHARD_COUNTER)[])
      this.counted.set(name, this.counter(name));
    this.unloads += this.store.residence.unloads;
    this.disk.crash();
    this.timers.die();
    this.timers = new ProcessTimers(this.time);
    await look();
    this.shards.length = 0;
    this.gateways.length = 0;
    this.gone.clear();
    if (this.routed !== null) this.routed.nodeDied();
    else for (const link of [...this.net.links]) this.net.cut(link);
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
    for (const origin of facts.touched) world.nature.take(tileOfOrigin(origin), indexOfOrigin(origin));
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
    if (this.options.planned) this.openPlanner(this.options.planned);
    else {
      this.reshaper = new Reshaper(this.world, this.timers, () => 0, createLog({ level: 'silent' }));
      for (let s = 0; s < this.options.shards; s++) this.boot(s, ++this.incarnations, 0);
    }
    for (let g = 0; g < this.options.gateways; g++) this.openGateway(g);
  }

  /** As node.ts: supervisor, planner, and when they are called. */
  private openPlanner(planned: Planned): void {
    const { world, time: clock, timers, options } = this;
    const log = { ...SILENT, error: (fields: object, text: string) => this.onError(text, fields) };
    this.threads = new SimThreads(
      timers,
      planned,
      (shard, incarnation, dead) => this.boot(shard, incarnation, dead),
      (shard) => {
        this.gone.add(shard);
        this.machine!.end(shard);
      },
    );
    for (let s = 0; s < options.shards; s++) this.gone.add(s);
    const supervisor = new Supervisor({
      shards: options.shards,
      initial: planned.initial,
      launch: this.threads.launch,
      watch: shardWatch(world),
      clock,
      timers,
      log,
    });
    supervisor.goOnFrom(this.incarnations);
    const cpu = new ThreadCpu(clock, this.machine!.readText);
    const traces = new Traces(world, clock);
    const breathing = makeBreathing({
      world,
      clock,
      timers,
      log,
      cpu,
      supervisor,
      traces,
      limits: planned.limits,
      forecast: 'on',
    });
    Object.assign(this, { supervisor, breathing, reshaper: breathing.reshaper });
    this.onPlanner(breathing);
    void supervisor.start();
    this.threads.isStarting = false;
    timers.every(1000 / LIMITS.plannerRateHz, () => breathing.elastic.step());
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

  private boot(shard: number, incarnation: number, dead: number): void {
    const block = this.world.shardBlocks[shard]!;
    this.gone.delete(shard);
    block.incarnation = incarnation;
    block.state = SHARD_STATE.STARTING;
    const made = new Shard(this.world, this.game, this.time, {
      shard,
      incarnation,
      worldSeed: this.options.seed,
      frameEvery: LIMITS.tickRateHz / LIMITS.frameRateHz,
      capacity: this.options.planned?.limits.capacityPlayers ?? LIMITS.capacityPlayers,
      quarantine: [],
      tileSleepS: TILE_SLEEP_S,
    });
    this.shards[shard] = made;
    this.onBoot(made);
    if (this.machine !== null) block.setGauge(SHARD_GAUGE.threadId, this.machine.begin(shard, incarnation));
    this.nextTick[shard] = made.start(dead);
    block.state = SHARD_STATE.RUNNING;
  }

  /** What the supervisor does after an exit. */
  replace(shard: number): void {
    if (this.supervisor !== null) {
      this.supervisor.kill(shard);
      return;
    }
    this.world.shardBlocks[shard]!.state = SHARD_STATE.DEAD;
    this.boot(shard, ++this.incarnations, this.shards[shard]!.core.options.incarnation);
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
  /** Where the supervisor decides: nobody runs with this number now. */
  isAbsent(shard: number): boolean {
    return this.supervisor !== null && this.gone.has(shard);
  }
  /** A shard has died, and its replacement is not there yet. */
  get isRecovering(): boolean {
    return this.world.shardBlocks.some(({ state }, s) => state !== SHARD_STATE.NONE && this.isAbsent(s));
  }
  revive(shard: number): void {
    this.boot(shard, ++this.incarnations, this.shards[shard]!.core.options.incarnation);
  }

  /** Runs the ticks of a shard that are due. */
  runShard(shard: number): void {
    if (this.gone.has(shard)) return;
    const now = this.world.clock.tickAt(this.time.now());
    while (this.nextTick[shard]! <= now && this.machine?.mayBegin(shard) !== false) {
      this.shards[shard]!.run(this.nextTick[shard]!);
      this.nextTick[shard]!++;
      if (this.machine !== null) this.charge(this.machine, shard);
    }
    if (this.supervisor !== null) this.endIfOver(shard);
  }

  /** What the last tick of a shard has cost: those whom dilation left out cost nothing. */
  private charge(machine: Machine, shard: number): void {
    const { owned, players, block } = this.shards[shard]!.core;
    const leftOut = block.counter(SHARD_COUNTER.ticksDilated) - (this.leftOut[shard] ?? 0);
    this.leftOut[shard] = block.counter(SHARD_COUNTER.ticksDilated);
    const due = owned.count === 0 ? 0 : Math.max(0, 1 - leftOut / owned.count);
    machine.ran(shard, players.count, owned.count, due);
  }

  /** As the loop of shard/worker.ts. */
  private endIfOver(shard: number): void {
    const made = this.shards[shard]!;
    if (this.world.shardBlocks[shard]!.state !== SHARD_STATE.CLOSING || !made.isUnreachable) return;
    made.end();
    this.retired++;
    this.threads.exit(shard, 0);
  }

  private openGateway(number: number): void {
    const capacity = this.options.planned?.limits.capacityPlayers;
    const placer = new Placer(this.world, GATEWAY_THREAD + number, capacity);
    const numbers = seededRandom(hash2(this.options.seed, 77 + number + 100 * (this.lives - 1)));
    const { store } = this;
    const gateway: Gateway = new Gateway(
      {
        world: this.world,
        number,
        clock: this.time,
        transport:
          this.routed?.open(this.timers, this.lives, (socket) => gateway.accept(socket)) ??
          simTransport(
            () => this.net,
            () => gateway,
          ),
        authenticate: async (ticket) => (ticket === '' ? { guest: true } : { playerId: ticket }),
        accounts: {
          find: async (playerId) => store.findAccount(playerId),
          bind: async (playerId, expected, entity) => store.bindAccount(playerId, expected, entity),
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

/**
 * One node of BlueMarble, built from its parts: shared memory, shards and their supervisor, gateways, jobs, status,
 * admin port. The only place that knows all of them.
 *
 * Contract: no module-level state, so that several nodes live in one process. `start` resolves with the addresses once
 * clients are accepted, or rejects with a startup error and leaves nothing behind. `stop` may be called at any time,
 * even during the start, and any number of times; it ends in order (bots, gateways, shards, jobs, admin port), within
 * ten seconds, and leaves no thread, socket or timer behind.
 */
import { Observatory } from './admin/observatory.js';
import type { Death, NodeView } from './admin/routes.js';
import { AdminServer } from './admin/server.js';
import { Sight } from './admin/sight.js';
import { type Clock, monotonicClock, systemTimers, type Timers } from './base/clock.js';
import { ERRORS, type StartupName } from './base/errors.js';
import type { Log } from './base/log.js';
import { LIMITS } from './base/limits.js';
import { authOptions, type Config, reachable } from './config.js';
import { Audit, plantDuplicate, shown } from './control/audit.js';
import { type Bots, startBots } from './control/bots.js';
import { isInspected } from './control/breakpoints.js';
import { worldCard } from './control/card.js';
import { type ClusterStatus, clusterStatus, nodeFacts } from './control/cluster-status.js';
import { Gateways } from './control/gateways.js';
import { closeData, type Durability, openDurability } from './control/durability.js';
import { GameFaults } from './control/game-faults.js';
import { jobRings } from './control/job-rings.js';
import { jobPool, Jobs } from './control/jobs.js';
import { lifeOf, linkPortOf } from './link-options.js';
import { type ShardLauncher, shardLauncher, shardWatch } from './control/launch.js';
import { type Breathing, makeBreathing } from './control/breathing.js';
import type { DecisionRecord } from './control/elastic.js';
import { type PlannerLimits, plannerLimits } from './control/planner/types.js';
import type { ReshapeRefusal } from './control/reshape.js';
import { endInTime } from './control/ending.js';
import { LeaseKeeper } from './control/leases.js';
import { reasonOf } from './control/log.js';
import { noRoom } from './control/room.js';
import { type Status, StatusSource, type TilesStatus } from './control/status.js';
import { Supervisor } from './control/supervisor.js';
import { readIfThere, ThreadCpu } from './control/thread-cpu.js';
import { probePort } from './gateway/build.js';
import { STORE_STATE } from './memory/cut-block.js';
import { isQuiet, paced } from './memory/pace.js';
import { FAULT_KIND, SHARD_STATE } from './memory/shard-block.js';
import { createSharedWorld, type SharedWorld } from './memory/shared-world.js';
import { loadGame } from './shard/load-game.js';
import type { SnapshotInfo } from './store/types.js';
import type { NodeFacts } from './wire/link/facts.js';
import type { CompiledGame } from './world/game.js';

export interface Addresses {
  /** ws:// or wss:// of the game port. */
  readonly game: string;
  /** http:// of the admin port. */
  readonly admin: string;
}

export type NodeLimits = Partial<PlannerLimits> & { readonly tileSleepS?: number };

/** Ten seconds in all: bots, gateways, shards, store, the rest. */
const STOP_MS = Object.freeze({ bots: 1_000, gateways: 2_000, shards: 3_000, store: 3_000, rest: 1_000 });
const PACE_MS = Object.freeze({ leases: 100, sample: 1_000, audit: 500, plan: 1_000 / LIMITS.plannerRateHz });
const JOURNAL_LINES = 200; // that an operator is shown

export class PlanetNode implements NodeView {
  /** Resolves with the exit code when the node has stopped. */
  readonly stopped: Promise<number>;
  /** Why the start failed, known before `stopped` resolves; undefined = it did not. */
  failure: unknown;
  readonly sight: Sight;
  private readonly me: ReturnType<typeof lifeOf>;
  private readonly clock: Clock = monotonicClock();
  readonly timers: Timers = systemTimers();
  readonly observatory: Observatory;
  private readonly world: SharedWorld;
  private readonly faults: GameFaults;
  private readonly launcher: ShardLauncher;
  private readonly supervisor: Supervisor;
  private readonly statusSource: StatusSource;
  private readonly breathing: Breathing;
  private readonly audit: Audit;
  /** Of the game, once it is loaded. */
  private game: CompiledGame | null = null;
  private readonly jobs: Jobs;
  private readonly pool: ReturnType<typeof jobPool>;
  private readonly admin: AdminServer;
  /** Of the threads: this process's own, with the log level that was chosen. */
  private readonly env: NodeJS.ProcessEnv;
  private gateways: Gateways | null = null;
  private bots: Bots | null = null;
  private durability: Durability | null = null;
  private starting: Promise<unknown> = Promise.resolve();
  private stopping: Promise<void> | null = null;
  private exitCode = 0;
  private accepting = false;
  private addresses: Addresses | null = null;
  private resolveStopped: (code: number) => void = () => {};
  private readonly cancels: (() => void)[] = [];

  /** @param limits other limits than base/limits.ts has: for tests that cannot wait for a dwell, or for a tile's sleep */
  constructor(
    private readonly config: Config,
    readonly log: Log,
    private readonly limits: NodeLimits = {},
  ) {
    const { clock, timers } = this;
    this.me = lifeOf(config);
    this.stopped = new Promise((resolve) => {
      this.resolveStopped = resolve;
    });
    this.env = { ...process.env, BLUEMARBLE_LOG_LEVEL: config.logLevel };
    this.world = createSharedWorld({
      shards: config.shards,
      gateways: config.gateways + (config.linkPort === null ? 0 : 1),
      startMs: clock.now(),
      maxEntities: config.maxEntities,
      tickRateHz: config.tickRate,
      grantedIdLease: 0, // the lease keeper grants them
    });
    const { world } = this;
    this.sight = new Sight(world, clock);
    this.faults = new GameFaults(timers, log);
    this.launcher = this.shardLauncher();
    this.supervisor = this.superviseShards();
    const cpu = new ThreadCpu(clock, readIfThere);
    const bots = () => this.bots?.count() ?? 0;
    this.observatory = new Observatory({
      ...{ world, clock, timers, log, cpu, bots },
      readText: readIfThere,
      supervisor: () => this.supervisor,
      breathing: () => this.breathing,
      notReady: () => this.notReady(),
      refusals: () => this.admin.refusals.all,
    });
    const { supervisor } = this;
    const { capacity: capacityPlayers, pinShards } = config;
    this.breathing = makeBreathing({
      ...{ world, clock, timers, log, cpu, supervisor },
      traces: this.observatory.traces,
      limits: plannerLimits({ capacityPlayers, pinShards, ...limits }),
      forecast: config.forecast,
    });
    this.audit = new Audit(world, () => this.game?.items ?? [], log);
    this.statusSource = new StatusSource({
      audit: this.audit,
      ...this.breathing,
      world,
      clock,
      cpu,
      supervisor,
      capacity: config.capacity,
      faults: this.faults,
      bots,
      store: () => this.durability?.status() ?? null,
      before: () => this.durability?.before ?? { created: 0, consumed: 0 },
    });
    this.pool = jobPool(config.game);
    this.jobs = new Jobs(jobRings(world), this.pool.run, timers, log, isInspected);
    this.admin = new AdminServer({ ...config, node: this, log, clock, timers });
  }

  /**
   * Resolves once clients are accepted; with null when `stop` came first, whatever became of the start then.
   * @throws BlueMarbleError of kind startup; everything that was started has ended by then
   */
  start(): Promise<Addresses | null> {
    const starting = this.startAll();
    this.starting = starting.catch(() => {});
    return starting.catch(async (error: unknown) => {
      this.failure = error;
      if (this.stopping !== null) {
        this.log.info({ reason: reasonOf(error) }, 'the start was given up');
        return null;
      }
      await this.stop(1);
      throw error;
    });
  }

  /** Ends the node in order; the first fault that anybody tells is the exit code, 0 = there was none. */
  stop(code: number): Promise<void> {
    if (this.exitCode === 0) this.exitCode = code;
    this.stopping ??= this.stopAll();
    return this.stopping;
  }

  status(): Status {
    return { ...this.statusSource.status(), address: this.addresses?.game ?? null };
  }

  tiles(): TilesStatus {
    return this.statusSource.tiles();
  }

  cluster(): ClusterStatus {
    const state = this.stopping !== null ? 'draining' : this.accepting ? 'running' : 'starting';
    return clusterStatus({ node: this.facts(), routers: this.gateways?.routers ?? [] }, state);
  }

  private facts(): NodeFacts {
    const { addresses, gateways, me } = this;
    const at = { admin: addresses?.admin ?? '', link: gateways?.linkAddress ?? '' };
    return nodeFacts({ ...me, pid: process.pid }, at, this.statusSource.status());
  }

  decisions(): readonly DecisionRecord[] {
    return this.breathing.elastic.decisions;
  }

  notReady(): readonly string[] {
    if (this.stopping !== null) return ['the node is stopping'];
    if (!this.accepting) return ['the node is starting'];
    // A replacement that is on its way keeps nobody out; a shard that has to wait for one does.
    const waiting = this.supervisor.report().filter((report) => report.phase === 'waiting');
    const reasons = waiting.flatMap((report) => (report.alarm === null ? [] : [report.alarm]));
    if (this.world.cut.state === STORE_STATE.FAILING)
      reasons.push(`the disk fails (${this.durability?.status().trouble}): nobody is let in`);
    return [...reasons, ...noRoom(this.world), ...(this.gateways?.notReady() ?? [])];
  }

  killShard(shard: number, how: Death): boolean {
    const block = this.world.shardBlocks[shard];
    if (block === undefined || block.state !== SHARD_STATE.RUNNING) return false;
    this.log.warn({ shard, how }, 'a test asks for the death of a shard');
    if (how === 'terminate') return this.supervisor.kill(shard);
    block.askFault(FAULT_KIND[how]);
    return true;
  }

  /** Whether threads are left at the end that Node's own exit breaks down on. */
  isStuck = (): boolean => (this.gateways?.stuck ?? 0) > 0;
  hangGateway = (gateway: number): boolean => this.gateways?.hang(gateway) ?? false;
  split(tile: string): ReshapeRefusal | null {
    return this.breathing.elastic.split(tile);
  }

  merge(tile: string): ReshapeRefusal | null {
    return this.breathing.elastic.merge(tile);
  }

  move(tile: string, shard: number): ReshapeRefusal | null {
    return this.breathing.elastic.move(tile, shard);
  }

  journal(entity: number): readonly object[] {
    return this.audit.journal(entity, JOURNAL_LINES).map((line) => shown(line, this.game?.items ?? []));
  }

  plantDuplicate(entity: number, item: number, count: number): boolean {
    this.log.warn({ entity, item, count }, 'a test plants items out of nothing');
    return plantDuplicate(this.world, entity, item, count);
  }

  snapshot(name: string | null): Promise<SnapshotInfo> {
    return this.durability?.snapshot(name) ?? Promise.reject(new Error('the node is starting'));
  }

  drain(): void {
    this.log.info({}, 'draining: the node stops');
    void this.stop(0);
  }

  private shardLauncher(): ShardLauncher {
    const { config, world, env, timers, log } = this;
    return shardLauncher({
      ...{ world, env, timers, log, faults: this.faults },
      gameFile: config.game,
      declared: () => this.game?.declared ?? '',
      worldSeed: config.seed,
      frameEvery: config.tickRate / config.frameRate,
      capacity: config.capacity,
      nice: config.shardNice,
      tileSleepS: this.limits.tileSleepS,
    });
  }

  private superviseShards(): Supervisor {
    const { config, world, clock, timers, log } = this;
    return new Supervisor({
      shards: config.shards,
      initial: config.pinShards ? config.shards : 1, // the others start when load asks for them
      launch: this.launcher.launch,
      watch: shardWatch(world, readIfThere),
      clock,
      timers,
      log,
      isQuiet: () => isQuiet(world),
      isDebugged: isInspected,
    });
  }

  private async startAll(): Promise<Addresses | null> {
    const { config, clock, timers, world } = this;
    const pacing = { clock, timers, world };
    const game = await loadGame(config.game ?? undefined);
    this.game = game;
    // Looked at first, so that the usual mistake of a second start is told at once; the listen itself comes last.
    if (config.port !== 0 || config.host !== null) await probePort(config.port, config.host ?? undefined);
    if (this.stopping !== null) return null;
    // Before anybody can ask for the status: what it says of ticks and items goes on from the data.
    const durability = await this.openStore(game);
    if (this.stopping !== null) return null;
    await this.observatory.start(config.otlpUrl);
    const adminPort = await this.admin.listen();
    const leases = new LeaseKeeper(this.world.ids, durability.recordLease);
    await leases.keep();
    if (this.stopping !== null) return null;
    this.cancels.push(
      // A store that has just been closed notes no lease any more; until then it tries by itself.
      paced(pacing, PACE_MS.leases, () => void leases.keep().catch(() => {})),
      paced(pacing, PACE_MS.sample, () => this.statusSource.sample()),
      paced(pacing, PACE_MS.audit, () => this.audit.look()),
    );
    this.jobs.start();
    await this.supervisor.start();
    if (this.stopping !== null) return null;
    this.faults.checkSetUp(game.source);
    this.cancels.push(paced(pacing, PACE_MS.plan, () => this.breathing.elastic.step()));
    const gamePort = await this.openGateways(game, durability);
    if (this.stopping !== null) return null;
    this.accepting = true;
    const scheme = config.tlsCert === null ? 'ws' : 'wss';
    const addresses = {
      game: `${scheme}://${reachable(config.host)}:${gamePort}`,
      admin: `http://${reachable(config.adminHost)}:${adminPort}`,
    };
    this.addresses = addresses;
    if (config.bots > 0) this.bots = startBots(config.bots, addresses, this.log, timers);
    return addresses;
  }

  private async openStore(game: CompiledGame): Promise<Durability> {
    const { config, world, clock, timers, env, log } = this;
    const lost = (reason: string, code: StartupName | null) => {
      log.fatal({ reason, code }, 'the store is lost: the node stops');
      void this.stop(code === null ? 1 : ERRORS[code].number);
    };
    const { data: folder } = config;
    const parts = { ...config, folder, game, world, clock, timers, env, log, lost };
    this.durability = await openDurability(parts);
    this.supervisor.goOnFrom(this.durability.incarnation);
    if (this.stopping !== null) await this.durability.close();
    return this.durability;
  }

  private openGateways(game: CompiledGame, durability: Durability): Promise<number> {
    const { config, world, log, env } = this;
    const { tlsCert: cert, tlsKey: key } = config;
    this.gateways = new Gateways({
      world,
      count: config.gateways,
      links: linkPortOf(config, game.name, this.me),
      facts: () => this.facts(),
      host: config.host ?? undefined,
      port: config.port,
      tls: cert !== null && key !== null ? { cert, key } : undefined,
      auth: authOptions(config.ticketKey),
      secret: durability.secret,
      card: worldCard(game, { tickRate: config.tickRate, frameRate: config.frameRate }, config.farCells),
      addresses: config.addresses,
      capacity: config.capacity,
      maxConnections: config.maxEntities,
      clientBytesPerS: config.clientBytes,
      accounts: durability.accounts(),
      away: durability.guests,
      env,
      log,
      lost: (code) => void this.stop(code),
    });
    return this.gateways.open();
  }

  private async stopAll(): Promise<void> {
    this.accepting = false;
    await this.within('bots', STOP_MS.bots, this.bots?.stop());
    // Gateways first: no client may see its world end before it was told that the server stops.
    await this.within('gateways', STOP_MS.gateways, this.gateways?.stop());
    for (const cancel of this.cancels.splice(0)) cancel(); // no shard is started or retired any more
    await this.supervisor.stop(STOP_MS.shards);
    await this.within('waiting thread', STOP_MS.rest, this.launcher.close());
    const end = <T>(store: Promise<T>) => this.within('store', STOP_MS.store, store);
    const code = await closeData(this.durability, this.starting, end);
    if (code !== 0) void this.stop(code);
    this.breathing.reshaper.stop();
    this.faults.close();
    await this.within('traces', STOP_MS.rest, this.observatory.stop());
    this.jobs.stop();
    await this.within('start', STOP_MS.rest, this.starting);
    await this.within('jobs', STOP_MS.rest, this.pool.close());
    await this.within('admin port', STOP_MS.rest, this.admin.close());
    for (const cancel of this.cancels.splice(0)) cancel();
    this.log.info({ code: this.exitCode }, 'stopped');
    this.resolveStopped(this.exitCode);
  }

  private within<T>(part: string, ms: number, ending: Promise<T> | undefined): Promise<T | undefined> {
    return endInTime(this, part, ms, ending);
  }
}

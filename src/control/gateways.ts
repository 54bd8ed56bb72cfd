/**
 * The gateways of a node: number 0 in the main thread, the others in threads of their own, all on one port.
 *
 * Contract: `open` resolves when every gateway accepts clients; if one cannot, those that could are stopped and it
 * rejects. `stop` says goodbye to every session and resolves when every gateway thread has ended by itself: a thread
 * with a live transport is never terminated, since that takes the process down. A gateway thread that ends unasked is
 * told to `lost`: its clients' sockets are gone, and the node cannot go on as if nothing had happened.
 */
import { Worker } from 'node:worker_threads';
import { BlueMarbleError, ERRORS } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { Log as PinoLog } from '../base/log.js';
import { type AccountBook, LOADED } from '../gateway/accounts.js';
import { buildGateway, buildLinkGateway, type GatewaySettings, probePort } from '../gateway/build.js';
import { type LinkPort, LinkServer } from '../gateway/link-server.js';
import type { LinkTransport } from '../gateway/link-transport.js';
import type { Gateway } from '../gateway/gateway.js';
import type { FromGateway, GatewayWorkerData, ToGateway } from '../gateway/thread-messages.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { isInspected } from './breakpoints.js';
import { GatewayWatch } from './gateway-watch.js';
import { activityOf } from './silence.js';
import { readIfThere } from './thread-cpu.js';
import { GATEWAY_GAUGE } from '../memory/gateway-block.js';
import { monotonicClock, systemTimers } from '../base/clock.js';
import type { NodeFacts, RouterFacts } from '../wire/link/facts.js';
import type { LinkPeer } from '../wire/link/handshake.js';
import { SPAWN } from './card.js';
import { readDescriptors, roomForSockets } from './descriptors.js';

/** What all gateways of a node have in common. */
export interface GatewaysOptions
  extends Omit<GatewaySettings, 'number' | 'listen' | 'spawn' | 'newcomersPerS' | 'newcomersBurst'> {
  readonly world: SharedWorld;
  readonly count: number;
  /** Every interface when left out. */
  readonly host?: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly accounts: AccountBook;
  /** Entities of players who were in the world when it stopped. */
  readonly away: readonly number[];
  readonly env: NodeJS.ProcessEnv;
  readonly log: PinoLog;
  /** A gateway thread has ended unasked, or hangs; told in the log. @param code exit code of the process */
  readonly lost: (code: number) => void;
  /** Where routers come in; null = nowhere. Their clients have a gateway of their own, with the number `count`. */
  readonly links: (LinkPort & { readonly me: LinkPeer }) | null;
  /** Of this node, for its routers. */
  readonly facts: () => NodeFacts;
}

/** Gateways in threads of their own are looked at so often; one in the main thread looks at nobody if it hangs. */
const LOOK_MS = 500;
const GATEWAY_MODULE = new URL('../gateway/worker.js', import.meta.url);

interface GatewayThread {
  readonly worker: Worker;
  readonly ended: Promise<void>;
  hasEnded: boolean;
  isHung: boolean;
}

export class Gateways {
  private own: Gateway | undefined;
  private linked: Gateway | undefined;
  private linkServer: LinkServer | undefined;
  private links: LinkTransport | null = null;
  private linkPort = 0;
  private readonly threads: GatewayThread[] = [];
  private readonly watch: GatewayWatch;
  private cancelWatch: () => void = () => {};
  private stopping = false;
  private opening: Promise<unknown> = Promise.resolve();

  constructor(private readonly options: GatewaysOptions) {
    const { world, log } = options;
    const cpuMs = (gateway: number) => {
      const files = `/proc/self/task/${world.gatewayBlocks[gateway].gauge(GATEWAY_GAUGE.threadId)}`;
      return activityOf(readIfThere(`${files}/stat`), readIfThere(`${files}/schedstat`))?.cpuMs ?? -1;
    };
    const hung = (gateway: number) => this.endHung(gateway);
    this.watch = new GatewayWatch(world.gatewayBlocks, monotonicClock(), log, cpuMs, hung);
  }

  /** Why clients should not come at the moment. */
  notReady(): string[] {
    return this.watch.reasons;
  }

  /**
   * @returns the real port
   * @throws BlueMarbleError PORT_TAKEN, NO_BINARY, BAD_TLS
   */
  async open(): Promise<number> {
    const opening = this.openAll();
    this.opening = opening.catch(() => 0);
    try {
      return await opening;
    } catch (error) {
      await this.stop();
      throw error;
    }
  }

  /** Routers that are linked now. */
  get routers(): readonly RouterFacts[] {
    return this.links?.routers ?? [];
  }
  /** HOST:PORT of the links; '' = there are none. */
  get linkAddress(): string {
    return this.linkPort === 0 ? '' : `${this.options.links?.host}:${this.linkPort}`;
  }

  /** Tests: makes the thread of a gateway hang. @returns false when it has none of its own */
  hang(gateway: number): boolean {
    const thread = this.threads[gateway - 1];
    thread?.worker.postMessage({ type: 'hang' } satisfies ToGateway);
    return thread !== undefined;
  }

  /** Threads that will not end: they hold open transports, on which Node's own exit breaks down. */
  get stuck(): number {
    return this.threads.reduce((n, { hasEnded }) => n + (hasEnded ? 0 : 1), 0);
  }

  /** The node ends without it: nobody can close the transport of a thread that never comes back to its event loop. */
  private endHung(gateway: number): boolean {
    const { log, lost } = this.options;
    const thread = this.threads[gateway - 1];
    if (thread === undefined || isInspected()) return false; // at a breakpoint, perhaps
    log.fatal({ gateway }, 'a gateway thread hangs: the node stops');
    this.stopping = true; // its end is no news
    thread.isHung = true;
    lost(ERRORS.GATEWAY_HUNG.number);
    return true;
  }

  /** Idempotent; may be called while `open` is under way. */
  async stop(): Promise<void> {
    this.stopping = true;
    this.cancelWatch();
    await this.opening; // what is half open cannot be closed
    for (const { worker } of this.threads) {
      worker.postMessage({ type: 'stop', code: 'SERVER_STOPPING' } satisfies ToGateway);
    }
    const own = [this.own, this.linked].map((gateway) => gateway?.stop('SERVER_STOPPING'));
    await Promise.all([...own, ...this.threads.filter(({ isHung }) => !isHung).map(({ ended }) => ended)]);
    this.linkServer?.close();
  }

  private async openAll(): Promise<number> {
    const { world, count, host, port, accounts, log } = this.options;
    const shared = count > 1;
    // Several gateways share the port, and so would a second server, silently: look before.
    const listen = {
      host,
      // A free port is named, too: only then does the transport set SO_REUSEADDR, without which a port that was closed
      // for a while cannot be opened again while connections of before linger.
      port: shared || port === 0 ? await probePort(port, host) : port,
      exclusive: !shared,
      maxSockets: this.maxSockets(),
    };
    this.own = await buildGateway(world, this.settings(0, listen), accounts, log);
    if (this.stopping) return port;
    await this.own.bringBack(this.options.away);
    if (this.stopping) return port;
    const real = this.own.open(listen);
    const others = Array.from({ length: count - 1 }, (_, i) =>
      this.startThread(i + 1, { ...listen, port: real }),
    );
    const failed = (await Promise.allSettled(others)).find((result) => result.status === 'rejected');
    if (failed !== undefined) throw failed.reason;
    if (shared && !this.stopping) this.cancelWatch = systemTimers().every(LOOK_MS, () => this.watch.look());
    if (!this.stopping) await this.openLinks();
    return real;
  }

  /** Last: a router's clients come all at once. */
  private async openLinks(): Promise<void> {
    const { world, links, count, accounts, log, facts } = this.options;
    if (links === null) return;
    const nowhere = { port: 0, exclusive: true };
    const parts = [world, this.settings(count, nowhere), accounts, log, facts] as const;
    const { gateway, transport } = await buildLinkGateway(...parts);
    this.linked = gateway;
    this.links = transport;
    gateway.open(nowhere);
    const join: LinkTransport['join'] = (stream, peer) => transport.join(stream, peer);
    this.linkServer = new LinkServer({ ...links, timers: systemTimers(), log, join });
    this.linkPort = await this.linkServer.listen();
  }

  /** Of each gateway. */
  private maxSockets(): number | undefined {
    const { count, world, log } = this.options;
    const { limit, open } = readDescriptors();
    if (!Number.isFinite(limit)) return undefined;
    const room = roomForSockets(limit, open, world.shardBlocks.length + count);
    if (room < this.options.maxConnections)
      log.warn(
        { sockets: room, limit },
        'the limit of descriptors (ulimit -n) leaves room for fewer clients',
      );
    return Math.max(1, Math.floor(room / count));
  }

  private settings(number: number, listen: GatewaySettings['listen']): GatewaySettings {
    const { tls, auth, secret, card, capacity, maxConnections, clientBytesPerS, count } = this.options;
    // The kernel deals connections out evenly: each grants its part. The one of the routers has all their clients.
    const part = (n: number) => (number === count ? n : Math.ceil(n / count));
    const { addresses: all } = this.options;
    const addresses = all && {
      ...all,
      connections: part(all.connections),
      newcomersPerS: part(all.newcomersPerS),
      tilesPerMinute: part(all.tilesPerMinute),
    };
    // However many come and do nothing, they have a fifth of a small world at most until their grace is over.
    const places = this.options.world.arena.capacity;
    const most = (limit: number, least: number, share: number) =>
      part(Math.min(limit, Math.max(least, Math.floor(places / share))));
    const newcomersPerS = most(LIMITS.newcomersPerS, 50, 64);
    const newcomersBurst = most(LIMITS.newcomersBurst, 100, 16);
    const rest = { capacity, maxConnections, clientBytesPerS, addresses, newcomersPerS, newcomersBurst };
    return { number, listen, tls, auth, secret, card, spawn: SPAWN, ...rest };
  }

  /** Resolves when the thread accepts clients. */
  private startThread(number: number, listen: GatewaySettings['listen']): Promise<void> {
    const { world, env, log, lost } = this.options;
    const workerData: GatewayWorkerData = {
      handles: world.handles(),
      settings: this.settings(number, listen),
    };
    // No resource limits: running into one would take the process down.
    const worker = new Worker(GATEWAY_MODULE, { name: `gateway ${number}`, workerData, env });
    let end: () => void = () => {};
    const ended = new Promise<void>((resolve) => (end = resolve));
    const thread: GatewayThread = { worker, ended, hasEnded: false, isHung: false };
    this.threads.push(thread);
    return new Promise((resolve, reject) => {
      worker.on('message', (message: FromGateway) => {
        if (message.type === 'open') resolve();
        else if (message.type === 'failed') reject(new BlueMarbleError(message.code, message.detail));
        else if (message.type !== 'stopped') void this.answer(worker, message);
      });
      worker.on('error', (error) => {
        log.fatal({ gateway: number, err: error }, 'a gateway thread failed');
        reject(error);
      });
      worker.on('exit', () => {
        thread.hasEnded = true;
        end();
        reject(new Error(`gateway ${number} ended while it was starting`));
        if (this.stopping) return;
        log.fatal({ gateway: number }, 'a gateway thread ended: the node stops');
        lost(1);
      });
    });
  }

  private async answer(worker: Worker, asked: Extract<FromGateway, { request: number }>): Promise<void> {
    const { accounts, log } = this.options;
    const { request } = asked;
    const answers = {
      find: async () => (asked.type === 'find' ? accounts.find(asked.playerId) : 0),
      bind: async () =>
        asked.type === 'bind' ? accounts.bind(asked.playerId, asked.expected, asked.entity) : 0,
      load: async () => LOADED.indexOf(asked.type === 'load' ? await accounts.load(asked.entity) : 'absent'),
    };
    const entity = await answers[asked.type]().catch((error: unknown) => {
      log.error({ err: error }, 'the account book could not answer'); // the client's deadline ends the waiting
      return undefined;
    });
    if (entity !== undefined) worker.postMessage({ type: 'answer', request, entity } satisfies ToGateway);
  }
}

/**
 * One router as a process: game port, link to its node, admin port. The same contract as a node's (node.ts): `start` resolves
 * once clients are accepted, `stop` may be called at any time and any number of times.
 */
import { AdminServer } from './admin/server.js';
import { monotonicClock, systemTimers } from './base/clock.js';
import { BlueMarbleError, ERRORS } from './base/errors.js';
import type { Log } from './base/log.js';
import { dialler } from './cluster/dial.js';
import { Router } from './cluster/router.js';
import { type Config, reachable } from './config.js';
import { Addresses as AddressBook } from './gateway/addresses.js';
import { linkCrypto } from './gateway/link-crypto.js';
import { loadUws, UwsTransport } from './gateway/uws-transport.js';
import { keyBytes, lifeOf } from './link-options.js';
import type { Addresses } from './node.js';
import { RouterAdmin } from './router-admin.js';

/** What clients say within this time is joined before it goes over the link: the node takes it at its next tick. */
const LINGER_MS = 5;
/** For clients to take their leave. */
const FAREWELL_MS = 300;
/** Without a word to the node for so long a start tells that it waits. */
const IMPATIENT_MS = 5_000;

export class RouterProcess {
  readonly stopped: Promise<number>;
  failure: unknown;
  private readonly clock = monotonicClock();
  private readonly timers = systemTimers();
  private router: Router | null = null;
  private admin: AdminServer | null = null;
  private stopping: Promise<void> | null = null;
  private resolveStopped: (code: number) => void = () => {};

  constructor(
    private readonly config: Config,
    private readonly log: Log,
  ) {
    this.stopped = new Promise((resolve) => {
      this.resolveStopped = resolve;
    });
  }

  /** @returns null when `stop` came first @throws BlueMarbleError of kind startup */
  async start(): Promise<Addresses | null> {
    try {
      return await this.startAll();
    } catch (error) {
      this.failure = error;
      if (this.stopping !== null) return null;
      await this.stop(1);
      throw error;
    }
  }

  stop(code: number): Promise<void> {
    this.stopping ??= this.stopAll(code);
    return this.stopping;
  }

  private async startAll(): Promise<Addresses | null> {
    const { config, clock, timers, log } = this;
    const { router, refused } = await this.makeRouter();
    this.router = router;
    const pages = new RouterAdmin(router, clock, config.adminToken, () => void this.stop(0));
    this.admin = new AdminServer({ ...config, node: pages, log, clock, timers });
    const adminPort = await this.admin.listen();
    router.admin = `http://${reachable(config.adminHost)}:${adminPort}`;
    const tell = timers.after(IMPATIENT_MS, () =>
      log.warn({ ...config.upstream }, 'the node does not answer yet'),
    );
    await Promise.race([router.open(), refused, this.stopped]).finally(tell);
    if (this.stopping !== null) return null;
    const { host, port } = config;
    const gamePort = router.listen({ host: host ?? undefined, port, exclusive: true });
    const scheme = config.tlsCert === null ? 'ws' : 'wss';
    const game = `${scheme}://${reachable(host)}:${gamePort}`;
    router.game = config.advertise ?? game;
    router.tellAbout();
    return { game, admin: router.admin };
  }

  /** @returns the router, and a promise that rejects when its node refuses it before it was ever linked */
  private async makeRouter(): Promise<{ router: Router; refused: Promise<never> }> {
    const { config, clock, timers, log } = this;
    const { tlsCert: cert, tlsKey: key, upstream } = config;
    if (upstream === null || config.clusterKey === null) throw new BlueMarbleError('BAD_FLAG');
    const transport = new UwsTransport(await loadUws(), {
      tls: cert !== null && key !== null ? { cert, key } : undefined,
      addresses: new AddressBook(config.addresses),
      failed: (error) => log.error({ err: error }, 'a socket handler failed'),
    });
    let refuse: (error: Error) => void = () => {};
    const refused = new Promise<never>((_, reject) => {
      refuse = reject;
    });
    refused.catch(() => {}); // once the router is linked nobody waits for it
    const me = lifeOf(config);
    const router = new Router({
      clock,
      timers,
      log,
      transport,
      me,
      about: { name: me.name, pid: process.pid },
      maxConnections: config.maxEntities,
      crypto: linkCrypto,
      key: keyBytes(config.clusterKey),
      soon: (flush) => void timers.after(LINGER_MS, flush),
      dial: dialler(upstream.host, upstream.port, config.linkTlsCa),
      refused: (code) => {
        log.error({ code }, ERRORS[code].text);
        if (!ERRORS[code].retry)
          refuse(new BlueMarbleError('LINK_REFUSED', `${ERRORS[code].text} (${code})`));
      },
    });
    return { router, refused };
  }

  private async stopAll(code: number): Promise<void> {
    await this.router?.stop(FAREWELL_MS);
    await this.admin?.close();
    this.log.info({ code }, 'stopped');
    this.resolveStopped(code);
  }
}

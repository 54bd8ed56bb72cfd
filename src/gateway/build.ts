/**
 * Builds a gateway from production parts: uWebSockets.js, the process's clock and timers, the shared world. Used by the
 * composition root for a gateway in the main thread, and by worker.ts for one in a thread of its own.
 */
import { createServer } from 'node:net';
import { monotonicClock, systemTimers } from '../base/clock.js';
import { listenError } from '../base/listen.js';
import type { Log } from '../base/log.js';
import { GATEWAY_THREAD } from '../memory/record.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { Placer } from '../world/placing.js';
import type { NodeFacts } from '../wire/link/facts.js';
import type { AccountBook } from './accounts.js';
import { Addresses, type AddressOptions } from './addresses.js';
import { type AuthOptions, createAuthenticator } from './auth.js';
import { Gateway } from './gateway.js';
import type { WorldCard } from './replies.js';
import { secretNumbers, SessionTokens } from './session-token.js';
import { LinkTransport } from './link-transport.js';
import type { ListenOptions, Transport } from './transport.js';
import { loadUws, UwsTransport } from './uws-transport.js';

/** Plain data: it crosses a thread border. */
export interface GatewaySettings {
  /** Gateway number, 0 … */
  number: number;
  listen: ListenOptions;
  tls?: { cert: string; key: string };
  auth: AuthOptions;
  /** Of resume tokens; at least 32 bytes, the same in every gateway of the server. */
  secret: Uint8Array;
  card: WorldCard;
  /** Where players appear who ask for no place, world metres. */
  spawn: { x: number; y: number };
  /** Players that one tile carries; a load of 1 for placement. */
  capacity: number;
  /** Sockets at a time. */
  maxConnections: number;
  clientBytesPerS: number;
  /** What one address may have of this gateway; sessions a second that may begin here. Without them: any number. */
  addresses?: AddressOptions;
  newcomersPerS?: number;
  /** So many at once. */
  newcomersBurst?: number;
}

/** @throws BlueMarbleError NO_BINARY, BAD_TLS */
export async function buildGateway(
  world: SharedWorld,
  settings: GatewaySettings,
  accounts: AccountBook,
  log: Log,
): Promise<Gateway> {
  const uws = await loadUws();
  const addresses = settings.addresses && new Addresses(settings.addresses);
  const transport = new UwsTransport(uws, {
    addresses,
    tls: settings.tls,
    failed: (error) => log.error({ err: error }, 'a socket handler failed'),
  });
  return gatewayOver(transport, world, settings, accounts, log, addresses);
}

/** A gateway whose clients come over links; it has no port. In the main thread, beside gateway 0. */
export async function buildLinkGateway(
  world: SharedWorld,
  settings: GatewaySettings,
  accounts: AccountBook,
  log: Log,
  facts: () => NodeFacts,
): Promise<{ gateway: Gateway; transport: LinkTransport }> {
  const transport = new LinkTransport({
    clock: monotonicClock(),
    timers: systemTimers(),
    soon: (flush) => setImmediate(flush), // when all that this turn of the event loop has to say is said
    log,
    facts,
  });
  // Sockets are counted by the routers, newcomers here.
  const addresses = settings.addresses && new Addresses(settings.addresses);
  return { gateway: await gatewayOver(transport, world, settings, accounts, log, addresses), transport };
}

async function gatewayOver(
  transport: Transport,
  world: SharedWorld,
  settings: GatewaySettings,
  accounts: AccountBook,
  log: Log,
  addresses: Addresses | undefined,
): Promise<Gateway> {
  const placer = new Placer(world, GATEWAY_THREAD + settings.number, settings.capacity);
  return new Gateway(
    {
      world,
      number: settings.number,
      clock: monotonicClock(),
      transport,
      authenticate: await createAuthenticator(settings.auth),
      accounts,
      ensureOwner: (x, y) => placer.ensureOwner(x, y),
      tokens: new SessionTokens(settings.secret),
      secretNumbers,
      card: settings.card,
      spawn: settings.spawn,
      log,
      maxConnections: settings.maxConnections,
      clientBytesPerS: settings.clientBytesPerS,
      addresses,
      newcomersPerS: settings.newcomersPerS,
      newcomersBurst: settings.newcomersBurst,
    },
    systemTimers(),
  );
}

/**
 * Before several gateways share a port (SO_REUSEPORT): makes sure that nobody else serves it, and finds a free one for
 * port 0. A shared listen on a port that another server shares too would succeed silently, and each would get half of
 * the clients; a listen without SO_REUSEPORT, as here, fails in that case. Between this close and the listens another
 * process may still slip in; that is an accident of milliseconds, not the everyday mistake of a second `npm start`.
 * @returns the port to listen on
 * @throws BlueMarbleError PORT_TAKEN; BAD_FLAG where there is no such address, or no right to it
 */
export function probePort(port: number, host?: string): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', (error) => {
      const flags = { portFlag: 'port', hostFlag: 'host', taken: 'PORT_TAKEN' } as const;
      reject(listenError(error, { port, host: host ?? null, ...flags }));
    });
    // exclusive: do not share the handle with a cluster's workers.
    server.listen({ port, host, exclusive: true }, () => {
      const address = server.address();
      const free = typeof address === 'object' && address !== null ? address.port : port;
      server.close(() => resolve(free));
    });
  });
}

/** Real sockets for tests: a gateway on a real port, real clients, and a shard that is run while somebody waits. */
import { LIMITS } from '../../src/base/limits.js';
import WebSocket from 'ws';
import { createLog } from '../../src/base/log.js';
import { monotonicClock } from '../../src/base/clock.js';
import { createSharedWorld, type SharedWorld } from '../../src/memory/shared-world.js';
import { buildGateway, type GatewaySettings } from '../../src/gateway/build.js';
import type { Gateway } from '../../src/gateway/gateway.js';
import { ClientWriter, type HelloWords } from '../../src/wire/client-writer.js';
import { PROTOCOL_VERSION } from '../../src/wire/protocol.js';
import { CARD, decode, FakeAccounts, type Heard } from './fakes.js';
import type { ScriptedShard } from './scripted-shard.js';

export const SILENT = createLog({ level: 'silent' });

export function smallWorld(gateways = 1): SharedWorld {
  return createSharedWorld({
    shards: 1,
    gateways,
    startMs: monotonicClock().now(),
    maxEntities: 64,
    frameRingBytes: 2 ** 20,
    arrivalsPlaces: 64,
    messagePlaces: 64,
  });
}

export function settings(changes: Partial<GatewaySettings> = {}): GatewaySettings {
  return {
    number: 0,
    listen: { host: '127.0.0.1', port: 0, exclusive: true },
    auth: { kind: 'guests' },
    secret: new Uint8Array(32).fill(3),
    card: CARD,
    spawn: { x: 0, y: 0 },
    capacity: 100,
    maxConnections: 100,
    clientBytesPerS: LIMITS.clientBytesPerS,
    ...changes,
  };
}

/** A gateway on a real port with a shard that waits to be run. */
export async function openGateway(
  world: SharedWorld,
  changes: Partial<GatewaySettings> = {},
): Promise<{ gateway: Gateway; port: number }> {
  const chosen = settings(changes);
  const gateway = await buildGateway(world, chosen, new FakeAccounts(), SILENT);
  return { gateway, port: gateway.open(chosen.listen) };
}

/** Lets the event loop turn, and the shard run, until something is so. A test that waits in vain ends by its timeout. */
export async function until(isSo: () => boolean, shard?: ScriptedShard): Promise<void> {
  while (!isSo()) {
    shard?.run(true);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

export class Client {
  readonly heard: Heard[] = [];
  closed: { code: number; reason: string } | undefined;
  readonly ws: WebSocket;
  private readonly writer = new ClientWriter();

  constructor(url: string, options: WebSocket.ClientOptions = {}) {
    this.ws = new WebSocket(url, { perMessageDeflate: false, ...options });
    this.ws.on('message', (data: Buffer) => this.heard.push(decode(data)));
    this.ws.on('close', (code, reason) => {
      this.closed = { code, reason: reason.toString() };
    });
    this.ws.on('error', () => {}); // a close follows
  }

  async open(): Promise<this> {
    await until(() => this.ws.readyState !== WebSocket.CONNECTING);
    return this;
  }
  hello(words: Partial<HelloWords> = {}): this {
    this.ws.send(this.writer.hello(0, { protocol: PROTOCOL_VERSION, ...words }));
    return this;
  }
  action(id: number): void {
    this.ws.send(this.writer.action(0, id, 1, new Uint8Array(8)));
  }
  ping(nonce: number): void {
    this.ws.send(this.writer.ping(0, nonce));
  }
  goodbye(): void {
    this.ws.send(this.writer.goodbye(0));
  }
  has(type: Heard['type']): boolean {
    return this.heard.some((h) => h.type === type);
  }
  all<T extends Heard['type']>(type: T): Extract<Heard, { type: T }>[] {
    return this.heard.filter((h): h is Extract<Heard, { type: T }> => h.type === type);
  }
}

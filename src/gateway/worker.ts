/**
 * A gateway as a thread of its own. Ends only in good order: on `stop`, or by closing its transport first when something
 * throws where nothing should. Never terminate this thread and never give it resource limits: with a live transport
 * either takes the whole process down.
 */
import { type MessagePort, parentPort, workerData } from 'node:worker_threads';
import { assert } from '../base/assert.js';
import { BlueMarbleError } from '../base/errors.js';
import { createLog, type Log } from '../base/log.js';
import { kernelThreadId } from '../base/thread-id.js';
import { GATEWAY_GAUGE } from '../memory/gateway-block.js';
import { attachSharedWorld } from '../memory/shared-world.js';
import { type AccountBook, LOADED, type Loaded } from './accounts.js';
import { buildGateway } from './build.js';
import type { Gateway } from './gateway.js';
import type { FromGateway, GatewayWorkerData, ToGateway } from './thread-messages.js';

/** The account book of the main thread, over the port. */
class RemoteAccounts implements AccountBook {
  private requests = 0;
  private readonly open = new Map<number, (entity: number) => void>();

  constructor(private readonly tell: (message: FromGateway) => void) {}

  find(playerId: string): Promise<number> {
    return this.ask((request) => ({ type: 'find', request, playerId }));
  }
  bind(playerId: string, expected: number, entity: number): Promise<number> {
    return this.ask((request) => ({ type: 'bind', request, playerId, expected, entity }));
  }
  async load(entity: number): Promise<Loaded> {
    return LOADED[await this.ask((request) => ({ type: 'load', request, entity }))];
  }
  answer(request: number, entity: number): void {
    this.open.get(request)?.(entity);
    this.open.delete(request);
  }

  private ask(message: (request: number) => FromGateway): Promise<number> {
    const request = ++this.requests;
    return new Promise((resolve) => {
      this.open.set(request, resolve);
      this.tell(message(request));
    });
  }
}

async function run(port: MessagePort, data: GatewayWorkerData, log: Log): Promise<void> {
  const tell = (message: FromGateway): void => port.postMessage(message);
  const accounts = new RemoteAccounts(tell);
  let gateway: Gateway | undefined;
  // Close first, end in a later turn: a thread that ends with a live transport aborts the process.
  process.on('uncaughtException', (error) => {
    log.fatal({ err: error }, 'the gateway thread ends');
    gateway?.closeNow();
    setImmediate(() => process.exit(1));
  });
  port.on('message', (message: ToGateway) => {
    if (message.type === 'answer') return accounts.answer(message.request, message.entity);
    if (message.type === 'hang') for (;;); // until it is ended from outside
    void gateway?.stop(message.code).then(() => {
      tell({ type: 'stopped' });
      port.close(); // nothing else keeps the thread alive
    });
  });
  try {
    const world = attachSharedWorld(data.handles);
    world.gatewayBlocks[data.settings.number].setGauge(GATEWAY_GAUGE.threadId, kernelThreadId());
    gateway = await buildGateway(world, data.settings, accounts, log);
    tell({ type: 'open', port: gateway.open(data.settings.listen) });
  } catch (error) {
    gateway?.closeNow();
    const code = error instanceof BlueMarbleError ? error.code : 'INTERNAL';
    tell({ type: 'failed', code, detail: error instanceof Error ? error.message : String(error) });
    port.close();
  }
}

const data = workerData as GatewayWorkerData;
assert(parentPort !== null, 'a gateway thread has a parent');
void run(parentPort, data, createLog({ facts: { thread: `gateway ${data.settings.number}` } }));

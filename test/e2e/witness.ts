/**
 * An honest client beside the trouble: walks to and fro on the public SDK, and at the end must have lost nothing, waited
 * for nothing in vain, and agree with the server about every action.
 */
import type { Test } from 'tap';
import { monotonicClock, systemTimers } from '../../src/base/clock.js';
import { type Client, connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import type { ConnectOptions, Outcome } from '../../src/client/types.js';
import type { Server } from './server.js';
import { within } from './server.js';

const ACT_MS = 200;
/** Bounds what an honest client waits for an outcome, beyond what its own process was held up by a busy machine. */
const PATIENCE_MS = 2000;

const clock = monotonicClock();

export class Witness {
  readonly client: Client;
  private readonly asked: Promise<Outcome>[] = [];
  readonly disconnects: number[] = [];
  private actedMs = 0;
  private heldUpMs = 0;
  private rest = () => {};

  private constructor(server: Server, options: Partial<ConnectOptions>) {
    this.client = connect({
      url: server.url,
      socket: nodeSockets,
      ...options,
      handlers: {
        ...options.handlers,
        disconnected: (code) => {
          this.disconnects.push(code);
        },
      },
    });
  }

  /** One that plays already. */
  static async enter(t: Test, server: Server, options: Partial<ConnectOptions> = {}): Promise<Witness> {
    const witness = new Witness(server, options);
    t.teardown(() => {
      witness.rest();
      witness.client.abandon();
    });
    await within('the witness plays', witness.client.ready);
    witness.actedMs = clock.now();
    witness.rest = systemTimers().every(ACT_MS, () => witness.act());
    return witness;
  }

  /** Ends its walk, and says what it saw. */
  async finish(
    t: Test,
    name = 'the honest client',
    { losses = 0, patienceMs = PATIENCE_MS } = {},
  ): Promise<void> {
    this.rest();
    const sent = this.asked.length;
    const outcomes = await within('every action has an outcome', Promise.all(this.asked));
    const log = await within('the log of the honest client', this.client.requestLog());
    const slowest = Math.max(...outcomes.map(({ rttMs }) => rttMs));
    const rejected = outcomes.filter(({ code }) => code !== 0);
    t.equal(this.disconnects.length, losses, `${name} was not disturbed: ${this.disconnects}`);
    t.same(rejected, [], `${name}: every action was applied`);
    t.ok(sent > 0, `${name} did something`);
    t.match(log, { lastAction: sent, applied: sent, rejected: 0 }, `${name}: the server agrees`);
    t.ok(slowest < patienceMs + this.heldUpMs, `${name} waited ${Math.round(slowest)} ms at most`);
    t.equal(this.client.stats.openGaps + this.client.stats.badMessages, 0, `${name}: frames are whole`);
    t.equal(await within('goodbye', this.client.goodbye()), null);
  }

  private act(): void {
    const now = clock.now();
    this.heldUpMs = Math.max(this.heldUpMs, now - this.actedMs - ACT_MS);
    this.actedMs = now;
    if (this.client.state === 'ended') return;
    const heading = this.asked.length % 2 === 0 ? 0 : Math.PI;
    const outcome = this.client.act('walk', { heading, speed: 2, seconds: 0.2 });
    outcome.catch(() => {}); // heard of at the end, or not at all after a failed test
    this.asked.push(outcome);
  }
}

/** Those whom a full planet would hurt: two players who forage, lay down and trade, and newcomers who want to come in. */
import type { Clock, Timers } from '../../src/base/clock.js';
import { type Client, connect } from '../../src/client/client.js';
import { nodeSocketsWith } from '../../src/client/node-socket.js';
import { from } from './crowd.js';

const LATE_MS = 10_000;
/** Both stand here, with hands in reach of each other. */
const SPOT = { x: 20_000, y: -5_000 };

export class Honest {
  /** Outcomes of each action by their name, and of codes of the game by their number. */
  readonly outcomes: Record<string, Record<string, number>> = { forage: {}, drop: {}, tradeOffer: {} };
  private readonly pair: readonly [Client, Client];
  private isOver = false;
  private readonly work: Promise<void>;

  constructor(url: string, timers: Timers) {
    const one = (address: string) => connect({ url, socket: nodeSocketsWith(from(address)), spawn: SPOT });
    this.pair = [one('198.51.100.1'), one('198.51.100.2')];
    this.work = this.live(timers);
  }

  private async live(timers: Timers): Promise<void> {
    const [one, other] = this.pair;
    await Promise.all([one.ready, other.ready]);
    while (!this.isOver) {
      await this.act('forage');
      await this.act('drop', { item: 0, count: 1 });
      await this.act('tradeOffer', { target: other.entity });
      await new Promise<void>((resolve) => timers.after(300, resolve));
    }
  }

  private async act(name: string, fields?: Record<string, number>): Promise<void> {
    const { code, name: outcome } = await this.pair[0].act(name, fields);
    const seen = this.outcomes[name]!;
    const key = outcome || String(code);
    seen[key] = (seen[key] ?? 0) + 1;
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.work;
    await Promise.all(this.pair.map((client) => client.goodbye()));
  }
}

/**
 * One newcomer, from an address that nobody had before. Its client tries again by itself, for ten seconds.
 * @param refused told of each close, at once @returns ms until its Welcome, −1 = there was none
 */
export async function knock(
  url: string,
  address: string,
  clock: Clock,
  timers: Timers,
  refused: (code: number) => void,
): Promise<number> {
  const begun = clock.now();
  const client = connect({
    url,
    socket: nodeSocketsWith(from(address)),
    spawn: SPOT,
    view: 'light',
    handlers: { disconnected: refused },
  });
  let cancel = () => {};
  const late = new Promise<null>((resolve) => {
    cancel = timers.after(LATE_MS, () => resolve(null));
  });
  const welcome = await Promise.race([client.ready, late]).catch(() => null);
  cancel();
  if (welcome === null) {
    client.abandon();
    return -1;
  }
  const ms = clock.now() - begun;
  await client.goodbye();
  return ms;
}

/**
 * Clients at any distance: lag is what grows, not what is far. A path of virtual time carries what the gateway says and
 * what the client echoes; who is far is shown everything, whoever reads too slowly gets self updates only.
 */
import t from 'tap';
import { RECORD } from '../../src/memory/player.js';
import { cellNumber } from '../../src/geo/cell.js';
import { buildHouse, type FakeSocket } from './fakes.js';
import { enter, frame } from './house.js';
import { ScriptedShard } from './scripted-shard.js';

const STEP_MS = 50;
const SPAWN = { x: 1000, y: 1000 };

interface Path {
  /** Round trip by time since the beginning, ms. */
  rttMs(at: number): number;
  /** Whether it carries anything at all. */
  isOpen?(at: number): boolean;
  /** Seconds of frames that the client reads a second; 1 = as fast as they come. */
  readShare?(at: number): number;
  /** ms between two of the client's messages. */
  pingMs?: number;
}

/** The client at the other end: reads in order, says what it has seen. */
class FarClient {
  private readonly down: { at: number; tick: number }[] = [];
  private readonly up: { at: number; tick: number }[] = [];
  private heard = 0;
  private newest = 0;
  private saidAt = 0;
  private readTo = 0;
  private nonce = 0;

  constructor(
    private readonly socket: FakeSocket,
    private readonly path: Path,
  ) {}

  /** A moment of `at` ms since the beginning. */
  step(at: number): void {
    const { path, socket } = this;
    const half = path.rttMs(at) / 2;
    for (; this.heard < socket.heard.length; this.heard++) {
      const message = socket.heard[this.heard];
      if ('tick' in message)
        this.down.push({ at: Math.max(at + half, this.down.at(-1)?.at ?? 0), tick: message.tick });
    }
    if (path.isOpen?.(at) === false) return;
    this.readTo = Math.min(at, Math.max(this.readTo, 0) + STEP_MS * (path.readShare?.(at) ?? 1));
    while (this.down.length > 0 && this.down[0].at <= (path.readShare === undefined ? at : this.readTo))
      this.newest = Math.max(this.newest, this.down.shift()!.tick);
    if (at - this.saidAt >= (path.pingMs ?? 1000)) {
      this.saidAt = at;
      this.up.push({ at: Math.max(at + half, this.up.at(-1)?.at ?? 0), tick: this.newest });
    }
    while (this.up.length > 0 && this.up[0].at <= at && socket.closed === undefined)
      socket.ping(this.up.shift()!.tick, ++this.nonce);
  }
}

/** Plays for a while. @returns from when to when it was shown nothing, ms since the beginning, and how it ended */
async function play(
  path: Path,
  ms: number,
): Promise<{ blind: [number, number][]; closed: string | undefined }> {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { spawn: SPAWN });
  const slot = shard.slotOf(socket.welcome.entity);
  const topic = String(cellNumber(SPAWN.x, SPAWN.y));
  const client = new FarClient(socket, path);
  const blind: [number, number][] = [];
  let since = -1;
  for (let at = 0; at < ms && socket.closed === undefined; at += STEP_MS) {
    house.time.pass(STEP_MS);
    shard.tick = house.gateways[0].core.tick() - 1;
    if ((at / STEP_MS) % 2 === 0) {
      frame(house, shard);
      shard.push(slot, RECORD.SELF);
      house.gateways[0].poll();
    }
    client.step(at);
    const isShown = socket.topics.has(topic);
    if (!isShown && since < 0) since = at;
    if (isShown && since >= 0) {
      blind.push([since, at]);
      since = -1;
    }
  }
  if (since >= 0) blind.push([since, ms]);
  return { blind, closed: socket.closed?.reason };
}

const between = (from: number, to: number) => (at: number) => at < from || at >= to;

t.test('who is far and keeps up is never blind', async (t) => {
  for (const rtt of [20, 150, 300, 600, 800, 1100, 1700, 2500])
    for (const pingMs of [100, 1000])
      t.same(
        await play({ rttMs: () => rtt, pingMs }, 40_000),
        { blind: [], closed: undefined },
        `round trip of ${rtt} ms, a message each ${pingMs} ms`,
      );
});

t.test('after a stall it is shown everything again as soon as it has caught up', async (t) => {
  for (const rtt of [20, 300, 600, 1100, 2500]) {
    const stall: Path = { rttMs: () => rtt, isOpen: between(10_000, 12_500) };
    const { blind, closed } = await play(stall, 40_000);
    t.equal(closed, undefined);
    t.ok(blind.length <= 1, `${rtt} ms: one time, ${JSON.stringify(blind)}`);
    for (const [from, to] of blind) {
      t.ok(from > 11_000 && from < 12_500 + rtt, `${rtt} ms: slow from ${from}`);
      t.ok(
        to <= 12_500 + rtt + 1300,
        `${rtt} ms: caught up at ${to}, a round trip and a message after the stall`,
      );
    }
  }
});

t.test('another route: as far as it is now, it is not slow for long', async (t) => {
  for (const [before, after] of [
    [100, 700],
    [100, 1600],
    [300, 3000],
  ] as const) {
    const { blind, closed } = await play({ rttMs: (at) => (at < 20_000 ? before : after) }, 60_000);
    t.equal(closed, undefined);
    t.ok(blind.length <= 1, `${before} → ${after} ms: ${JSON.stringify(blind)}`);
    for (const [, to] of blind) t.ok(to < 20_000 + 3 * after + 6000, `${before} → ${after} ms: until ${to}`);
  }
});

t.test(
  'who reads slower than it is sent, near or far, gets self updates only, and is closed in the end',
  async (t) => {
    for (const rtt of [50, 600, 1100]) {
      const half = await play({ rttMs: () => rtt, readShare: (at) => (at < 10_000 ? 1 : 0.5) }, 60_000);
      const from = half.blind[0]?.[0] ?? Number.POSITIVE_INFINITY;
      t.ok(from > 11_000 && from < 15_500, `${rtt} ms: reads half: ${JSON.stringify(half)}`);
      const stuck = await play({ rttMs: () => rtt, isOpen: between(10_000, 60_000) }, 60_000);
      t.equal(stuck.closed, 'TOO_SLOW');
      t.ok(stuck.blind[0][0] < 13_500, `${rtt} ms: stuck: ${JSON.stringify(stuck)}`);
    }
  },
);

/**
 * How long a server takes from the start of its process until it accepts clients, on a data directory with many
 * entities, after orderly stops and after kill -9; beside the same on an empty directory. The directory is filled through
 * the store's own codec and engine: natural things spread over tiles, players of accounts, and guests who were online.
 *
 * Flags: --entities --times --guests
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { monotonicClock, systemTimers } from '../src/base/clock.js';
import { LIMITS } from '../src/base/limits.js';
import { type Random, seededRandom } from '../src/base/random.js';
import type { Status } from '../src/control/status.js';
import { lonLatToXY } from '../src/geo/world.js';
import { FLAG, PLAYER_KIND } from '../src/memory/player.js';
import { COLD, HOT } from '../src/memory/record.js';
import { STORED_RECORD as AT } from '../src/memory/store-ring.js';
import { loadGame } from '../src/shard/load-game.js';
import { metaWrite, openBook } from '../src/store/book.js';
import { Codec, RecordBytes } from '../src/store/codec.js';
import { openDataFolder } from '../src/store/data-folder.js';
import type { Write } from '../src/store/engine.js';
import { sealNumbers } from '../src/store/frame.js';
import type { BenchArgs } from './benches.js';

export const name = 'restart';
export const describe =
  'From the start of the process until clients are accepted, on data with many entities.';
export const flags = ['entities', 'times', 'guests'];

const SERVER = fileURLToPath(new URL('../src/main.js', import.meta.url));
const SEED = 1;
/** Share of players of accounts among the entities, and how far the others lie apart. */
const PLAYERS = 0.2;
const SPREAD_M = 2_000_000;
const MIDDLE = lonLatToXY(13.405, 52.52);
const FIRST_ID = LIMITS.idLease;
const BATCH = 10_000;
const clock = monotonicClock();
const timers = systemTimers();

/** Somewhere around the place where players appear, with one item. */
function recordOf(i: number, tick: number, random: Random): RecordBytes {
  const record = new RecordBytes();
  record.f64[AT.id >> 3] = FIRST_ID + i;
  record.epoch = 1;
  record.f64[(AT.hot + HOT.x) >> 3] = MIDDLE.x + (random.next() - 0.5) * SPREAD_M;
  record.f64[(AT.hot + HOT.y) >> 3] = MIDDLE.y + (random.next() - 0.5) * SPREAD_M;
  record.i32[(AT.hot + HOT.tile) >> 2] = record.tile;
  record.i32[(AT.hot + HOT.lastTick) >> 2] = tick - 1;
  record.u32[(AT.cold + COLD.items) >> 2] = 1;
  return record;
}

/** @returns the items of all of them */
async function fill(folder: string, entities: number, guests: number): Promise<number> {
  const game = await loadGame(undefined);
  const { kinds, columns, module } = game;
  const identity = {
    seed: SEED,
    baseLevel: LIMITS.baseTileLevel,
    game: {
      name: module.name,
      kinds,
      items: module.items,
      columns: columns.map(({ name, type, offset }) => ({ name, type, offset })),
    },
  };
  const { engine, release } = await openDataFolder(folder);
  const book = openBook(engine, identity, () => new Uint8Array(32).fill(7), folder);
  const codec = new Codec(book.names);
  const random = seededRandom(SEED);
  const tick = 10_000;
  const tiles = new Set<number>();
  let writes: Write[] = [];
  const commit = () => {
    engine.commit(writes, (trouble) => {
      if (trouble !== null) throw trouble;
    });
    writes = [];
  };
  const players = Math.round(entities * PLAYERS);
  for (let i = 0; i < entities; i++) {
    const isGuest = i < guests;
    const isPlayer = i < guests + players;
    const kind = isPlayer ? PLAYER_KIND : 1 + (i % (kinds.length - 1));
    const record = recordOf(i, tick, random);
    const { id, tile } = record;
    record.u16[(AT.hot + HOT.kind) >> 1] = kind;
    if (isPlayer) {
      record.f64[(AT.hot + HOT.sessionId) >> 3] = 1000 + i;
      record.u16[(AT.hot + HOT.flags) >> 1] = isGuest ? 0 : FLAG.ACCOUNT | FLAG.OFFLINE;
      writes.push({ table: 'players', key: id, value: sealNumbers([isGuest ? 0 : 1]) });
      if (!isGuest) writes.push({ table: 'accounts', key: `player ${i}`, value: sealNumbers([id]) });
    } else {
      writes.push({ table: 'places', key: [tile, id], value: new Uint8Array(0) });
    }
    tiles.add(tile);
    writes.push({ table: 'entities', key: id, value: codec.encode(record) });
    if (writes.length >= BATCH) commit();
  }
  for (const tile of tiles) writes.push({ table: 'tiles', key: tile, value: sealNumbers([1]) });
  const sums = module.items.map((_, item) => (item === 0 ? entities : 0));
  // all leases that were used were granted
  const idLease = Math.ceil((FIRST_ID + entities) / LIMITS.idLease) + 1;
  writes.push(metaWrite('created', sums), metaWrite('consumed', []));
  writes.push(metaWrite('durableTick', [tick]), metaWrite('idLease', [idLease]));
  commit();
  await engine.close();
  release();
  return entities;
}

interface Started {
  child: ChildProcess;
  admin: string;
  ms: number;
}

async function start(folder: string): Promise<Started> {
  const begun = clock.now();
  const argv = ['--data', folder, '--host', '127.0.0.1', '--port', '0', '--seed', String(SEED)];
  const child = spawn(process.execPath, [SERVER, ...argv, '--log-level', 'error'], {
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
  for await (const line of createInterface({ input: child.stdout! })) {
    const admin = /http:\/\/[\w.:]+/.exec(line)?.[0];
    if (admin !== undefined) return { child, admin, ms: clock.now() - begun };
  }
  throw new Error('the server did not start; its reason stands above');
}

async function end({ child }: Started, signal: NodeJS.Signals): Promise<void> {
  const exit = once(child, 'exit');
  child.kill(signal);
  await exit;
}

async function statusOf({ admin }: Started): Promise<Status> {
  const ready = await fetch(`${admin}/readyz`);
  if (!ready.ok) throw new Error(`accepts clients, and /readyz says ${ready.status}`);
  return (await (await fetch(`${admin}/api/status`)).json()) as Status;
}

/** Starts it some times. @returns ms of each start */
async function starts(folder: string, times: number, items: number | null): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < times; i++) {
    const server = await start(folder);
    all.push(Math.round(server.ms));
    try {
      const { totals, store } = await statusOf(server);
      // Guests are on their way in; what the audit counts may not have settled in this moment, but never exceeds this.
      if (items !== null && (totals.itemsCreated < items || (store?.resting ?? 0) === 0))
        throw new Error(`${totals.itemsCreated} of ${items} items were known: no result`);
    } finally {
      await end(server, i % 2 === 0 ? 'SIGKILL' : 'SIGTERM');
    }
    await new Promise<void>((resolve) => timers.after(100, resolve));
  }
  return all;
}

const median = (values: readonly number[]) => [...values].sort((a, b) => a - b)[values.length >> 1];

/** @returns conditions and `restart {readyMs, emptyReadyMs, medianMs, maxMs}` */
export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const number = (flag: string, fallback: number): number => {
    const value = values[flag] === undefined ? fallback : Number(values[flag]);
    if (!(value > 0)) throw new Error(`--${flag} must be a number above 0, not ${values[flag]}`);
    return Math.round(value);
  };
  const entities = number('entities', 100_000);
  const times = number('times', 5);
  const guests = number('guests', Math.min(500, Math.round(entities / 10)));
  const root = mkdtempSync(join(tmpdir(), 'bluemarble-restart-'));
  try {
    const full = join(root, 'full');
    const items = await fill(full, entities, guests);
    const readyMs = await starts(full, times, items);
    const emptyReadyMs = await starts(join(root, 'empty'), times, null);
    return {
      entities,
      guests,
      restart: {
        readyMs,
        emptyReadyMs,
        medianMs: median(readyMs),
        emptyMedianMs: median(emptyReadyMs),
        maxMs: Math.max(...readyMs),
      },
    };
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

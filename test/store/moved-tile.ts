/**
 * A process that is given a tile: reads framed entities from a file, puts them into an arena of its own through the
 * store, runs 1 000 ticks and prints a hash of the records after each hundredth. Run by moved-tile.test.ts, in both roles.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt, tileOfIndex } from '../../src/geo/address.js';
import { tileIndex } from '../../src/geo/tile.js';
import game from '../../src/game/game.js';
import { HOT } from '../../src/memory/record.js';
import { STORED_RECORD as AT } from '../../src/memory/store-ring.js';
import { Codec, RecordBytes } from '../../src/store/codec.js';
import { MapEngine } from '../../src/store/map-engine.js';
import { Names } from '../../src/store/names.js';
import type { Write } from '../../src/store/engine.js';
import { compileGame } from '../../src/world/game.js';
import { keep, type Kept, run } from './keeper.js';

export const PLACE = { x: 10_000, y: 10_000 };
export const TILE = tileIndex(PLACE.x, PLACE.y, LIMITS.baseTileLevel);
export const BOUNDS = boundsOf(tileAt(PLACE.x, PLACE.y, LIMITS.baseTileLevel));
const TICKS = 1000;

/** What of a record is the entity's own behaviour: everything but what counts the past of one process. */
export function hashOf({ planet }: Kept): string {
  const { arena } = planet.world;
  const records = new Map<number, Buffer>();
  for (let slot = 0; slot < arena.capacity; slot++) {
    if (planet.stateOf(slot) < 2 || arena.i32[(arena.hot(slot) + HOT.tile) >> 2] !== TILE) continue;
    const hot = Buffer.from(arena.u8.slice(arena.hot(slot), arena.hot(slot) + 192));
    // the tick and the count of steps begin where each process began; the inbox is each process's own
    for (const at of [HOT.lastTick, HOT.stepCount, HOT.inboxHead, HOT.stayUntilTick]) hot.writeInt32LE(0, at);
    hot.writeUInt16LE(hot.readUInt16LE(HOT.flags) & ~8, HOT.flags);
    records.set(
      planet.idOf(slot),
      Buffer.concat([hot, Buffer.from(arena.u8.slice(arena.cold(slot), arena.cold(slot) + 192))]),
    );
  }
  const sum = createHash('sha256');
  for (const id of [...records.keys()].sort((a, b) => a - b)) sum.update(`${id} `).update(records.get(id)!);
  return `${records.size} ${sum.digest('hex').slice(0, 16)}`;
}

/** Framed entities, each behind its length. */
export function unpack(bytes: Buffer): Uint8Array[] {
  const list: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; ) {
    const length = bytes.readUInt32LE(at);
    list.push(bytes.subarray(at + 4, at + 4 + length));
    at += 4 + length;
  }
  return list;
}

/** The tile's entities in a new arena, in the order of the file or against it; awake. */
export function receive(framed: readonly Uint8Array[], tick: number, spare: number): Kept {
  const engine = new MapEngine();
  keep(game, engine, { shards: 1 }); // a new world's book
  const codec = new Codec(new Names(compileGame(game, 'test')));
  const record = new RecordBytes();
  const writes: Write[] = [];
  for (const value of framed) {
    const fault = codec.decode(value, record);
    if (fault !== null) throw new Error(fault);
    const id = record.f64[AT.id >> 3];
    writes.push({ table: 'entities', key: id, value });
    writes.push({ table: 'places', key: [TILE, id], value: new Uint8Array(0) });
  }
  engine.commit(writes, () => {});
  const kept = keep(game, engine, { shards: 1 });
  const { planet } = kept;
  planet.world.directory.setGeneratedTick(TILE, 1);
  for (let i = 0; i < 64; i++) planet.world.ids.takeLease(); // ids of the tile's own world are never given again
  for (let i = 0; i < spare; i++) planet.join(PLACE.x + 60_000, PLACE.y); // other slots than where they came from
  while (planet.tick < tick) run(kept, 1);
  const { x, y } = { x: (BOUNDS.west + BOUNDS.east) / 2, y: (BOUNDS.south + BOUNDS.north) / 2 };
  planet.shards[0]!.wakeTileOf(x, y);
  for (let i = 0; i < 4; i++) run(kept, 1);
  return kept;
}

if (process.argv[2] === 'run') {
  const framed = unpack(readFileSync(process.argv[3]!));
  const kept = receive(
    process.argv[4] === 'backwards' ? [...framed].reverse() : framed,
    20,
    Number(process.argv[5]),
  );
  const wanted = tileOfIndex(TILE, LIMITS.baseTileLevel);
  for (let tick = 0; tick < TICKS; tick++) {
    kept.planet.world.directory.touch(TILE, kept.planet.tick);
    run(kept, 1);
    if (tick % 100 === 99) console.log(`${wanted.x}/${wanted.y} ${tick + 1} ${hashOf(kept)}`);
  }
}

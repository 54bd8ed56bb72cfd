/** A tile is serialised out of one process and into the arena of another, and the two behave the same for 1 000 ticks. */
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import game from '../../src/game/game.js';
import type { GameModule } from '../../src/world/facade.js';
import { MapEngine } from '../../src/store/map-engine.js';
import { keep, run } from './keeper.js';
import { BOUNDS, PLACE, TILE, unpack } from './moved-tile.js';

t.test('two processes that were given the same tile live the same thousand ticks', async (t) => {
  const engine = new MapEngine();
  // Nobody touches anything here, and all of it is to be stored.
  const step: GameModule['step'] = (world, entity) => {
    world.keep(entity);
    game.step(world as never, entity);
  };
  const kept = keep({ ...game, step }, engine, { shards: 1 });
  kept.planet.assign(PLACE.x, PLACE.y, 0);
  kept.planet.shards[0]!.wakeTileOf((BOUNDS.west + BOUNDS.east) / 2, (BOUNDS.south + BOUNDS.north) / 2);
  kept.planet.join(PLACE.x, PLACE.y);
  run(kept, 100);
  const places = [...engine.entries('places', TILE)].map(([key]) => (key as number[])[1]!);
  t.ok(places.length > 10, 'natural content');
  const framed = places.map((id) => {
    const value = Buffer.from(engine.get('entities', id)!);
    const length = Buffer.alloc(4);
    length.writeUInt32LE(value.length);
    return Buffer.concat([length, value]);
  });
  const file = join(t.testdir(), 'tile.bin');
  writeFileSync(file, Buffer.concat(framed));
  t.equal(unpack(Buffer.concat(framed)).length, framed.length);
  const child = (order: string, spare: string) =>
    execFileSync(
      process.execPath,
      [fileURLToPath(new URL('./moved-tile.js', import.meta.url)), 'run', file, order, spare],
      {
        encoding: 'utf8',
      },
    );
  const one = child('forwards', '0');
  const other = child('backwards', '7');
  t.equal(one.trim().split('\n').length, 10, 'ten hashes');
  t.match(one, new RegExp(` 100 ${framed.length} `), 'all of them are there');
  t.equal(other, one, 'in other slots and another order');
  t.notMatch(one.split('\n')[0]!.slice(-16), one.split('\n')[9]!.slice(-16), 'and something happens');
});

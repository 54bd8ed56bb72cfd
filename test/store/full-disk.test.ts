/** A disk that is really full: a small one in memory, filled up by a file beside the data. Needs the right to mount. */
import { readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { ITEM } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { STORE_STATE } from '../../src/memory/cut-block.js';
import { FLAG } from '../../src/memory/player.js';
import { ApartEngine } from '../../src/store/apart-engine.js';
import { openDataFolder } from '../../src/store/data-folder.js';
import { verifyData } from '../../src/store/verify.js';
import { keep } from './keeper.js';
import { mountsNot, onSmallDisk } from './small-disk.js';

const MIB = 2 ** 20;
const AREA = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));

const skip = mountsNot();

/** Takes all the room there is. @returns gives it back */
function fill(dir: string): () => void {
  const path = join(dir, 'ballast');
  const { bavail, bsize } = statfsSync(dir);
  writeFileSync(path, new Uint8Array(bavail * bsize));
  return () => rmSync(path);
}

t.test('at the start', { skip }, (t) =>
  onSmallDisk(t, async (dir) => {
    const free = fill(dir);
    await t.rejects(openDataFolder(join(dir, 'data')), { code: 'DATA_FULL' });
    free();
    const { engine, release } = await openDataFolder(join(dir, 'data'));
    await engine.close();
    release();
  }),
);

t.test('at run time: the world goes on, nobody is admitted; with room again nothing is lost', { skip }, (t) =>
  onSmallDisk(t, async (dir) => {
    const folder = join(dir, 'data');
    const { engine: reader, release } = await openDataFolder(folder);
    // The book is begun in this thread; what follows is written in another, as in a server.
    const kept = keep(game, reader);
    const engine = new ApartEngine(reader, folder);
    let answered: Promise<void> = Promise.resolve();
    const commit = engine.commit.bind(engine);
    engine.commit = (writes, done) => {
      answered = new Promise((resolve) => commit(writes, (trouble) => resolve(done(trouble))));
    };
    const again = keep(game, engine);
    const { planet, store } = again;
    kept.store.residence.close();
    planet.assign(AREA.east - 50, AREA.south + 500, 0);
    const players = [1, 2].map((dx) =>
      planet.join(AREA.east - 20 - dx, AREA.south + 500, FLAG.NEW | FLAG.ACCOUNT),
    );
    const { cut } = planet.world;
    /** Ticks of the test's clock, each with the writer's answer, until it is so. */
    const until = async (what: string, isSo: () => boolean) => {
      for (let tick = 0; !isSo(); tick++) {
        if (tick > 5_000) throw new Error(`it did not come so far: ${what}`);
        planet.step();
        store.poll();
        await answered;
      }
    };
    await until('all is well', () => cut.durableTick > 10);

    const free = fill(dir);
    planet.act(players[0]!, 'give', { target: players[1]!.id, item: ITEM.coin, count: 3 });
    // Whatever pages the file has to spare are used up by births.
    let born = 0;
    await until('the disk is full', () => {
      if (born < 2_000 && store.status().failures === 0)
        planet.join(AREA.west + 50 + (born++ % 900), AREA.south + 400, FLAG.NEW | FLAG.ACCOUNT);
      return store.status().failures > 0;
    });
    const durable = cut.durableTick;
    const file = readFileSync(join(folder, 'world.mdb')).length;
    const then = planet.tick;
    await until('200 ticks more', () => planet.tick > then + 200);
    t.equal(cut.state, STORE_STATE.FAILING);
    t.equal(cut.durableTick, durable, 'nothing is called durable');
    t.match(store.status(), { state: 'failing', trouble: /space/i });
    t.equal(planet.applied(players[0]!), 1, 'actions are applied');
    t.equal(planet.counter('ticksMissed'), 0);
    t.ok(file <= 8 * MIB);

    free();
    await until('there is room', () => cut.state === STORE_STATE.RUNNING && cut.durableTick > then + 200);
    await engine.close();
    release();
    const after = await openDataFolder(folder);
    const verdict = await verifyData(after.engine, folder);
    await after.engine.close();
    after.release();
    t.strictSame(verdict.faults, []);
    t.equal(verdict.players, 2 + born, 'everybody is there');
    t.equal(verdict.items[ITEM.coin]!.held, planet.balance(ITEM.coin));
  }),
);

/** How often a player hears of itself when nothing happens: four times a second at least, at any frame rate. */
import t from 'tap';
import { RECORD } from '../../src/memory/player.js';
import type { GameModule } from '../../src/world/facade.js';
import { Planet } from './planet.js';

const still: GameModule = {
  name: 'still',
  items: [],
  kinds: ['player'],
  components: {},
  actions: {},
  step() {},
};

t.test('self updates come four times a second or more, between frames where these are few', async (t) => {
  // 20 ticks a second: 20, 10, 5, 4, 2 and 1 frames.
  for (const [frameEvery, perSecond] of [
    [1, 4],
    [2, 5],
    [4, 5],
    [5, 4],
    [10, 4],
    [20, 4],
  ] as const) {
    const planet = new Planet(still, { frameEvery, shards: 1 });
    planet.join(10_000, 10_000);
    planet.run(20);
    const from = planet.records.length;
    planet.run(100);
    const selfs = planet.records.slice(from).filter(({ type }) => type === RECORD.SELF);
    t.equal(selfs.length, perSecond * 5, `a frame each ${frameEvery} ticks`);
  }
});

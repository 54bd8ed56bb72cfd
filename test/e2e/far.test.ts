/** The far rings on a real server: two at 250 metres see each other at the slow rate, and close by at the full one. */
import t from 'tap';
import { type Client, connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import { cellSize } from '../../src/geo/cell.js';
import { Server, eventually, within } from './server.js';

t.setTimeout(120_000);

const SIZE = cellSize();
/** In the middle of a cell as far as east and west go. */
const X = 100.5 * SIZE;
const Y = 100.5 * SIZE;
const APART_M = 250;

async function enter(server: Server, x: number): Promise<Client> {
  const client = connect({ url: server.url, socket: nodeSockets, spawn: { x, y: Y } });
  t.teardown(() => client.abandon());
  await within('a client plays', client.ready);
  return client;
}

t.test(
  'from the slow rate to the full one without a gap, and out of sight beyond the far ring',
  async (t) => {
    const server = await Server.start(t, ['--shards', '2', '--pin-shards']);
    const here = await enter(server, X);
    const there = await enter(server, X + APART_M);
    const beyond = await enter(server, X + 4 * SIZE);
    const ticks = here.welcome!.tickRate / here.welcome!.frameRate;
    t.match(here.welcome, { viewCells: 3, farCells: 5, farIntervals: [5 * ticks] });
    const shown = () => here.view!.get(there.entity);
    await eventually('it sees the other one far away', () => shown() !== undefined);
    t.equal(here.scene.intervalAt(there.self.x, there.self.y), 5 * ticks, 'slow there');
    t.equal(here.scene.intervalAt(X, Y), ticks, 'fast here');

    const seen = new Set<number>();
    let holes = 0;
    const look = (): true => {
      const entity = shown();
      if (entity === undefined) holes++;
      else seen.add(entity.tick);
      return true;
    };
    there.act('walk', { heading: Math.PI, speed: 6, seconds: 10 });
    await eventually('it walks', () => there.self.vx < -5);
    const before = here.scene.newestTick;
    const until = X + APART_M - 15;
    await eventually('it has gone on', () => look() && there.self.x < until);
    const passed = here.scene.newestTick - before;
    const far = [...seen].filter((tick) => tick > before).length;
    t.ok(far >= 1 && far <= passed / (5 * ticks) + 2, `${far} pictures in ${passed} ticks`);
    const near = () => look() && here.scene.intervalAt(there.self.x, there.self.y) === ticks;
    await eventually('it has come near', near);
    seen.clear();
    const start = here.scene.newestTick;
    await eventually('it goes on', () => look() && here.scene.newestTick >= start + 20);
    t.ok(seen.size > 4, `${seen.size} pictures in a second`);
    t.equal(holes, 0, 'shown all the time');
    t.same([here.view!.doubles, here.view!.orphans, here.stats.gaps], [0, 0, 0]);
    t.equal(here.view!.get(beyond.entity), undefined);
    t.equal(here.scene.intervalAt(X + 4 * SIZE, Y), 0, 'nothing beyond is sent');
    await server.stop();
  },
);

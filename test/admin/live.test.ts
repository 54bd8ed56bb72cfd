/** The map's stream: one encoding for all, whole at first, then what changed; nothing without viewers. */
import { EventEmitter } from 'node:events';
import type { ServerResponse } from 'node:http';
import t from 'tap';
import { BEAT_MS, changes, LiveFeed, type LiveEvent, type LiveSource } from '../../src/admin/live.js';
import { FakeTime } from '../control/fakes.js';

class Viewer extends EventEmitter {
  readonly events: LiveEvent[] = [];
  readonly chunks: unknown[] = [];
  writableLength = 0;
  status = 0;
  isGone = false;
  writeHead(status: number): void {
    this.status = status;
  }
  write(chunk: string | Buffer): void {
    this.chunks.push(chunk);
    const text = String(chunk);
    if (text.startsWith('data: ')) this.events.push(JSON.parse(text.slice(6)) as LiveEvent);
  }
  end(): void {
    this.emit('close');
  }
  destroy(): void {
    this.isGone = true;
    this.emit('close');
  }
  get response(): ServerResponse {
    return this as unknown as ServerResponse;
  }
}

function planet() {
  const world = {
    tiles: [{ tile: '11/1/1', shard: 0, players: 3, entities: 5 }],
    density: new Map([[7, 3]]),
    handovers: [] as number[],
    decisions: [] as object[],
    version: 1,
    reads: 0,
  };
  const node = {
    status: () => ({ tick: ++world.reads, decisions: world.decisions }),
    tiles: () => ({ tick: 1, tileLevel: 11, tiles: world.tiles }),
    sight: {
      get layoutVersion() {
        return world.version;
      },
      forget: () => {},
      look: () => {
        world.reads++;
        return { density: new Map(world.density), handovers: world.handovers };
      },
      handoverTimes: () => [12, 1],
    },
  } as unknown as LiveSource;
  const time = new FakeTime();
  return { world, time, feed: new LiveFeed(node, time) };
}

t.test('the first event is whole, the next ones say what changed', async (t) => {
  const { world, time, feed } = planet();
  const viewer = new Viewer();
  feed.add(viewer.response);
  t.equal(viewer.status, 200);
  t.match(viewer.events, [
    { full: true, tiles: world.tiles, density: [7, 3], decisions: [], handoverTimes: [12, 1] },
  ]);
  time.advance(BEAT_MS * 4);
  t.ok(viewer.events.length > 1 && viewer.events.length <= 5, 'at most four a second');
  t.ok(
    viewer.events.slice(1).every((e) => e.tiles === undefined && e.density === undefined),
    'nothing changed',
  );
  world.tiles = [
    { tile: '11/1/1', shard: 1, players: 3, entities: 5 },
    { tile: '11/2/1', shard: 0, players: 1, entities: 1 },
  ];
  world.density = new Map([[8, 4]]);
  world.handovers = [1, 2, 0, 1];
  viewer.events.length = 0;
  time.advance(BEAT_MS * 4);
  const all = Object.assign({}, ...viewer.events) as LiveEvent;
  t.same(all.tiles, world.tiles);
  t.same(viewer.events.find((e) => e.density !== undefined)?.density, [8, 4, 7, 0]);
  t.same(all.handovers, [1, 2, 0, 1]);
  world.tiles = [world.tiles[1]];
  viewer.events.length = 0;
  time.advance(BEAT_MS * 4);
  t.same(
    viewer.events.flatMap((e) => e.gone ?? []),
    ['11/1/1'],
  );
});

t.test('a change of layout does not wait for the second', async (t) => {
  const { world, time, feed } = planet();
  const viewer = new Viewer();
  feed.add(viewer.response);
  world.version++;
  world.tiles = [{ tile: '12/2/2', shard: 1, players: 3, entities: 5 }];
  time.advance(BEAT_MS);
  t.match(viewer.events[1], { tiles: world.tiles, gone: ['11/1/1'] });
});

t.test('all viewers get the very same bytes', async (t) => {
  const { time, feed } = planet();
  const [a, b] = [new Viewer(), new Viewer()];
  feed.add(a.response);
  feed.add(b.response);
  time.advance(BEAT_MS * 4);
  t.ok(a.chunks.length > 2);
  t.equal(a.chunks.at(-1), b.chunks.at(-1), 'one buffer');
});

t.test('without viewers nothing is read; the last one to leave ends it', async (t) => {
  const { world, time, feed } = planet();
  time.advance(10_000);
  t.equal(world.reads, 0);
  const viewer = new Viewer();
  feed.add(viewer.response);
  time.advance(BEAT_MS * 8);
  t.ok(world.reads > 2);
  viewer.end();
  const { reads } = world;
  time.advance(10_000);
  t.equal(world.reads, reads);
  t.equal(feed.count, 0);
});

t.test('who does not read is let go, and too many are refused', async (t) => {
  const { time, feed } = planet();
  const lazy = new Viewer();
  feed.add(lazy.response);
  lazy.writableLength = 2 ** 21 + 1;
  time.advance(BEAT_MS * 4);
  t.ok(lazy.isGone);
  for (let i = 0; i < 64; i++) feed.add(new Viewer().response);
  t.throws(() => feed.add(new Viewer().response), { code: 'TOO_MANY_VIEWERS' });
  feed.close();
  t.equal(feed.count, 0);
});

t.test('changes of density', async (t) => {
  t.same(
    changes(
      new Map([
        [1, 2],
        [3, 4],
      ]),
      new Map([
        [1, 2],
        [5, 6],
      ]),
    ),
    [5, 6, 3, 0],
  );
  t.same(changes(new Map(), new Map()), []);
});

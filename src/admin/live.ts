/**
 * `GET /api/live`: server-sent events for the map. Every viewer gets the same bytes, encoded once; the first event of a
 * viewer is whole, later ones say what changed.
 *
 * Contract: no viewers, no timer, no reading. With viewers a beat every 250 ms: the layout as soon as it changes, players
 * and handovers twice a second, numbers once. A viewer that does not read is disconnected, it never costs memory.
 */
import type { ServerResponse } from 'node:http';
import type { Timers } from '../base/clock.js';
import type { Status, TilesStatus } from '../control/status.js';
import { AdminError } from './errors.js';
import type { Density, Sight } from './sight.js';

export const BEAT_MS = 250;
const LOOK_BEATS = 2;
const NUMBER_BEATS = 4;
const MOST_VIEWERS = 64;
/** Bytes that may wait for one viewer. */
const MOST_WAITING = 2 ** 21;

type Tile = TilesStatus['tiles'][number];

export interface LiveSource {
  status(): Status;
  tiles(): TilesStatus;
  readonly sight: Pick<Sight, 'layoutVersion' | 'forget' | 'look' | 'handoverTimes'>;
}

/** One event. Absent = unchanged. */
export interface LiveEvent {
  /** Everything anew: forget what was there. */
  full?: true;
  tick: number;
  status?: Omit<Status, 'decisions'>;
  decisions?: Status['decisions'];
  /** Tiles that are new or changed, and addresses of those that are no more. */
  tiles?: Tile[];
  gone?: string[];
  /** Players by square of the deepest tile level: index, count, index, count …; count 0 = nobody any more. */
  density?: number[];
  /** x, y, shard before, shard now of each. */
  handovers?: readonly number[];
  /** Durations of all handovers so far: upper edge in ms, count, … */
  handoverTimes?: number[];
}

export class LiveFeed {
  private readonly viewers = new Set<ServerResponse>();
  private cancel: (() => void) | null = null;
  private beats = 0;
  private layout = -1;
  private decisions = '';
  private tiles = new Map<string, { tile: Tile; text: string }>();
  private density: Density = new Map();

  constructor(
    private readonly node: LiveSource,
    private readonly timers: Timers,
  ) {}

  get count(): number {
    return this.viewers.size;
  }

  /** Keeps the response open until the viewer leaves. @throws AdminError TOO_MANY_VIEWERS */
  add(response: ServerResponse): void {
    if (this.viewers.size >= MOST_VIEWERS) throw new AdminError('TOO_MANY_VIEWERS');
    response.writeHead(200, {
      'content-type': 'text/event-stream; charset=utf-8',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'x-accel-buffering': 'no', // a proxy in between must not collect events
    });
    response.on('close', () => this.remove(response));
    response.write(`retry: 2000\n\n`);
    if (this.viewers.size === 0) this.begin();
    response.write(encode(this.whole()));
    this.viewers.add(response);
  }

  /** Ends all viewers; more may come. */
  close(): void {
    for (const viewer of [...this.viewers]) viewer.end();
    this.viewers.clear();
    this.stop();
  }

  private remove(viewer: ServerResponse): void {
    this.viewers.delete(viewer);
    if (this.viewers.size === 0) this.stop();
  }

  private begin(): void {
    this.beats = 0;
    this.node.sight.forget();
    this.density = this.node.sight.look().density;
    this.changedTiles();
    this.cancel ??= this.timers.every(BEAT_MS, () => this.beat());
  }

  private stop(): void {
    this.cancel?.();
    this.cancel = null;
    this.tiles.clear();
    this.density = new Map();
    this.decisions = '';
  }

  private whole(): LiveEvent {
    const { decisions, ...status } = this.node.status();
    return {
      full: true,
      tick: status.tick,
      status,
      decisions,
      tiles: [...this.tiles.values()].map(({ tile }) => tile),
      density: [...this.density].flat(),
      handoverTimes: this.node.sight.handoverTimes(),
    };
  }

  /** Public for tests. */
  beat(): void {
    const event: LiveEvent = { tick: 0 };
    const { sight } = this.node;
    this.beats++;
    const isNew = this.layout !== sight.layoutVersion;
    if (isNew || this.beats % NUMBER_BEATS === 0) {
      Object.assign(event, this.changedTiles());
      const { decisions, ...status } = this.node.status();
      const text = JSON.stringify(decisions);
      if (text !== this.decisions) event.decisions = decisions;
      this.decisions = text;
      event.status = status;
      event.tick = status.tick;
      event.handoverTimes = sight.handoverTimes();
    }
    if (this.beats % LOOK_BEATS === 0) {
      const { density, handovers } = sight.look();
      const changed = changes(this.density, density);
      this.density = density;
      if (changed.length > 0) event.density = changed;
      if (handovers.length > 0) event.handovers = handovers;
    }
    if (Object.keys(event).length > 1) this.send(encode(event));
  }

  private changedTiles(): Pick<LiveEvent, 'tiles' | 'gone'> {
    this.layout = this.node.sight.layoutVersion;
    const now = new Map<string, { tile: Tile; text: string }>();
    const tiles: Tile[] = [];
    for (const tile of this.node.tiles().tiles) {
      const text = JSON.stringify(tile);
      now.set(tile.tile, { tile, text });
      if (this.tiles.get(tile.tile)?.text !== text) tiles.push(tile);
    }
    const gone = [...this.tiles.keys()].filter((tile) => !now.has(tile));
    this.tiles = now;
    return { ...(tiles.length > 0 ? { tiles } : {}), ...(gone.length > 0 ? { gone } : {}) };
  }

  private send(bytes: Buffer): void {
    for (const viewer of this.viewers) {
      if (viewer.writableLength > MOST_WAITING) viewer.destroy();
      else viewer.write(bytes);
    }
  }
}

function encode(event: LiveEvent): Buffer {
  return Buffer.from(`data: ${JSON.stringify(event)}\n\n`);
}

/** Squares whose count is another one now, flat. */
export function changes(before: Density, now: Density): number[] {
  const changed: number[] = [];
  for (const [square, players] of now) if (before.get(square) !== players) changed.push(square, players);
  for (const square of before.keys()) if (!now.has(square)) changed.push(square, 0);
  return changed;
}

/**
 * What a bot looks at in the frames that pass by: itself, and now and then things to reach for. A look costs time that
 * the server on the same machine needs, so it is rare: key frames of cells that nobody has looked at lately, and the
 * own cell for a moment after the bot has dropped something.
 */
import { LIMITS } from '../base/limits.js';
import { cellNumber, cellOf, cellSize } from '../geo/cell.js';
import { tileNorth, tileWest } from '../geo/tile.js';
import type { CellFrameView } from '../wire/cell-frame-view.js';
import type { Things } from './things.js';
import type { Track } from './track.js';

/** In a crowd the own state is not searched for: self updates have to do. */
const SEARCHED_STATES = 64;
const LOOK_MS = 1500;
const UNIT = cellSize() / 65536;

export class Eyes {
  private lookUntil = 0;
  private hint = 0;
  private kinds: ReadonlySet<number> = new Set();

  constructor(private readonly things: Things) {}

  /** @param names entity kinds of the game by name */
  know(names: ReadonlyMap<string, number>): void {
    this.kinds = new Set([names.get('node') ?? -1, names.get('pile') ?? -1]);
  }

  /** Look out for new things for a moment. */
  look(now: number): void {
    this.lookUntil = now + LOOK_MS;
  }

  /** @returns whether the frame says something of the bot itself */
  frame(frame: CellFrameView, own: number, track: Track, now: number): boolean {
    if (!track.known) return false;
    const cell = cellOf(frame.cellX, frame.cellY);
    const isOwn = cell === cellNumber(track.x, track.y);
    const isKey = frame.previous === 0;
    if ((isKey && this.things.wants(cell, now)) || (isOwn && now < this.lookUntil))
      this.lookInto(frame, cell, now);
    return isOwn && this.finds(frame, own);
  }

  /** Searched from where the bot was found the last time: frames keep their order more often than not. */
  private finds(frame: CellFrameView, own: number): boolean {
    for (let i = 0; i < Math.min(frame.moveCount, SEARCHED_STATES); i++) {
      const place = (i + this.hint) % frame.moveCount;
      if (frame.moveId(place) !== own) continue;
      this.hint = place;
      return true;
    }
    const n = Math.min(frame.stateCount, SEARCHED_STATES);
    for (let i = 0; i < n; i++) {
      const place = (i + this.hint) % n;
      if (frame.id(place) !== own) continue;
      this.hint = place;
      return true;
    }
    return false;
  }

  private lookInto(frame: CellFrameView, cell: number, now: number): void {
    const west = tileWest(frame.cellX, LIMITS.cellLevel);
    const south = tileNorth(frame.cellY + 1, LIMITS.cellLevel);
    if (frame.previous === 0) this.things.begin(cell, now);
    for (let i = 0; i < frame.stateCount; i++) {
      const kind = frame.kind(i);
      if (!this.kinds.has(kind)) continue;
      this.things.see(cell, frame.id(i), kind, west + frame.x(i) * UNIT, south + frame.y(i) * UNIT, now);
    }
  }
}

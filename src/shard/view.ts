/**
 * Publishes the shard's view: its entities of this tick grouped by cell, for frames, neighbours and gateways. Counting
 * sort in two passes over the owned entities; no allocation once its tables are large enough.
 *
 * In cells of which somebody watches parts the rows also stand in the order of their leaves (geo/square.ts), so that each
 * part is one stretch of rows; it gets an entry of its own under its stream's key.
 */
import { cellNumber } from '../geo/cell.js';
import {
  LEAVES,
  WHOLE,
  cellOfKey,
  firstLeaf,
  leafOf,
  leavesOf,
  partOfKey,
  squareOfKey,
} from '../geo/square.js';
import { HOT } from '../memory/record.js';
import type { ViewWriter } from '../memory/view.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import type { Streams } from './streams.js';
import type { Core } from './core.js';
import { PRESENCE_STATE } from '../memory/inbox.js';

/** Bit of a row's flags: a player without a connection at the moment (schemas/server.fbs). */
const AWAY = 1;
/** Words of a cut cell: rows by leaf, then where the next row of each leaf goes; one more for the end. */
const LEAF_WORDS = LEAVES + 1;

export class ViewPublisher {
  /** By position in the owned list: the cell's place in the view, −1 = not shown; and its leaf. */
  private readonly cells: Int32Array;
  private readonly leaves: Uint8Array;
  /** By the cell's place in the view: 1 + index of its table of leaves, 0 = not cut. */
  private readonly cutOf: Int32Array;
  private cutCells = new Int32Array(64);
  private tables = new Int32Array(64 * LEAF_WORDS);
  private cuts = 0;

  constructor(
    private readonly core: Core,
    private readonly view: ViewWriter,
    private readonly streams: Streams,
  ) {
    this.cells = new Int32Array(core.arena.capacity);
    this.leaves = new Uint8Array(core.arena.capacity);
    this.cutOf = new Int32Array(view.cells);
  }

  /**
   * @param unclosed streams of dead predecessors: they stand in the view, so that the next replacement, too, would
   *   find them
   */
  publish(unclosed: ReadonlySet<number>): void {
    const { core, view } = this;
    view.begin(core.tick, core.options.incarnation);
    this.findCuts(unclosed);
    this.countRows();
    view.place();
    for (let i = 0; i < this.cuts; i++) this.placeLeaves(i);
    const { owned } = core;
    for (let i = 0; i < owned.count; i++) if (this.cells[i]! >= 0) this.writeRow(owned.slots[i]!, i);
    this.enterStreams();
    for (const key of unclosed) this.enter(key);
    for (let i = 0; i < this.cuts; i++) this.cutOf[this.cutCells[i]!] = 0;
    view.publish();
  }

  /** Cells that have streams of parts. */
  private findCuts(unclosed: ReadonlySet<number>): void {
    const { streams } = this;
    this.cuts = 0;
    for (let i = 0; i < streams.count; i++) this.cutFor(streams.key[streams.at(i)]!);
    for (const key of unclosed) this.cutFor(key);
  }

  private cutFor(key: number): void {
    if (partOfKey(key) === 0 || squareOfKey(key) === WHOLE) return;
    const c = this.view.cell(cellOfKey(key));
    if (c < 0 || this.cutOf[c] !== 0) return;
    if (this.cuts === this.cutCells.length) this.grow();
    this.cutCells[this.cuts] = c;
    this.tables.fill(0, this.cuts * LEAF_WORDS, (this.cuts + 1) * LEAF_WORDS);
    this.cutOf[c] = ++this.cuts;
  }

  private countRows(): void {
    const { core, view, cells } = this;
    const { arena, owned } = core;
    for (let i = 0; i < owned.count; i++) {
      const hot = arena.hot(owned.slots[i]!);
      if (arena.u16[(hot + HOT.flags) >> 1]! & FLAG.OFFLINE) {
        cells[i] = -1;
        continue;
      }
      const x = arena.f64[(hot + HOT.x) >> 3]!;
      const y = arena.f64[(hot + HOT.y) >> 3]!;
      const number = cellNumber(x, y);
      const c = view.cell(number);
      cells[i] = c;
      if (c < 0) continue;
      view.addRow(c);
      const cut = this.cutOf[c]!;
      if (cut === 0) continue;
      const leaf = leafOf(number, x, y);
      this.leaves[i] = leaf;
      this.tables[(cut - 1) * LEAF_WORDS + leaf + 1]!++;
    }
  }

  /** From rows by leaf to the first row of each. */
  private placeLeaves(cut: number): void {
    const { tables } = this;
    const at = cut * LEAF_WORDS;
    tables[at] = this.view.cellStart(this.cutCells[cut]!);
    for (let leaf = 1; leaf < LEAF_WORDS; leaf++) tables[at + leaf]! += tables[at + leaf - 1]!;
  }

  private writeRow(slot: number, i: number): void {
    const { core, view } = this;
    const { arena } = core;
    const c = this.cells[i]!;
    const cut = this.cutOf[c]!;
    const row = cut === 0 ? view.nextRow(c) : this.tables[(cut - 1) * LEAF_WORDS + this.leaves[i]!]!++;
    const hot = arena.hot(slot);
    const kind = arena.u16[(hot + HOT.kind) >> 1]!;
    const away =
      kind === PLAYER_KIND && core.world.inboxes.presence(slot) !== PRESENCE_STATE.CONNECTED ? AWAY : 0;
    const pub = (hot + HOT.components) >> 2;
    view.put(
      row,
      core.id(slot),
      arena.f64[(hot + HOT.x) >> 3]!,
      arena.f64[(hot + HOT.y) >> 3]!,
      arena.f32[(hot + HOT.vx) >> 2]!,
      arena.f32[(hot + HOT.vy) >> 2]!,
      arena.u32[pub]!,
      arena.u32[pub + 1]!,
      slot,
      core.epoch(slot),
      kind,
      away,
    );
  }

  /** Streams stand in the view, also those without rows: a new subscriber gets their (empty) key frame. */
  private enterStreams(): void {
    const { view, streams } = this;
    for (let i = 0; i < streams.count; i++) {
      const place = streams.at(i);
      const c = this.enter(streams.key[place]!);
      if (c >= 0) view.setLastSeq(c, streams.lastTick[place]!);
    }
  }

  /** @returns the entry of a stream, made if it is new; −1 when there is no room */
  private enter(key: number): number {
    const { view } = this;
    if (partOfKey(key) === 0) return view.cell(key);
    const c = view.find(cellOfKey(key));
    if (c < 0) return view.range(key, 0, 0);
    const square = squareOfKey(key);
    if (square === WHOLE) return view.range(key, view.cellStart(c), view.cellRows(c));
    // The tables have moved on: each leaf's place is now where the next one's rows begin.
    const at = (this.cutOf[c]! - 1) * LEAF_WORDS;
    const first = firstLeaf(square);
    const start = first === 0 ? view.cellStart(c) : this.tables[at + first - 1]!;
    return view.range(key, start, this.tables[at + first + leavesOf(square) - 1]! - start);
  }

  private grow(): void {
    const cells = new Int32Array(this.cutCells.length * 2);
    cells.set(this.cutCells);
    this.cutCells = cells;
    const tables = new Int32Array(this.tables.length * 2);
    tables.set(this.tables);
    this.tables = tables;
  }
}

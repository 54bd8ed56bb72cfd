/**
 * Publishes the shard's view: its entities of this tick grouped by cell, for frames, neighbours and gateways. Counting
 * sort in two passes over the owned entities; no allocation once its tables are large enough. Who sleeps and was shown as
 * it is costs no look at its record: its cell is known, its row is copied from the view before.
 *
 * In cells of which somebody watches parts the rows also stand in the order of their leaves (geo/square.ts), so that each
 * part is one stretch of rows; it gets an entry of its own under its stream's key.
 */
import { CELL_COLUMNS } from '../geo/cell.js';
import { columnAt, rowAt } from '../geo/tile.js';
import { LEAVES, WHOLE, cellOfKey, firstLeaf, leafInCell, leavesOf, squareOfKey } from '../geo/square.js';
import { LIMITS } from '../base/limits.js';
import { HOT } from '../memory/record.js';
import type { ViewWriter } from '../memory/view.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import { type Published, UNKNOWN } from './published.js';
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
  private readonly number = new Float64Array(1);
  /** By slot: the cell in which it was shown last, and the row. */
  private readonly shownCell: Float64Array;
  private readonly shownRow: Int32Array;
  /** By the cell's place in the view: 1 + index of its table of leaves, 0 = not cut. */
  private readonly cutOf: Int32Array;
  private cutCells = new Int32Array(64);
  private tables = new Int32Array(64 * LEAF_WORDS);
  private cuts = 0;
  /** Whether this tick has no frames. */
  private isBetween = false;

  constructor(
    private readonly core: Core,
    private readonly view: ViewWriter,
    private readonly streams: Streams,
    private readonly published: Published,
  ) {
    this.cells = new Int32Array(core.arena.capacity);
    this.leaves = new Uint8Array(core.arena.capacity);
    this.cutOf = new Int32Array(view.cells);
    this.shownCell = new Float64Array(core.arena.capacity);
    this.shownRow = new Int32Array(core.arena.capacity);
  }

  /**
   * @param unclosed streams of dead predecessors: they stand in the view, so that the next replacement, too, would
   *   find them
   */
  publish(unclosed: ReadonlySet<number>): void {
    const { core, view } = this;
    this.isBetween = core.tick % core.options.frameEvery !== 0;
    view.begin(core.tick, core.options.incarnation);
    this.findCuts(unclosed);
    this.countRows();
    view.place();
    for (let i = 0; i < this.cuts; i++) this.placeLeaves(i);
    const { owned } = core;
    for (let i = 0; i < owned.count; i++) {
      if (this.cells[i]! >= 0) this.writeRow(owned.slots[i]!, i);
      core.progress();
    }
    this.enterStreams();
    if (unclosed.size > 0) for (const key of unclosed) this.enterKey(key);
    for (let i = 0; i < this.cuts; i++) this.cutOf[this.cutCells[i]!] = 0;
    view.publish();
  }

  /** Cells that have streams of parts. */
  private findCuts(unclosed: ReadonlySet<number>): void {
    const { streams } = this;
    this.cuts = 0;
    for (let i = 0; i < streams.count; i++) this.cutAt(i);
    if (unclosed.size > 0) for (const key of unclosed) this.cutFor(key);
  }

  private cutAt(place: number): void {
    const { streams } = this;
    if (streams.square[place] !== WHOLE) this.cut(this.view.cellFrom(streams.cell, place));
  }

  private cutFor(key: number): void {
    if (squareOfKey(key) !== WHOLE) this.cut(this.view.cell(cellOfKey(key)));
  }

  private cut(c: number): void {
    if (c < 0 || this.cutOf[c] !== 0) return;
    if (this.cuts === this.cutCells.length) this.grow();
    this.cutCells[this.cuts] = c;
    this.tables.fill(0, this.cuts * LEAF_WORDS, (this.cuts + 1) * LEAF_WORDS);
    this.cutOf[c] = ++this.cuts;
  }

  private countRows(): void {
    const { core, view, cells, number } = this;
    const { arena, owned } = core;
    for (let i = 0; i < owned.count; i++) {
      const slot = owned.slots[i]!;
      core.progress();
      if (core.isStill(slot)) {
        this.countStill(slot, i);
        continue;
      }
      const hot = arena.hot(slot);
      if (arena.u16[(hot + HOT.flags) >> 1]! & FLAG.OFFLINE) {
        cells[i] = -1;
        this.published.unseen(slot);
        continue;
      }
      const x = (hot + HOT.x) >> 3;
      const y = (hot + HOT.y) >> 3;
      const column = columnAt(arena.f64, x, LIMITS.cellLevel);
      const line = rowAt(arena.f64, y, LIMITS.cellLevel);
      number[0] = line * CELL_COLUMNS + column;
      const c = view.cellFrom(number, 0);
      cells[i] = c;
      // In every tick: a key frame may be taken from this view, and lacks who is back by the next frame.
      this.published.standsIn(slot, number);
      this.shownCell[slot] = number[0]!;
      if (c < 0) {
        this.published.unseen(slot);
        continue;
      }
      view.addRow(c);
      const cut = this.cutOf[c]!;
      if (cut === 0) continue;
      const leaf = leafInCell(column, line, arena.f64, x, y);
      this.leaves[i] = leaf;
      this.tables[(cut - 1) * LEAF_WORDS + leaf + 1]!++;
    }
  }

  /** The same for one that is where it was. */
  private countStill(slot: number, i: number): void {
    const { view } = this;
    const c = view.cellFrom(this.shownCell, slot);
    this.cells[i] = c;
    if (c < 0) this.published.unseen(slot);
    if (c < 0) return this.core.noteStill(slot, false); // no room for its cell: it has no row to be copied next time
    view.addRow(c);
    const cut = this.cutOf[c]!;
    if (cut === 0) return;
    const { f64 } = this.core.arena;
    const hot = this.core.arena.hot(slot);
    const x = (hot + HOT.x) >> 3;
    const y = (hot + HOT.y) >> 3;
    const leaf = leafInCell(columnAt(f64, x, LIMITS.cellLevel), rowAt(f64, y, LIMITS.cellLevel), f64, x, y);
    this.leaves[i] = leaf;
    this.tables[(cut - 1) * LEAF_WORDS + leaf + 1]!++;
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
    const before = this.shownRow[slot]!;
    this.shownRow[slot] = row;
    if (core.isStill(slot)) return view.copyRow(row, before);
    const hot = arena.hot(slot);
    const kind = arena.u16[(hot + HOT.kind) >> 1]!;
    if (kind !== PLAYER_KIND) core.noteStill(slot, true); // whether a player is away its record does not tell
    const away =
      kind === PLAYER_KIND && core.world.inboxes.presence(slot) !== PRESENCE_STATE.CONNECTED ? AWAY : 0;
    view.putSlot(row, arena, slot, away);
    if (this.isBetween)
      this.published.glimpse(slot, cut === 0 ? UNKNOWN : this.leaves[i]!, view, view.rowByte(row));
  }

  /** Streams stand in the view, also those without rows: a new subscriber gets their (empty) key frame. */
  private enterStreams(): void {
    const { view, streams } = this;
    for (let place = 0; place < streams.count; place++) {
      const c = this.enter(streams.key, place, streams.cell, place, streams.square[place]!);
      streams.mark[place] = c + 1;
      if (c >= 0) view.setLastSeq(c, streams.lastTick[place]!);
    }
  }

  private enterKey(key: number): void {
    const both = Float64Array.of(key, cellOfKey(key));
    this.enter(both, 0, both, 1, squareOfKey(key));
  }

  /** @returns the entry of a stream, made if it is new; −1 when there is no room */
  private enter(
    keys: Float64Array,
    keyAt: number,
    cells: Float64Array,
    cellAt: number,
    square: number,
  ): number {
    const { view } = this;
    if (keys[keyAt] === cells[cellAt]) return view.cellFrom(keys, keyAt);
    const c = view.findFrom(cells, cellAt);
    if (c < 0) return view.range(keys, keyAt, 0, 0);
    if (square === WHOLE) return view.range(keys, keyAt, view.cellStart(c), view.cellRows(c));
    // The tables have moved on: each leaf's place is now where the next one's rows begin.
    const at = (this.cutOf[c]! - 1) * LEAF_WORDS;
    const first = firstLeaf(square);
    const start = first === 0 ? view.cellStart(c) : this.tables[at + first - 1]!;
    return view.range(keys, keyAt, start, this.tables[at + first + leavesOf(square) - 1]! - start);
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

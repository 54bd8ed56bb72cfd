/**
 * Cell frames: on each frame tick, what changed in every cell that somebody watches, encoded once and copied into the
 * rings of the gateways that want it. A gateway that is new to a stream, or lost something, gets a key frame instead.
 *
 * Rows come from the shard's own view of this tick (grouped by cell), so that frames and `entitiesNear` never disagree.
 */
import { LIMITS } from '../base/limits.js';
import { columnOfCell, rowOfCell } from '../geo/cell.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import { ROW, type ViewWriter } from '../memory/view.js';
import { CellFrameWriter } from '../wire/cell-frame-writer.js';
import type { Core } from './core.js';
import type { Events } from './events.js';
import { RECORD } from '../memory/player.js';
import type { GatewayRings } from './gateway-rings.js';
import { GONE_CELL, type Published } from './published.js';
import { Quantiser } from '../geo/quantise.js';
import type { Streams } from './streams.js';

const NO_CELL = 0xffffffff;

export class Frames {
  private readonly writer = new CellFrameWriter(LIMITS.frameScratchBytes);
  /** The writer's bytes as words, for copying without a view of its own. */
  private readonly words = new Int32Array(this.writer.bytes.buffer);
  private readonly quantiser = new Quantiser();
  /** Predecessors whose streams are to be closed, and the cells where that is not done for every gateway. */
  private dead: readonly number[] = [];
  readonly unclosed = new Set<number>();
  private hasBegun = false;

  constructor(
    private readonly core: Core,
    private readonly view: ViewWriter,
    private readonly streams: Streams,
    private readonly published: Published,
    private readonly events: Events,
    private readonly rings: GatewayRings,
  ) {}

  /**
   * The streams of dead publishers end with this one's first frames. Several, where replacements died before they had
   * closed what they found.
   */
  closeAfter(publishers: readonly number[], cells: readonly number[]): void {
    this.dead = publishers;
    if (publishers.length > 0) for (const cell of cells) this.unclosed.add(cell);
  }

  /** One frame of every wanted cell. Call after the view of this tick is published. */
  publish(): void {
    if (!this.hasBegun) this.begin();
    this.openUnclosed();
    this.findStreams();
    this.findMoves();
    this.chainRemovals();
    this.chainEvents();
    for (let i = this.streams.count - 1; i >= 0; i--) this.publishStream(this.streams.at(i));
    this.published.removals = 0;
    this.events.clear();
    if (this.dead.length > 0 && this.unclosed.size === 0) this.forgetDead();
  }

  /** Before the first frame leaves, and after the last close has left: a replacement must close all that may be open. */
  private begin(): void {
    this.core.block.setPublishers([...this.dead, this.core.options.incarnation]);
    this.hasBegun = true;
  }
  private forgetDead(): void {
    this.core.block.setPublishers([this.core.options.incarnation]);
    this.dead = [];
  }

  /** Which gateways want a cell, as bits. */
  private wants(cell: number): number {
    const { filters } = this.core.world;
    let mask = 0;
    for (let g = 0; g < filters.length; g++) if (filters[g]!.wants(cell)) mask |= 1 << g;
    return mask;
  }

  private openUnclosed(): void {
    for (const cell of this.unclosed) {
      if (this.wants(cell) === 0) this.unclosed.delete(cell);
      else if (this.streams.find(cell) < 0) this.streams.create(cell);
    }
  }

  /** Streams for all cells with entities that somebody wants. */
  private findStreams(): void {
    const { view, streams } = this;
    for (let c = 0; c < view.cellCount; c++) {
      const cell = view.cellAt(c);
      let s = streams.find(cell);
      if (s < 0) {
        if (this.wants(cell) === 0) continue;
        s = streams.create(cell);
        if (s < 0) {
          this.core.block.count(SHARD_COUNTER.frameOverflows);
          continue;
        }
      }
      streams.mark[s] = c + 1;
    }
  }

  /** Notes for every entity whether the cell that last showed it still does. */
  private findMoves(): void {
    const { view, published, streams } = this;
    for (let c = 0; c < view.cellCount; c++) {
      const cell = view.cellAt(c);
      const shown = streams.find(cell) >= 0;
      const end = view.cellStart(c) + view.cellRows(c);
      for (let row = view.cellStart(c); row < end; row++) {
        const slot = view.i32[(view.rowByte(row) + ROW.slot) >> 2]!;
        if (published.cell[slot] === cell) continue;
        // Entities handed over in this tick stand in the view once more; their next owner shows them from now on.
        if (!this.core.owned.has(slot)) continue;
        published.moved(slot, cell);
        if (!shown) published.cell[slot] = GONE_CELL;
      }
    }
  }

  private chainRemovals(): void {
    const { published, streams } = this;
    for (let i = 0; i < published.removals; i++) {
      const cell = published.removalCell[i]!;
      let s = streams.find(cell);
      // No stream of ours, but somebody else's may have shown it there.
      if (s < 0 && this.wants(cell) !== 0) s = streams.create(cell);
      if (s < 0) continue;
      published.removalNext[i] = streams.removals[s]!;
      streams.removals[s] = i;
    }
  }

  private chainEvents(): void {
    const { events, streams } = this;
    for (let i = events.count - 1; i >= 0; i--) {
      const cell = events.cell[i]!;
      let s = streams.find(cell);
      if (s < 0 && this.wants(cell) !== 0) s = streams.create(cell);
      if (s < 0) continue;
      events.next[i] = streams.events[s]!;
      streams.events[s] = i;
    }
  }

  private publishStream(s: number): void {
    const { core, streams, writer } = this;
    const wanted = this.wants(streams.cell[s]!);
    if (wanted === 0) {
      streams.remove(s);
      return;
    }
    const following = wanted & streams.keyed[s]!;
    const starting = wanted & ~following;
    let got = following;
    const bytes = following === 0 ? 0 : this.encode(s, streams.lastTick[s]!);
    if (starting !== 0 || writer.states + writer.removals + writer.events > 0) {
      // A follower gets its delta even if it is empty while others get a key: the sequence is the stream's.
      // Before it leaves: who subscribes after it has passed must not get an older key frame.
      if (streams.mark[s]! > 0) this.view.setLastSeq(streams.mark[s]! - 1, core.tick);
      if (following !== 0) got = this.send(following, s, bytes, streams.lastTick[s]!);
      if (starting !== 0) got |= this.send(starting, s, this.encode(s, 0), 0);
      streams.lastTick[s] = core.tick;
    }
    if (got === wanted) this.unclosed.delete(streams.cell[s]!);
    streams.keyed[s] = got; // who did not get its copy (ring full) has a gap: a key frame next time
    streams.removals[s] = -1;
    streams.events[s] = -1;
    streams.mark[s] = 0;
  }

  /** Copies the encoded frame to some gateways. @returns those that got it */
  private send(mask: number, s: number, bytes: number, previous: number): number {
    const { rings, core } = this;
    const cell = this.streams.cell[s]!;
    let got = 0;
    for (let g = 0; g < rings.count; g++) {
      if (!(mask & (1 << g))) continue;
      const at = rings.reserve(g, bytes);
      if (at < 0) {
        core.block.count(SHARD_COUNTER.frameOverflows);
        continue;
      }
      rings.copy(g, at, this.words, bytes);
      rings.header(
        g,
        at,
        RECORD.FRAME,
        columnOfCell(cell),
        rowOfCell(cell),
        core.tick,
        previous,
        core.options.incarnation,
        0,
      );
      rings.commit(g, bytes);
      got |= 1 << g;
    }
    return got;
  }

  /** @param previous 0 = key frame: all rows */
  private encode(s: number, previous: number): number {
    const { writer, core, streams, view } = this;
    const cell = streams.cell[s]!;
    writer.begin(columnOfCell(cell), rowOfCell(cell), core.options.incarnation, core.tick, previous);
    if (this.unclosed.has(cell)) for (const publisher of this.dead) writer.close(publisher);
    const c = streams.mark[s]! - 1;
    this.quantiser.open(cell);
    if (c >= 0) {
      const end = view.cellStart(c) + view.cellRows(c);
      for (let row = view.cellStart(c); row < end; row++) this.encodeRow(row, previous === 0);
    }
    this.encodeRemovals(streams.removals[s]!);
    this.encodeEvents(streams.events[s]!);
    return writer.finish();
  }

  private encodeRow(row: number, all: boolean): void {
    const { view, published, quantiser, writer } = this;
    const byte = view.rowByte(row);
    const w = byte >> 2;
    const slot = view.i32[w + (ROW.slot >> 2)]!;
    const qx = quantiser.x(view.f64[(byte + ROW.x) >> 3]!);
    const qy = quantiser.y(view.f64[(byte + ROW.y) >> 3]!);
    const vx = quantiser.speed(view.f32[w + (ROW.vx >> 2)]!);
    const vy = quantiser.speed(view.f32[w + (ROW.vy >> 2)]!);
    const kind = view.u16[(byte + ROW.kind) >> 1]!;
    const flags = view.u16[(byte + ROW.flags) >> 1]!;
    const pub0 = view.u32[w + (ROW.pub0 >> 2)]!;
    const pub1 = view.u32[w + (ROW.pub1 >> 2)]!;
    const position = ((qx << 16) | qy) >>> 0;
    const velocity = (vx << 16) | (vy & 0xffff);
    const kindFlags = ((kind << 16) | flags) >>> 0;
    if (
      !all &&
      published.fresh[slot] === 1 &&
      published.position[slot] === position &&
      published.velocity[slot] === velocity &&
      published.kind[slot] === kindFlags &&
      published.pub0[slot] === pub0 &&
      published.pub1[slot] === pub1
    )
      return;
    if (writer.full) {
      this.core.block.count(SHARD_COUNTER.frameOverflows);
      return;
    }
    writer.state(
      view.f64[(byte + ROW.id) >> 3]!,
      view.u32[w + (ROW.epoch >> 2)]!,
      qx,
      qy,
      vx,
      vy,
      kind,
      flags,
      pub0,
      pub1,
    );
    published.fresh[slot] = 1;
    published.position[slot] = position;
    published.velocity[slot] = velocity;
    published.kind[slot] = kindFlags;
    published.pub0[slot] = pub0;
    published.pub1[slot] = pub1;
  }

  private encodeRemovals(first: number): void {
    const { published, writer } = this;
    for (let i = first; i >= 0; i = published.removalNext[i]!) {
      const to = published.removalTo[i]!;
      const gone = to === GONE_CELL;
      writer.removal(
        published.removalId[i]!,
        published.removalEpoch[i]!,
        gone ? NO_CELL : columnOfCell(to),
        gone ? NO_CELL : rowOfCell(to),
      );
    }
  }

  private encodeEvents(first: number): void {
    const { events, writer, quantiser } = this;
    for (let i = first; i >= 0; i = events.next[i]!) {
      writer.event(
        events.id[i]!,
        events.source[i]!,
        events.kind[i]!,
        quantiser.x(events.x[i]!),
        quantiser.y(events.y[i]!),
        events.bytes,
        events.offset(i),
        events.length[i]!,
      );
    }
  }
}

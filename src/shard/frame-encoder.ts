/**
 * Encodes the frame of one stream from the shard's view and from what was seen of each entity in this frame
 * (published.ts). Local to the thread; the bytes are valid until the next call; allocates nothing.
 */
import { LIMITS } from '../base/limits.js';
import { columnOfCell, rowOfCell } from '../geo/cell.js';
import { depthOf, isWithin, squareOfLeaf, SQUARE_DEPTH, WHOLE } from '../geo/square.js';
import { Quantiser } from '../geo/quantise.js';
import { ROW, type ViewWriter } from '../memory/view.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import { CellFrameWriter } from '../wire/cell-frame-writer.js';
import type { Chains } from './chains.js';
import type { Core } from './core.js';
import type { Events } from './events.js';
import { DEPTHS, GONE_CELL, type Published } from './published.js';
import type { Streams } from './streams.js';

const NO_CELL = 0xffffffff;
const HALF = 16;
/** From this class on only so many events of a square go out in one frame: a far crowd's talk must not eat the budget. */
const FAR_CLASS = 2;

export class FrameEncoder {
  readonly writer = new CellFrameWriter(LIMITS.frameScratchBytes);
  /** The writer's bytes as words, for copying without a view of its own. */
  readonly words = new Int32Array(this.writer.bytes.buffer);
  private readonly quantiser = new Quantiser();
  /** Slots of the rows that have only moved: they follow the full states. */
  private readonly moved: Int32Array;
  private movedCount = 0;

  constructor(
    private readonly core: Core,
    private readonly view: ViewWriter,
    private readonly streams: Streams,
    private readonly published: Published,
    private readonly events: Events,
    private readonly chains: Chains,
  ) {
    this.moved = new Int32Array(core.arena.capacity);
  }

  /**
   * @param previous 0 = key frame: all rows @param hasStates whether it is the stream's turn to show what has changed
   * @param closes publishers whose streams end with it
   * @returns bytes of the message
   */
  encode(s: number, previous: number, hasStates: boolean, closes: readonly number[]): number {
    const { writer, core, streams } = this;
    const square = streams.square[s]!;
    writer.begin(streams.column[s]!, streams.row[s]!, core.options.incarnation, core.tick, previous, square);
    for (let i = 0; i < closes.length; i++) writer.close(closes[i]!);
    this.movedCount = 0;
    if (previous === 0) this.encodeRows(s, square, -1);
    else if (hasStates) this.encodeRows(s, square, streams.shownTick[s]!);
    for (let i = 0; i < this.movedCount; i++) this.encodeMove(this.moved[i]!);
    this.encodeRemovals(streams.removals[s]!);
    this.quantiser.openAt(streams.cell, s);
    this.encodeEvents(streams.events[s]!, previous !== 0 && streams.rate[s]! >= FAR_CLASS);
    return writer.finish();
  }

  /** The entry of the view with the rows of a stream, or −1: then they stand among those of the cell, unsorted. */
  entryOf(s: number): number {
    const mark = this.streams.mark[s]!;
    return mark > 0 ? mark - 1 : this.view.findFrom(this.streams.key, s);
  }

  /** @param shown tick up to which the stream has shown everything, −1 = nothing yet */
  private encodeRows(s: number, square: number, shown: number): void {
    const { view, published } = this;
    let c = this.entryOf(s);
    let within = WHOLE;
    if (c < 0) {
      c = view.findFrom(this.streams.cell, s);
      within = square;
    }
    if (c < 0) return;
    const depth = depthOf(square);
    const end = view.cellStart(c) + view.cellRows(c);
    for (let row = view.cellStart(c); row < end; row++) {
      this.core.progress();
      const byte = view.rowByte(row);
      const slot = view.i32[(byte + ROW.slot) >> 2]!;
      if (shown >= 0 && published.changedTick[slot]! <= shown) continue;
      if (within !== WHOLE && !isWithin(squareOfLeaf(published.leaf[slot]!, SQUARE_DEPTH), within)) continue;
      if (shown >= 0 && published.fullTick[slot * DEPTHS + depth]! <= shown)
        this.moved[this.movedCount++] = slot;
      else this.encodeState(slot, (byte + ROW.id) >> 3, view.i32[(byte + ROW.epoch) >> 2]!);
    }
  }

  private encodeState(slot: number, idAt: number, epoch: number): void {
    const { published, writer, view } = this;
    if (writer.full) {
      this.core.block.count(SHARD_COUNTER.frameOverflows);
      writer.dropped++;
      return;
    }
    const position = published.position[slot]!;
    const velocity = published.velocity[slot]!;
    const kind = published.kind[slot]!;
    writer.stateAt(
      view.f64,
      idAt,
      epoch,
      position >>> HALF,
      position & 0xffff,
      velocity >> HALF,
      (velocity << HALF) >> HALF,
      kind >>> HALF,
      kind & 0xffff,
      published.pub0[slot]!,
      published.pub1[slot]!,
    );
  }

  private encodeMove(slot: number): void {
    const { core, published, writer } = this;
    if (writer.full) {
      core.block.count(SHARD_COUNTER.frameOverflows);
      writer.dropped++;
      return;
    }
    const position = published.position[slot]!;
    const velocity = published.velocity[slot]!;
    writer.moveAt(
      published.id,
      slot,
      published.epoch[slot]!,
      position >>> HALF,
      position & 0xffff,
      velocity >> HALF,
      (velocity << HALF) >> HALF,
    );
  }

  private encodeRemovals(first: number): void {
    const { published, writer, chains } = this;
    for (let link = first; link >= 0; link = chains.next[link]!) {
      const i = chains.item[link]!;
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

  private encodeEvents(first: number, isFar: boolean): void {
    const { events, writer, quantiser, chains } = this;
    for (let link = first; link >= 0; link = chains.next[link]!) {
      if (isFar && writer.events >= LIMITS.farEventsPerFrame) {
        this.core.block.count(SHARD_COUNTER.eventsThinned);
        continue;
      }
      const i = chains.item[link]!;
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

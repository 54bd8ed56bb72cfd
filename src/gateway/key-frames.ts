/**
 * Key frames for new subscribers, made by the gateway from the published views: no shard is asked, so a subscriber has
 * its picture in the turn in which it subscribes. One scratch buffer a gateway; bytes are valid until the next call.
 *
 * Which sequence a key frame carries: the tick of the newest frame of the stream that this gateway has passed on. The
 * next delta of the stream refers to exactly that one. The rows may be newer than it (the view is published in every
 * tick, and before the frames of the tick): states only ever become newer, and whatever changed since comes again in
 * the next delta. They are never older, since the ring's release shows the view with the frame.
 */
import { assert } from '../base/assert.js';
import { Quantiser } from '../geo/quantise.js';
import { columnOfCell, rowOfCell } from '../geo/cell.js';
import { ROW, type ViewReader } from '../memory/view.js';
import { CellFrameWriter } from '../wire/cell-frame-writer.js';
import { NO_PUBLISHER } from '../wire/protocol.js';

/** A view stays untouched for a tick after it was opened: a reader that fails this often was not reading. */
const TRIES = 8;

export class KeyFrames {
  private readonly writer: CellFrameWriter;
  private readonly quantiser = new Quantiser();

  /** @param bytes room for the largest frame */
  constructor(bytes: number) {
    this.writer = new CellFrameWriter(bytes);
  }

  /**
   * @param publisher incarnation whose stream it is; the view must be its
   * @param tick newest frame of the stream
   * @returns a ServerMessage, or undefined when the view is another publisher's (its stream starts with a key frame of
   * its own) or could not be read whole
   */
  make(view: ViewReader, cell: number, publisher: number, tick: number): Uint8Array | undefined {
    for (let tries = 0; tries < TRIES; tries++) {
      if (!view.open() || view.publisher !== publisher) return undefined;
      const bytes = this.encode(view, cell, publisher, tick);
      if (view.valid()) return this.writer.view(bytes);
    }
    return undefined;
  }

  /**
   * The same for a stream of which this gateway has passed on nothing: with the sequence that the view tells. A delta
   * that is on its way and belongs before it is stale to the subscriber, the next one refers to it.
   * @returns undefined also when the stream has not begun
   */
  makeNewest(view: ViewReader, cell: number): Uint8Array | undefined {
    for (let tries = 0; tries < TRIES; tries++) {
      if (!view.open()) return undefined;
      const c = view.find(cell);
      // Before the rows: a sequence that is older than they are is harmless, a newer one hides what they lack.
      const tick = c < 0 ? 0 : view.lastSeq(c);
      const bytes = tick === 0 ? 0 : this.encode(view, cell, view.publisher, tick);
      if (view.valid()) return tick === 0 ? undefined : this.writer.view(bytes);
    }
    return undefined;
  }

  /**
   * What precedes the key frames of a new subscription. The client may hold entities of an earlier one (it walked away
   * and came back, or read too slowly), and their streams may have ended meanwhile: no key frame would name them.
   */
  anew(cell: number, tick: number): Uint8Array {
    this.writer.begin(columnOfCell(cell), rowOfCell(cell), NO_PUBLISHER, tick, 0);
    return this.writer.view(this.writer.finish());
  }

  private encode(view: ViewReader, cell: number, publisher: number, tick: number): number {
    const { writer, quantiser } = this;
    writer.begin(columnOfCell(cell), rowOfCell(cell), publisher, tick, 0);
    quantiser.open(cell);
    const c = view.find(cell);
    const first = c < 0 ? 0 : view.start(c);
    const end = c < 0 ? 0 : first + view.count(c);
    for (let row = first; row < end; row++) this.encodeRow(view, view.rowByte(row));
    assert(writer.dropped === 0, 'I6: a key frame is complete');
    return writer.finish();
  }

  private encodeRow(view: ViewReader, byte: number): void {
    const { quantiser } = this;
    const w = byte >> 2;
    this.writer.state(
      view.f64[(byte + ROW.id) >> 3],
      view.u32[w + (ROW.epoch >> 2)],
      quantiser.x(view.f64[(byte + ROW.x) >> 3]),
      quantiser.y(view.f64[(byte + ROW.y) >> 3]),
      quantiser.speed(view.f32[w + (ROW.vx >> 2)]),
      quantiser.speed(view.f32[w + (ROW.vy >> 2)]),
      view.u16[(byte + ROW.kind) >> 1],
      view.u16[(byte + ROW.flags) >> 1],
      view.u32[w + (ROW.pub0 >> 2)],
      view.u32[w + (ROW.pub1 >> 2)],
    );
  }
}

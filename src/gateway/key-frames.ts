/**
 * Key frames for new subscribers, made by the gateway from the published views: no shard is asked, so a subscriber has
 * its picture in the turn in which it subscribes. One scratch buffer a gateway; bytes are valid until the next call.
 *
 * Which sequence a key frame carries: the tick of the newest frame of the stream that this gateway has passed on. The
 * next delta of the stream refers to exactly that one. The rows are newer than it (the view is published in every tick,
 * and before the frames of the tick; slow streams show it only now and then), which `taken` says; whatever changed since
 * the sequence comes again in the next delta. They are never older, since the ring's release shows the view with the frame.
 */
import { assert } from '../base/assert.js';
import { Quantiser } from '../geo/quantise.js';
import { columnOfCell, rowOfCell } from '../geo/cell.js';
import {
  SQUARE_DEPTH,
  WHOLE,
  cellOfKey,
  isWithin,
  leafOf,
  squareOfKey,
  squareOfLeaf,
} from '../geo/square.js';
import type { Arena } from '../memory/arena.js';
import { FLAG } from '../memory/player.js';
import { HEADER, HOT, OWNER, ownerState } from '../memory/record.js';
import { ROW, type ViewReader } from '../memory/view.js';
import { CellFrameWriter } from '../wire/cell-frame-writer.js';
import { NO_PUBLISHER, ONLY_INTERVAL } from '../wire/protocol.js';

/** A view stays untouched for a tick after it was opened: a reader that fails this often was not reading. */
const TRIES = 8;

export class KeyFrames {
  private readonly writer: CellFrameWriter;
  private readonly quantiser = new Quantiser();

  /** @param bytes room for the largest frame */
  constructor(
    private readonly arena: Arena,
    bytes: number,
  ) {
    this.writer = new CellFrameWriter(bytes);
  }

  /**
   * @param publisher incarnation whose stream it is; the view must be its
   * @param tick newest frame of the stream
   * @returns a ServerMessage, or undefined when the view is another publisher's (its stream starts with a key frame of
   * its own) or could not be read whole
   */
  make(view: ViewReader, key: number, publisher: number, tick: number): Uint8Array | undefined {
    for (let tries = 0; tries < TRIES; tries++) {
      if (!view.open() || view.publisher !== publisher) return undefined;
      const bytes = this.encode(view, key, publisher, tick);
      if (view.valid()) return this.writer.view(bytes);
    }
    return undefined;
  }

  /**
   * The same for a stream of which this gateway has passed on nothing: with the sequence that the view tells. A delta
   * that is on its way and belongs before it is stale to the subscriber, the next one refers to it.
   * @returns undefined also when the stream has not begun
   */
  makeNewest(view: ViewReader, key: number): Uint8Array | undefined {
    for (let tries = 0; tries < TRIES; tries++) {
      if (!view.open()) return undefined;
      const c = view.find(key);
      // Before the rows: a sequence that is older than they are is harmless, a newer one hides what they lack.
      const tick = c < 0 ? 0 : view.lastSeq(c);
      const bytes = tick === 0 ? 0 : this.encode(view, key, view.publisher, tick);
      if (view.valid()) return tick === 0 ? undefined : this.writer.view(bytes);
    }
    return undefined;
  }

  /**
   * What precedes the key frames of a new subscription. The client may hold entities of an earlier one (it walked away
   * and came back, read too slowly, or saw the place in other squares), and their streams may have ended meanwhile: no
   * key frame would name them.
   * @param interval ticks between frames with states
   */
  anew(key: number, tick: number, interval: number): Uint8Array {
    return this.notice(key, tick, 0, interval);
  }

  /** Says that the rate of a square has changed, nothing else. */
  interval(key: number, tick: number, interval: number): Uint8Array {
    return this.notice(key, tick, ONLY_INTERVAL, interval);
  }

  private notice(key: number, tick: number, previous: number, interval: number): Uint8Array {
    const cell = cellOfKey(key);
    const { writer } = this;
    writer.begin(
      columnOfCell(cell),
      rowOfCell(cell),
      NO_PUBLISHER,
      tick,
      previous,
      squareOfKey(key),
      interval,
    );
    return writer.view(writer.finish());
  }

  private encode(view: ViewReader, key: number, publisher: number, tick: number): number {
    const { writer, quantiser } = this;
    const cell = cellOfKey(key);
    const square = squareOfKey(key);
    writer.begin(columnOfCell(cell), rowOfCell(cell), publisher, tick, 0, square, 0, view.tick);
    quantiser.open(cell);
    let c = view.find(key);
    let within = WHOLE;
    if (c < 0) {
      // The stream is younger than the view: its rows stand among those of the cell.
      c = view.find(cell);
      within = square;
    }
    const first = c < 0 ? 0 : view.start(c);
    const end = c < 0 ? 0 : first + view.count(c);
    for (let row = first; row < end; row++) {
      const byte = view.rowByte(row);
      const isIn =
        within === WHOLE || isWithin(squareOfLeaf(leafOfRow(view, cell, byte), SQUARE_DEPTH), within);
      if (isIn && this.isThere(view, byte)) this.encodeRow(view, byte);
    }
    assert(writer.dropped === 0, 'I6: a key frame is complete');
    return writer.finish();
  }

  /**
   * Whether the entity is still in the world. One that was handed over and is gone in one tick stands in the view of its
   * owner before for a tick longer, and the removal may have passed: nobody would take it out of this picture again.
   */
  private isThere(view: ViewReader, byte: number): boolean {
    const { arena } = this;
    const slot = view.i32[(byte + ROW.slot) >> 2];
    if (slot < 0 || slot >= arena.capacity) return true; // overtaken: what was read is thrown away
    const state = ownerState(Atomics.load(arena.owner, slot));
    if (state !== OWNER.OWNED && state !== OWNER.TRANSIT) return false;
    if (arena.f64[(arena.header(slot) + HEADER.id) >> 3] !== view.f64[(byte + ROW.id) >> 3]) return false;
    return (arena.u16[(arena.hot(slot) + HOT.flags) >> 1] & FLAG.OFFLINE) === 0;
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

function leafOfRow(view: ViewReader, cell: number, byte: number): number {
  return leafOf(cell, view.f64[(byte + ROW.x) >> 3], view.f64[(byte + ROW.y) >> 3]);
}

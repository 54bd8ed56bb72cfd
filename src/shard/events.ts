/**
 * Events of the running frame period: speech, hits and whatever a game tells those near by. Collected during ticks,
 * handed to the frames of the cells where they happened. Local, bounded; what does not fit is counted and left out.
 */
import { LIMITS } from '../base/limits.js';
import { cellNumber } from '../geo/cell.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import type { Core } from './core.js';

/** Most events of one shard in one frame period. */
export const EVENT_PLACES = 4096;

export class Events {
  count = 0;
  readonly id = new Float64Array(EVENT_PLACES);
  readonly source = new Float64Array(EVENT_PLACES);
  readonly kind = new Uint16Array(EVENT_PLACES);
  readonly x = new Float64Array(EVENT_PLACES);
  readonly y = new Float64Array(EVENT_PLACES);
  readonly cell = new Float64Array(EVENT_PLACES);
  readonly length = new Uint16Array(EVENT_PLACES);
  readonly bytes = new Uint8Array(EVENT_PLACES * LIMITS.actionPayloadBytes);
  /** Next event of the same cell (chains are built by the frames); −1 = end. */
  readonly next = new Int32Array(EVENT_PLACES);

  private readonly wasAdded: number;

  constructor(private readonly core: Core) {
    this.wasAdded = core.deeds.onUndo(() => {
      this.count--;
    });
  }

  /** Copies `length` bytes from the start of `bytes`. */
  add(source: number, kind: number, x: number, y: number, bytes: Uint8Array, length: number): void {
    const id = this.core.nextId();
    if (this.count === EVENT_PLACES || length > LIMITS.actionPayloadBytes || id < 0) {
      this.core.block.count(SHARD_COUNTER.eventsDropped);
      return;
    }
    const i = this.count++;
    this.core.deeds.did(this.wasAdded);
    this.id[i] = id;
    this.source[i] = source;
    this.kind[i] = kind;
    this.x[i] = x;
    this.y[i] = y;
    this.cell[i] = cellNumber(x, y);
    this.length[i] = length;
    const at = this.offset(i);
    for (let b = 0; b < length; b++) this.bytes[at + b] = bytes[b]!;
  }

  /** Byte offset of an event's payload. */
  offset(i: number): number {
    return i * LIMITS.actionPayloadBytes;
  }

  clear(): void {
    this.count = 0;
  }
}

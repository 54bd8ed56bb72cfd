/**
 * Writes SelfUpdate and LogReply straight into a caller's bytes (a ring, which may be shared memory) without
 * allocating. Contract: the caller has reserved `maxBytes` from `offset` on; nothing else is touched. A writer belongs
 * to one thread.
 */
import { assert } from '../base/assert.js';
import { LIMITS } from '../base/limits.js';
import { TWO_32 } from './bytes.js';
import { BODY_VTABLE, Targets, vtable, writeServerMessage, writeVtable } from './layout.js';
import { SERVER } from './protocol.js';

/** What a SelfUpdate says; the owner fills one object again and again. Units as in server.fbs. */
export interface SelfState {
  tick: number;
  epoch: number;
  x: number;
  y: number;
  vx: number;
  vy: number;
  applied: number;
  durable: number;
  dilation: number;
  /** the first outcomeCount of both are the rejected actions */
  outcomeIds: Uint32Array;
  outcomeCodes: Uint32Array;
  outcomeCount: number;
  /** the first itemCount are told; 0: items are left out, as unchanged */
  items: Uint32Array;
  itemCount: number;
}

/**
 * Places in the table by slot: tick epoch x y vx vy applied durable outcomes dilation items. The table begins at 52,
 * so that x and y, first in it, are aligned; the vectors follow at 108.
 */
const SELF_TABLE = 52;
const SELF_FIELDS = [20, 24, 4, 12, 28, 32, 36, 40, 48, 44, 52] as const;
const SELF_VTABLE = vtable(56, SELF_FIELDS);
const SELF_END = SELF_TABLE + 56;
/** Vtable entries of the two vectors. */
const OUTCOMES_ENTRY = BODY_VTABLE + 4 + 8 * 2;
const ITEMS_ENTRY = BODY_VTABLE + 4 + 10 * 2;

export class SelfUpdateWriter {
  /** The longest self update, bytes. */
  readonly maxBytes = SELF_END + 4 + 8 * LIMITS.inboxPlaces + 4 + 4 * LIMITS.itemKinds;
  private readonly targets = new Targets();

  /** Writes at `offset` of `out`. @returns bytes written, a multiple of 4 */
  encode(out: Uint8Array, offset: number, self: SelfState): number {
    assert(self.outcomeCount <= LIMITS.inboxPlaces, 'I7 outcomes fit the window');
    assert(self.itemCount <= LIMITS.itemKinds, 'I7 item kinds are bounded');
    const view = this.targets.view(out);
    writeServerMessage(view, offset, SERVER.SELF_UPDATE, SELF_TABLE);
    writeVtable(view, offset + BODY_VTABLE, SELF_VTABLE);
    view.setUint16(offset + 50, 0, true);
    const t = offset + SELF_TABLE;
    view.setInt32(t, SELF_TABLE - BODY_VTABLE, true);
    view.setFloat64(t + 4, self.x, true);
    view.setFloat64(t + 12, self.y, true);
    view.setUint32(t + 20, self.tick, true);
    view.setUint32(t + 24, self.epoch, true);
    view.setFloat32(t + 28, self.vx, true);
    view.setFloat32(t + 32, self.vy, true);
    view.setUint32(t + 36, self.applied, true);
    view.setUint32(t + 40, self.durable, true);
    view.setFloat32(t + 44, self.dilation, true);
    return this.vectors(view, offset, self);
  }

  private vectors(view: DataView, offset: number, self: SelfState): number {
    const outcomes = offset + SELF_TABLE + SELF_FIELDS[8];
    const items = offset + SELF_TABLE + SELF_FIELDS[10];
    let at = offset + SELF_END;
    view.setUint32(outcomes, self.outcomeCount === 0 ? 0 : at - outcomes, true);
    if (self.outcomeCount === 0) view.setUint16(offset + OUTCOMES_ENTRY, 0, true);
    else {
      view.setUint32(at, self.outcomeCount, true);
      for (let i = 0; i < self.outcomeCount; i++) {
        view.setUint32(at + 4 + i * 8, self.outcomeIds[i], true);
        view.setUint32(at + 8 + i * 8, self.outcomeCodes[i], true);
      }
      at += 4 + self.outcomeCount * 8;
    }
    view.setUint32(items, self.itemCount === 0 ? 0 : at - items, true);
    if (self.itemCount === 0) view.setUint16(offset + ITEMS_ENTRY, 0, true);
    else {
      view.setUint32(at, self.itemCount, true);
      for (let i = 0; i < self.itemCount; i++) view.setUint32(at + 4 + i * 4, self.items[i], true);
      at += 4 + self.itemCount * 4;
    }
    return at - offset;
  }
}

/** Places by slot: session last_action applied rejected hash. */
const LOG_TABLE = 44;
const LOG_VTABLE = vtable(28, [4, 12, 16, 20, 24]);

export class LogReplyWriter {
  readonly maxBytes = LOG_TABLE + 28;
  private readonly targets = new Targets();

  /** Writes at `offset` of `out`. @returns bytes written */
  encode(
    out: Uint8Array,
    offset: number,
    session: number,
    lastAction: number,
    applied: number,
    rejected: number,
    hash: number,
  ): number {
    const view = this.targets.view(out);
    writeServerMessage(view, offset, SERVER.LOG_REPLY, LOG_TABLE);
    writeVtable(view, offset + BODY_VTABLE, LOG_VTABLE);
    view.setUint16(offset + 38, 0, true);
    view.setUint32(offset + 40, 0, true);
    const t = offset + LOG_TABLE;
    view.setInt32(t, LOG_TABLE - BODY_VTABLE, true);
    view.setUint32(t + 4, session, true);
    view.setUint32(t + 8, session / TWO_32, true);
    view.setUint32(t + 12, lastAction, true);
    view.setUint32(t + 16, applied, true);
    view.setUint32(t + 20, rejected, true);
    view.setUint32(t + 24, hash, true);
    return this.maxBytes;
  }
}

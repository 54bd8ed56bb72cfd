/**
 * From the shards to the clients: drains this gateway's ring of every shard. Frames go to the watchers of their cell,
 * everything else to the connection that plays the entity in the slot.
 *
 * Bytes are handed to the transport where they lie, in shared memory: it copies them before the call returns, and only
 * then is the record given back to the shard. A record that cannot be handled is counted and passed over.
 */
import { GATEWAY_COUNTER as COUNTER } from '../memory/gateway-block.js';
import { type ByteRing, RECORD_HEADER_BYTES } from '../memory/byte-ring.js';
import { READY_HEAD_BYTES, RECORD, SELF_HEAD_BYTES } from '../memory/player.js';
import type { GatewayCore } from './core.js';
import type { Interest } from './interest.js';

export class Delivery {
  constructor(
    private readonly core: GatewayCore,
    private readonly interest: Interest,
  ) {}

  /**
   * Takes what is there now, not what comes meanwhile: what clients are sent leaves at the end of a turn of the event
   * loop, and a busy gateway that took tick after tick in one turn would let all of them wait.
   * @returns false when something has come meanwhile
   */
  drain(): boolean {
    const { frames } = this.core.world;
    let isEmpty = true;
    for (let shard = 0; shard < frames.length; shard++)
      isEmpty = this.drainRing(shard, frames[shard][this.core.parts.number]) && isEmpty;
    return isEmpty;
  }

  private drainRing(shard: number, ring: ByteRing): boolean {
    const end = ring.end;
    for (let at = ring.next(); at >= 0; at = ring.next()) {
      if (ring.isPast(end)) return false;
      try {
        this.take(shard, ring, at);
      } catch (error) {
        this.core.block.count(COUNTER.handlerErrors);
        this.core.parts.log.error({ err: error, shard }, 'a record of a shard could not be delivered');
      }
      ring.release();
    }
    return true;
  }

  private take(shard: number, ring: ByteRing, at: number): void {
    const { i32 } = ring;
    const w = (at >> 2) + 2;
    const type = i32[w - 1];
    const body = at + RECORD_HEADER_BYTES;
    const end = body + ring.length(at);
    if (type === RECORD.FRAME) {
      return this.interest.frame(
        shard,
        i32[w],
        i32[w + 1],
        i32[w + 2],
        i32[w + 3],
        i32[w + 4],
        i32[w + 5],
        ring.u8.subarray(body, end),
      );
    }
    if (type === RECORD.TURN) return this.interest.turn(shard);
    const connection = this.core.bySlot[i32[w]];
    // Somebody else's by now: an earlier connection of this slot, or an earlier life of it.
    if (connection === undefined || connection.seat.epoch !== i32[w + 1])
      return this.core.block.count(COUNTER.staleRecords);
    const { f64 } = ring;
    const d = body >> 3;
    switch (type) {
      case RECORD.SELF:
        return connection.self(
          i32[w + 4] >>> 0,
          i32[w + 2],
          i32[w + 3] >>> 0,
          f64[d],
          f64[d + 1],
          ring.u8.subarray(body + SELF_HEAD_BYTES, end),
        );
      case RECORD.READY:
        return connection.ready(
          i32[w + 2],
          i32[w + 3] >>> 0,
          i32[w + 4] >>> 0,
          i32[w + 5] === 1,
          f64[d + 2],
          f64[d + 3],
          f64[d],
          f64[d + 1],
          ring.u8.subarray(body + READY_HEAD_BYTES, end),
        );
      case RECORD.LOG:
        connection.send(ring.u8.subarray(body, end));
        return;
      case RECORD.GONE:
        return connection.gone(i32[w + 2]);
      default:
        throw new Error(`unknown record type ${type}`);
    }
  }
}

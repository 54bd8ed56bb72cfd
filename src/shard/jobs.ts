/**
 * Deferred jobs: the shard's two rings to the main thread's pool and back. Not on the tick's fast path (JSON). A job
 * is a request without guarantee: a shard that dies forgets it, a result for an entity that has moved on is dropped
 * and counted.
 */
import { type ByteRing, RECORD_HEADER_BYTES } from '../memory/byte-ring.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import type { World } from '../world/facade.js';
import { type JobRecord, decodeJob, encodeJob } from '../world/job-codec.js';
import type { Core } from './core.js';

export class Jobs {
  private readonly out: ByteRing;
  private readonly back: ByteRing;

  constructor(private readonly core: Core) {
    this.out = core.world.jobs[core.shard]!;
    this.back = core.world.results[core.shard]!;
  }

  /** @returns false when the queue is full */
  defer(entity: number, name: string, value: unknown): boolean {
    const bytes = encodeJob({ entity, name, ok: true, value });
    const at = bytes.length > this.out.maxBody ? -1 : this.out.reserve(bytes.length);
    if (at < 0) return false;
    this.out.u8.set(bytes, at + RECORD_HEADER_BYTES);
    this.out.commit(bytes.length);
    return true;
  }

  private tell(facade: World, entity: number, { entity: id, name, value }: JobRecord): void {
    this.core.inHand(id, undefined, () => this.core.game.module.jobDone?.(facade, entity, name, value));
  }

  /** Hands results to the game, inside the tick. */
  drain(facade: World): void {
    for (let at = this.back.next(); at >= 0; at = this.back.next()) {
      const result = decodeJob(this.back.u8, at + RECORD_HEADER_BYTES);
      this.back.release();
      const entity = this.core.find(result.entity);
      if (entity < 0) this.core.block.count(SHARD_COUNTER.jobsDropped);
      else this.tell(facade, entity, result);
    }
  }
}

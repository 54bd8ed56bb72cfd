/**
 * Deferred jobs: the shard's two rings to the main thread's pool and back. Not on the tick's fast path (JSON). A job
 * is asked for after the commit of the tick that wanted it; it is a request without guarantee: a shard that dies forgets it, a result for an entity that has moved on is dropped
 * and counted.
 */
import { type ByteRing, RECORD_HEADER_BYTES } from '../memory/byte-ring.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import type { World } from '../world/facade.js';
import { type JobRecord, decodeJob, encodeJob } from '../world/job-codec.js';
import type { Core } from './core.js';
import { inHand } from './in-hand.js';
import { refuse } from './mistake.js';

export class Jobs {
  private readonly out: ByteRing;
  private readonly back: ByteRing;
  /** Asked for in the running tick. */
  private readonly wanted: Uint8Array[] = [];
  private wantedBytes = 0;
  private readonly wasWanted: number;

  constructor(private readonly core: Core) {
    this.wasWanted = core.deeds.onUndo((bytes) => {
      this.wanted.pop();
      this.wantedBytes -= bytes;
    });
    this.out = core.world.jobs[core.shard]!;
    this.back = core.world.results[core.shard]!;
  }

  /** @returns false when the queue is full @throws Mistake for what no queue could take */
  defer(entity: number, name: string, value: unknown): boolean {
    const { jobs } = this.core.game.module;
    if (jobs === undefined || !Object.hasOwn(jobs, name))
      refuse('defer', 'job', name, "one of the game's jobs");
    const bytes = encodeJob({ entity, name, ok: true, value });
    const most = this.out.maxBody;
    if (bytes.length > most)
      refuse('defer', 'input', `${bytes.length} bytes of JSON`, `at most ${most} bytes`);
    // Twice: what does not fit before the ring's end leaves that end empty.
    const need = 2 * (this.wantedBytes + bytes.length + RECORD_HEADER_BYTES);
    if (this.out.used() + need > this.out.bytes) return false;
    this.wanted.push(bytes);
    this.wantedBytes += bytes.length + RECORD_HEADER_BYTES;
    this.core.deeds.did(this.wasWanted, bytes.length + RECORD_HEADER_BYTES);
    return true;
  }

  /** After the commit: what was asked for leaves the shard. */
  send(): void {
    if (this.wanted.length === 0) return;
    for (const bytes of this.wanted) {
      const at = this.out.reserve(bytes.length);
      if (at < 0) {
        this.core.block.count(SHARD_COUNTER.jobsDropped);
        continue;
      }
      this.out.u8.set(bytes, at + RECORD_HEADER_BYTES);
      this.out.commit(bytes.length);
    }
    this.wanted.length = 0;
    this.wantedBytes = 0;
  }

  private tell(facade: World, entity: number, { entity: id, name, value }: JobRecord): void {
    inHand(this.core, id, `jobDone of job '${name}'`, () =>
      this.core.game.module.jobDone?.(facade, entity, name, value),
    );
  }

  /** Hands results to the game, inside the tick. */
  drain(facade: World): void {
    for (let at = this.back.next(); at >= 0; at = this.back.next()) {
      const result = decodeJob(this.back.u8, at + RECORD_HEADER_BYTES);
      this.back.release();
      this.core.progress();
      const entity = this.core.find(result.entity);
      if (entity < 0) this.core.block.count(SHARD_COUNTER.jobsDropped);
      else this.tell(facade, entity, result);
    }
  }
}

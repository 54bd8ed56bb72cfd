/**
 * The jobs' way between shards and pool: one byte ring per shard each way (world/job-codec.ts).
 *
 * Contract: main thread only, the consumer of every `jobs` ring and the producer of every `results` ring. A result goes
 * to the shard that owns its entity now; the hint may be old, then that shard drops it.
 */
import { RECORD_HEADER_BYTES } from '../memory/byte-ring.js';
import { OWNER, ownerOf, ownerState, targetOf } from '../memory/record.js';
import { isQuiet } from '../memory/pace.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { decodeJob, encodeJob, type JobRecord } from '../world/job-codec.js';
import type { JobRings } from './jobs.js';

export function jobRings(world: SharedWorld): JobRings {
  let turn = 0;
  return {
    take: () => {
      // From the shard after the last one served: a busy shard must not starve the others.
      for (let tried = 0; tried < world.jobs.length; tried++) {
        const ring = world.jobs[(turn = (turn + 1) % world.jobs.length)];
        const at = ring.next();
        if (at < 0) continue;
        const job = decodeJob(ring.u8, at + RECORD_HEADER_BYTES);
        ring.release();
        return job;
      }
      return null;
    },
    // What rests has no entities that could ask.
    isQuiet: () => isQuiet(world),
    give: (result) => {
      const shard = ownerOfEntity(world, result.entity);
      if (shard < 0) return 'gone';
      const ring = world.results[shard];
      const bytes = fitting(result, ring.maxBody);
      const at = ring.reserve(bytes.length);
      if (at < 0) return 'later';
      ring.u8.set(bytes, at + RECORD_HEADER_BYTES);
      ring.commit(bytes.length);
      world.shardBlocks[shard].wake();
      return 'given';
    },
  };
}

/** A result too long for the ring becomes an error that says so. */
function fitting(result: JobRecord, most: number): Uint8Array {
  const bytes = encodeJob(result);
  if (bytes.length <= most) return bytes;
  return encodeJob({
    ...result,
    ok: false,
    value: `the result has ${bytes.length} bytes, more than ${most}`,
  });
}

function ownerOfEntity(world: SharedWorld, entity: number): number {
  const slot = world.ids.lookup(entity);
  if (slot < 0) return -1;
  const word = Atomics.load(world.arena.owner, slot);
  const state = ownerState(word);
  if (state === OWNER.OWNED) return ownerOf(word);
  return state === OWNER.TRANSIT ? targetOf(word) : -1;
}

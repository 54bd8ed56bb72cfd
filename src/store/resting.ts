/**
 * How many items rest in the store: what entities carry, and what they have under way, moves between this count and
 * the arena with them. Kept in shared memory (cut-block.ts), for whoever counts all items of the world.
 */
import { LIMITS } from '../base/limits.js';
import { ANSWER, ANSWER_BYTES, COLD, HEADER, HOT, OUTBOX, OUTBOX_BYTES } from '../memory/record.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { STORED_RECORD as AT } from '../memory/store-ring.js';
import type { RecordBytes } from './codec.js';

/** States of an outbox place in which its items are neither with the receiver nor back (mail of the shards). */
const WAITING = 1;
const SENT = 2;
const NO_ITEM = 255;
const ANSWERED = 1;

export class Resting {
  /** @param stored the stored record of an entity that is not in the arena, null = there is none */
  constructor(
    private readonly world: SharedWorld,
    private readonly stored: (id: number) => RecordBytes | null,
  ) {}

  /** A slot's items come into the arena (−1) or leave it (1). */
  count(slot: number, sign: 1 | -1): void {
    const { arena, cut } = this.world;
    const cold = arena.cold(slot);
    for (let kind = 0; kind < LIMITS.itemKinds; kind++)
      cut.resting[kind] += sign * arena.u32[(cold + COLD.items + kind * 4) >> 2];
    if (arena.i32[(arena.hot(slot) + HOT.outboxCount) >> 2] === 0) return;
    for (let place = 0; place < LIMITS.outboxPlaces; place++) {
      const at = cold + COLD.outbox + place * OUTBOX_BYTES;
      const state = arena.u8[at + OUTBOX.state];
      const kind = arena.u8[at + OUTBOX.itemKind];
      if ((state !== WAITING && state !== SENT) || kind === NO_ITEM || this.hasArrived(slot, at)) continue;
      cut.resting[kind] += sign * arena.u32[(at + OUTBOX.itemCount) >> 2];
    }
  }

  /** Whether the target has accepted what an outbox place carries: then it is counted with the target. */
  private hasArrived(slot: number, at: number): boolean {
    const { arena, ids } = this.world;
    const target = arena.f64[(at + OUTBOX.target) >> 3];
    const source = arena.f64[(arena.header(slot) + HEADER.id) >> 3];
    const counter = arena.u32[(at + OUTBOX.counter) >> 2];
    const there = ids.lookup(target);
    if (there >= 0) return accepted(arena, arena.cold(there), source, counter);
    const record = this.stored(target);
    return record !== null && accepted(record, AT.cold, source, counter);
  }
}

type Words = Pick<RecordBytes, 'u8' | 'f64'>;

function accepted(words: Words, cold: number, source: number, counter: number): boolean {
  for (let place = 0; place < LIMITS.answerPlaces; place++) {
    const at = cold + COLD.answers + place * ANSWER_BYTES;
    if (words.u8[at + ANSWER.used] !== ANSWERED || words.f64[(at + ANSWER.source) >> 3] !== source) continue;
    // Byte by byte: the two kinds of bytes share no view but this one.
    const kept = words.u8.subarray(at + ANSWER.counter, at + ANSWER.counter + 6);
    const number = (kept[0] | (kept[1] << 8) | (kept[2] << 16) | (kept[3] << 24)) >>> 0;
    if (number === counter) return kept[4] === 0 && kept[5] === 0;
  }
  return false;
}

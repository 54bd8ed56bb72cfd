/**
 * Letters on their way out of a shard: kept until the commit, then pushed into the ring to whoever owns the entity that
 * they are for, be it this shard. Contract: rings are lossy carriers; what finds nobody, or no room, is dropped, and its
 * sender repeats (mail.ts).
 */
import { OWNER, ownerOf, ownerState, targetOf } from '../memory/record.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import type { Core } from './core.js';
import { Letter, MAIL } from './letter.js';
import type { Tiles } from './tiles.js';

export class Outgoing {
  private readonly after: Letter[] = [];
  private count = 0;
  private readonly wasWritten: number;

  constructor(
    private readonly core: Core,
    private readonly tiles: Tiles,
  ) {
    this.wasWritten = core.deeds.onUndo(() => {
      this.count--;
    });
  }

  /** An answer, or another step of the protocol, for after the commit. */
  reply(m: Letter, type: number, answer: number): void {
    const letter = (this.after[this.count] ??= new Letter());
    letter.copyFrom(m);
    letter.type = type;
    letter.answer = answer;
    this.count++;
  }

  /** A message without guarantee, of the running deed. */
  lossy(m: Letter): void {
    this.reply(m, MAIL.LOSSY, 0);
    this.core.deeds.did(this.wasWritten);
  }

  /** After the commit. */
  sendReplies(): void {
    for (let i = 0; i < this.count; i++) {
      const letter = this.after[i]!;
      const to = letter.type === MAIL.ANSWER || letter.type === MAIL.SETTLED ? letter.source : letter.target;
      this.push(letter, this.ownerOf(to));
    }
    this.count = 0;
  }

  /** Shard that will next step the entity, −1 if it is gone; a parked one is claimed by this shard. */
  ownerOf(id: number): number {
    const { arena } = this.core;
    const slot = this.core.world.ids.lookup(id);
    if (slot < 0) return -1;
    const word = Atomics.load(arena.owner, slot);
    const state = ownerState(word);
    if (state === OWNER.OWNED) return ownerOf(word);
    if (state === OWNER.TRANSIT) return targetOf(word);
    if (state === OWNER.PARKED && this.tiles.claim(slot, word)) return this.core.shard;
    return -1;
  }

  /** @returns false when there is nobody, or no room */
  push(letter: Letter, shard: number): boolean {
    if (shard < 0) return false;
    const ring = this.core.world.messages[this.core.shard]![shard]!;
    const at = ring.offer();
    if (at < 0) {
      this.core.block.count(SHARD_COUNTER.ringFull);
      return false;
    }
    letter.tick = this.core.tick;
    letter.write(ring.i32, at >> 2);
    ring.commit();
    this.core.world.shardBlocks[shard]!.wake();
    this.core.block.count(SHARD_COUNTER.messagesSent);
    return true;
  }
}

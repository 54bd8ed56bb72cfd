/**
 * The rings of letters to this shard. What they held when a drain began is taken to its end, in as many ticks as that
 * needs, before anything that came later counts as seen: the rules of mail.ts speak of whole drains.
 */
import { SHARD_GAUGE } from '../memory/shard-block.js';
import { BULK } from './bulk.js';
import type { Core } from './core.js';
import { type Letter, TICK } from './letter.js';

export class MailRings {
  /** A drain is under way: letters that it has seen still lie in the rings. */
  isBehind = false;
  /** Tick in which the last drain that was finished had begun. */
  wholeBegan = 0;
  private began = 0;
  /** By sending shard: letters that this drain has still to take. */
  private readonly left: Int32Array;

  constructor(private readonly core: Core) {
    this.left = new Int32Array(core.world.messages.length);
  }

  /** Takes what the rings hold now, or goes on with it, as much as a tick takes on. @param letter filled for each */
  drain(letter: Letter, receive: (letter: Letter) => void): void {
    const { core, left } = this;
    if (!this.isBehind) this.begin();
    this.isBehind = false;
    let room = BULK.letters;
    for (let s = 0; s < left.length; s++) {
      const ring = core.world.messages[s]![core.shard]!;
      for (; left[s]! > 0; left[s]!--) {
        const at = ring.peek();
        // What is stamped k is taken in ticks ≥ k only, so that every tick is a consistent cut of the whole world.
        if (at < 0 || ring.i32[(at >> 2) + TICK]! > core.tick) {
          left[s] = 0;
          break;
        }
        if (room-- <= 0) {
          this.isBehind = true;
          return;
        }
        letter.read(ring.i32, at >> 2);
        ring.advance();
        receive(letter);
        core.progress();
      }
    }
    this.wholeBegan = this.began;
  }

  private begin(): void {
    const { core, left } = this;
    this.began = core.tick;
    for (let s = 0; s < left.length; s++) {
      const ring = core.world.messages[s]![core.shard]!;
      left[s] = ring.available();
      if (left[s]! > 0) core.block.raiseShare(SHARD_GAUGE.messagesHigh, left[s]!, ring.places);
    }
  }
}

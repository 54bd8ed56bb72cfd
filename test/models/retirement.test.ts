/**
 * Exhaustive model of a retirement: shard C ends in good order while a live shard is in the middle of a tick that may
 * offer to C. Driven are ClosingWatch and isUnreachable (src/world/retirement.ts) and the handover's generators over real
 * shard blocks. Checked: when C has ended nothing is in transit to it, and what it had accepted is accounted for.
 */
import t from 'tap';
import { NOBODY, OWNER, ownerState, packOwner, targetOf } from '../../src/memory/record.js';
import { SHARD_STATE, ShardBlock } from '../../src/memory/shard-block.js';
import { accept, offer } from '../../src/world/handover.js';
import { ClosingWatch, isUnreachable } from '../../src/world/retirement.js';
import { type Scenario, type Script, holds, isCaught } from './explore.js';

const LIVE = 0;
const C = 1;
const SLOT = 0;
const TICKS = 3;

interface Variant {
  /** C waits until it is unreachable. */
  waits: boolean;
  /** The live shard keeps to what it saw when its tick began. */
  keeps: boolean;
  /** C drains after it has become unreachable. */
  drains: boolean;
}
const right: Variant = { waits: true, keeps: true, drains: true };

function retirement(v: Variant): () => Scenario {
  return () => {
    const blocks = [ShardBlock.create(), ShardBlock.create()];
    blocks[LIVE]!.incarnation = 7;
    blocks[C]!.incarnation = 9;
    blocks[LIVE]!.state = SHARD_STATE.RUNNING;
    blocks[C]!.state = SHARD_STATE.RUNNING;
    const owner = new Int32Array(new SharedArrayBuffer(4));
    owner[SLOT] = packOwner(OWNER.OWNED, LIVE, NOBODY, 5);
    const ring: number[] = [];
    let adopted = false;
    let ended = false;

    function* live(): Script {
      const watch = new ClosingWatch(blocks, LIVE);
      let mine = true;
      for (let tick = 0; tick < TICKS; tick++) {
        yield;
        watch.look();
        yield;
        if (mine && (watch.mayOffer(C) || !v.keeps)) {
          const result: string = yield* offer(owner, SLOT, LIVE, C, 5, () => {
            ring.push(5);
            return true;
          });
          mine = result === 'refused';
        }
      }
      yield;
      blocks[LIVE]!.state = SHARD_STATE.NONE; // has ended, too: nobody waits for it
    }

    function* drain(): Script {
      while (ring.length > 0) {
        yield;
        const epoch = ring.shift()!;
        const next: number = yield* accept(owner, SLOT, C, 0, epoch, () => 0);
        if (next >= 0) adopted = true;
      }
    }

    function* retiring(): Script {
      yield;
      blocks[C]!.state = SHARD_STATE.CLOSING;
      if (v.waits) yield () => isUnreachable(blocks, C);
      if (v.drains) yield* drain();
      yield;
      ended = true;
      blocks[C]!.state = SHARD_STATE.NONE;
    }

    return {
      actors: [
        { name: 'live', run: live() },
        { name: 'C', run: retiring() },
      ],
      finish() {
        const word = owner[SLOT]!;
        if (!ended) throw new Error('I5: C never ends');
        if (ownerState(word) === OWNER.TRANSIT && targetOf(word) === C)
          throw new Error('I1: offered to a shard that has ended');
        if (ownerState(word) === OWNER.OWNED && (word === packOwner(OWNER.OWNED, C, NOBODY, 6)) !== adopted) {
          throw new Error('I1: the word and the adopter disagree');
        }
      },
    };
  };
}

t.test('nobody is left in transit to a shard that has retired', (t) => {
  holds(t, 'retirement', retirement(right));
  t.end();
});

t.test('planted bugs are found', (t) => {
  isCaught(t, 'ends without waiting', retirement({ ...right, waits: false }));
  isCaught(t, 'offers to a marked number', retirement({ ...right, keeps: false }));
  isCaught(t, 'ends without draining', retirement({ ...right, drains: false }));
  t.end();
});

/** The straight offer and accept do what the steps do that the models drive: for every word that they may meet. */
import t from 'tap';
import { NOBODY, OWNER, packOwner } from '../../src/memory/record.js';
import { drive } from '../../src/memory/steps.js';
import { accept, acceptNow, offer, offerNow } from '../../src/world/handover.js';

const SOURCE = 3;
const TARGET = 5;
const EPOCHS = [0, 7, 8191, 8192, 0xffffffff];
const GENERATION = 2;

/** Words in every state, of everybody concerned and of others, in the right epoch and in the next one. */
function words(epoch: number): number[] {
  const all: number[] = [];
  for (const state of Object.values(OWNER))
    for (const owner of [SOURCE, TARGET, 9, NOBODY])
      for (const target of [SOURCE, TARGET, 9, NOBODY])
        for (const e of [epoch, epoch + 1]) all.push(packOwner(state, owner, target, e));
  return all;
}

function arenaOf(word: number): Int32Array {
  return new Int32Array(new SharedArrayBuffer(8)).fill(word);
}

t.test('offer: the same outcome, the same word, the same entry', (t) => {
  const outcomes = new Set<string>();
  for (const epoch of EPOCHS) {
    for (const word of words(epoch)) {
      for (const fate of ['fits', 'full', 'full, and taken by a replacement']) {
        const play = (straight: boolean) => {
          const owner = arenaOf(word);
          const entries: number[][] = [];
          const push = (slot: number, target: number, e: number) => {
            if (fate === 'full, and taken by a replacement')
              owner[1] = packOwner(OWNER.OWNED, TARGET, NOBODY, e + 1);
            if (fate === 'fits') entries.push([slot, target, e, owner[1]!]);
            return fate === 'fits';
          };
          const result = straight
            ? offerNow(owner, 1, SOURCE, TARGET, epoch, { push })
            : drive(offer(owner, 1, SOURCE, TARGET, epoch, () => push(1, TARGET, epoch)));
          outcomes.add(`${fate}: ${result}`);
          return { result, words: [...owner], entries };
        };
        const [straight, steps] = [play(true), play(false)];
        if (JSON.stringify(straight) !== JSON.stringify(steps)) t.same(straight, steps, `${word} ${fate}`);
      }
    }
  }
  t.strictSame(
    [...outcomes].sort(),
    ['fits: gone', 'fits: sent', 'full, and taken by a replacement: gone', 'full: gone', 'full: refused'],
    'every outcome was met',
  );
  t.end();
});

t.test('accept: the same epoch, the same word', (t) => {
  let accepted = 0;
  let ignored = 0;
  for (const epoch of EPOCHS) {
    for (const word of words(epoch)) {
      for (const generation of [GENERATION, GENERATION + 1]) {
        const play = (straight: boolean) => {
          const owner = arenaOf(word);
          const generationOf = (slot: number) => (slot === 1 ? GENERATION : -1);
          const next = straight
            ? acceptNow(owner, 1, TARGET, generation, epoch, generationOf)
            : drive(accept(owner, 1, TARGET, generation, epoch, generationOf));
          return { next, words: [...owner] };
        };
        const [straight, steps] = [play(true), play(false)];
        if (JSON.stringify(straight) !== JSON.stringify(steps)) t.same(straight, steps, `${word}`);
        if (straight.next >= 0) accepted++;
        else ignored++;
      }
    }
  }
  t.equal(accepted, EPOCHS.length * 4, 'of each epoch those in transit to the target, whoever sends them');
  t.ok(ignored > accepted);
  t.end();
});

/**
 * Exhaustive models of the inbox's writer word: gateways race for it while an older connection is busy writing, the
 * owner drains, publishes its head, shuts the inbox, and may die. Driven are the generators of src/memory/inbox.ts.
 */
import t from 'tap';
import {
  Inboxes,
  LEAVING,
  PLACE,
  PRESENCE_STATE,
  type WriteResult,
  packWriter,
  writerEpoch,
  writerGateway,
} from '../../src/memory/inbox.js';
import type { Steps } from '../../src/memory/steps.js';
import { type Gate, type Scenario, type Script, fused, holds, isCaught } from './explore.js';

const SLOT = 0;
const SESSION = 9;
const NOTHING = new Uint8Array(0);
const BUSY = 1;

/** What a model is made of, so that a planted bug can replace one part. */
interface Protocol {
  claim(inboxes: Inboxes, expected: number, gateway: number): Steps<number>;
  write(inboxes: Inboxes, word: number, actionId: number): Generator<void | Gate, WriteResult, void>;
  presence(inboxes: Inboxes, word: number, presence: number, tick: number): Steps<boolean>;
  leave(inboxes: Inboxes, seen: number): Steps<boolean>;
}

const production: Protocol = {
  claim: (inboxes, expected, gateway) => inboxes.claimSteps(SLOT, expected, gateway),
  write: (inboxes, word, actionId) => inboxes.writeSteps(SLOT, word, SESSION, actionId, 1, NOTHING, 0),
  presence: (inboxes, word, presence, tick) => inboxes.setPresenceSteps(SLOT, word, presence, tick),
  leave: (inboxes, seen) => inboxes.leaveSteps(SLOT, seen),
};

/** Words of the inbox, for planted bugs. */
const at = { writer: 16, tail: 17, head: 18, presence: 19, tick: 20 };

/** One inbox whose word is gateway 0's, epoch 1. */
function oneInbox(places: number): Inboxes {
  const inboxes = Inboxes.create(1, places);
  inboxes.reset(SLOT);
  if (inboxes.claim(SLOT, packWriter(0, LEAVING), 0) !== packWriter(1, 0))
    throw new Error('model: first claim');
  return inboxes;
}

function actionAt(inboxes: Inboxes, position: number): number {
  return inboxes.u32[(inboxes.entry(SLOT, position) + PLACE.actionId) >> 2];
}

/** What connections did, in order of their effects. */
interface Log {
  written: { epoch: number; action: number }[];
  won: Map<number, number>;
}

/** A gateway that resumes: claims while the word is what it saw, asks again while it is busy; then writes an entry. */
function* resume(p: Protocol, inboxes: Inboxes, gateway: number, expected: number, log: Log): Script {
  for (;;) {
    const mine = yield* p.claim(inboxes, expected, gateway);
    if (mine !== 0) {
      log.won.set(gateway, mine);
      yield* record(p, inboxes, mine, 10 + gateway, log);
      return;
    }
    yield;
    if ((inboxes.writer(SLOT) & ~BUSY) !== expected) return; // somebody was faster, or the owner shut it
    yield () => (inboxes.writer(SLOT) & BUSY) === 0;
  }
}

function* record(p: Protocol, inboxes: Inboxes, word: number, action: number, log: Log): Script {
  // Tail, head and entry concern nobody else while busy is set: loads and entry count as one operation.
  const result = yield* fused(p.write(inboxes, word, action), [2, 3]);
  if (result === 'ok') log.written.push({ epoch: writerEpoch(word), action });
}

/** Every entry that a writer believes in is in the ring, once, in order of the connections' epochs. */
function checkEntries(inboxes: Inboxes, log: Log): void {
  const tail = inboxes.tail(SLOT);
  if (tail !== log.written.length)
    throw new Error(`I3: ${log.written.length} entries written, ${tail} there`);
  const there = Array.from({ length: tail }, (_, position) => actionAt(inboxes, position));
  for (const { action } of log.written) {
    if (!there.includes(action)) throw new Error(`I3: entry ${action} was overwritten`);
  }
  const epochs = there.map((action) => log.written.find((entry) => entry.action === action)?.epoch ?? 0);
  if (epochs.some((epoch, i) => i > 0 && epoch < epochs[i - 1]))
    throw new Error('I4: an old connection wrote late');
}

// ---------------------------------------------------------------------------------------------------------------------
// Two gateways race for the word of a third one that is writing; or one of them and the owner that shuts the inbox.

function twoGateways(p: Protocol, withOwner: boolean): () => Scenario {
  return () => {
    const inboxes = oneInbox(4);
    const old = packWriter(1, 0);
    const log: Log = { written: [], won: new Map() };
    let left = false;
    function* owner(): Script {
      for (let tries = 0; tries < 2 && !left; tries++) {
        yield;
        const seen = inboxes.writer(SLOT);
        if ((seen & ~BUSY) !== old) return; // somebody came: the presence is read anew in the next tick
        left = yield* p.leave(inboxes, seen);
      }
    }
    return {
      actors: [
        { name: 'old', run: record(p, inboxes, old, 10, log) },
        { name: 'a', run: resume(p, inboxes, 1, old, log) },
        withOwner ? { name: 'owner', run: owner() } : { name: 'b', run: resume(p, inboxes, 2, old, log) },
      ],
      finish() {
        const word = inboxes.writer(SLOT);
        if (word & BUSY) throw new Error('I8: the word stays busy');
        if (log.won.size > 1) throw new Error('I1: two gateways hold one session');
        if (left && log.won.size > 0) throw new Error('I5: claimed after it was shut');
        if (left !== (writerGateway(word) === LEAVING)) throw new Error('the word does not say who left');
        if (!left && log.won.size !== 1) throw new Error('I5: nobody got the session');
        for (const mine of log.won.values())
          if (mine !== word) throw new Error('I4: the winner lost the word');
        checkEntries(inboxes, log);
      },
    };
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// Newest wins: B resumes from A's word; A's late "disconnected" must not stand over B's "connected".

function presences(p: Protocol): () => Scenario {
  return () => {
    const inboxes = oneInbox(4);
    const old = packWriter(1, 0);
    let claimed = false;
    function* next(): Script {
      yield () => (inboxes.writer(SLOT) & BUSY) === 0;
      const mine = yield* p.claim(inboxes, old, 1);
      claimed = mine !== 0;
      if (claimed) yield* p.presence(inboxes, mine, PRESENCE_STATE.CONNECTED, 100);
    }
    return {
      actors: [
        { name: 'old', run: p.presence(inboxes, old, PRESENCE_STATE.DISCONNECTED, 99) },
        { name: 'new', run: next() },
      ],
      check() {
        if (inboxes.presence(SLOT) === PRESENCE_STATE.DISCONNECTED && inboxes.presenceTick(SLOT) < 99) {
          throw new Error('grace counts from an old tick');
        }
      },
      finish() {
        if (!claimed) return;
        if (inboxes.presence(SLOT) !== PRESENCE_STATE.CONNECTED)
          throw new Error('I5: a connected player counts as away');
        if (inboxes.presenceTick(SLOT) !== 100)
          throw new Error('presence and its tick are of two connections');
      },
    };
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// A full inbox, its owner draining and dying (case 14a: head advanced, then death: nothing overwritten).

function draining(p: Protocol, publishFirst: boolean): () => Scenario {
  return () => {
    const inboxes = oneInbox(1);
    const mine = packWriter(1, 0);
    /** Committed: position of the next entry, and what has been decided. */
    let committedHead = 0;
    let decided: number[] = [];
    function* gateway(): Script {
      for (const action of [1, 2]) {
        for (;;) {
          const result = yield* fused(p.write(inboxes, mine, action), [1]);
          if (result === 'ok') break;
          yield () => ((inboxes.tail(SLOT) - inboxes.head(SLOT)) | 0) < inboxes.places;
        }
      }
    }
    function* owner(): Script {
      inboxes.publishHead(SLOT, committedHead); // a replacement's first step; nobody can tell it from the start
      while (committedHead < 2) {
        const head = committedHead;
        yield () => inboxes.available(SLOT, head) > 0;
        const action = actionAt(inboxes, head);
        if (publishFirst) {
          yield;
          inboxes.publishHead(SLOT, head + 1);
        }
        yield;
        committedHead = head + 1; // the commit
        decided = [...decided, action];
        if (!publishFirst) {
          yield;
          inboxes.publishHead(SLOT, head + 1);
        }
      }
    }
    let deaths = 0;
    return {
      actors: [
        { name: 'gateway', run: gateway() },
        { name: 'owner', run: owner(), mortal: true },
      ],
      died: () => [{ name: `owner ${++deaths}`, run: owner(), mortal: true }],
      finish() {
        if (decided.join() !== '1,2') throw new Error(`I3: decided ${decided.join()}`);
      },
    };
  };
}

// ---------------------------------------------------------------------------------------------------------------------
// Broken variants.

/** Takes the word whatever it is: busy does not count. */
const claimOverBusy: Protocol['claim'] = function* (inboxes, expected, gateway) {
  const mine = packWriter(writerEpoch(expected) + 1, gateway);
  yield;
  const word = inboxes.writer(SLOT);
  if ((word & ~BUSY) !== expected) return 0;
  yield;
  return Atomics.compareExchange(inboxes.i32, at.writer, word, mine) === word ? mine : 0;
};

/** Looks, then stores. */
const claimByStore: Protocol['claim'] = function* (inboxes, expected, gateway) {
  const mine = packWriter(writerEpoch(expected) + 1, gateway);
  yield;
  if (inboxes.writer(SLOT) !== expected) return 0;
  yield;
  Atomics.store(inboxes.i32, at.writer, mine);
  return mine;
};

/** Checks that the word is ours, then writes without busy. */
const writeByEpochCheck: Protocol['write'] = function* (inboxes, word, actionId) {
  yield;
  if (inboxes.writer(SLOT) !== word) return 'taken';
  yield;
  const tail = inboxes.tail(SLOT);
  yield;
  inboxes.u32[(inboxes.entry(SLOT, tail) + PLACE.actionId) >> 2] = actionId;
  yield;
  Atomics.store(inboxes.i32, at.tail, tail + 1);
  return 'ok';
};

/** The steps under busy in an order of choice: e entry, t tail, w idle word. */
const writeInOrder = (order: string): Protocol['write'] =>
  function* (inboxes, word, actionId) {
    yield;
    if (Atomics.compareExchange(inboxes.i32, at.writer, word, word | BUSY) !== word) return 'taken';
    yield;
    const tail = inboxes.tail(SLOT);
    const full = tail - inboxes.head(SLOT) >= inboxes.places;
    for (const step of full ? 'w' : order) {
      yield;
      if (step === 'e') inboxes.u32[(inboxes.entry(SLOT, tail) + PLACE.actionId) >> 2] = actionId;
      if (step === 't') Atomics.store(inboxes.i32, at.tail, tail + 1);
      if (step === 'w') Atomics.store(inboxes.i32, at.writer, word);
    }
    return full ? 'full' : 'ok';
  };

/** Shuts the inbox whatever its word is. */
const leaveByStore: Protocol['leave'] = function* (inboxes, seen) {
  yield;
  Atomics.store(inboxes.i32, at.writer, packWriter(writerEpoch(seen), LEAVING));
  return true;
};

/** Sets the presence without holding the word. */
const presenceByEpochCheck: Protocol['presence'] = function* (inboxes, word, presence, tick) {
  yield;
  if (inboxes.writer(SLOT) !== word) return false;
  yield;
  Atomics.store(inboxes.i32, at.tick, tick);
  yield;
  Atomics.store(inboxes.i32, at.presence, presence);
  return true;
};

const presenceBeforeTick: Protocol['presence'] = function* (inboxes, word, presence, tick) {
  yield;
  if (Atomics.compareExchange(inboxes.i32, at.writer, word, word | BUSY) !== word) return false;
  yield;
  Atomics.store(inboxes.i32, at.presence, presence);
  yield;
  Atomics.store(inboxes.i32, at.tick, tick);
  yield;
  Atomics.store(inboxes.i32, at.writer, word);
  return true;
};

t.test('two gateways race for the word of a busy third', (t) => {
  holds(t, 'one wins, no entry is lost', twoGateways(production, false));
  isCaught(t, 'claim over a busy word', twoGateways({ ...production, claim: claimOverBusy }, false));
  isCaught(t, 'claim by load and store', twoGateways({ ...production, claim: claimByStore }, false));
  isCaught(
    t,
    'write: epoch check without busy',
    twoGateways({ ...production, write: writeByEpochCheck }, false),
  );
  isCaught(t, 'write: idle before tail', twoGateways({ ...production, write: writeInOrder('ewt') }, false));
  t.end();
});

t.test('a gateway and the owner that shuts the inbox race for the word of a busy one', (t) => {
  holds(t, 'either it is shut, or one gateway has it', twoGateways(production, true));
  isCaught(t, 'leave by plain store', twoGateways({ ...production, leave: leaveByStore }, true));
  t.end();
});

t.test('presence belongs to the connection that holds the word', (t) => {
  holds(t, 'the newest connection’s presence stands', presences(production));
  isCaught(
    t,
    'presence: epoch check without busy',
    presences({ ...production, presence: presenceByEpochCheck }),
  );
  isCaught(t, 'presence before its tick', presences({ ...production, presence: presenceBeforeTick }));
  t.end();
});

t.test('a full inbox, its owner dying twice', (t) => {
  const kills = { kills: 2 };
  holds(t, 'every action is decided once, in order', draining(production, false), kills);
  isCaught(t, 'head published before the commit', draining(production, true), kills);
  isCaught(t, 'tail before entry', draining({ ...production, write: writeInOrder('tew') }, false), kills);
  t.end();
});

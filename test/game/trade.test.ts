/** Two-sided trade on either side of a border: what each party is due, and that nothing is accepted unseen. */
import t, { type Test } from 'tap';
import { HANDS, ITEM, KIND, REJECTION, TRADE } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { TRADE_STATE } from '../../src/game/trade.js';
import { OUTCOME } from '../../src/world/facade.js';
import { FakePlanet } from './fake-planet.js';
import { lastTold, type Told } from './trade-words.js';

const { APPLIED, NOT_ALLOWED, NOT_ENOUGH, OUT_OF_REACH, COOLDOWN } = OUTCOME;
const { OFFER_CHANGED, TRADE_OVER } = REJECTION;
const S = 20;

/** Two players face each other, shards meet at x = 0; a trade that the first has offered. */
class Market {
  readonly planet = new FakePlanet(game, [0]);
  readonly a: number;
  readonly b: number;
  readonly trade: number;

  constructor(bx: number) {
    this.a = this.planet.add(KIND.player, 1, 0);
    this.b = this.planet.add(KIND.player, bx, 0);
    this.planet.look();
    this.trade = this.offer();
    this.planet.run();
  }

  offer(): number {
    const outcome = this.planet.act(this.a, 'tradeOffer', { target: this.planet.id(this.b) });
    if (outcome !== APPLIED) throw new Error(`offer: ${outcome}`);
    return this.planet.entities.length - 1;
  }
  get id(): number {
    return this.planet.id(this.trade);
  }
  act(who: number, name: string, values: Record<string, number> = {}): number {
    const outcome = this.planet.act(who, name, { trade: this.id, ...values });
    this.planet.run(2); // across a border a wish and its answer take a tick each
    this.planet.checkConserved();
    return outcome;
  }
  put(who: number, item: number, count: number): number {
    return this.act(who, 'tradePut', { item, count });
  }
  accept(who: number, version = this.told.version): number {
    return this.act(who, 'tradeAccept', { version });
  }
  get told(): Told {
    return lastTold(this.planet, this.id);
  }
  bag(who: number): number[] {
    return this.planet.entities[who]!.items;
  }
  get isGone(): boolean {
    return this.planet.entities[this.trade]!.dead;
  }
}

for (const [where, bx] of [
  ['in the same shard', 2],
  ['across a border', -1],
] as const) {
  /** What a refusal looks like to who asked: across a border it was only "asked for". */
  const refusal = (code: number) => (bx < 0 ? APPLIED : code);

  t.test(`offer, counter-offer, accept by both: the items change hands, ${where}`, async (t) => {
    const m = new Market(bx);
    t.match(m.told, { asker: m.planet.id(m.a), asked: m.planet.id(m.b), version: 0, state: 0, accepted: 0 });
    t.equal(m.put(m.a, ITEM.coin, 4), APPLIED);
    t.equal(m.put(m.b, ITEM.berry, 2), APPLIED);
    t.equal(m.put(m.b, ITEM.coin, 1), APPLIED, 'the same kind from both sides');
    t.match(m.told, { version: 3, askerItems: [4, 0, 0, 0], askedItems: [1, 2, 0, 0] });
    t.strictSame(m.bag(m.a), [6, 3, 0, 0]);
    t.equal(m.accept(m.a), APPLIED);
    t.match(m.told, { state: TRADE_STATE.open, accepted: 1 });
    t.equal(m.accept(m.b), APPLIED);
    t.match(m.told, { state: TRADE_STATE.settled, accepted: 3 });
    m.planet.run(3);
    t.strictSame(m.bag(m.a), [7, 5, 0, 0]);
    t.strictSame(m.bag(m.b), [13, 1, 0, 0]);
    t.ok(m.isGone, 'the trade has nothing left to do');
    m.planet.checkConserved();
  });

  t.test(
    `any change takes back both acceptances; nobody accepts what he has not seen, ${where}`,
    async (t) => {
      const m = new Market(bx);
      m.put(m.a, ITEM.coin, 4);
      const seen = m.told.version;
      t.equal(m.accept(m.a, seen), APPLIED);
      t.equal(m.act(m.a, 'tradeTake', { item: ITEM.coin, count: 3 }), APPLIED);
      t.match(m.told, { version: seen + 1, accepted: 0, askerItems: [1, 0, 0, 0] });
      t.equal(m.accept(m.b, seen), refusal(OFFER_CHANGED), 'b means four coins');
      t.equal(m.told.accepted, 0);
      m.accept(m.b);
      m.put(m.b, ITEM.berry, 1);
      t.equal(m.told.accepted, 0, 'also an own change');
      t.equal(m.told.state, TRADE_STATE.open);
    },
  );

  t.test(`either side aborts, and each has back what it put in, ${where}`, async (t) => {
    for (const who of ['a', 'b'] as const) {
      const m = new Market(bx);
      m.put(m.a, ITEM.coin, 4);
      m.put(m.b, ITEM.coin, 3);
      m.accept(m.a);
      t.equal(m.act(m[who], 'tradeAbort'), APPLIED);
      t.match(m.told, { state: TRADE_STATE.aborted, accepted: 0 });
      m.planet.run(3);
      t.strictSame([m.bag(m.a)[ITEM.coin], m.bag(m.b)[ITEM.coin]], [10, 10]);
      t.ok(m.isGone);
    }
  });

  t.test(`walking away aborts, and so does a logout, ${where}`, async (t) => {
    const away = new Market(bx);
    away.put(away.b, ITEM.coin, 4);
    away.planet.entities[away.b]!.x += bx < 0 ? -TRADE.awayM : TRADE.awayM;
    away.planet.run(S);
    t.equal(away.told.state, TRADE_STATE.aborted);
    t.equal(away.bag(away.b)[ITEM.coin], 10, 'wherever the owner is');
    t.ok(away.isGone);

    const left = new Market(bx);
    left.put(left.b, ITEM.coin, 4);
    left.planet.entities[left.b]!.online = false;
    left.planet.look();
    if (bx < 0) left.planet.entities[left.b]!.hidden = true;
    left.planet.run(S);
    t.equal(left.told.state, TRADE_STATE.aborted);
    t.equal(left.bag(left.trade)[ITEM.coin], 4, 'offline: the trade keeps them');
    left.planet.run(100 * S);
    t.equal(left.bag(left.trade)[ITEM.coin], 4, 'however long');
    left.planet.entities[left.b]!.online = true;
    left.planet.run((TRADE.retryS + 1) * S);
    t.equal(left.bag(left.b)[ITEM.coin], 10);
    t.ok(left.isGone);
    left.planet.checkConserved();
  });

  t.test(`a full bag: the trade is done, the goods wait, a part can be taken, ${where}`, async (t) => {
    const m = new Market(bx);
    m.put(m.a, ITEM.coin, 6);
    m.planet.world(m.b).createItems(m.b, ITEM.stone, HANDS.bagItems - 13 - 2);
    m.accept(m.a);
    m.accept(m.b);
    t.match(m.told, { state: TRADE_STATE.settled });
    t.equal(m.bag(m.b)[ITEM.coin], 10);
    t.equal(m.bag(m.trade)[ITEM.coin], 6);
    t.equal(m.act(m.b, 'tradeTake', { item: ITEM.coin, count: 2 }), APPLIED);
    t.equal(m.bag(m.b)[ITEM.coin], 12);
    t.equal(m.act(m.a, 'tradeTake', { item: ITEM.coin, count: 1 }), NOT_ENOUGH, 'they are not his any more');
    m.planet.world(m.b).consumeItems(m.b, ITEM.stone, 100);
    m.planet.run((TRADE.retryS + 1) * S);
    t.equal(m.bag(m.b)[ITEM.coin], 16);
    t.ok(m.isGone);
    m.planet.checkConserved();
  });

  t.test(`the share of a guest who is gone lies on the ground, an account's waits, ${where}`, async (t) => {
    for (const lasting of [false, true]) {
      const m = new Market(bx);
      m.planet.entities[m.b]!.lasting = lasting;
      m.put(m.b, ITEM.coin, 10);
      const gone = m.planet.entities[m.b]!;
      m.planet.consumed[ITEM.berry]! += gone.items[ITEM.berry]!;
      gone.items.fill(0);
      gone.dead = true;
      m.planet.run((TRADE.retryS + 2) * S);
      const piles = m.planet.entities.filter((e) => e.kind === KIND.pile && !e.dead);
      t.strictSame(
        piles.map((e) => e.items),
        lasting ? [] : [[10, 0, 0, 0]],
      );
      t.equal(m.isGone, !lasting);
      m.planet.checkConserved();
    }
  });

  t.test(`what travels into a trade that is over comes back, ${where}`, async (t) => {
    const m = new Market(bx);
    m.put(m.b, ITEM.berry, 1);
    m.planet.act(m.b, 'tradePut', { trade: m.id, item: ITEM.coin, count: 4 });
    m.planet.act(m.a, 'tradeAbort', { trade: m.id });
    m.planet.run(5);
    t.strictSame(m.bag(m.b).slice(0, 2), [10, 3]);
    t.ok(m.isGone);
    m.planet.checkConserved();
  });

  t.test(`what a party takes out and cannot carry is still its own, ${where}`, async (t) => {
    const m = new Market(bx);
    m.put(m.b, ITEM.coin, 4);
    m.planet.world(m.b).createItems(m.b, ITEM.stone, HANDS.bagItems - 9);
    m.act(m.b, 'tradeTake', { item: ITEM.coin, count: 4 });
    t.match(m.told, { accepted: 0, askedItems: [4, 0, 0, 0] });
    m.act(m.b, 'tradeAbort');
    t.equal(m.bag(m.trade)[ITEM.coin], 4);
    m.planet.world(m.b).consumeItems(m.b, ITEM.stone, 4);
    m.planet.run((TRADE.retryS + 1) * S);
    t.equal(m.bag(m.b)[ITEM.coin], 10);
    m.planet.checkConserved();
  });
}

t.test('who may do what', async (t: Test) => {
  const m = new Market(2);
  const stranger = m.planet.add(KIND.player, 1, 1);
  m.planet.look();
  t.equal(m.planet.act(m.a, 'tradeOffer', { target: m.planet.id(m.b) }), COOLDOWN);
  t.equal(m.planet.act(m.b, 'tradeOffer', { target: m.planet.id(m.b) }), NOT_ALLOWED, 'with oneself');
  t.equal(m.planet.act(m.b, 'tradeOffer', { target: m.id }), NOT_ALLOWED, 'with a trade');
  t.equal(m.planet.act(m.b, 'tradeOffer', { target: 2 ** 50 }), OUT_OF_REACH);
  for (const [name, values] of [
    ['tradePut', { item: ITEM.coin, count: 1 }],
    ['tradeTake', { item: ITEM.coin, count: 1 }],
    ['tradeAccept', { version: 0 }],
    ['tradeAbort', {}],
  ] as const) {
    t.equal(m.act(stranger, name, values), NOT_ALLOWED, `a stranger: ${name}`);
    const target = m.planet.id(m.b);
    const onPlayer = m.planet.act(m.a, name, { ...values, trade: target });
    t.equal(onPlayer, NOT_ALLOWED, `${name} is for trades, not for players`);
  }
  t.equal(m.put(m.a, ITEM.coin, 11), NOT_ENOUGH);
  t.equal(m.put(m.a, 9, 1), NOT_ALLOWED);
  t.equal(m.act(m.a, 'tradeTake', { item: 9, count: 1 }), NOT_ALLOWED);
  t.equal(m.act(m.a, 'tradeTake', { item: ITEM.coin, count: 1 }), NOT_ENOUGH);
  t.equal(m.act(m.a, 'tradeAbort'), APPLIED);
  t.equal(m.act(m.a, 'tradeAccept', { version: 0 }), OUT_OF_REACH, 'it is gone');
});

t.test('a new offer calls off the one before; what is idle ends by itself', async (t) => {
  const m = new Market(-1);
  m.put(m.a, ITEM.coin, 4);
  m.planet.run(S);
  const next = m.offer();
  m.planet.run(3);
  t.ok(m.isGone);
  t.equal(m.bag(m.a)[ITEM.coin], 10);
  m.planet.run(TRADE.idleS * S - 10);
  t.notOk(m.planet.entities[next]!.dead);
  m.planet.run(20);
  t.ok(m.planet.entities[next]!.dead, 'a minute without a change');
});

t.test('the last version is never shown twice: the trade ends', async (t) => {
  const m = new Market(2);
  m.planet.world(m.trade).columns.tradeVersion!.set(m.trade, TRADE.changes - 1);
  t.equal(m.put(m.a, ITEM.coin, 1), APPLIED);
  t.match(m.told, { version: TRADE.changes, state: TRADE_STATE.open });
  t.equal(m.put(m.a, ITEM.coin, 1), APPLIED);
  t.equal(m.told.state, TRADE_STATE.aborted);
  t.equal(m.bag(m.a)[ITEM.coin], 10);
  t.equal(m.act(m.b, 'tradeAccept', { version: TRADE.changes }), OUT_OF_REACH);
  t.not(TRADE_OVER, APPLIED);
});

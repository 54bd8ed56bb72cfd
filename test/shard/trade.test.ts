/**
 * Trade between two shards through deaths: a whole trade is played, and before changes of shared memory in each of its
 * ticks one of the shards dies, between giver's commit and receiver's, before and after each answer. The audit looks on
 * after every tick and must find nothing; planted faults it must find.
 */
import t, { type Test } from 'tap';
import { Audit } from '../../src/control/audit.js';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { ITEM, KIND } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { COLD } from '../../src/memory/record.js';
import { HOW } from '../../src/memory/transfer-ring.js';
import { Mail } from '../../src/shard/mail.js';
import { checkPlanet } from './invariants.js';
import { Planet, type TestPlayer } from './planet.js';

const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
const y = tile.south + 500;
const ITEMS = game.items.length;
const silent = { info() {}, warn() {}, error() {}, fatal() {} };

/** Two players on either side of a border, watched by the audit. */
class Market {
  readonly planet = new Planet(game, { entities: 64 });
  readonly audit = new Audit(this.planet.world, () => game.items, silent);
  readonly a: TestPlayer;
  readonly b: TestPlayer;
  trade = 0;

  constructor() {
    this.planet.assign(tile.east - 50, y, 0);
    this.planet.assign(tile.east + 50, y, 1);
    this.a = this.planet.join(tile.east - 1, y);
    this.b = this.planet.join(tile.east + 1, y);
    this.run(3);
  }

  run(ticks: number): void {
    for (let i = 0; i < ticks; i++) {
      this.planet.step();
      this.look();
    }
  }
  look(): void {
    checkPlanet(this.planet, ITEMS);
    this.audit.look();
  }

  /** What is said in tick n of the trade; the rest of the time nothing. */
  say(n: number): void {
    const { planet, a, b, trade } = this;
    const offer = (who: TestPlayer, item: number, count: number) =>
      planet.act(who, 'tradePut', { trade, item, count });
    if (n === 0) planet.act(a, 'tradeOffer', { target: b.id });
    if (n === 2) {
      const slot = planet.entities(KIND.trade, tile.east - 1, y)[0];
      if (slot === undefined) throw new Error('no trade was offered');
      this.trade = planet.idOf(slot);
    }
    if (n === 3) offer(a, ITEM.coin, 4);
    if (n === 3) offer(b, ITEM.berry, 2);
    if (n === 7) for (const who of [a, b]) planet.act(who, 'tradeAccept', { trade, version: 2 });
  }
  bags(): string {
    const bag = ({ slot }: TestPlayer) =>
      `${this.planet.items(slot, ITEM.coin)}+${this.planet.items(slot, ITEM.berry)}`;
    return `${bag(this.a)} ${bag(this.b)}`;
  }
}
const LAST = 12;

t.test('a trade across the border, and its journal', (t: Test) => {
  const m = new Market();
  for (let n = 0; n <= LAST; n++) {
    m.say(n);
    m.run(1);
  }
  m.run(40);
  t.equal(m.bags(), '6+5 14+1');
  t.match(m.audit.status(), { ok: true, differences: 0, lastCheckTick: m.planet.tick });
  t.equal(m.planet.entities(KIND.trade, tile.east - 1, y).length, 0);
  const lines = m.audit
    .journal(m.b.id)
    .map(({ from, to, item, count, how }) => ({ from, to, item, count, how }));
  t.strictSame(lines, [
    { from: m.b.id, to: m.trade, item: ITEM.berry, count: 2, how: HOW.message },
    { from: m.trade, to: m.b.id, item: ITEM.coin, count: 4, how: HOW.message },
  ]);
  const direct = m.audit.journal(m.a.id);
  t.match(direct[0], {
    source: m.a.id,
    to: m.trade,
    how: HOW.direct,
    fromKind: KIND.player,
    toKind: KIND.trade,
  });
  t.end();
});

/**
 * Plays the trade; in its tick n the shard dies before its change number `at`.
 * @returns whether it died at all: the tick has that many changes
 */
function playWithDeath(n: number, shard: number, at: number): boolean {
  const m = new Market();
  let hasDied = false;
  for (let tick = 0; tick <= LAST; tick++) {
    m.say(tick);
    if (tick !== n) {
      m.run(1);
      continue;
    }
    hasDied = m.planet.dieIn(shard, at).died;
    m.planet.runShard(1 - shard);
    if (hasDied) m.planet.replace(shard);
    m.look();
  }
  m.run(30);
  // An accept may have been refused as stale when a put came later than planned: then the trade is still open.
  for (const who of [m.a, m.b]) m.planet.act(who, 'tradeAbort', { trade: m.trade });
  m.run(30);
  if (!['6+5 14+1', '10+3 10+3'].includes(m.bags()))
    throw new Error(`tick ${n}, shard ${shard}: bags ${m.bags()}`);
  if (m.planet.entities(KIND.trade, tile.east - 1, y).length > 0) throw new Error('the trade is still there');
  if (!m.audit.status().ok) throw new Error(`audit: ${JSON.stringify(m.audit.status())}`);
  const lines = m.audit.journal(m.b.id).filter((line) => line.how !== HOW.difference);
  if (lines.length !== 2 || new Set(lines.map((l) => `${l.source}.${l.counter}`)).size !== 2)
    throw new Error(`the journal has ${JSON.stringify(lines)}`);
  return hasDied;
}

/** Of the changes of a tick every third is tried, each tick beginning with another one: all of them take minutes. */
const STRIDE = 3;

t.test('a death of either shard anywhere in any tick of a trade', (t: Test) => {
  let deaths = 0;
  for (let n = 0; n <= LAST; n++) {
    for (const shard of [0, 1]) {
      for (let at = n % STRIDE; playWithDeath(n, shard, at); at += STRIDE) deaths++;
    }
  }
  t.ok(deaths > 250, `${deaths} deaths`);
  t.end();
});

t.test('planted faults are found by the audit', (t: Test) => {
  const give = (m: Market) => m.planet.act(m.a, 'give', { target: m.b.id, item: ITEM.coin, count: 4 });
  const place = (m: Market) => (m.planet.world.arena.cold(m.a.slot) + COLD.items) >> 2;

  const written = new Market();
  give(written);
  written.run(5);
  written.planet.world.arena.u32[place(written) + ITEM.coin]! += 1;
  for (let i = 0; i < 20; i++) written.planet.step();
  written.audit.look();
  t.match(written.audit.status(), {
    ok: false,
    differences: 1,
    last: [{ where: 'bag', id: written.a.id, item: ITEM.coin, count: 1 }],
  });
  for (let i = 0; i < 40; i++) written.planet.step();
  written.audit.look();
  t.equal(written.audit.status().differences, 1, 'told once');

  const lost = new Market();
  lost.planet.world.arena.u32[place(lost) + ITEM.berry]! -= 2;
  // It walks over the border at once: looked at before it leaves, the next owner would take the bag as it is.
  lost.planet.act(lost.a, 'walk', { heading: 0, speed: 6, seconds: 1 });
  for (let i = 0; i < 30; i++) lost.planet.step();
  lost.audit.look();
  t.match(lost.audit.status().last, [{ where: 'bag', id: lost.a.id, item: ITEM.berry, count: -2 }]);
  t.equal(lost.planet.ownerOf(lost.a.slot), 1);

  t.end();
});

t.test('messages that are handled wrongly are found', (t: Test) => {
  type Handlers = Record<'onRequest' | 'onAnswer', (this: unknown, ...args: never[]) => void>;
  const handlers = Mail.prototype as unknown as Handlers;
  const production = {
    ...Object.fromEntries(['onRequest', 'onAnswer'].map((k) => [k, handlers[k as 'onAnswer']])),
  };
  const play = () => {
    const m = new Market();
    m.planet.act(m.a, 'give', { target: m.b.id, item: ITEM.coin, count: 4 });
    for (let i = 0; i < 30; i++) {
      m.planet.step();
      m.audit.look();
    }
    return m.audit.status().last;
  };
  t.strictSame(play(), [], 'production');
  t.teardown(() => Object.assign(handlers, production));

  // A message that is applied for each copy of it.
  handlers.onRequest = function (this: { ask(target: number, m: unknown): number }, target: never, m: never) {
    this.ask(target, m);
    production.onRequest!.call(this, target, m);
  } as never;
  t.match(play(), [{ where: 'mail', item: ITEM.coin, count: 4 }]);
  Object.assign(handlers, production);

  // An answer that is taken twice would bring refused items back twice: the bag says more than the books.
  handlers.onAnswer = function (
    this: { core: { arena: { u32: Uint32Array; cold(s: number): number } } },
    source: number,
    ...rest: never[]
  ) {
    this.core.arena.u32[(this.core.arena.cold(source) + COLD.items) >> 2]! += 4;
    production.onAnswer!.call(this, source as never, ...rest);
  } as never;
  t.match(play(), [{ where: 'bag', item: ITEM.coin, count: 4 }]);
  Object.assign(handlers, production);
  t.end();
});

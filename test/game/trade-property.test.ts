/**
 * Two-sided trade under any sequence of wishes, delays, walks, logouts and full bags, on either side of a border that
 * cuts through all of it: items are conserved after every tick, and what changes hands is what both had seen.
 *
 * The oracle is the trade's own words, as a client reads them: a trade may be settled only if each party's last accept
 * named the version that was settled, and the sides of a settled trade are the sides of that version, exchanged. And
 * the words are held against the bags: a party's bag and its side of the offer are what it began with.
 */
import fc from 'fast-check';
import t from 'tap';
import { HANDS, ITEM, KIND } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { TRADE_STATE } from '../../src/game/trade.js';
import type { GameModule } from '../../src/world/facade.js';
import { OUTCOME } from '../../src/world/facade.js';
import { FakePlanet } from './fake-planet.js';
import { readTold, type Told } from './trade-words.js';

interface Step {
  who: number;
  action: string;
  item: number;
  count: number;
  /** How many versions behind the newest an accept is. */
  behind: number;
  ticks: number;
}

const step: fc.Arbitrary<Step> = fc.record({
  who: fc.nat(1),
  action: fc.constantFrom(
    'put',
    'put',
    'put',
    'take',
    'accept',
    'accept',
    'accept',
    'abort',
    'walk',
    'offline',
    'burden',
  ),
  item: fc.nat(3),
  count: fc.integer({ min: 1, max: 4 }),
  behind: fc.constantFrom(0, 0, 0, 1),
  ticks: fc.nat(3),
});

/** Both parties with ten of everything, and an open trade. */
class Run {
  readonly planet: FakePlanet;
  readonly trade: number;
  private heard = 0;
  private readonly owns: number[][];
  /** Offers by version, and by party the version of each accept that was sent. */
  private readonly offers = new Map<number, Told>();
  private readonly accepts: [Set<number>, Set<number>] = [new Set(), new Set()];
  now: Told | undefined;
  settled = 0;

  constructor(module: GameModule, bx: number, asker: number) {
    this.planet = new FakePlanet(module, [0]);
    for (const x of [1, bx]) {
      const player = this.planet.add(KIND.player, x, 0);
      for (const item of Object.values(ITEM)) this.planet.world(player).createItems(player, item, 10);
    }
    this.owns = this.planet.entities.map((e) => [...e.items]);
    this.planet.look();
    this.planet.act(asker, 'tradeOffer', { target: this.planet.id(1 - asker) });
    this.trade = this.planet.entities.length - 1;
    this.tick();
  }

  get id(): number {
    return this.planet.id(this.trade);
  }

  take({ who, action, item, count, behind }: Step): void {
    const { planet } = this;
    const player = planet.entities[who]!;
    if (action === 'walk') player.x += item % 2 === 0 ? count : -count;
    else if (action === 'offline') player.online = !player.online;
    else if (action === 'burden') {
      const stones = player.items[ITEM.stone]!;
      if (stones < 100) planet.world(who).createItems(who, ITEM.stone, HANDS.bagItems - sum(player.items));
      else planet.world(who).consumeItems(who, ITEM.stone, 90);
    } else if (action === 'accept') {
      const version = Math.max(0, (this.now?.version ?? 0) - behind);
      this.accepts[who]!.add(version);
      planet.act(who, 'tradeAccept', { trade: this.id, version });
    } else if (action === 'abort') planet.act(who, 'tradeAbort', { trade: this.id });
    else planet.act(who, action === 'put' ? 'tradePut' : 'tradeTake', { trade: this.id, item, count });
    this.listen();
  }

  tick(): void {
    this.planet.run();
    this.listen();
    this.planet.checkConserved();
    this.checkShares();
  }

  /** What each has and is due is what it began with, or what was settled. Stones come and go as a burden. */
  private checkShares(): void {
    const { entities } = this.planet;
    if (this.now === undefined || entities.some((e) => e.outbox.length > 0)) return;
    for (const player of [0, 1] as const) {
      const isAsker = entities[player]!.id === this.now.asker;
      const side = isAsker ? this.now.askerItems : this.now.askedItems;
      const there =
        entities[this.trade]!.dead || this.now.state !== TRADE_STATE.open ? this.dueNow(isAsker) : side;
      for (let item = 0; item < ITEM.stone; item++) {
        const has = entities[player]!.items[item]! + there[item]!;
        if (has !== this.owns[player]![item]!)
          throw new Error(`player ${player} has ${has} of ${item}, owns ${this.owns[player]![item]}`);
      }
    }
  }

  private dueNow(isAsker: boolean): number[] {
    const { items, values } = this.planet.entities[this.trade]!;
    const first = items.map((_, item) => values.get(`due${item}`) ?? 0);
    return isAsker ? first : items.map((n, item) => n - first[item]!);
  }

  /** Holds what the trade says against what was said to it. */
  private listen(): void {
    for (; this.heard < this.planet.emitted.length; this.heard++) {
      const event = this.planet.emitted[this.heard]!;
      if (event.id !== this.id) continue;
      const told = readTold(event.bytes);
      if (told.state === TRADE_STATE.open) this.offers.set(told.version, told);
      if (told.state === TRADE_STATE.settled) this.judge(told);
      this.now = told;
    }
  }

  private judge(told: Told): void {
    this.settled++;
    const offer = this.offers.get(told.version);
    const asker = this.planet.id(0) === told.asker ? 0 : 1;
    if (!this.accepts[asker]!.has(told.version)) throw new Error('the asker has not accepted this version');
    if (!this.accepts[1 - asker]!.has(told.version))
      throw new Error('the asked has not accepted this version');
    const wanted = [offer?.askedItems, offer?.askerItems].join('/');
    const got = [told.askerItems, told.askedItems].join('/');
    if (got !== wanted) throw new Error(`settled ${got}, offered ${wanted}`);
    for (let item = 0; item < ITEM.stone; item++) {
      const gain = offer!.askedItems[item]! - offer!.askerItems[item]!;
      this.owns[asker]![item]! += gain;
      this.owns[1 - asker]![item]! -= gain;
    }
    if (this.settled > 1) throw new Error('settled twice');
  }

  /** All are well again: everything is handed out and the trade is gone. */
  finish(): void {
    for (const player of [0, 1]) {
      const { items } = this.planet.entities[player]!;
      this.planet.entities[player]!.online = true;
      if (items[ITEM.stone]! > 100) this.planet.world(player).consumeItems(player, ITEM.stone, 500);
    }
    this.planet.act(0, 'tradeAbort', { trade: this.id });
    for (let i = 0; i < 130; i++) this.tick();
    if (!this.planet.entities[this.trade]!.dead) throw new Error('the trade is still there');
  }
}

const sum = (items: readonly number[]) => items.reduce((a, b) => a + b, 0);

function play(module: GameModule, numRuns: number): { settled: number; aborted: number } {
  const seen = { settled: 0, aborted: 0 };
  fc.assert(
    fc.property(
      fc.array(step, { minLength: 4, maxLength: 40 }),
      fc.constantFrom(2, -1),
      fc.nat(1),
      (steps, bx, asker) => {
        const run = new Run(module, bx, asker);
        for (const s of steps) {
          if (run.planet.entities[run.trade]!.dead) break;
          run.take(s);
          for (let i = 0; i < s.ticks; i++) run.tick();
        }
        run.finish();
        if (run.settled > 0) seen.settled++;
        else seen.aborted++;
      },
    ),
    { numRuns, seed: 11 },
  );
  return seen;
}

t.test('any order of wishes: conserved after every tick, settled only as both have seen it', async (t) => {
  const seen = play(game, 1000);
  t.ok(seen.settled > 50, `${seen.settled} trades settled`);
  t.ok(seen.aborted > 50, `${seen.aborted} aborted`);
});

/** The game with one hook of its own changed. */
const withGame = (change: Partial<GameModule>): GameModule => ({ ...(game as GameModule), ...change });
t.test('planted bugs are found', async (t) => {
  const { received, returned, mayReceive } = game as GameModule;
  const bugs: Record<string, GameModule> = {
    'what is put in does not change the version': withGame({
      received(world, trade, item, count, from, note) {
        const { tradeVersion, tradeState } = world.columns as Record<
          string,
          { get(e: number): number; set(e: number, v: number): void }
        >;
        const [version, state] = [tradeVersion!.get(trade), tradeState!.get(trade)];
        received!(world, trade, item, count, from, note);
        if (world.kind(trade) !== KIND.trade) return;
        tradeVersion!.set(trade, version);
        tradeState!.set(trade, state);
      },
    }),
    'items that come back are forgotten': withGame({ returned() {} }),
    'items that come back are due twice': withGame({
      returned(world, giver, item, count, to, outcome) {
        returned!(world, giver, item, count, to, outcome);
        returned!(world, giver, item, count, to, outcome);
      },
    }),
    'a trade that is over takes items': withGame({
      mayReceive(world, target, item, count, from) {
        if (world.kind(target) === KIND.trade) return OUTCOME.APPLIED;
        return mayReceive!(world, target, item, count, from);
      },
    }),
    'all that is put in is the asked one’s': withGame({
      received(world, trade, item, count, _from, note) {
        const asked = (world.columns as Record<string, { get(e: number): number }>).secondId!.get(trade);
        received!(world, trade, item, count, world.kind(trade) === KIND.trade ? asked : 0, note);
      },
    }),
  };
  for (const [bug, module] of Object.entries(bugs)) t.throws(() => play(module, 1000), bug);
});

/**
 * A two-sided trade: an entity that both parties give to, and that gives to both or gives back. There is no moment at
 * which an item is nowhere: it is in a bag, in the trade's bag, or on the way between them.
 *
 * ```
 *            put, take: version + 1, nobody has accepted
 *            ┌────────┐
 *  offer ──▶ open ────┴─ accepted by both at this version ──▶ settled: each is due what the other put in
 *             └── abort, too far away, logged out, idle ────▶ aborted: each is due what it put in itself
 * ```
 * `due` says how much of each item in the bag is the first party's; the rest is the second's. It is what a party is due
 * in every state: settling swaps the two sides once. What is given out leaves the bag and the due together, what is
 * refused comes back to both, so a late refusal always finds its owner.
 *
 * What a party cannot take (bag full, player offline) stays here, however long, and is offered again and again. Only the
 * share of a guest who has left the world for good is laid on the ground.
 */
import { type Column, type Entity, OUTCOME } from '../world/facade.js';
import { countDown, type GameWorld, message } from './columns.js';
import { EVENT, HANDS, ITEM, KIND, REJECTION, TRADE } from './constants.js';
import { newPile } from './hand-on.js';
import { showAmount } from './take.js';

export const TRADE_STATE = Object.freeze({ open: 0, settled: 1, aborted: 2 });
/** Lower two bits of the column `tradeState`; above them one bit a party: it has accepted. */
const STATE_BITS = 3;
const ACCEPTED = [4, 8] as const;
const KINDS = Object.keys(ITEM).length;
const PARTIES = [0, 1] as const;
type Party = (typeof PARTIES)[number];

/** Scratch for the event, filled anew for each. */
const told = new Uint8Array(40);
const words = new DataView(told.buffer);

/** A new, empty trade where the first party stands; −1: the world is full. */
export function newTrade(world: GameWorld, asker: Entity, askedId: number): Entity | -1 {
  const trade = world.spawn(KIND.trade, world.x(asker), world.y(asker));
  if (trade < 0) return -1;
  const { firstId, secondId, lifeS, lookWaitS, lasting } = world.columns;
  firstId.set(trade, world.id(asker));
  secondId.set(trade, askedId);
  lifeS.set(trade, TRADE.idleS);
  lookWaitS.set(trade, TRADE.lookEveryS);
  if (world.lasting(asker)) lasting.set(trade, 1);
  tell(world, trade);
  return trade;
}

/** Gives a party items out of what it is due: what it put in, or what a trade that is over still owes it. */
export function takeFrom(world: GameWorld, trade: Entity, byId: number, item: number, count: number): number {
  const party = partyOf(world, trade, byId);
  if (party === null || !(item < KINDS) || count < 1) return OUTCOME.NOT_ALLOWED;
  if (due(world, trade, party, item) < count) return OUTCOME.NOT_ENOUGH;
  const outcome = handOut(world, trade, party, item, count);
  if (outcome === OUTCOME.APPLIED && isOpen(world, trade)) changed(world, trade);
  return outcome;
}

/** @param version what the party has seen; @param lasting 1 = it is an account */
export function acceptAt(
  world: GameWorld,
  trade: Entity,
  byId: number,
  version: number,
  lasting: number,
): number {
  const party = partyOf(world, trade, byId);
  if (party === null) return OUTCOME.NOT_ALLOWED;
  const { tradeVersion, tradeState } = world.columns;
  if (!isOpen(world, trade)) return REJECTION.TRADE_OVER;
  if (version !== tradeVersion.get(trade)) return REJECTION.OFFER_CHANGED;
  noteLasting(world, trade, party, lasting);
  const accepted = tradeState.get(trade) | ACCEPTED[party];
  tradeState.set(trade, accepted);
  if (accepted === (ACCEPTED[0] | ACCEPTED[1])) settle(world, trade);
  else tell(world, trade);
  return OUTCOME.APPLIED;
}

export function callOff(world: GameWorld, trade: Entity, byId: number): number {
  if (partyOf(world, trade, byId) === null) return OUTCOME.NOT_ALLOWED;
  if (!isOpen(world, trade)) return REJECTION.TRADE_OVER;
  close(world, trade, TRADE_STATE.aborted);
  return OUTCOME.APPLIED;
}

/** The same from across a border. args: item, count. */
export const tradeTake = message({
  kind: 2,
  receive: (world, trade, { source, args }) => takeFrom(world, trade, source, args[0], args[1]),
});
/** args: version, lasting. */
export const tradeAccept = message({
  kind: 3,
  receive: (world, trade, { source, args }) => acceptAt(world, trade, source, args[0], args[1]),
});
export const tradeAbort = message({
  kind: 4,
  receive: (world, trade, { source }) => callOff(world, trade, source),
});

/** Whether an open trade takes items: from its parties, and of each no more than a bag holds. */
export function mayPutIn(world: GameWorld, trade: Entity, count: number, fromId: number): number {
  const party = partyOf(world, trade, fromId);
  if (party === null) return OUTCOME.NOT_ALLOWED;
  if (!isOpen(world, trade)) return REJECTION.TRADE_OVER;
  let offered = count;
  for (let item = 0; item < KINDS; item++) offered += due(world, trade, party, item);
  return offered > HANDS.bagItems ? OUTCOME.BAG_FULL : OUTCOME.APPLIED;
}

/** Items have come in: they are the giver's, and the offer has changed. `note` is 1 for an account. */
export function putIn(
  world: GameWorld,
  trade: Entity,
  item: number,
  count: number,
  fromId: number,
  note: number,
): void {
  const party = partyOf(world, trade, fromId);
  if (party === null) return;
  noteLasting(world, trade, party, note);
  addDue(world, trade, party, item, count);
  changed(world, trade);
}

/** Items that a party could not take have come back: they are still due to it. */
export function putBack(world: GameWorld, trade: Entity, item: number, count: number, toId: number): void {
  const party = partyOf(world, trade, toId);
  if (party === null) return;
  addDue(world, trade, party, item, count);
  if (isOpen(world, trade)) changed(world, trade);
}

export function stepTrade(world: GameWorld, trade: Entity): void {
  const { lifeS, lookWaitS, tradeWaitS } = world.columns;
  if (!isOpen(world, trade)) {
    if (countDown(world, lifeS, trade)) payOut(world, trade);
    world.despawn(trade); // refused while it holds something or something is on the way
    return;
  }
  if (countDown(world, lifeS, trade)) return close(world, trade, TRADE_STATE.aborted);
  if (countDown(world, lookWaitS, trade)) {
    lookWaitS.set(trade, TRADE.lookEveryS);
    if (!areBothNear(world, trade)) return close(world, trade, TRADE_STATE.aborted);
  }
  // Again and again: an event can be missed.
  if (countDown(world, tradeWaitS, trade)) tell(world, trade);
}

function isOpen(world: GameWorld, trade: Entity): boolean {
  return (world.columns.tradeState.get(trade) & STATE_BITS) === TRADE_STATE.open;
}

/** Which party an id is; null for others, and for entities that are no trade. */
function partyOf(world: GameWorld, trade: Entity, id: number): Party | null {
  if (world.kind(trade) !== KIND.trade) return null;
  if (world.columns.firstId.get(trade) === id) return 0;
  return world.columns.secondId.get(trade) === id ? 1 : null;
}

function idOf(world: GameWorld, trade: Entity, party: Party): number {
  return (party === 0 ? world.columns.firstId : world.columns.secondId).get(trade);
}

function dueColumn(world: GameWorld, item: number): Column {
  const { due0, due1, due2, due3 } = world.columns;
  return item === 0 ? due0 : item === 1 ? due1 : item === 2 ? due2 : due3;
}

/** What of the bag is a party's. */
function due(world: GameWorld, trade: Entity, party: Party, item: number): number {
  const first = dueColumn(world, item).get(trade);
  return party === 0 ? first : world.items(trade, item) - first;
}

/** Notes whose items have come into the bag or left it; the second party's are the rest. */
function addDue(world: GameWorld, trade: Entity, party: Party, item: number, count: number): void {
  if (party !== 0) return;
  const column = dueColumn(world, item);
  column.set(trade, column.get(trade) + count);
}

function noteLasting(world: GameWorld, trade: Entity, party: Party, lasting: number): void {
  const column = world.columns.lasting;
  if (lasting !== 0) column.set(trade, column.get(trade) | (1 << party));
}

/** The offer is another one: nobody has accepted it yet. */
function changed(world: GameWorld, trade: Entity): void {
  const { tradeVersion, tradeState, lifeS } = world.columns;
  tradeState.set(trade, TRADE_STATE.open);
  // No version may come twice: who accepts must mean what he saw.
  if (tradeVersion.get(trade) === TRADE.changes) return close(world, trade, TRADE_STATE.aborted);
  tradeVersion.set(trade, tradeVersion.get(trade) + 1);
  lifeS.set(trade, TRADE.idleS);
  tell(world, trade);
}

/** Both have accepted what they saw: what one put in is due to the other. */
function settle(world: GameWorld, trade: Entity): void {
  for (let item = 0; item < KINDS; item++) dueColumn(world, item).set(trade, due(world, trade, 1, item));
  close(world, trade, TRADE_STATE.settled);
}

function close(world: GameWorld, trade: Entity, state: number): void {
  const { tradeState } = world.columns;
  const accepted = state === TRADE_STATE.settled ? ACCEPTED[0] | ACCEPTED[1] : 0;
  tradeState.set(trade, state | accepted);
  tell(world, trade);
  payOut(world, trade);
}

/** Offers each party all that it is due. */
function payOut(world: GameWorld, trade: Entity): void {
  world.columns.lifeS.set(trade, TRADE.retryS);
  for (const party of PARTIES) {
    for (let item = 0; item < KINDS; item++) {
      const count = due(world, trade, party, item);
      if (count === 0) continue;
      const outcome = handOut(world, trade, party, item, count);
      if (outcome === OUTCOME.TARGET_GONE) layDown(world, trade, party, item, count);
    }
  }
}

function handOut(world: GameWorld, trade: Entity, party: Party, item: number, count: number): number {
  const outcome = world.give(trade, idOf(world, trade, party), item, count);
  if (outcome === OUTCOME.APPLIED) addDue(world, trade, party, item, -count);
  return outcome;
}

/** An account that cannot be found will come back; a guest never. */
function layDown(world: GameWorld, trade: Entity, party: Party, item: number, count: number): void {
  if (world.columns.lasting.get(trade) & (1 << party)) return;
  const pile = newPile(world, trade, item);
  if (pile < 0) return;
  if (world.give(trade, world.id(pile), item, count) !== OUTCOME.APPLIED) return;
  addDue(world, trade, party, item, -count);
  showAmount(world, pile);
}

/** Whether both parties are playing and have not walked away. */
function areBothNear(world: GameWorld, trade: Entity): boolean {
  const near = world.near(world.x(trade), world.y(trade), TRADE.awayM);
  for (const party of PARTIES) {
    const id = idOf(world, trade, party);
    const here = world.find(id);
    if (here >= 0) {
      const metres = world.distance(trade, world.x(here), world.y(here));
      if (!world.online(here) || metres > TRADE.awayM) return false;
      continue;
    }
    let isThere = false;
    for (let i = 0; i < near.count && !isThere; i++) isThere = near.id(i) === id;
    if (!isThere) return false;
  }
  return true;
}

/** The whole state of the trade to everyone near by, as the struct TradeState of game.fbs. */
function tell(world: GameWorld, trade: Entity): void {
  world.columns.tradeWaitS.set(trade, TRADE.tellEveryS);
  const state = world.columns.tradeState.get(trade);
  for (const party of PARTIES) {
    const id = idOf(world, trade, party);
    words.setUint32(party * 8, id >>> 0, true);
    words.setUint32(party * 8 + 4, Math.floor(id / 2 ** 32), true);
    for (let item = 0; item < KINDS; item++) {
      words.setUint16(20 + (party * KINDS + item) * 2, due(world, trade, party, item), true);
    }
  }
  words.setUint16(16, world.columns.tradeVersion.get(trade), true);
  words.setUint8(18, state & STATE_BITS);
  words.setUint8(19, state >> 2);
  world.emit(trade, EVENT.trade, told, told.length);
}

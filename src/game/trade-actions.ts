/**
 * What a player can do about a trade (trade.ts): offer one to somebody near, put in, take out, accept what it has seen,
 * call it off. The trade decides; across a border APPLIED means "asked for", and the trade's own words tell the rest.
 */
import { OUTCOME } from '../world/facade.js';
import { canPart } from './bag.js';
import { action } from './columns.js';
import { HANDS, KIND, REJECTION, TRADE } from './constants.js';
import { reach } from './reach.js';
import { acceptAt, callOff, newTrade, takeFrom, tradeAbort, tradeAccept, tradeTake } from './trade.js';

/** A player offers one trade at a time: a new offer calls off the one before. */
export const offer = action({
  kind: 8,
  payload: { target: 'id' },
  apply(world, actor, { target }) {
    const { tradeWaitS, secondId } = world.columns;
    if (tradeWaitS.get(actor) > 0) return OUTCOME.COOLDOWN;
    if (target === world.id(actor)) return OUTCOME.NOT_ALLOWED;
    const refused = reach(world, actor, target, KIND.player, HANDS.reachM);
    if (refused !== OUTCOME.APPLIED) return refused;
    const trade = newTrade(world, actor, target);
    if (trade < 0) return REJECTION.NO_ROOM;
    const before = secondId.get(actor);
    // Without a free place in the outbox the old trade goes on until it is idle.
    if (before !== 0) world.send(actor, before, tradeAbort.kind);
    secondId.set(actor, world.id(trade));
    tradeWaitS.set(actor, TRADE.offerEveryS);
    return OUTCOME.APPLIED;
  },
});

export const put = action({
  kind: 9,
  payload: { trade: 'id', item: 'u16', count: 'u16' },
  apply(world, actor, { trade, item, count }) {
    let refused = canPart(world, actor, item, count);
    if (refused === OUTCOME.APPLIED) refused = reach(world, actor, trade, KIND.trade, TRADE.awayM);
    if (refused !== OUTCOME.APPLIED) return refused;
    return world.give(actor, trade, item, count, world.lasting(actor) ? 1 : 0);
  },
});

/** Also from a trade that is over, if something in it is still due. */
export const takeOut = action({
  kind: 10,
  payload: { trade: 'id', item: 'u16', count: 'u16' },
  apply(world, actor, { trade, item, count }) {
    const refused = reach(world, actor, trade, KIND.trade, TRADE.awayM);
    if (refused !== OUTCOME.APPLIED) return refused;
    const here = world.find(trade);
    if (here < 0) return world.send(actor, trade, tradeTake.kind, item, count);
    return takeFrom(world, here, world.id(actor), item, count);
  },
});

/** Of the version that the client has seen: one that has changed since is refused. */
export const accept = action({
  kind: 11,
  payload: { trade: 'id', version: 'u16' },
  apply(world, actor, { trade, version }) {
    const refused = reach(world, actor, trade, KIND.trade, TRADE.awayM);
    if (refused !== OUTCOME.APPLIED) return refused;
    const lasting = world.lasting(actor) ? 1 : 0;
    const here = world.find(trade);
    if (here < 0) return world.send(actor, trade, tradeAccept.kind, version, lasting);
    return acceptAt(world, here, world.id(actor), version, lasting);
  },
});

/** From anywhere. */
export const abort = action({
  kind: 12,
  payload: { trade: 'id' },
  apply(world, actor, { trade }) {
    const here = world.find(trade);
    if (here < 0) return world.send(actor, trade, tradeAbort.kind);
    return callOff(world, here, world.id(actor));
  },
});

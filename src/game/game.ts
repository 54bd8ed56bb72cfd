/**
 * The built-in game, written against the World facade alone and meant to be read as a tutorial: a module declares what
 * exists (items, kinds, components), what clients may ask for (actions), what entities ask of each other (messages),
 * and how one entity lives through one tick (step). The server does the rest.
 */
import type { Entity, GameModule } from '../world/facade.js';
import { type ColumnName, COMPONENTS, type GameWorld } from './columns.js';
import { EVENT, ITEM, KIND, REJECTION } from './constants.js';
import { populate } from './content.js';
import { stepCreature } from './creature.js';
import { stepNode, stepPile } from './ground.js';
import { drop, give } from './hand-on.js';
import { forage, say, spawnPlayer, stepPlayer } from './player.js';
import { mayReceive } from './receive.js';
import { gather, pick, take } from './take.js';
import { putIn, putBack, stepTrade, tradeAbort, tradeAccept, tradeTake } from './trade.js';
import { abort, accept, offer, put, takeOut } from './trade-actions.js';
import { walk } from './walk.js';

const game: GameModule<ColumnName> = {
  name: 'BlueMarble',
  items: Object.keys(ITEM),
  kinds: Object.keys(KIND),
  components: COMPONENTS,
  events: EVENT,
  rejections: REJECTION,
  actions: {
    walk,
    gather,
    drop,
    pick,
    give,
    say,
    forage,
    tradeOffer: offer,
    tradePut: put,
    tradeTake: takeOut,
    tradeAccept: accept,
    tradeAbort: abort,
  },
  messages: { take, tradeTake, tradeAccept, tradeAbort },
  spawnPlayer,
  populate,
  mayReceive,
  received: putIn,
  returned: putBack,
  step(world: GameWorld, entity: Entity) {
    switch (world.kind(entity)) {
      case KIND.player:
        return stepPlayer(world, entity);
      case KIND.creature:
        return stepCreature(world, entity);
      case KIND.node:
        return stepNode(world, entity);
      case KIND.pile:
        return stepPile(world, entity);
      case KIND.trade:
        return stepTrade(world, entity);
    }
  },
};

export default game;

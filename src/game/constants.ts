/** Every number of the built-in game in one place; lengths in metres, times in seconds. Change them freely. */

/** Entity kinds, items, events: indices and codes that the module declares by name in `game.ts`. */
export const KIND = Object.freeze({ player: 0, creature: 1, node: 2, pile: 3, trade: 4 });
export const ITEM = Object.freeze({ coin: 0, berry: 1, wood: 2, stone: 3 });
export const EVENT = Object.freeze({ speech: 1, growl: 2, trade: 3 });
export const REJECTION = Object.freeze({
  TOO_FAST: 1000,
  TOO_LONG: 1001,
  NO_ROOM: 1002,
  OFFER_CHANGED: 1003,
  TRADE_OVER: 1004,
});

export const WALK = Object.freeze({ maxSpeedMps: 6, maxS: 10 });

export const HANDS = Object.freeze({
  reachM: 3,
  bagItems: 1000,
  gatherEveryS: 1,
  forageEveryS: 5,
  sayEveryS: 0.5,
});

/** What a new player carries. */
export const STARTING_BAG = Object.freeze([
  { item: ITEM.coin, count: 10 },
  { item: ITEM.berry, count: 3 },
]);

/** A node holds up to `stock` items; one grows back every `regrowS`. */
export const NODE = Object.freeze({
  stock: 5,
  regrowS: 30,
  products: Object.freeze([ITEM.berry, ITEM.wood, ITEM.stone]),
});

/** What nobody picks up rots. */
export const PILE = Object.freeze({ lifeS: 300 });

/**
 * A trade ends when a party is further away than `awayM`, or when nothing changes for `idleS`. What it could not hand
 * out it offers again every `retryS`.
 */
export const TRADE = Object.freeze({
  awayM: 10,
  idleS: 60,
  lookEveryS: 0.5,
  tellEveryS: 1,
  offerEveryS: 1,
  retryS: 5,
  changes: 0xffff,
});

/**
 * Natural content of a base tile (9.8 km): its first grove stands in the very middle. Every entity takes one of the
 * world's 65 536 places wherever players are, so a thousand awake tiles must fit beside them.
 */
export const CONTENT = Object.freeze({
  groves: 3,
  nodesPerGrove: 4,
  creatures: 4,
  groveRadiusM: 30,
  edgeM: 200,
});

export const CREATURE = Object.freeze({
  roamM: 40,
  roamSpeedMps: 1.2,
  roamS: 6,
  pauseS: 4,
  sightM: 20,
  loseM: 40,
  chaseSpeedMps: 3,
  chaseS: 20,
  leashM: 150,
  closeM: 1.5,
  lookEveryS: 1,
  chaseLookEveryS: 0.25,
  calmS: 10,
});

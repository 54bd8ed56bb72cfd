/** The component columns of the built-in game, and its view of the World with them. */
import type {
  ActionDefinition,
  Column,
  Entity,
  MessageDefinition,
  PayloadSchema,
  World,
} from '../world/facade.js';

/** A record has 88 bytes for all kinds together, so kinds that need a column of the same sort share it. */
export const COMPONENTS = {
  /** Shown to viewers: what a node or a pile holds and how much; whether a creature is angry. */
  product: { type: 'u8', public: true },
  amount: { type: 'u16', public: true },
  mood: { type: 'u8', public: true },
  /** Trades: how often the offer changed; TRADE_STATE and who has accepted (bits of trade.ts). */
  tradeVersion: { type: 'u16', public: true },
  tradeState: { type: 'u8', public: true },

  /** Walkers: what is left of the present stride. */
  walkLeftS: 'f64',
  walkSpeedMps: 'f32',
  /** Ids. Players: the pile they dropped last, the trade they offered last. Creatures: (none), prey. Trades: the parties. */
  firstId: 'f64',
  secondId: 'f64',
  /** Players: waiting times; of a trade, until it tells about itself again. */
  gatherWaitS: 'f32',
  forageWaitS: 'f32',
  sayWaitS: 'f32',
  tradeWaitS: 'f32',
  /** Nodes; piles and trades. */
  regrowS: 'f32',
  lifeS: 'f32',
  /** Trades: how much of each item in the bag is due to the first party (the rest is the other's); who comes back. */
  due0: 'u16',
  due1: 'u16',
  due2: 'u16',
  due3: 'u16',
  lasting: 'u8',
  /** Creatures. */
  homeX: 'f64',
  homeY: 'f64',
  /** And trades. */
  lookWaitS: 'f32',
  chaseLeftS: 'f32',
} as const;

export type ColumnName = keyof typeof COMPONENTS;
export type GameWorld = World<ColumnName>;

/** Counts a timer down to 0. @returns whether it is there. A timer that stands at 0 is not written. */
export function countDown(world: GameWorld, timer: Column, entity: Entity): boolean {
  const left = timer.get(entity);
  if (left <= 0) return true;
  timer.set(entity, Math.max(0, left - world.dt));
  return left <= world.dt;
}

/** Gives `apply` the types of this game's columns and of the action's payload. */
export function action<const S extends PayloadSchema>(
  definition: ActionDefinition<S, ColumnName>,
): typeof definition {
  return definition;
}

export function message(definition: MessageDefinition<ColumnName>): typeof definition {
  return definition;
}

/** The component columns of the built-in game, and its view of the World with them. */
import type {
  ActionDefinition,
  Column,
  Entity,
  MessageDefinition,
  PayloadSchema,
  World,
} from '../world/facade.js';

export const COMPONENTS = {
  /** Shown to viewers: what a node or a pile holds and how much; whether a creature is angry. */
  product: { type: 'u8', public: true },
  amount: { type: 'u16', public: true },
  mood: { type: 'u8', public: true },

  /** Walkers: what is left of the present stride. */
  walkLeftS: 'f64',
  walkSpeedMps: 'f32',
  /** Players: waiting times, and the pile they dropped last. */
  gatherWaitS: 'f32',
  forageWaitS: 'f32',
  sayWaitS: 'f32',
  lastPile: 'f64',
  /** Nodes and piles. */
  regrowS: 'f32',
  lifeS: 'f32',
  /** Creatures. */
  homeX: 'f64',
  homeY: 'f64',
  prey: 'f64',
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

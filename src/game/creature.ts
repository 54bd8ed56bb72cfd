/**
 * Creatures: they roam around home, chase a player who comes near — over every border, which they know nothing of —
 * and give up when they are too far from home, too long on the way, or see their prey no more.
 */
import type { Entity } from '../world/facade.js';
import { countDown, type GameWorld } from './columns.js';
import { CREATURE, EVENT, KIND } from './constants.js';
import { startWalk, stride } from './walk.js';

export const MOOD = Object.freeze({ calm: 0, angry: 1 });
const NOTHING = new Uint8Array(0);

export function stepCreature(world: GameWorld, creature: Entity): void {
  if (world.columns.secondId.get(creature) !== 0) chase(world, creature);
  else roam(world, creature);
  stride(world, creature);
}

function roam(world: GameWorld, creature: Entity): void {
  const { lookWaitS, walkLeftS } = world.columns;
  if (countDown(world, lookWaitS, creature)) {
    lookWaitS.set(creature, CREATURE.lookEveryS);
    const prey = nearestPlayer(world, creature);
    if (prey !== 0) return attack(world, creature, prey);
  }
  if (walkLeftS.get(creature) > 0) return;
  if (farFromHome(world, creature) > CREATURE.roamM) return goHome(world, creature);
  if (world.random(creature) < 0.5)
    return startWalk(world, creature, 0, 0, world.random(creature) * CREATURE.pauseS);
  const heading = world.random(creature) * 2 * Math.PI;
  startWalk(world, creature, heading, CREATURE.roamSpeedMps, world.random(creature) * CREATURE.roamS);
}

function chase(world: GameWorld, creature: Entity): void {
  const { chaseLeftS, lookWaitS } = world.columns;
  if (countDown(world, chaseLeftS, creature)) return giveUp(world, creature);
  if (farFromHome(world, creature) > CREATURE.leashM) return giveUp(world, creature);
  if (!countDown(world, lookWaitS, creature)) return;
  lookWaitS.set(creature, CREATURE.chaseLookEveryS);
  follow(world, creature, world.columns.secondId.get(creature));
}

/** Turns towards the prey, stands still beside it, gives up when it is out of sight. */
function follow(world: GameWorld, creature: Entity, prey: number): void {
  const near = world.near(world.x(creature), world.y(creature), CREATURE.loseM);
  for (let i = 0; i < near.count; i++) {
    if (near.id(i) !== prey) continue;
    const close = world.distance(creature, near.x(i), near.y(i)) < CREATURE.closeM;
    const heading = world.bearing(creature, near.x(i), near.y(i));
    return startWalk(
      world,
      creature,
      heading,
      close ? 0 : CREATURE.chaseSpeedMps,
      2 * CREATURE.chaseLookEveryS,
    );
  }
  giveUp(world, creature);
}

function attack(world: GameWorld, creature: Entity, prey: number): void {
  world.columns.secondId.set(creature, prey);
  world.columns.chaseLeftS.set(creature, CREATURE.chaseS);
  world.columns.lookWaitS.set(creature, 0);
  world.columns.mood.set(creature, MOOD.angry);
  world.emit(creature, EVENT.growl, NOTHING, 0);
}

function giveUp(world: GameWorld, creature: Entity): void {
  world.columns.secondId.set(creature, 0);
  world.columns.chaseLeftS.set(creature, 0);
  world.columns.lookWaitS.set(creature, CREATURE.calmS);
  world.columns.mood.set(creature, MOOD.calm);
  goHome(world, creature);
}

function goHome(world: GameWorld, creature: Entity): void {
  const { homeX, homeY } = world.columns;
  const heading = world.bearing(creature, homeX.get(creature), homeY.get(creature));
  startWalk(world, creature, heading, CREATURE.roamSpeedMps, CREATURE.roamS);
}

function farFromHome(world: GameWorld, creature: Entity): number {
  return world.distance(creature, world.columns.homeX.get(creature), world.columns.homeY.get(creature));
}

/** Id of the nearest player in sight, of two equally near ones the smaller; 0 when there is none. */
function nearestPlayer(world: GameWorld, creature: Entity): number {
  const near = world.near(world.x(creature), world.y(creature), CREATURE.sightM);
  let nearest = 0;
  let nearestM = Infinity;
  for (let i = 0; i < near.count; i++) {
    if (near.kind(i) !== KIND.player) continue;
    const metres = world.distance(creature, near.x(i), near.y(i));
    if (metres >= nearestM) continue;
    nearest = near.id(i);
    nearestM = metres;
  }
  return nearest;
}

/** The game as the simulation runs it: it counts the steps of an entity, and dies in the middle of a tick when it is told to. */
import { AssertionError } from '../../src/base/assert.js';
import type { GameModule, World } from '../../src/world/facade.js';

/** Column that the simulation adds to the game: steps of an entity, counted by nobody but its own step; a run is short. */
export const STEPS = 'simulatedSteps';

/** Thrown inside a tick when the simulation wants a shard to die there: the shard takes it for a fault of its own. */
class PlannedDeath extends AssertionError {}

export class Fuse {
  /** Steps and actions until a shard dies inside its tick; −1 = it does not. */
  left = -1;
}

/** The shard wraps what game code throws; the reason stands behind it. */
export function isBurnt(error: unknown): boolean {
  return error instanceof PlannedDeath || (error instanceof Error && isBurnt(error.cause));
}

/** The game with a fuse in it: burns down with each step and action of the shard that is running. */
export function mined(module: GameModule, fuse: Fuse): GameModule {
  const burn = () => {
    if (fuse.left >= 0 && fuse.left-- === 0) throw new PlannedDeath('planned');
  };
  const actions = Object.fromEntries(
    Object.entries(module.actions).map(([name, action]) => [
      name,
      {
        ...action,
        apply: (world: World, actor: number, payload: never) => {
          burn();
          const outcome = action.apply(world, actor, payload);
          burn(); // half of an action's tick is written
          return outcome;
        },
      },
    ]),
  );
  return {
    ...module,
    actions,
    components: { ...module.components, [STEPS]: 'u16' },
    step: (world, entity) => {
      burn();
      const steps = world.column(STEPS);
      steps.set(entity, steps.get(entity) + 1);
      module.step(world, entity);
    },
  };
}

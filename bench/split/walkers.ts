/**
 * The game of `bench split`: players who walk to and fro, each of whom writes down, in its own record, how many ticks it
 * was without a step, and when. Ticks that are made up for in one go count as ticks without a step.
 */
import type { GameModule } from '../../src/world/facade.js';

/** Metres a second, and seconds until a walker turns round. */
const SPEED_MPS = 6;
const LEG_S = 5;

const walkers: GameModule<'steppedTick' | 'pauseTicks' | 'pauseTick' | 'legS' | 'wishes'> = {
  name: 'walkers',
  items: ['token'],
  kinds: ['player'],
  /** Tick of the last step; ticks without a step at the last pause; the tick in which that ended. */
  components: { steppedTick: 'f64', pauseTicks: 'f64', pauseTick: 'f64', legS: 'f32', wishes: 'f64' },
  actions: {
    wish: {
      kind: 1,
      payload: 'none',
      apply(world, actor) {
        world.columns.wishes.set(actor, world.columns.wishes.get(actor) + 1);
        return 0;
      },
    },
  },
  spawnPlayer(world, player) {
    world.createItems(player, 0, 1);
    world.columns.legS.set(player, world.random(player) * LEG_S);
    const heading = world.random(player) * 2 * Math.PI;
    world.setVelocity(player, Math.cos(heading) * SPEED_MPS, Math.sin(heading) * SPEED_MPS);
  },
  step(world, player) {
    const { steppedTick, pauseTicks, pauseTick, legS } = world.columns;
    const last = steppedTick.get(player);
    if (last > 0 && world.tick > last + 1) {
      pauseTicks.set(player, world.tick - last - 1);
      pauseTick.set(player, world.tick);
    }
    steppedTick.set(player, world.tick);
    const left = legS.get(player) - world.dt;
    legS.set(player, left > 0 ? left : LEG_S);
    if (left <= 0) world.setVelocity(player, -world.vx(player), -world.vy(player));
    world.move(player, world.vx(player) * world.dt, world.vy(player) * world.dt);
  },
};

export default walkers;

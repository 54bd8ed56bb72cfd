/** The game of `bench store`: players who walk to and fro and give one token to whom they are told. */
import type { GameModule, StructPayload } from '../../src/world/facade.js';

const SPEED_MPS = 2;
const LEG_S = 5;
export const TOKENS = 1_000_000;

const givers: GameModule<'legS'> = {
  name: 'givers',
  items: ['token'],
  kinds: ['player'],
  components: { legS: 'f32' },
  actions: {
    give: {
      kind: 1,
      payload: { target: 'id' },
      apply: (world, actor, payload) => world.give(actor, (payload as StructPayload<'target'>).target, 0, 1),
    },
  },
  spawnPlayer(world, player) {
    world.createItems(player, 0, TOKENS);
    world.columns.legS.set(player, world.random(player) * LEG_S);
    world.setVelocity(player, SPEED_MPS, 0);
  },
  step(world, player) {
    const { legS } = world.columns;
    const left = legS.get(player) - world.dt;
    legS.set(player, left > 0 ? left : LEG_S);
    if (left <= 0) world.setVelocity(player, -world.vx(player), 0);
    world.move(player, world.vx(player) * world.dt, 0);
  },
};

export default givers;

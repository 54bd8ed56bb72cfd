/**
 * A client whose socket was full: something was skipped, and it may have been an own update that told of rejected actions.
 * The next one would pass for "all applied", so none passes before the outcomes of the whole window have been told again.
 */
import t from 'tap';
import { CONTROL } from '../../src/memory/inbox.js';
import { buildHouse } from './fakes.js';
import { enter, frame, turn } from './house.js';
import { ScriptedShard } from './scripted-shard.js';

async function playing() {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard);
  socket.action(1);
  await turn(house, shard);
  const asked = () => shard.log.filter(({ kind }) => kind === CONTROL.RESUME).length;
  return { house, shard, socket, asked };
}

t.test(
  'the outcomes are asked for again once there is room, not before: the answer would be skipped',
  async (t) => {
    const { house, shard, socket, asked } = await playing();
    [socket.isChoked, socket.buffered] = [true, 10];
    frame(house, shard);
    for (let i = 0; i < 3; i++) await turn(house, shard);
    t.equal(asked(), 0, 'nobody asks while there is no room');
    [socket.isChoked, socket.buffered] = [false, 0];
    house.time.pass(1000);
    await turn(house, shard);
    await turn(house, shard);
    t.equal(asked(), 1, 'then once');
  },
);

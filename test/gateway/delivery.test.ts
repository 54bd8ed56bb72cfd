/** A turn of the gateway takes what is there at its beginning: what comes meanwhile waits for the next one. */
import t from 'tap';
import { buildHouse } from './fakes.js';
import { enter, frame } from './house.js';
import { ScriptedShard } from './scripted-shard.js';

t.test('a shard that is faster than the gateway does not hold up what clients are sent', async (t) => {
  const house = buildHouse();
  const shard = new ScriptedShard(house.world);
  const socket = await enter(house, shard, { spawn: { x: 1000, y: 1000 } });
  frame(house, shard);
  const before = socket.all('frame').length;
  const { transport } = house.gateways[0].core.parts;
  const publish = transport.publish.bind(transport);
  let turns = 0;
  transport.publish = (topic, bytes) => {
    publish(topic, bytes);
    if (++turns <= 50) shard.run(true); // while the gateway is at work, tick after tick
  };
  shard.run(true);
  house.gateways[0].poll();
  t.equal(socket.all('frame').length, before + 1, 'one turn, one frame');
  house.gateways[0].poll();
  t.equal(socket.all('frame').length, before + 2, 'the next turn takes the next');
  t.equal(turns, 2);
});

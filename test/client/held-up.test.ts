/** A client whose own process did not run takes nobody for silent. */
import t from 'tap';
import { seededRandom } from '../../src/base/random.js';
import { connect } from '../../src/client/client.js';
import { FakeServer, HandClock } from './fake-server.js';

function setUp() {
  const server = new FakeServer();
  const clock = new HandClock();
  const random = seededRandom(1);
  const client = connect({ url: 'ws://fake', socket: server.sockets, clock, random, pulse: () => () => {} });
  return { server, clock, client };
}

/** Lets time pass and everything arrive. */
function pass(ms: number, { server, clock, client }: ReturnType<typeof setUp>): void {
  for (let left = ms; left > 0; left -= 100) {
    clock.ms += Math.min(left, 100);
    client.beat();
    server.deliver();
  }
}

t.test(
  'a client that did not get to run blames nobody: what came meanwhile is still in its socket',
  async (t) => {
    // In each state that waits for the server: how long it may be silent while the client listens.
    const states: [state: string, limitMs: number, reach: (all: ReturnType<typeof setUp>) => void][] = [
      ['connecting', 10_000, () => {}],
      [
        'greeting',
        45_000,
        ({ server }) => {
          server.last.said.push('open');
          server.last.events.opened();
        },
      ],
      ['online', 15_000, ({ server }) => server.deliver()],
    ];
    for (const [state, limitMs, reach] of states) {
      const held = setUp();
      reach(held);
      t.equal(held.client.state, state);
      for (let i = 0; i < 4; i++) {
        held.clock.ms += limitMs * 3; // the process was stopped, or got no core
        held.client.beat(); // before it has read
        t.equal(held.client.state, state, `${state}: held up for ${limitMs * 3} ms`);
      }
      pass(3000, held);
      t.equal(held.client.state, 'online', `${state}: goes on on the same socket`);
      t.equal(held.server.connections.length, 1);

      const listening = setUp();
      reach(listening);
      const wait = (ms: number) => {
        for (let i = 0; i < ms; i += 100) {
          listening.clock.ms += 100;
          listening.client.beat();
        }
      };
      wait(limitMs);
      t.equal(listening.client.state, state, `${state}: listened for the whole time`);
      wait(5000);
      t.ok(listening.server.connections.length > 1, `${state}: and a silent server is left`);
    }
  },
);

/** A whole run over a fake server: an honest one is found sound, each planted corruption is found and named. */
import t from 'tap';
import { seededRandom } from '../../src/base/random.js';
import { readOptions } from '../../src/bots/options.js';
import { brokenPromises, makeReport } from '../../src/bots/report.js';
import { Swarm } from '../../src/bots/swarm.js';
import { FakeServer, HandClock } from '../client/fake-server.js';

interface Events {
  atRound?: (round: number, server: FakeServer) => void;
}

/** Runs a swarm of eight for eight seconds of hand-made time. */
async function run(flags: string[], { atRound }: Events = {}) {
  const view = flags.includes('--full-view') ? [] : ['--full-view', '0'];
  const options = readOptions(['--players', '8', '--seconds', '8', '--ramp', '20', ...view, ...flags], true);
  const server = new FakeServer();
  const clock = new HandClock();
  const swarm = new Swarm(
    options,
    { from: 0, to: options.players, ramp: options.ramp },
    {
      clock,
      random: seededRandom(options.seed),
      sockets: server.sockets,
    },
  );
  let over = false;
  for (let round = 0; round < 3000 && !over; round++) {
    clock.ms += 50;
    swarm.round();
    if (round % 2 === 0) server.step();
    atRound?.(round, server);
    server.deliver();
    // Promises of the logs settle between rounds.
    await Promise.resolve();
    if (swarm.phase === 'still') swarm.leave();
    over = swarm.phase === 'over';
  }
  const report = makeReport(swarm.measures, null);
  return { report, over, broken: brokenPromises(report, swarm.measures, null), server, swarm };
}

t.test('an honest run keeps every promise', async (t) => {
  const { report, broken, over, server } = await run([]);
  t.ok(over);
  t.same(broken, []);
  t.match(report, {
    players: 8,
    connected: 8,
    actionsLost: 0,
    actionsDuplicated: 0,
    actionsOutOfOrder: 0,
    disconnects: 0,
  });
  t.ok(report.actionsSent > 20, `${report.actionsSent} actions`);
  t.equal(
    report.actionsSent,
    server.sessions.reduce((n, s) => n + s.decided.length, 0),
  );
  t.ok(report.selfUpdateGapMs.p99 <= 100);
  t.ok(report.maxPositionJumpM <= 0.31, `${report.maxPositionJumpM} m in a tick`);
  t.equal(server.connections.filter((c) => c.said.includes('Goodbye')).length, 8);
});

const PLANTS = [
  ['loss', 'actionsLost', /lost/],
  ['double', 'actionsDuplicated', /twice/],
  ['swap', 'actionsOutOfOrder', /differ/],
] as const;
for (const [plant, field, sentence] of PLANTS) {
  t.test(`a planted ${plant} is found`, async (t) => {
    const { report, broken } = await run(['--plant', plant]);
    t.ok(report[field] > 0, `${field} ${report[field]}`);
    t.equal(broken.filter((text) => sentence.test(text)).length, 1, broken.join('; '));
  });
}

t.test('a server that does an action twice, or another one, is found', async (t) => {
  const doubled = await run([], {
    atRound(round, server) {
      const { decided } = server.sessions[0] ?? { decided: [] };
      if (round === 160 && decided.length > 0) decided[0]!.kind = 99;
    },
  });
  t.equal(doubled.report.actionsOutOfOrder, 1);
});

t.test('lost connections are counted, and nothing else breaks', async (t) => {
  const { report, broken } = await run([], {
    atRound(round, server) {
      if (round === 100) server.cut();
    },
  });
  t.equal(report.disconnects, 1);
  t.match(report, { actionsLost: 0, actionsDuplicated: 0, actionsOutOfOrder: 0, connected: 8 });
  t.equal(broken.length, 1);
});

t.test('sockets that the bots break themselves are no disconnects', async (t) => {
  const { report, broken, server } = await run(['--drop-every', '4']);
  t.ok(report.drops >= 2, `${report.drops} drops`);
  t.equal(server.sessions.length, 8, 'each session went on');
  t.match(report, { disconnects: 0, actionsLost: 0, actionsDuplicated: 0, connected: 8 });
  t.same(broken, []);
});

t.test('a restart is not a disconnect, and a rollback is made good', async (t) => {
  const { report, broken } = await run([], {
    atRound(round, server) {
      server.durable = round < 130 ? 2 : null;
      if (round === 100) {
        server.refusing = true;
        server.crash();
      }
      if (round === 120) server.refusing = false;
    },
  });
  t.match(report, {
    disconnects: 0,
    serverRestarts: 1,
    actionsLost: 0,
    actionsDuplicated: 0,
    actionsOutOfOrder: 0,
  });
  t.same(broken, []);
});

t.test('a bot that is moved further than it can walk is noticed', async (t) => {
  const { broken } = await run([], {
    atRound(round, server) {
      if (round === 100) server.sessions[0]!.position!.x += 3;
    },
  });
  t.match(broken, [/jumped/]);
});

t.test('a server that shows nobody is noticed by those who look', async (t) => {
  const { report, broken } = await run(['--full-view', '0.5']);
  t.ok(report.viewMissing > 0);
  t.match(broken, [/missing from a view/]);
});

t.test('a run in which nothing is done fails', async (t) => {
  const { broken } = await run([], {
    atRound(_round, server) {
      server.refusing = true;
    },
  });
  t.ok(broken.some((text) => /no action was sent/.test(text)));
  t.ok(broken.some((text) => /not connected/.test(text)));
});

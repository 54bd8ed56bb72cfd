/** Options, differences of the server's figures, histograms, and the fields that scripts depend on. */
import t from 'tap';
import { type Status, StatusMeter } from '../../src/bots/admin.js';
import { parts } from '../../src/bots/crew.js';
import { Histogram } from '../../src/bots/histogram.js';
import { Measures } from '../../src/bots/measures.js';
import { readOptions } from '../../src/bots/options.js';
import { brokenPromises, makeReport, table } from '../../src/bots/report.js';

const FIELDS = [
  'players',
  'connected',
  'disconnects',
  'drops',
  'serverRestarts',
  'actionsSent',
  'actionsApplied',
  'actionsRejected',
  'actionsLost',
  'actionsDuplicated',
  'actionsOutOfOrder',
  'handovers',
  'crossings',
  'handoverMs',
  'selfUpdateGapMs',
  'worstGapMs',
  'deathGapMs',
  'selfUpdateGapReshapeMs',
  'selfUpdateGapCalmMs',
  'rttMs',
  'viewMissing',
  'viewDuplicates',
  'viewStaleMs',
  'updatesPerClientPerSecond',
  'actionsPerClientPerSecond',
  'bytesPerClientPerSecond',
  'maxPositionJumpM',
  'itemsBefore',
  'itemsAfter',
  'trades',
  'tradesAborted',
  'elastic',
];

function good(): Measures {
  const m = new Measures();
  Object.assign(m, {
    players: 2,
    connected: 2,
    actionsSent: 10,
    actionsApplied: 9,
    actionsRejected: 1,
    carried: 5,
    allowedJumpM: 0.3,
  });
  return m;
}

function status(over: Partial<Omit<Status, 'totals'>> & { totals?: Partial<Status['totals']> } = {}): Status {
  const totals = {
    handovers: 0,
    crossings: 0,
    itemsCreated: 0,
    itemsConsumed: 0,
    items: 100,
    ...over.totals,
  };
  const ms = { p50: 1, p99: 2, max: 3 };
  return { uptimeSeconds: 10, players: 0, handoverMs: ms, ticksMissed: 0, ticksDoubled: 0, ...over, totals };
}

t.test('the report has exactly the agreed fields', (t) => {
  const meter = new StatusMeter(status());
  for (const server of [null, meter.figures()]) t.same(Object.keys(makeReport(good(), server)), FIELDS);
  t.same(brokenPromises(makeReport(good(), meter.figures()), good(), meter.figures()), []);
  t.match(table(makeReport(good(), null), good()), /handovers +-\n/);
  t.end();
});

t.test('each broken promise is said', (t) => {
  const breakers: [string, (m: Measures) => void][] = [
    ['connected', (m) => m.connected--],
    ['connections', (m) => m.disconnects++],
    ['lost', (m) => m.verdict.lost++],
    ['twice', (m) => m.verdict.duplicated++],
    ['differ', (m) => m.verdict.outOfOrder++],
    ['log', (m) => m.logsMissing++],
    ['expired', (m) => m.sessionsExpired++],
    ['80 %', (m) => (m.actionsApplied = 7)],
    ['missing', (m) => m.viewMissing++],
    ['ghost', (m) => m.viewDuplicates++],
    ['gaps', (m) => m.openGaps++],
    ['valid', (m) => m.badMessages++],
    ['jumped', (m) => (m.maxJumpM = 0.81)],
    ['no items', (m) => (m.carried = 0)],
  ];
  for (const [word, breaks] of breakers) {
    const m = good();
    breaks(m);
    const broken = brokenPromises(makeReport(m, null), m, null);
    t.equal(broken.length, 1, word);
    t.match(broken[0], word);
  }
  t.end();
});

t.test('items, ticks and handovers are differences over the run', (t) => {
  const meter = new StatusMeter(
    status({ totals: { handovers: 7, itemsCreated: 50, itemsConsumed: 10, items: 40 } }),
  );
  meter.sample(
    status({
      uptimeSeconds: 20,
      ticksMissed: 1,
      totals: { handovers: 17, itemsCreated: 90, itemsConsumed: 15, items: 75 },
    }),
  );
  const figures = meter.figures();
  t.match(figures, { handovers: 10, itemsBefore: 75, itemsAfter: 75, ticksMissed: 1, serverRestarts: 0 });
  t.ok(meter.itemsAgree);
  meter.sample(
    status({
      uptimeSeconds: 21,
      ticksMissed: 1,
      totals: { handovers: 17, itemsCreated: 90, itemsConsumed: 15, items: 74 },
    }),
  );
  t.notOk(meter.itemsAgree);
  t.match(brokenPromises(makeReport(good(), meter.figures()), good(), meter.figures()), [
    /items: 74 counted, 75 expected/,
    /ticks/,
  ]);
  t.end();
});

t.test('a restart begins the counters anew', (t) => {
  const meter = new StatusMeter(status({ totals: { handovers: 100, items: 100 } }));
  meter.sample(status({ uptimeSeconds: 50, totals: { handovers: 150, items: 100 } }));
  meter.sample(status({ uptimeSeconds: 2, totals: { handovers: 5, items: 100 } }));
  t.match(meter.figures(), { handovers: 55, serverRestarts: 1 });
  t.end();
});

t.test('options: defaults, and one sentence for every mistake', (t) => {
  t.match(readOptions(['--url', 'ws://10.0.0.1:9000', '--players', '12000'], false), {
    admin: 'http://10.0.0.1:9001',
    processes: 3,
    fullView: 0.05,
    ramp: 250,
    scenario: 'roam',
    json: false,
  });
  t.equal(readOptions(['--scenario', 'crowd'], false).ramp, 50);
  t.same(readOptions(['--at', '-3.7,40.4', '--at', '2,48'], false).at, [
    { lon: -3.7, lat: 40.4 },
    { lon: 2, lat: 48 },
  ]);
  t.same(readOptions(['--rect', '-10,35,30,60'], false).rect, [-10, 35, 30, 60]);
  t.equal(readOptions(['--admin', 'none'], false).admin, '');
  const bad = [
    ['--players', '0'],
    ['--players', 'many'],
    ['--players', '1.5'],
    ['--scenario', 'fly'],
    ['--url', 'http://x'],
    ['--nonsense'],
    ['--full-view', '2'],
    ['--at', '200,0'],
    ['--rect', '1,2,3'],
    ['--seconds', ''],
    ['--plant', 'loss'],
    ['--admin', 'ftp://x'],
    ['word'],
  ];
  for (const argv of bad) t.throws(() => readOptions(argv, false), { code: 'BAD_FLAG' }, argv.join(' '));
  t.equal(readOptions(['--plant', 'loss'], true).plant, 'loss');
  t.end();
});

t.test('the bots are divided over processes without a gap', (t) => {
  const all = parts(readOptions(['--players', '10001', '--processes', '3', '--ramp', '300'], false));
  t.equal(all[0]!.from, 0);
  t.equal(all.at(-1)!.to, 10_001);
  for (let i = 1; i < all.length; i++) t.equal(all[i]!.from, all[i - 1]!.to);
  t.equal(all[0]!.ramp, 100);
  t.end();
});

t.test('histograms are right to six per cent and merge', (t) => {
  const [whole, odd, even] = [new Histogram(), new Histogram(), new Histogram()];
  for (let i = 1; i <= 10_000; i++) {
    whole.record(i / 10);
    (i % 2 === 0 ? even : odd).record(i / 10);
  }
  for (const [q, value] of [
    [0.5, 500],
    [0.99, 990],
    [1, 1000],
  ] as const) {
    t.ok(Math.abs(whole.quantile(q) / value - 1) < 0.07, `${q}: ${whole.quantile(q)}`);
  }
  odd.add(even);
  t.same(odd.summary(), whole.summary());
  t.same(new Histogram().summary(), { p50: 0, p99: 0, max: 0 });
  const extreme = new Histogram();
  for (const ms of [0, -1, 1e-9, 1e12]) extreme.record(ms);
  t.equal(extreme.count, 4);
  t.equal(extreme.max, 1e12);
  t.end();
});

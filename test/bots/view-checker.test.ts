/** The checker of views: silent about what is legitimate, and never about a planted hole, double or ghost. */
import t from 'tap';
import { Lag } from '../../src/bots/lag.js';
import { Track } from '../../src/bots/track.js';
import { type Shown, type Subject, ViewChecker, type Watcher } from '../../src/bots/view-checker.js';

const CELL = 150;
const STEP_MS = 250;

/** A world of bots that all report themselves; one of them watches and shows whatever it is told to show. */
function setUp() {
  const checker = new ViewChecker({
    graceMs: 1000,
    wrongMs: 2000,
    marginM: 8,
    reportMs: 1000,
    cellSize: CELL,
    viewRadiusCells: 1,
    farRadiusCells: 3,
    tickMs: 50,
  });
  const shown = new Map<number, Shown[]>();
  const bots: (Subject & { x: number; y: number })[] = [];
  let now = 0;
  const bot = (id: number, x: number, y: number) => {
    const it = { id, ready: true, track: new Track(), x, y };
    bots.push(it);
    return it;
  };
  const watching = bot(1, 75, 75);
  let doubles = 0;
  const ears = { deaf: false, lags: false, slowMs: 0, isFar: false };
  const watcher: Watcher = {
    id: 1,
    ready: true,
    track: watching.track,
    get doubles() {
      return doubles;
    },
    describe: () => '',
    get lags() {
      return ears.lags;
    },
    get newestTick() {
      return ears.deaf ? 0 : now / 50;
    },
    slowMsAt: () => ears.slowMs,
    countOf: (id) => shown.get(id)?.length ?? 0,
    find: (id) => shown.get(id)?.[0],
    isShown: () => ears.isFar,
    forEachShown: (visit) => {
      for (const [id, all] of shown) for (const s of all) visit(id, s);
    },
  };
  const pass = (ms: number, each?: () => void) => {
    for (let left = ms; left > 0; left -= STEP_MS) {
      now += STEP_MS;
      each?.();
      for (const b of bots) b.track.add(now / 50, b.x, b.y, now);
      checker.check([watcher], bots, now, STEP_MS);
    }
  };
  return {
    checker,
    shown,
    bot,
    pass,
    watching,
    watcher,
    bots,
    double: () => doubles++,
    ears,
    /** Shows a bot as it is now. */
    show: (b: { id: number; x: number; y: number }) => shown.set(b.id, [{ x: b.x, y: b.y, tick: now / 50 }]),
    tick: () => now / 50,
    stall: (ms: number) => {
      now += ms;
    },
  };
}

t.test('a view that shows everybody is sound', (t) => {
  const { checker, bot, pass, show } = setUp();
  const other = bot(2, 100, 75);
  pass(10_000, () => {
    other.x += 0.5;
    show(other);
  });
  t.match({ missing: checker.missing, duplicates: checker.duplicates }, { missing: 0, duplicates: 0 });
  t.ok(checker.pairs > 30);
  t.ok(checker.staleMs.max <= STEP_MS);
  t.end();
});

t.test('a hole of more than a second is found once; a shorter one is latency', (t) => {
  const { checker, bot, pass, show, shown } = setUp();
  const other = bot(2, 100, 75);
  show(other);
  pass(2000);
  shown.delete(2);
  pass(1000);
  show(other);
  pass(1000);
  t.equal(checker.missing, 0);
  shown.delete(2);
  pass(5000);
  t.equal(checker.missing, 1);
  show(other);
  pass(1000);
  shown.delete(2);
  pass(3000);
  t.equal(checker.missing, 2, 'a second episode');
  t.end();
});

t.test('in a slow square one may slip through two turns unseen, and not longer', (t) => {
  const { checker, bot, pass, ears } = setUp();
  ears.slowMs = 1900;
  bot(2, 100, 75);
  pass(1000 + 2 * 1900);
  t.equal(checker.missing, 0);
  pass(500);
  t.equal(checker.missing, 1);
  t.end();
});

t.test('a bot that lags is not judged, and that is told; what lasts is found afterwards', (t) => {
  const { checker, bot, pass, ears } = setUp();
  bot(2, 100, 75);
  ears.lags = true;
  pass(5000);
  t.match(checker, { missing: 0, looks: 20, lagging: 20 });
  ears.lags = false;
  pass(2000);
  t.match(checker, { missing: 1, looks: 28, lagging: 20 });
  const lag = new Lag();
  lag.sent(0);
  t.notOk(lag.lags(900));
  t.ok(lag.lags(1100), 'no answer for a second');
  lag.decided(1200, 0, 1200);
  t.ok(lag.lags(7000));
  t.notOk(lag.lags(7300), 'until its view has filled again');
  lag.sent(8000);
  lag.decided(100, 0, 8100);
  t.notOk(lag.lags(20_000));
  t.end();
});

t.test('while nothing reaches the watcher it misses nobody; what was missing before still is', (t) => {
  const { checker, bot, pass, ears } = setUp();
  bot(2, 100, 75);
  pass(750);
  ears.deaf = true;
  pass(5000);
  t.equal(checker.missing, 0);
  ears.deaf = false;
  pass(1000);
  t.equal(checker.missing, 1);
  t.end();
});

t.test('who comes into view has a second to appear', (t) => {
  const { checker, bot, pass, show } = setUp();
  const other = bot(2, 1000, 75);
  pass(3000);
  other.x = 200;
  pass(1000);
  show(other);
  pass(3000);
  t.equal(checker.missing, 0);
  t.end();
});

t.test('the edge of the view is not judged, its inside is', (t) => {
  // The watcher in the middle of its cell sees −150…300; 8 m are left out at each side.
  for (const [x, missing] of [
    [290, 1],
    [295, 0],
    [-140, 1],
    [-145, 0],
  ] as const) {
    const { checker, bot, pass } = setUp();
    bot(2, x, 75);
    pass(4000);
    t.equal(checker.missing, missing, `at ${x}`);
  }
  t.end();
});

t.test('a watcher on the border of a cell is judged by what both cells see', (t) => {
  for (const [x, missing] of [
    [-100, 0],
    [20, 1],
    [280, 1],
    [400, 0],
  ] as const) {
    const { checker, bot, pass, watching } = setUp();
    watching.x = 149;
    bot(2, x, 75);
    pass(4000);
    t.equal(checker.missing, missing, `at ${x}`);
  }
  t.end();
});

t.test('a double is found: two entries, or what the view itself has found', (t) => {
  const { checker, bot, pass, shown, double, tick } = setUp();
  const other = bot(2, 100, 75);
  const picture = () => ({ x: other.x, y: other.y, tick: tick() });
  shown.set(2, [picture(), picture()]);
  pass(2000);
  t.equal(checker.duplicates, 1, 'once per episode');
  shown.set(2, [picture()]);
  double();
  pass(500);
  t.equal(checker.duplicates, 2);
  t.end();
});

t.test('a ghost is found: a picture where the bot has not been for long', (t) => {
  const { checker, bot, pass, show } = setUp();
  const other = bot(2, 100, 75);
  show(other);
  pass(1000);
  other.x = 5000;
  pass(2000);
  t.equal(checker.duplicates, 0, 'it left a moment ago');
  pass(4000);
  t.equal(checker.duplicates, 1);
  t.end();
});

t.test('a frozen picture of somebody in view counts as missing after a while', (t) => {
  const { checker, bot, pass, show } = setUp();
  const other = bot(2, 100, 75);
  show(other);
  pass(1000);
  pass(6000, () => {
    other.x += 1;
  });
  t.equal(checker.missing, 1);
  t.ok(checker.staleMs.max >= 2000);
  t.end();
});

t.test('in the far rings a picture may be as old as they are slow, not older', (t) => {
  const { checker, bot, pass, show, ears, shown } = setUp();
  const other = bot(2, 400, 75); // its cell begins at 300: two from the watcher's
  pass(10_000);
  t.equal(checker.missing, 0, 'nobody said that it is shown');
  Object.assign(ears, { isFar: true, slowMs: 1900 });
  let ms = 0;
  pass(20_000, () => {
    other.x = 400 + ((ms / 1000) % 20);
    if (ms % 2000 === 0) show(other);
    ms += STEP_MS;
  });
  t.equal(checker.missing, 0, 'every two seconds');
  t.ok(checker.farPairs > 50);
  t.equal(checker.pairs, 0);
  shown.delete(2);
  pass(4500);
  t.equal(checker.missing, 0, 'its turn may not have come');
  pass(1000);
  t.equal(checker.missing, 1, 'planted: it is not shown for longer than that');
  show(other);
  pass(9000, () => {
    other.x += 1;
  });
  t.equal(checker.missing, 2, 'planted: its square never comes to its turn');
  t.end();
});

t.test('who stands still is never stale', (t) => {
  const { checker, bot, pass, show } = setUp();
  show(bot(2, 100, 75));
  pass(60_000);
  t.equal(checker.staleMs.max, 0);
  t.end();
});

t.test('a pause of this process is not taken for a hole', (t) => {
  const { checker, bot, pass, stall } = setUp();
  bot(2, 100, 75);
  pass(STEP_MS);
  stall(30_000);
  pass(STEP_MS * 2);
  t.equal(checker.missing, 0);
  t.end();
});

t.test('bots that are not online, or have not reported lately, are not judged', (t) => {
  const { checker, bot, pass, bots } = setUp();
  const offline = bot(2, 100, 75) as { ready: boolean };
  offline.ready = false;
  pass(4000);
  t.equal(checker.missing, 0);
  t.equal(bots.length, 2);
  t.end();
});

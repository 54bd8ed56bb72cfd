/** The search for the most clients, and the judgement of one run; without a server. */
import t from 'tap';
import { judge, search } from '../../bench/capacity.js';

const limits = { tickMs: 50, latenessMs: 250, updatesPerSecond: 4, frameRate: 10 };
const good = {
  connected: 10,
  actionsSent: 100,
  actionsLost: 0,
  actionsDuplicated: 0,
  selfUpdateGapMs: { p99: 210 },
  updatesPerClientPerSecond: 9,
  actionsPerClientPerSecond: 0.1,
  bytesPerClientPerSecond: 1000,
};

t.test('a run within all limits is carried, and each limit is held', async (t) => {
  t.same(judge(10, good, 20, [], limits).broken, []);
  t.equal(judge(10, good, 20, [], limits).p99LatenessMs, 10, 'beyond the two frames that are promised');
  t.match(judge(10, good, 51, [], limits).broken, [/tick p99 51 ms/]);
  t.match(judge(10, { ...good, selfUpdateGapMs: { p99: 451 } }, 20, [], limits).broken, [/lateness p99 251/]);
  const slow = { ...limits, frameRate: 2 };
  t.match(
    judge(10, { ...good, selfUpdateGapMs: { p99: 501 } }, 20, [], slow).broken,
    [/lateness p99 251/],
    '4 a second',
  );
  t.match(judge(10, { ...good, updatesPerClientPerSecond: 3 }, 20, [], limits).broken, [/3 updates/]);
  t.match(judge(10, { ...good, actionsSent: 0 }, 20, [], limits).broken, [/nothing was verified/]);
  t.same(judge(10, good, 20, ['an action was lost'], limits).broken, ['an action was lost']);
});

t.test('the search ends close to the truth, below it', async (t) => {
  for (const truth of [0, 999, 1000, 1500, 7777, 16_000, 99_999]) {
    const attempts = await search(1000, 16_000, async (clients) =>
      judge(clients, good, clients <= truth ? 20 : 60, [], limits),
    );
    const best = Math.max(0, ...attempts.filter((a) => a.broken.length === 0).map((a) => a.clients));
    const most = Math.min(truth, 16_000);
    t.ok(best <= most && best * 1.1 >= most - 1, `${best} of ${most}`);
    t.ok(attempts.length < 20, 'in few runs');
  }
});

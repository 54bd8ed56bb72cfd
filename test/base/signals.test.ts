/** How often a command is asked to end: two ways of one wish are one, a later wish is another. */
import { EventEmitter } from 'node:events';
import t from 'tap';
import { onStopSignals, type StopSignal } from '../../src/base/signals.js';

const cases: [what: string, signals: [atMs: number, signal: StopSignal][], told: string][] = [
  ['one', [[0, 'SIGTERM']], 'stop SIGTERM'],
  [
    'Ctrl-C under npm: twice',
    [
      [0, 'SIGINT'],
      [3, 'SIGINT'],
    ],
    'stop SIGINT',
  ],
  [
    'both kinds',
    [
      [0, 'SIGINT'],
      [500, 'SIGTERM'],
    ],
    'stop SIGINT',
  ],
  [
    'a second wish',
    [
      [0, 'SIGTERM'],
      [501, 'SIGTERM'],
    ],
    'stop SIGTERM, force SIGTERM',
  ],
  [
    'two wishes, twice each',
    [
      [0, 'SIGINT'],
      [2, 'SIGINT'],
      [900, 'SIGINT'],
    ],
    'stop SIGINT, force SIGINT',
  ],
];

for (const [what, signals, told] of cases)
  t.test(what, (t) => {
    const source = new EventEmitter();
    const heard: string[] = [];
    let now = 1_000;
    onStopSignals(
      { now: () => now },
      (signal) => heard.push(`stop ${signal}`),
      (signal) => heard.push(`force ${signal}`),
      source,
    );
    for (const [atMs, signal] of signals) {
      now = 1_000 + atMs;
      source.emit(signal);
    }
    t.equal(heard.join(', '), told);
    t.end();
  });

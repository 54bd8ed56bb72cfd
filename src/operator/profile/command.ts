/** The command line of `npm run profile`. */
import type { Command } from '../../base/flags.js';

export const PROFILE_KINDS = ['doctor', 'flame', 'heap'] as const;
export type ProfileKind = (typeof PROFILE_KINDS)[number];

export const PROFILE_COMMAND: Command = {
  name: 'npm run profile',
  about: `Loads a server with bots and leaves a report of all its threads as one HTML file.
  doctor   what stands out: threads at their limit, late ticks and event loops, collections, growing heaps
  flame    which thread takes what share of the CPU, and with which functions
  heap     which functions allocate what, with what was thrown away, and how memory develops`,
  usage: '-- doctor|flame|heap [flags]',
  words: ['what'],
  flags: [
    { name: 'bots', argument: 'N', help: 'bots on the server (100)' },
    { name: 'seconds', argument: 'S', help: 'time recorded, once all bots are in (15)' },
    { name: 'scenario', argument: 'NAME', help: 'what the bots do: see npm run bots -- --help (roam)' },
    { name: 'shards', argument: 'N', help: "as of the server (the server's default)" },
    { name: 'pin-shards', argument: '', help: 'as of the server: all shards from the start' },
    { name: 'gateways', argument: 'N', help: 'as of the server (1)' },
    { name: 'game', argument: 'FILE', help: 'as of the server (the built-in game)' },
    { name: 'out', argument: 'DIR', help: 'where report and profiles go (.profile)' },
  ],
  examples: [
    ['npm run profile -- doctor', 'is anything wrong with 100 bots?'],
    ['npm run profile -- flame --bots 1000 --seconds 30', 'what the CPU is spent on under load'],
    ['npm run profile -- heap --scenario trade --out heap-of-trade', 'what makes garbage'],
  ],
  exits: ['1 there is no report'],
  notes: [
    'The .cpuprofile and .heapprofile files beside the report open in the developer tools of a browser as well.',
  ],
};

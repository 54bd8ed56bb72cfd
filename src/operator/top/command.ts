/** The command line of `npm run top`. */
import type { Command } from '../../base/flags.js';

export const TOP_COMMAND: Command = {
  name: 'npm run top',
  about:
    'Shows a running server in the terminal: tiles, shards, gateways, rates, decisions; refreshed until q is pressed.',
  usage: '-- [flags]',
  flags: [
    { name: 'url', argument: 'URL', help: 'admin port of the server (http://127.0.0.1:7778)' },
    { name: 'interval', argument: 'S', help: 'seconds between two looks (1)' },
    { name: 'once', argument: '', help: 'one look, with the rates of one interval, then end' },
    { name: 'json', argument: '', help: 'one JSON object a look, instead of the screen' },
    { name: 'rows', argument: 'N', help: 'lines to fill when the output is no terminal (50)' },
  ],
  examples: [
    ['npm run top', 'the server on this machine; q quits'],
    ['npm run top -- --url http://10.0.0.5:7778 --interval 5', 'another one, every five seconds'],
    ['npm run top -- --once | head', 'one look, for a pipe'],
    ['npm run top -- --json | jq .rates', 'for scripts'],
  ],
  exits: ['1 the server does not answer'],
  notes: ['Keys: q or Ctrl-C ends · space stops and goes on'],
};

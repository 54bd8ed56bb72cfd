/** The process of one peer: serves what the bench asks for, ends with it. */
import { serveColyseus } from './colyseus.js';
import { serveJson } from './json.js';
import type { PeerListens, PeerOptions } from './talk.js';

process.on('message', (options: PeerOptions) => {
  const serve = options.peer === 'ws-json' ? serveJson : serveColyseus;
  serve(options).then(
    (urls) => process.send?.({ urls } satisfies PeerListens),
    (error: unknown) => {
      console.error(error);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));

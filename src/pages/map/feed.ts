/** The stream of /api/live: events in, the state of the connection out. The browser reconnects by itself. */
import type { LiveEvent } from './planet.js';

export type FeedState = 'connecting' | 'live' | 'lost';

export function openFeed(take: (event: LiveEvent) => void, changed: (state: FeedState) => void): void {
  changed('connecting');
  const source = new EventSource('/api/live');
  source.onmessage = (message) => {
    changed('live');
    take(JSON.parse(message.data as string) as LiveEvent);
  };
  source.onerror = () => {
    changed('lost');
    // A refusal closes for good: then the page tries again as a whole, the server may have been started anew.
    if (source.readyState === EventSource.CLOSED) setTimeout(() => openFeed(take, changed), 3000); // house-ok: a page has no injected timers
  };
}

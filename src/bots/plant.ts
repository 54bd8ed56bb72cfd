/**
 * Deliberate corruption of what a bot sends, behind the back of its own record: proves that the comparison with the
 * server's log can fail. Only for tests; see `--plant`.
 */
import type { PlantName } from './options.js';

export type Send = (kind: number, payload: Uint8Array) => void;

/** Every how many actions one is corrupted. */
const EVERY = 5;

/** Wraps a bot's way to the SDK: one action in five is left out, sent twice, or sent after the next one. */
export function planted(plant: PlantName, send: Send): Send {
  if (plant === 'none') return send;
  let count = 0;
  let held: { kind: number; payload: Uint8Array } | null = null;
  return (kind, payload) => {
    const hit = ++count % EVERY === 0;
    if (plant === 'loss') {
      if (!hit) send(kind, payload);
    } else if (plant === 'double') {
      send(kind, payload);
      if (hit) send(kind, payload);
    } else if (hit) {
      held = { kind, payload };
    } else {
      send(kind, payload);
      if (held !== null) send(held.kind, held.payload);
      held = null;
    }
  };
}

/**
 * Those who try to fill a planet: guests who appear on corners of tiles that nobody has seen, and leave; and ghosts, whose
 * socket is cut right after their Hello. Each comes from the address that it is given, as a proxy would say it.
 */
import WebSocket from 'ws';
import { ERRORS } from '../../src/base/errors.js';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { ClientWriter } from '../../src/wire/client-writer.js';
import { PROTOCOL_VERSION } from '../../src/wire/protocol.js';

/** At a time; one of them takes some ticks to come in. */
const AT_ONCE = 12;
/** A tile apart, so that each corner wakes four new tiles. */
const COLUMNS = 2048;

/** Header by which a trusted proxy tells whose a connection is. */
export const from = (address: string) => ({ 'x-forwarded-for': address });

/** Place number `i` that wakes four tiles of its own. */
export function corner(i: number): { x: number; y: number } {
  const bounds = boundsOf(tileAt(0, 0, LIMITS.baseTileLevel));
  const size = bounds.east - bounds.west;
  const column = 2 * (i % (COLUMNS >> 1));
  const row = 2 * Math.floor(i / (COLUMNS >> 1));
  return { x: bounds.west + (column - COLUMNS / 2) * size, y: bounds.south - (row + 40) * size };
}

/** Name of the close that a guest got, or 'let in'. */
export type Fate = string;

/** One guest: Hello, Welcome, Goodbye. A ghost is cut as soon as its Hello is out. */
function visit(
  url: string,
  address: string,
  spawn: { x: number; y: number },
  isGhost: boolean,
): Promise<Fate> {
  return new Promise((resolve) => {
    const socket = new WebSocket(url, { headers: from(address), perMessageDeflate: false });
    const writer = new ClientWriter();
    socket.on('open', () => {
      const hello = Buffer.from(writer.hello(0, { protocol: PROTOCOL_VERSION, spawn }));
      socket.send(hello, () => {
        if (!isGhost) return;
        resolve('cut');
        socket.terminate();
      });
    });
    let isIn = false;
    socket.on('message', () => {
      if (isIn || isGhost) return;
      isIn = true; // whatever is said first but a close: its Welcome
      socket.send(Buffer.from(writer.goodbye(0)));
    });
    socket.on('close', (code) => resolve(code === ERRORS.GOODBYE.number ? 'let in' : nameOf(code)));
    socket.on('error', () => {}); // a close follows
  });
}

function nameOf(code: number): Fate {
  const found = Object.entries(ERRORS).find(([, entry]) => entry.kind === 'close' && entry.number === code);
  return found?.[0] ?? String(code);
}

/** Sends `count` of them. @returns how many had which fate */
export async function send(
  url: string,
  count: number,
  addressOf: (i: number) => string,
  isGhost: boolean,
  begin = 0,
): Promise<Record<Fate, number>> {
  const fates: Record<Fate, number> = {};
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) {
      const fate = await visit(url, addressOf(i), corner(begin + i), isGhost);
      fates[fate] = (fates[fate] ?? 0) + 1;
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  return fates;
}

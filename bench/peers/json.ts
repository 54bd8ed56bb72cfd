/** The plain server that everybody writes first: `ws`, and the neighbours as JSON, made once for each group of them. */
import { createRequire } from 'node:module';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import type { WebSocket, WebSocketServer } from 'ws';
import { systemTimers } from '../../src/base/clock.js';
import type { PeerOptions } from './talk.js';
import { step, type Walker, walk, walkerOf } from './walkers.js';

interface Seat {
  socket: WebSocket;
  id: number;
  walker: Walker;
}

/** @returns its address */
export async function serveJson(options: PeerOptions): Promise<string[]> {
  const need = createRequire(import.meta.url);
  const ws = need('ws') as { WebSocketServer: typeof WebSocketServer };
  const { field, tickRate, framesPerSecond } = options;
  const server = new ws.WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: false });
  const seats: Seat[] = [];
  server.on('connection', (socket) => {
    const seat = { socket, id: seats.length, walker: walkerOf(field, seats.length) };
    seats.push(seat);
    socket.on('message', (bytes: Buffer) => {
      const said = JSON.parse(bytes.toString()) as { walk?: [number, number, number] };
      if (said.walk !== undefined) walk(seat.walker, ...said.walk);
    });
    socket.on('error', () => {});
  });
  await once(server, 'listening');
  const timers = systemTimers();
  timers.every(1000 / tickRate, () => {
    for (const { walker } of seats) step(walker, 1 / tickRate);
  });
  timers.every(1000 / framesPerSecond, () => broadcast(seats, field.neighbours + 1));
  return [`ws://127.0.0.1:${(server.address() as AddressInfo).port}`];
}

function broadcast(seats: readonly Seat[], group: number): void {
  for (let first = 0; first < seats.length; first += group) {
    const mates = seats.slice(first, first + group);
    const frame = mates.map(({ id, walker: { x, y, vx, vy } }) => ({ id, x, y, vx, vy }));
    const bytes = Buffer.from(JSON.stringify(frame));
    for (const { socket } of mates) socket.send(bytes);
  }
}

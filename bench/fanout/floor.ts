/**
 * The floor of the fan-out bench, a process of its own: uWebSockets.js alone. It takes what clients say into an empty
 * handler, and sends what the server was seen to send: as many messages of the same lengths to each client, in the
 * cheapest way that uWebSockets.js knows. One topic for each cell and one for each client, all published in one turn, so
 * that a client's messages of a frame leave in one write; replies among them, or one at a time, spread over the second.
 */
import { monotonicClock, systemTimers } from '../../src/base/clock.js';
import { LIMITS } from '../../src/base/limits.js';
import { cellsAround, columnOfCell, rowOfCell } from '../../src/geo/cell.js';
import { CellFrameWriter } from '../../src/wire/cell-frame-writer.js';
import { type SelfState, SelfUpdateWriter } from '../../src/wire/self-update.js';
import { encodePong, encodeWelcome } from '../../src/wire/welcome.js';
import { PROTOCOL_VERSION } from '../../src/wire/protocol.js';
import { cellOfClient } from './field.js';
import type { FloorOptions, FromFloor, ToFloor } from './talk.js';
import uWS, { type WebSocket } from 'uWebSockets.js';

const SIDE = LIMITS.viewCells;
const REPLIES_MS = 5;
/** The server keeps a walker's last cells for a while: those come from a ring around its view. */
const FAR_SIDE = SIDE + 2;

/** The message, or as much of it as fits, in exactly so many bytes. */
function ofLength(message: Uint8Array, bytes: number): Uint8Array {
  const out = new Uint8Array(Math.max(message.length, Math.round(bytes)));
  out.set(message);
  return out;
}

/** A delta with as many states as fit. */
function frameOf(bytes: number): Uint8Array {
  const writer = new CellFrameWriter(64 * 1024);
  writer.begin(0, 0, 1, 2, 1);
  for (let used = 96; used + 32 <= bytes; used += 32) writer.state(1, 1, 0, 0, 1, 1, 0, 0, 0, 0);
  return ofLength(writer.view(writer.finish()), bytes);
}

function selfUpdateOf(bytes: number): Uint8Array {
  const state: SelfState = {
    tick: 1,
    epoch: 1,
    x: 0,
    y: 0,
    vx: 0,
    vy: 0,
    applied: 0,
    durable: 0,
    dilation: 1,
    outcomeIds: new Uint32Array(0),
    outcomeCodes: new Uint32Array(0),
    outcomeCount: 0,
    items: new Uint32Array(0),
    itemCount: 0,
  };
  const writer = new SelfUpdateWriter();
  const out = new Uint8Array(writer.maxBytes);
  return ofLength(out.slice(0, writer.encode(out, 0, state)), bytes);
}

function welcome(): Uint8Array {
  return encodeWelcome({
    protocol: PROTOCOL_VERSION,
    session: 1,
    entity: 1,
    token: '',
    resumed: false,
    applied: 0,
    durable: 0,
    window: 64,
    tick: 1,
    tickRate: 20,
    frameRate: 10,
    viewCells: SIDE,
    farCells: SIDE,
    farIntervals: [],
    routers: [],
    cellLevel: LIMITS.cellLevel,
    tileLevel: LIMITS.baseTileLevel,
    x: 0,
    y: 0,
    game: '',
    actions: [],
    kinds: [],
    items: [],
    columns: [],
    events: [],
  });
}

/** Does its work so many times a second, counted from the start: late turns are made up for. */
function steadily(perSecond: number, work: () => void): void {
  const clock = monotonicClock();
  const timers = systemTimers();
  const start = clock.now();
  let done = 0;
  const next = (): void => {
    work();
    done++;
    timers.after(Math.max(0, start + (done * 1000) / perSecond - clock.now()), next);
  };
  timers.after(0, next);
}

function serve(options: FloorOptions): void {
  const { field } = options;
  const cells = new Set<number>();
  for (let i = 0; i < field.clients; i++) cells.add(cellOfClient(field, i));
  const topics = new Set([...cells].map(String));
  const sockets: WebSocket<object>[] = [];
  const around = new Float64Array(FAR_SIDE * FAR_SIDE);
  let due = 0;
  const byDistance = (index: number) => {
    const own = cellOfClient(field, index);
    const rings = (cell: number) =>
      Math.max(Math.abs(columnOfCell(cell) - columnOfCell(own)), Math.abs(rowOfCell(cell) - rowOfCell(own))) +
      (cells.has(cell) ? 0 : FAR_SIDE);
    return (a: number, b: number) => rings(a) - rings(b);
  };
  const hello = welcome();
  const app = uWS.App();
  app.ws<object>('/*', {
    // As the server's transport (src/gateway/uws-transport.ts).
    maxPayloadLength: LIMITS.clientMessageBytes,
    compression: uWS.DISABLED,
    idleTimeout: LIMITS.idleTimeoutS,
    sendPingsAutomatically: true,
    maxBackpressure: LIMITS.maxBackpressureBytes,
    closeOnBackpressureLimit: 0,
    maxLifetime: 0,
    open: (ws) => {
      const index = sockets.push(ws) - 1;
      ws.subscribe(`@${index}`);
      due += options.cellsPerClient;
      const n = cellsAround(cellOfClient(field, index), FAR_SIDE, around);
      const near = [...around.subarray(0, n)].sort(byDistance(index));
      for (const cell of near.slice(0, Math.round(due))) {
        topics.add(String(cell)); // a cell where nobody began may be walked into
        ws.subscribe(String(cell));
        due--;
      }
      ws.send(hello, true, false);
    },
    message: () => {},
    close: (ws) => {
      const i = sockets.indexOf(ws);
      sockets.splice(i, 1);
    },
  });
  beginSending(options, app, topics, sockets);
  const host = '127.0.0.1';
  app.listen(host, 0, (token) => {
    const port = uWS.us_socket_local_port(token as uWS.us_listen_socket);
    process.send?.({ type: 'listening', port } satisfies FromFloor);
  });
}

function beginSending(
  options: FloorOptions,
  app: uWS.TemplatedApp,
  cellTopics: ReadonlySet<string>,
  sockets: readonly WebSocket<object>[],
): void {
  const frame = frameOf(options.frameBytes);
  const selfUpdate = selfUpdateOf(options.selfUpdateBytes);
  const selfTopics = Array.from({ length: options.field.clients }, (_, i) => `@${i}`);
  const everybody = selfTopics.length;
  const isThere = () => sockets.length === everybody; // the ramp is not measured
  let selfs = 0;
  let nextSelf = 0;
  const reply = ofLength(encodePong(1, 1), options.replyBytes);
  let replies = 0;
  let nextReply = 0;
  const replyFor = (seconds: number, send: (client: number) => void): void => {
    for (replies += options.repliesPerSecond * everybody * seconds; replies >= 1; replies--)
      send(nextReply++ % everybody);
  };
  steadily(options.framesPerSecond, () => {
    if (!isThere()) return;
    for (const topic of cellTopics) app.publish(topic, frame, true, false);
    for (selfs += options.selfUpdatesPerFrame * everybody; selfs >= 1; selfs--)
      app.publish(selfTopics[nextSelf++ % everybody]!, selfUpdate, true, false);
    if (options.answersAtOnce) return;
    replyFor(1 / options.framesPerSecond, (client) => app.publish(selfTopics[client]!, reply, true, false));
  });
  if (!options.answersAtOnce) return;
  steadily(1000 / REPLIES_MS, () => {
    if (isThere()) replyFor(REPLIES_MS / 1000, (client) => sockets[client]!.send(reply, true, false));
  });
}

process.on('message', (message: ToFloor) => serve(message.options));
process.on('disconnect', () => process.exit(0));

/**
 * A gateway: terminates WebSockets, knows sessions and cells, runs no game rules and no user code. Built from parts;
 * lives in the main thread or in one of its own (worker.ts), the same object.
 *
 * Gateways must not die: a thread that ends with a live transport takes the process down. So nothing throws out of a
 * handler, and the only way out is `stop`.
 */
import type { CloseName } from '../base/errors.js';
import type { Timers } from '../base/clock.js';
import type { HelloFields } from '../wire/client-message.js';
import {
  GATEWAY_COUNTER as COUNTER,
  GATEWAY_GAUGE as GAUGE,
  GATEWAY_STATE,
} from '../memory/gateway-block.js';
import { Connection } from './connection.js';
import { GatewayCore, type GatewayParts } from './core.js';
import { Delivery } from './delivery.js';
import { Entrance } from './entrance.js';
import { Interest } from './interest.js';
import type { Rooms } from './rooms.js';
import { STATE } from './session-rules.js';
import type { ListenOptions, Socket, SocketListener } from './transport.js';

/** Doorbell unheard for this long: look anyway. Also the beat of everything that is tried again. */
const POLL_MS = 20;
/** The same while nobody is connected or on the way in. Below HELD_UP_MS of the core: it must not look like a stop. */
const QUIET_POLL_MS = 400;
/** Deadlines, lag and writer words are looked at this often. */
const SWEEP_MS = 250;
/** What a stop waits for clients to take their leave. */
const FAREWELL_MS = 300;

export class Gateway {
  readonly core: GatewayCore;
  private readonly interest: Interest;
  private readonly entrance: Entrance;
  private readonly delivery: Delivery;
  private readonly rooms: Rooms;
  private serial = 0;
  private sweptAt = 0;
  private mostSockets: number | undefined;
  private cancelPoll: (() => void) | undefined;
  /** Ms between two polls, 0 = not open. */
  private pace = 0;
  private stopped: Promise<void> | undefined;

  constructor(
    parts: GatewayParts,
    private readonly timers: Timers,
  ) {
    const core = new GatewayCore(parts);
    this.core = core;
    this.interest = new Interest(core);
    this.entrance = new Entrance(core);
    this.delivery = new Delivery(core, this.interest);
    const { interest, entrance } = this;
    this.rooms = {
      greet: (connection: Connection, hello: HelloFields) => entrance.greet(connection, hello),
      enterAgain: (connection) => entrance.again(connection),
      look: (connection) => interest.look(connection),
      lookAway: (connection) => interest.lookAway(connection),
      forget: (connection) => interest.forget(connection),
      revisit: (connection, now) => interest.revisit(connection, now),
      show: (connection, column, row, square) => interest.show(connection, column, row, square),
    };
  }

  /**
   * Begins to accept clients.
   * @returns the real port
   * @throws BlueMarbleError PORT_TAKEN
   */
  open(options: ListenOptions): number {
    this.mostSockets = options.maxSockets;
    const port = this.core.parts.transport.listen(options, (socket) => this.accept(socket));
    this.core.block.state = GATEWAY_STATE.RUNNING;
    this.setPace(POLL_MS);
    this.listenToDoorbell();
    return port;
  }

  /** Before the first client: players who were in the world when the server stopped. */
  async bringBack(entities: readonly number[]): Promise<void> {
    await Promise.all(entities.map((entity) => this.entrance.bringBack(entity)));
  }

  private setPace(ms: number): void {
    this.cancelPoll?.();
    this.pace = ms;
    this.core.turned(this.core.now(), Number.POSITIVE_INFINITY); // what comes next is not late by the old pace
    this.cancelPoll = this.timers.every(ms, () => {
      this.poll();
      const isQuiet = this.core.connections.size === 0 && this.entrance.isQuiet;
      const pace = isQuiet ? QUIET_POLL_MS : POLL_MS;
      if (pace !== this.pace && !this.core.stopping) this.setPace(pace);
    });
  }

  /** Takes a new socket. Public for simulations that have no port. */
  accept(socket: Socket): SocketListener {
    const { core } = this;
    const connection = new Connection(core, this.rooms, socket, ++this.serial);
    core.connections.add(connection);
    if (this.pace === QUIET_POLL_MS) this.setPace(POLL_MS);
    core.block.count(COUNTER.accepted);
    if (core.stopping) connection.refuse('SERVER_STOPPING');
    else if (core.connections.size > core.parts.maxConnections) connection.refuse('WORLD_FULL');
    else if (socket.isOver === true) connection.refuse('ADDRESS_LIMITED');
    return connection;
  }

  /** One turn: what the shards have sent, what has to be tried again, what is due. Never throws. */
  poll(): void {
    this.core.block.beat();
    this.guarded(() => {
      const now = this.core.now();
      this.core.turned(now, this.pace);
      this.delivery.drain();
      for (const connection of this.core.choked.splice(0)) connection.choke();
      this.entrance.poll(now);
      if (now - this.sweptAt >= SWEEP_MS) this.sweep(now);
    });
  }

  /**
   * Says goodbye to every client, ends the transport, and resolves when no socket is left; bounded in time.
   * @param code what the clients are told
   */
  stop(code: CloseName = 'SERVER_STOPPING'): Promise<void> {
    this.stopped ??= this.sayFarewell(code);
    return this.stopped;
  }

  private async sayFarewell(code: CloseName): Promise<void> {
    const { core } = this;
    core.stopping = true;
    core.block.state = GATEWAY_STATE.CLOSING;
    core.parts.transport.stopListening();
    for (const connection of [...core.connections]) this.guarded(() => connection.refuse(code));
    this.poll(); // what was on its way into the world arrives
    // The close frames are with the kernel; give clients a moment to answer them before the sockets are cut.
    await new Promise<void>((resolve) => {
      this.timers.after(FAREWELL_MS, resolve);
    });
    this.closeNow();
  }

  /** Ends the transport at once, without a word. For a thread that is about to die; idempotent. */
  closeNow(): void {
    this.core.stopping = true;
    this.cancelPoll?.();
    this.cancelPoll = undefined;
    this.core.parts.transport.close();
    this.entrance.close();
    this.core.block.state = GATEWAY_STATE.CLOSED;
    this.core.block.ring(); // ends the wait for the doorbell
  }

  private sweep(now: number): void {
    const { core } = this;
    this.sweptAt = now;
    let sessions = 0;
    let slow = 0;
    for (const connection of core.connections) {
      connection.sweep(now);
      if (connection.state === STATE.PLAYING) sessions++;
      if (connection.isAway) slow++;
    }
    this.interest.sweep(now);
    core.block.setGauge(GAUGE.connections, core.connections.size);
    core.block.setGauge(GAUGE.sessions, sessions);
    core.block.setGauge(GAUGE.cells, this.interest.count);
    core.block.setGauge(GAUGE.slow, slow);
    core.block.setGauge(GAUGE.lateS, core.late / 1000);
    core.block.setGauge(GAUGE.lobby, this.entrance.lobbySize);
    core.block.count(COUNTER.addressCuts, core.parts.addresses?.takeCut() ?? 0);
    this.tendPort();
  }

  /** The transport closes its port while all sockets are taken. */
  private tendPort(): void {
    const { core } = this;
    const { transport, log } = core.parts;
    if (!core.stopping) transport.tend?.();
    const isFull = transport.isFull === true;
    if (isFull === (core.block.gauge(GAUGE.full) === 1)) return;
    core.block.setGauge(GAUGE.full, isFull ? 1 : 0);
    const facts = { sockets: core.connections.size, most: this.mostSockets };
    if (isFull) log.error(facts, 'all sockets are taken: the game port is closed until some are free');
    else log.warn(facts, 'the game port is open again');
  }

  /** One wake-up for each push of a shard. The poll timer is the net below it. */
  private listenToDoorbell(): void {
    const { core } = this;
    const wait = (): void => {
      if (this.cancelPoll === undefined) return;
      const seen = core.block.doorbell; // before the look: a ring in between is not slept through
      let isEmpty = true;
      this.guarded(() => {
        isEmpty = this.delivery.drain();
      });
      const rung = isEmpty ? core.block.whenRung(seen, Number.POSITIVE_INFINITY) : undefined;
      if (rung === undefined) this.timers.after(0, wait);
      else void rung.then(wait);
    };
    wait();
  }

  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.core.block.count(COUNTER.handlerErrors);
      this.core.parts.log.error({ err: error }, 'a turn of the gateway failed');
    }
  }
}

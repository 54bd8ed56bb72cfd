/**
 * One client's connection: the session state machine of session-rules.ts applied to a socket and a seat. It hears the
 * socket (SocketListener) and the shards (delivery.ts), and decides no outcome of an action: it admits or closes.
 *
 * Every refusal is said twice, in a Closing message and in the close frame. After CLOSED nothing touches the socket.
 */
import { type CloseName, ERRORS, errorName } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { GATEWAY_COUNTER as COUNTER } from '../memory/gateway-block.js';
import { PRESENCE_STATE as PRESENCE } from '../memory/inbox.js';
import { admitClientMessage, type ClientMessageView, type HelloFields } from '../wire/client-message.js';
import { FIRST_VALUE_FAULT } from '../base/fault.js';
import { CLIENT } from '../wire/protocol.js';
import type { GatewayCore } from './core.js';
import { Deadline, WAITS } from './deadline.js';
import { type FarPlan, NO_FAR } from './far.js';
import { HeldPong } from './held-pong.js';
import { LagMeter, PACE } from './lag-meter.js';
import type { Plan } from './plans.js';
import { Purse } from './purse.js';
import type { Rooms } from './rooms.js';
import { Seat } from './seat.js';
import { isAllowed, STATE, TokenBucket } from './session-rules.js';
import type { Socket, SocketListener } from './transport.js';
import type { WatchedStream } from './watched.js';

/** A client owes a message (a Ping if nothing else) this often. */
const PING_MS = 1000;
/** Key frames that a client may ask for: one full request and four views of whole cells at once, two views a second. */
const VIEW = LIMITS.viewCells * LIMITS.viewCells;
const KEYS_BURST = 64 + 4 * VIEW;
const KEYS_PER_S = 2 * VIEW;

export class Connection implements SocketListener {
  state: number = STATE.GREETING;
  /** Account, '' = guest. */
  playerId = '';
  /** Where a guest asked to appear. */
  spawn: { x: number; y: number } | undefined;
  entity = 0;
  /** Of the session to resume: actions up to this id the client keeps no longer, and whether it is a guest's. */
  forgotten = 0;
  isGuest = false;
  attempt = 0;
  readonly seat: Seat;
  /** World metres, as last heard from the owner. */
  x = 0;
  y = 0;
  /** Streams watched at the moment, and what they were chosen by (interest.ts): plan, cell and leaf stood in, −1 = none. */
  streams: WatchedStream[] = [];
  plan: Plan | undefined;
  centre = -1;
  leaf = -1;
  /** Some streams are out of view; some of the plan are not watched yet. */
  lingers = false;
  isBehind = false;
  /** Of the far rings: what they are to be, the cell that they lie around, whether some of them wait, and for how long. */
  far: FarPlan = NO_FAR;
  farCentre = -1;
  isFarBehind = false;
  noFarBefore = 0;
  /** Keys of what it watched before it fell behind: what of it is not shown again it is told. */
  left: number[] = [];
  /** When what it watches is to be compared with its plans again, clock ms. */
  reviewAt = 0;
  /** What it may be sent in key frames. */
  readonly purse: Purse;
  /** Bytes that passed on streams that it has left, less what had passed on those that it has before it came. */
  passed = 0;
  /** Where it stood at the last choice. */
  lookedX = 0;
  lookedY = 0;
  /** Gets self updates only, until it has caught up. */
  isAway = false;
  private isChoked = false;
  /** Own updates are withheld: outcomes may have been skipped, and the next update would pass for "all applied". */
  private owesOutcomes = false;
  /** By which the state must be left; not while PLAYING. */
  private readonly deadline = new Deadline();
  private resumes = false;
  private ownerEpoch = 0;
  private selfTick = -1;
  private badFrames = 0;
  private readonly pong = new HeldPong();
  private readonly topic: string;
  private readonly pace: TokenBucket;
  private readonly keys: TokenBucket;
  private readonly lag = new LagMeter(LIMITS.slowLagS * 1000, LIMITS.slowCloseS * 1000, PING_MS);

  constructor(
    private readonly core: GatewayCore,
    private readonly rooms: Rooms,
    readonly socket: Socket,
    serial: number,
  ) {
    const now = core.now();
    const real = core.real();
    this.seat = new Seat(core.world);
    this.topic = `@${serial}`;
    this.deadline.begin(core.served(now), WAITS.hello);
    this.pace = new TokenBucket(LIMITS.gatewayActionsPerS, LIMITS.gatewayActionsPerS, real);
    this.keys = new TokenBucket(KEYS_PER_S, KEYS_BURST, real);
    this.purse = new Purse(core.parts.clientBytesPerS, now);
  }

  isClosed(): boolean {
    return this.state === STATE.CLOSED;
  }

  // ---- from the socket ----

  message(bytes: Uint8Array): void {
    if (this.isClosed()) return;
    const { core } = this;
    const now = core.now();
    core.block.count(COUNTER.messagesIn);
    core.block.count(COUNTER.bytesIn, bytes.length);
    if (!this.pace.take(1, core.real(), core.pile())) return this.refuse('RATE_LIMITED');
    const m = core.message;
    const fault = admitClientMessage(bytes, m);
    if (fault !== 0) return this.hearNonsense(fault);
    if (!isAllowed(this.state, m.type)) return this.refuse('UNEXPECTED_MESSAGE');
    if (this.state === STATE.PLAYING) {
      if (m.welcomes !== 0) return this.refuse('BAD_VALUE'); // this connection has had one
      // An echo ahead of our tick is one of before a rollback, and no lag: it counts as the newest that was sent.
      const late = core.lateFor(this.socket);
      this.keepPace(this.lag.echoed(Math.min(m.newestTick, core.tick() + 1), now, late));
    }
    if (!this.isClosed()) this.hear(m, bytes, now);
  }

  text(): void {
    this.refuse('TEXT_FRAME');
  }

  dropped(): void {
    this.core.block.count(COUNTER.droppedBatches);
    if (this.state !== STATE.PLAYING) return; // it is sent nothing that is skipped before
    this.owesOutcomes = true;
    if (!this.isChoked) this.core.choked.push(this);
    this.isChoked = true;
  }

  drained(): void {
    if (this.isChoked && !this.isClosed()) this.unchoke();
  }

  closed(): void {
    if (!this.isClosed()) this.leave(PRESENCE.DISCONNECTED);
  }

  /** Says why and closes. */
  refuse(code: CloseName): void {
    if (this.isClosed()) return;
    const { core, socket } = this;
    core.block.countClose(ERRORS[code].number);
    core.parts.log.debug({ code, entity: this.entity }, 'connection closed');
    this.leave(code === 'GOODBYE' ? PRESENCE.GOODBYE : PRESENCE.DISCONNECTED);
    socket.send(core.replies.closing(code));
    socket.end(ERRORS[code].number, code);
  }

  private hearNonsense(fault: number): void {
    this.core.block.count(COUNTER.badFrames);
    if (fault >= FIRST_VALUE_FAULT) return this.refuse('BAD_VALUE');
    if (++this.badFrames >= LIMITS.badFramesBeforeClose) this.refuse('BAD_FRAME');
  }

  private hear(m: ClientMessageView, bytes: Uint8Array, now: number): void {
    switch (m.type) {
      case CLIENT.HELLO:
        this.state = STATE.AUTHENTICATING;
        this.deadline.begin(this.core.served(now), WAITS.enter);
        return this.rooms.greet(this, m.hello as HelloFields);
      case CLIENT.ACTION:
        return this.act(m, bytes);
      case CLIENT.PING:
        return this.ping(m.nonce, now);
      case CLIENT.KEY_REQUEST:
        return this.showCells(m);
      case CLIENT.LOG_REQUEST:
        this.seat.askLog();
        return this.obey(this.seat.pay(now));
      default:
        return this.refuse('GOODBYE');
    }
  }

  private ping(nonce: number, now: number): void {
    if (this.pong.isHeld) this.send(this.takePong(now));
    this.pong.hold(nonce, now);
    if (this.state !== STATE.PLAYING) this.send(this.takePong(now));
  }

  private takePong(now: number): Uint8Array {
    const tick = this.core.tick();
    this.lag.sent(tick, now);
    return this.pong.take(this.core.replies, tick, now);
  }

  private act(m: ClientMessageView, bytes: Uint8Array): void {
    const payload = bytes.subarray(m.payloadOffset, m.payloadOffset + m.payloadLength);
    const fault = this.seat.act(m.actionId, m.actionKind, payload);
    if (fault === 0) return this.core.block.count(COUNTER.actionsIn);
    if (fault === 'INTERNAL') {
      this.core.block.count(COUNTER.inboxFull);
      this.core.parts.log.error({ entity: this.entity, action: m.actionId }, 'inbox full within the window');
    }
    this.obey(fault);
  }

  private showCells(m: ClientMessageView): void {
    const { core } = this;
    if (!this.keys.take(m.cellCount, core.real(), core.pile())) return this.refuse('RATE_LIMITED');
    if (this.isAway) return; // gets key frames of everything once it has caught up
    for (let i = 0; i < m.cellCount; i++)
      this.rooms.show(this, m.cells[i * 3], m.cells[i * 3 + 1], m.cells[i * 3 + 2]);
  }

  /** Closes if there is a reason. */
  private obey(fault: 0 | CloseName): void {
    if (fault === 0) return;
    if (fault === 'SESSION_EXPIRED' && this.state === STATE.ENTERING && this.playerId !== '') {
      this.standUp(PRESENCE.DISCONNECTED);
      this.state = STATE.AUTHENTICATING;
      return this.rooms.enterAgain(this);
    }
    this.refuse(fault);
  }

  // ---- to and from the owner ----

  /** The inbox of a slot was claimed for this connection: ask its owner to begin or to resume the session. */
  enter(slot: number, word: number, session: number, control: number): void {
    const { core } = this;
    const before = core.bySlot[slot];
    if (before !== undefined && before !== this) before.refuse('SESSION_TAKEN');
    core.bySlot[slot] = this;
    this.seat.take(slot, word, session, control, core.tick());
    this.resumes = this.seat.isResuming;
    this.state = STATE.ENTERING;
    this.deadline.begin(core.served(core.now()), WAITS.enter);
    this.obey(this.seat.pay(core.now()));
  }

  /**
   * READY: the owner has begun or resumed a session.
   * @param session the one that now stands in the record @param message a SelfUpdate
   */
  ready(
    tick: number,
    applied: number,
    durable: number,
    isOk: boolean,
    entity: number,
    session: number,
    x: number,
    y: number,
    message: Uint8Array,
  ): void {
    if (this.state === STATE.PLAYING) {
      this.owesOutcomes = this.isChoked; // it tells the outcomes of a whole window, if it passes itself
      return this.self(this.ownerEpoch, tick, applied, x, y, message);
    }
    if (this.state !== STATE.ENTERING) return;
    if (!isOk || session !== this.seat.session) {
      // After a START this answers an earlier connection's entry; after a RESUME our session is there no more.
      if (!this.resumes) return;
      return this.isGuest ? this.beginAnew() : this.refuse('SESSION_EXPIRED');
    }
    // The world was put back to a state before what the client had been told was durable.
    if (this.resumes && applied < this.forgotten) return this.beginAnew();
    const { core } = this;
    this.state = STATE.PLAYING;
    this.seat.begin(applied);
    this.entity = entity;
    this.x = x;
    this.y = y;
    this.selfTick = tick;
    if (this.resumes) core.block.count(COUNTER.resumes);
    const token = core.parts.tokens.issue(session, entity);
    const progress = { resumed: this.resumes, applied, durable, tick: core.tick() };
    const routers = this.socket.elsewhere?.() ?? [];
    const sessionCard = { session, entity, token, ...progress, x, y, routers };
    this.send(core.replies.welcome(sessionCard));
    this.socket.subscribe(this.topic);
    this.send(message);
    this.lag.sent(tick, core.now());
    this.rooms.look(this);
  }

  /** The session cannot go on where its client is, but the entity is there: a new session for it. */
  private beginAnew(): void {
    const now = this.core.now();
    this.resumes = false;
    this.deadline.begin(this.core.served(now), WAITS.enter);
    this.seat.renew(this.core.parts.secretNumbers());
    this.obey(this.seat.pay(now));
  }

  /** A self update; one that is older than what was sent is left out. */
  self(ownerEpoch: number, tick: number, applied: number, x: number, y: number, message: Uint8Array): void {
    if (this.state !== STATE.PLAYING) return;
    if (ownerEpoch < this.ownerEpoch || (ownerEpoch === this.ownerEpoch && tick < this.selfTick)) {
      return this.core.block.count(COUNTER.staleRecords);
    }
    this.ownerEpoch = ownerEpoch;
    this.selfTick = tick;
    this.seat.decide(applied);
    this.x = x;
    this.y = y;
    const now = this.core.now();
    if (this.pong.isHeld) this.publish(this.takePong(now));
    if (!this.owesOutcomes) this.publish(message);
    this.lag.sent(tick, now);
    if (!this.isAway) this.rooms.look(this);
  }

  /**
   * To a topic of its own: the transport puts it into one write with the cell frames of the same turn, where a `send` is
   * a write by itself. Measured with 600 clients, 9 frames and a self update each 100 ms: 8.9 µs of CPU a client and turn
   * against 11.9 µs with `send`.
   */
  publish(bytes: Uint8Array): void {
    this.core.block.count(COUNTER.bytesOut, bytes.length);
    this.core.parts.transport.publish(this.topic, bytes);
  }

  /** The entity has left the world. */
  gone(closeCode: number): void {
    this.refuse((errorName('close', closeCode) ?? 'SESSION_EXPIRED') as CloseName);
  }

  // ---- in time ----

  /** A few times a second: deadlines, the seat, entries that found no room, lag. */
  sweep(now: number): void {
    if (this.state !== STATE.PLAYING && this.deadline.isOver(this.core.served(now), this.core.isWorldLate))
      return this.refuse(this.state === STATE.GREETING ? 'FIRST_MESSAGE_TIMEOUT' : 'NOT_READY');
    if (!this.seat.isTaken) return;
    this.obey(this.seat.check() || this.seat.pay(now));
    if (this.state !== STATE.PLAYING) return;
    if (this.pong.isOverdue(now)) this.send(this.takePong(now));
    this.keepPace(this.lag.elapsed(now, this.core.lateFor(this.socket)));
    if (this.state === STATE.PLAYING && !this.isAway) this.rooms.revisit(this, now);
    this.drained(); // a net for a transport that drained before its last skipped message was told
  }

  private keepPace(pace: number): void {
    if (pace === PACE.LOST) return this.refuse('TOO_SLOW');
    if (pace === PACE.SLOW) this.lookAway();
    else if (this.isAway && !this.isChoked) this.lookBack();
  }

  /** The transport skipped something. In a turn of its own: the transport must not be touched while it sends. */
  choke(): void {
    if (!this.isClosed()) this.lookAway();
    this.drained();
  }

  private unchoke(): void {
    if (this.socket.bufferedAmount() > 0 || !this.isAway) return;
    this.isChoked = false;
    // What was skipped may have been a self update with outcomes. Not before there is room: the answer would be skipped too.
    this.seat.askAgain();
    this.obey(this.seat.pay(this.core.now()));
    if (!this.isClosed() && !this.lag.slow) this.lookBack();
  }

  private lookAway(): void {
    if (this.isAway) return;
    this.isAway = true;
    this.rooms.lookAway(this);
  }

  private lookBack(): void {
    this.isAway = false;
    this.rooms.look(this);
  }

  send(bytes: Uint8Array): void {
    this.core.block.count(COUNTER.bytesOut, bytes.length);
    this.socket.send(bytes);
  }

  /** Ends the connection's part in the world; the socket is not touched. */
  private leave(presence: number): void {
    this.state = STATE.CLOSED;
    this.core.connections.delete(this);
    this.rooms.forget(this);
    this.standUp(presence);
  }

  private standUp(presence: number): void {
    const { slot } = this.seat;
    if (slot >= 0 && this.core.bySlot[slot] === this) this.core.bySlot[slot] = undefined;
    this.seat.leave(presence, this.core.tick());
  }
}

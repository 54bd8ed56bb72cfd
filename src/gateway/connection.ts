/**
 * One client's connection: the session state machine of session-rules.ts applied to a socket and an inbox. It hears the
 * socket (SocketListener) and the shards (delivery.ts), and decides no outcome of an action: it admits or closes.
 *
 * Every refusal is said twice, in a Closing message and in the close frame. After CLOSED nothing touches the socket.
 */
import { type CloseName, ERRORS, errorName } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { GATEWAY_COUNTER as COUNTER } from '../memory/gateway-block.js';
import { CONTROL, LEAVING, PRESENCE_STATE as PRESENCE, writerEpoch, writerGateway } from '../memory/inbox.js';
import { admitClientMessage, type ClientMessageView, type HelloFields } from '../wire/client-message.js';
import { FIRST_VALUE_FAULT } from '../wire/fault.js';
import { CLIENT } from '../wire/protocol.js';
import type { GatewayCore } from './core.js';
import type { WatchedCell } from './interest.js';
import { checkAction, isAllowed, LagMeter, PACE, STATE, TokenBucket } from './session-rules.js';
import { SENT, type Socket, type SocketListener } from './transport.js';

/** A client owes a message (a Ping if nothing else) this often. */
const PING_MS = 1000;
/** START and RESUME are repeated this often until READY comes; both are idempotent. */
const CONTROL_REPEAT_MS = 1000;
/** Hello to the end of authentication, and admission to READY. */
const ENTER_MS = 5000;
/** Key frames that a client may ask for: four whole views at once, two a second. */
const VIEW = LIMITS.viewCells * LIMITS.viewCells;
const KEYS_BURST = 4 * VIEW + 64;
const KEYS_PER_S = 2 * VIEW;
const NOTHING = new Uint8Array(0);

/** The rooms of the house that a connection walks through; injected, so that none of them imports another. */
export interface Rooms {
  greet(connection: Connection, hello: HelloFields): void;
  /** The owner let go of the entity while this connection was entering: look for it once more. */
  enterAgain(connection: Connection): void;
  /** Watch the cells around the connection's position; key frames for those that are new. */
  look(connection: Connection): void;
  /** Stop watching everything. */
  lookAway(connection: Connection): void;
  /** The socket is gone: the same without touching it. */
  forget(connection: Connection): void;
  /** A key frame of one cell, if the connection watches it. */
  show(connection: Connection, column: number, row: number): void;
}

export class Connection implements SocketListener {
  state: number = STATE.GREETING;
  /** Clock ms by which the state must be left; no deadline while PLAYING. */
  deadline: number;
  /** Account, '' = guest. */
  playerId = '';
  spawn: { x: number; y: number } | undefined;
  session = 0;
  entity = 0;
  resumed = false;
  slot = -1;
  /** Our word in the inbox; 0 = not claimed. */
  word = 0;
  /** World metres, as last heard from the owner. */
  x = 0;
  y = 0;
  /** Cells watched at the moment, the one stood in when they were chosen (−1 = none), and whether some are out of view. */
  cells: WatchedCell[] = [];
  centre = -1;
  lingers = false;
  /** Own topic: what is published to it leaves in one write with the cell frames of the same turn. */
  readonly topic: string;
  private next = 1;
  private decided = 0;
  private ownerEpoch = 0;
  private selfTick = -1;
  private badFrames = 0;
  private leavingSeen = 0;
  private control = 0;
  private controlAt = 0;
  private owesControl = false;
  private owesLog = false;
  private isChoked = false;
  private isAway = false;
  private readonly pace: TokenBucket;
  private readonly keys: TokenBucket;
  private readonly lag = new LagMeter(LIMITS.slowLagS * 1000, LIMITS.slowCloseS * 1000, PING_MS);

  constructor(private readonly core: GatewayCore, private readonly rooms: Rooms, readonly socket: Socket, serial: number) {
    const now = core.now();
    this.topic = `@${serial}`;
    this.deadline = now + LIMITS.firstMessageS * 1000;
    this.pace = new TokenBucket(LIMITS.gatewayActionsPerS, LIMITS.gatewayActionsPerS, now);
    this.keys = new TokenBucket(KEYS_PER_S, KEYS_BURST, now);
  }

  get epoch(): number {
    return writerEpoch(this.word);
  }
  /** Reads so slowly that it only gets self updates. */
  get isSlow(): boolean {
    return this.isAway;
  }

  // ---- from the socket ----

  message(bytes: Uint8Array): void {
    if (this.state === STATE.CLOSED) return;
    const { core } = this;
    const now = core.now();
    core.block.count(COUNTER.messagesIn);
    core.block.count(COUNTER.bytesIn, bytes.length);
    if (!this.pace.take(1, now)) return this.refuse('RATE_LIMITED');
    const m = core.message;
    const fault = admitClientMessage(bytes, m);
    if (fault !== 0) return this.hearNonsense(fault);
    if (!isAllowed(this.state, m.type)) return this.refuse('UNEXPECTED_MESSAGE');
    if (this.state === STATE.PLAYING) {
      this.keepPace(this.lag.echoed(m.newestTick, now, core.world.clock.tickMs));
      if (this.isClosed()) return;
    }
    this.hear(m, bytes, now);
  }

  text(): void {
    this.refuse('TEXT_FRAME');
  }

  dropped(): void {
    this.core.block.count(COUNTER.droppedBatches);
    if (this.isChoked) return;
    this.isChoked = true;
    this.core.choked.push(this);
  }

  drained(): void {
    if (this.isChoked && !this.isClosed()) this.recover();
  }

  closed(): void {
    if (!this.isClosed()) this.leave(PRESENCE.DISCONNECTED);
  }

  /** Says why and closes. */
  refuse(code: CloseName): void {
    if (this.isClosed()) return;
    const { core, socket } = this;
    core.block.countClose(ERRORS[code].number);
    core.parts.log.debug({ code, entity: this.entity, slot: this.slot }, 'connection closed');
    this.leave(code === 'GOODBYE' ? PRESENCE.GOODBYE : PRESENCE.DISCONNECTED);
    socket.send(core.replies.closing(code));
    socket.end(ERRORS[code].number, code);
  }

  private hearNonsense(fault: number): void {
    if (fault >= FIRST_VALUE_FAULT) return this.refuse('BAD_VALUE');
    this.core.block.count(COUNTER.badFrames);
    if (++this.badFrames >= LIMITS.badFramesBeforeClose) this.refuse('BAD_FRAME');
  }

  private hear(m: ClientMessageView, bytes: Uint8Array, now: number): void {
    switch (m.type) {
      case CLIENT.HELLO:
        this.state = STATE.AUTHENTICATING;
        this.deadline = now + ENTER_MS;
        return this.rooms.greet(this, m.hello as HelloFields);
      case CLIENT.ACTION:
        return this.act(m, bytes);
      case CLIENT.PING:
        this.send(this.core.replies.pong(m.nonce, this.core.tick()));
        return;
      case CLIENT.KEY_REQUEST:
        return this.showCells(m, now);
      case CLIENT.LOG_REQUEST:
        this.owesLog = true;
        return this.payControl(now);
      default:
        return this.refuse('GOODBYE');
    }
  }

  private act(m: ClientMessageView, bytes: Uint8Array): void {
    const { core } = this;
    const fault = checkAction(m.actionId, this.next, this.decided, core.window);
    if (fault !== 0) return this.refuse(fault);
    const payload = bytes.subarray(m.payloadOffset, m.payloadOffset + m.payloadLength);
    const result = core.world.inboxes.write(
      this.slot, this.word, this.session, m.actionId, m.actionKind, payload, m.payloadLength,
    );
    if (result === 'taken') return this.overtaken();
    if (result === 'full') {
      // The window leaves room for every granted id: somebody has broken the rules of the inbox, and it was not the client.
      core.block.count(COUNTER.inboxFull);
      core.parts.log.error({ entity: this.entity, id: m.actionId }, 'inbox full within the window');
      return this.refuse('INTERNAL');
    }
    this.next = m.actionId + 1;
    core.block.count(COUNTER.actionsIn);
  }

  private showCells(m: ClientMessageView, now: number): void {
    if (!this.keys.take(m.cellCount, now)) return this.refuse('RATE_LIMITED');
    if (this.isAway) return; // gets key frames of everything once it has caught up
    for (let i = 0; i < m.cellCount && !this.isClosed(); i++) this.rooms.show(this, m.cells[i * 2], m.cells[i * 2 + 1]);
  }

  // ---- to the owner ----

  /** The inbox is ours: ask its owner to begin or to resume the session. */
  enter(slot: number, word: number, control: number): void {
    const { core } = this;
    const before = core.bySlot[slot];
    if (before !== undefined && before !== this) before.refuse('SESSION_TAKEN');
    core.bySlot[slot] = this;
    this.slot = slot;
    this.word = word;
    this.state = STATE.ENTERING;
    this.deadline = core.now() + ENTER_MS;
    this.control = control;
    this.owesControl = true;
    core.world.inboxes.setPresence(slot, word, PRESENCE.CONNECTED, core.tick());
    this.payControl(core.now());
  }

  /** Writes the control entries that are due, if the inbox has room for them beside the granted actions. */
  payControl(now: number): void {
    if (this.owesControl && this.writeControl(this.control)) {
      this.owesControl = false;
      this.controlAt = now;
    }
    if (this.owesLog && this.state === STATE.PLAYING && this.writeControl(CONTROL.LOG)) this.owesLog = false;
  }

  private writeControl(kind: number): boolean {
    const { inboxes } = this.core.world;
    const { slot, word } = this;
    if (this.state === STATE.PLAYING) {
      const free = inboxes.places - ((inboxes.tail(slot) - inboxes.head(slot)) | 0);
      const granted = this.decided + this.core.window - (this.next - 1);
      if (free <= granted) return false;
    }
    const result = inboxes.write(slot, word, this.session, 0, kind, NOTHING, 0);
    if (result === 'taken') this.overtaken();
    return result === 'ok';
  }

  /** Our word is not in the inbox any more: somebody else's is, or the owner has shut it. */
  private overtaken(): void {
    if (this.isClosed()) return;
    if (writerGateway(this.core.world.inboxes.writer(this.slot)) !== LEAVING) return this.refuse('SESSION_TAKEN');
    if (this.state === STATE.ENTERING && this.playerId !== '') {
      this.letGo();
      this.state = STATE.AUTHENTICATING;
      return this.rooms.enterAgain(this);
    }
    this.refuse('SESSION_EXPIRED');
  }

  // ---- from the owner ----

  /** READY: the owner has begun or resumed the session. `message` is a self update. */
  ready(
    tick: number, applied: number, durable: number, isSame: boolean, entity: number, x: number, y: number,
    message: Uint8Array,
  ): void {
    if (this.state === STATE.PLAYING) return this.self(this.ownerEpoch, tick, applied, x, y, message);
    if (this.state !== STATE.ENTERING) return;
    if (!isSame) {
      // Before a START this is the answer to an earlier connection; for a RESUME the session is not there any more.
      if (this.control === CONTROL.RESUME) this.refuse('SESSION_EXPIRED');
      return;
    }
    const { core } = this;
    this.state = STATE.PLAYING;
    this.owesControl = false;
    this.next = applied + 1;
    this.decided = applied;
    this.entity = entity;
    this.x = x;
    this.y = y;
    if (this.resumed) core.block.count(COUNTER.resumes);
    this.send(core.replies.welcome({
      session: this.session, entity, token: core.parts.tokens.issue(this.session, entity), resumed: this.resumed, applied,
      durable, tick: core.tick(), x, y,
    }));
    this.socket.subscribe(this.topic);
    this.send(message);
    this.selfTick = tick;
    this.lag.sent(tick, core.now());
    this.rooms.look(this);
  }

  /** A self update; one that is not newer than what was sent is left out. */
  self(ownerEpoch: number, tick: number, applied: number, x: number, y: number, message: Uint8Array): void {
    if (this.state !== STATE.PLAYING) return;
    if (ownerEpoch < this.ownerEpoch || (ownerEpoch === this.ownerEpoch && tick < this.selfTick)) {
      this.core.block.count(COUNTER.staleRecords);
      return;
    }
    this.ownerEpoch = ownerEpoch;
    this.selfTick = tick;
    if (applied > this.decided) this.decided = applied;
    this.x = x;
    this.y = y;
    this.deliver(message);
    this.lag.sent(tick, this.core.now());
    if (!this.isAway) this.rooms.look(this);
  }

  /** The entity has left the world. */
  gone(closeCode: number): void {
    const name = errorName('close', closeCode);
    this.refuse((name ?? 'SESSION_EXPIRED') as CloseName);
  }

  // ---- in time ----

  /** Four times a second. */
  sweep(now: number): void {
    if (this.state !== STATE.PLAYING && now >= this.deadline) {
      return this.refuse(this.state === STATE.GREETING ? 'FIRST_MESSAGE_TIMEOUT' : 'NOT_READY');
    }
    if (this.word !== 0 && !this.holdsInbox()) return;
    if (this.state === STATE.ENTERING && now - this.controlAt >= CONTROL_REPEAT_MS) this.owesControl = true;
    this.payControl(now);
    if (this.isClosed() || this.state !== STATE.PLAYING) return;
    this.keepPace(this.lag.elapsed(now));
    // A safety net for a transport whose `drained` came before the last skipped message.
    if (!this.isClosed() && this.isChoked) this.drained();
  }

  /** Whether the inbox still carries our word. Closes if it does not. */
  private holdsInbox(): boolean {
    const word = this.core.world.inboxes.writer(this.slot);
    if ((word & ~1) === this.word) return true;
    // A shut inbox is followed by GONE with the reason in the same tick: it has until the next sweep.
    if (writerGateway(word) === LEAVING && this.state === STATE.PLAYING && this.leavingSeen++ === 0) return true;
    this.overtaken();
    return false;
  }

  private keepPace(pace: number): void {
    if (pace === PACE.LOST) return this.refuse('TOO_SLOW');
    if (pace === PACE.SLOW) this.lookAway();
    else if (this.isAway && !this.isChoked) this.lookBack();
  }

  /** The transport skipped something. Called in a turn of its own: the transport must not be touched while it sends. */
  choke(): void {
    if (this.isClosed()) return;
    this.lookAway();
    // What was skipped may have been a self update with outcomes: READY repeats those of the last 64 actions.
    this.control = CONTROL.RESUME;
    this.owesControl = true;
    this.drained();
  }

  private recover(): void {
    if (this.socket.bufferedAmount() > 0 || !this.isAway) return;
    this.isChoked = false;
    this.payControl(this.core.now());
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

  // ---- out ----

  /** At once. */
  send(bytes: Uint8Array): boolean {
    this.core.block.count(COUNTER.bytesOut, bytes.length);
    return this.socket.send(bytes) !== SENT.DROPPED;
  }

  /** With the other frames of this turn. */
  private deliver(bytes: Uint8Array): void {
    this.core.block.count(COUNTER.bytesOut, bytes.length);
    if (SELF_BY_TOPIC) this.core.parts.transport.publish(this.topic, bytes);
    else this.socket.send(bytes);
  }

  isClosed(): boolean {
    return this.state === STATE.CLOSED;
  }

  /** Ends the connection's part in the world; the socket is not touched. */
  private leave(presence: number): void {
    this.state = STATE.CLOSED;
    this.core.connections.delete(this);
    this.rooms.forget(this);
    if (this.word !== 0) {
      // Fails when another connection has the inbox: then the client is not away at all.
      this.core.world.inboxes.setPresence(this.slot, this.word, presence, this.core.tick());
    }
    this.letGo();
  }

  private letGo(): void {
    if (this.slot >= 0 && this.core.bySlot[this.slot] === this) this.core.bySlot[this.slot] = undefined;
    this.slot = -1;
    this.word = 0;
  }
}

/**
 * Whether self updates are published to a topic of their own: the transport then puts them into one write with the
 * cell frames of the same turn, where a `send` would be a write by itself.
 */
const SELF_BY_TOPIC = true;

/**
 * One client at a router: its socket, and its channel to the node, which may be made anew while the socket stays. Decides no
 * outcome and invents nothing: what the client says goes up as it is, what the node says goes down as it is, but for the
 * answers to what the router has asked in the client's name.
 *
 * ```
 *            ┌─ no node ─▶ WAITING ─ too long ─▶ closed with NODE_AWAY (retry)
 *  socket ───┤               │  ▲
 *            │     node back │  │ channel lost, the session confirmed
 *            ▼               ▼  │
 *          OPEN ─ Hello ─▶ OPEN ─ Welcome ─▶ PLAYING
 * ```
 * The same life of the node goes on where it was: its Welcome is *hidden* and what it had not decided is sent again, so that
 * the client notices a pause and nothing else. Another life may have taken decisions back: its Welcome is *passed on*, on the
 * same socket, and the client sends again what it kept (client.fbs). A session that the client has not confirmed is never
 * begun in its name, nor resumed: it may not know of it, and would count its actions anew.
 */
import { ERRORS, type CloseName, errorName } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { Socket, SocketListener } from '../gateway/transport.js';
import { fieldAt, follow, u32 } from '../wire/bytes.js';
import { admitClientMessage, type ClientMessageView, withoutWelcomes } from '../wire/client-message.js';
import type { ClientWriter } from '../wire/client-writer.js';
import { CLIENT, PROTOCOL_VERSION, SERVER } from '../wire/protocol.js';
import { encodeClosing, encodePong, readWelcome, type WelcomeFields } from '../wire/welcome.js';
import type { Channel } from './channel.js';
import { KeptActions } from './kept-actions.js';

/** What a client needs of its router. */
export interface RouterHouse {
  /** The message in hand, and what speaks in clients' names: one of each for all. */
  readonly message: ClientMessageView;
  readonly writer: ClientWriter;
  now(): number;
  /** A new channel to the node; null = there is no node at the moment. */
  openChannel(client: RoutedClient): Channel | null;
  /** Tells the client's topics of a lost channel to the transport. */
  forget(client: RoutedClient): void;
  count(what: RouterCount): void;
}

/** What is counted, each since the router's start. */
export const ROUTER_COUNTS = [
  'accepted',
  'resumes',
  'replayedActions',
  'hiddenWelcomes',
  'passedWelcomes',
  'waited',
  'gaveUp',
  'chokes',
] as const;
export type RouterCount = (typeof ROUTER_COUNTS)[number];

/** Refusals after which the node may think otherwise in a moment: it is starting, or stopping. */
const PASSING: ReadonlySet<string> = new Set(['SERVER_STOPPING', 'NOT_READY', 'INTERNAL', 'DISK_TROUBLE']);
const RETRY_MS = 200;
const CLIENT_NAME = 'bluemarble-router/1';
/** Server messages: entry of the body's type and of the body; SelfUpdate: entry of `applied`. */
const ENTRY = { type: 4, body: 6, applied: 16, durable: 18 } as const;
/** Welcomes that are passed on over one socket after the first: what the client counts them in ends at 255. */
const MOST_WELCOMES = 250;

export class RoutedClient implements SocketListener {
  channel: Channel | null = null;
  isClosed = false;
  /** Clock ms since when it waits for its node; −1 = it does not. */
  waitsSince = -1;
  /** Clock ms before which the node is not asked again. */
  retryAt = 0;
  /** Topics that its socket is subscribed to, and the link that they are of (router.ts). */
  readonly topics = new Set<number>();
  private readonly kept = new KeptActions();
  /** Of its session; null = it has none that the router may resume. */
  private identity: { session: number; entity: number; token: string } | null = null;
  /** Greatest durable id that the client was told in it, and the number of its socket. */
  private toldDurable = 0;
  private attempt = 0;
  /** A Hello that no node has heard yet. */
  private unheard: Uint8Array | null = null;
  private hasGreeted = false;
  /** A Welcome has been passed on; and the client has said something since. */
  private isWelcomed = false;
  private isConfirmed = false;
  /** The present channel was opened by the router in the client's name. */
  private isResuming = false;
  /** The session's node is in another life than the one that the client has heard. */
  private mayBeRolledBack = false;
  /** Welcomes that were passed on after the first: the client says how many of them it has read (client.fbs). */
  private furtherWelcomes = 0;
  /** Said while there was no channel, and still to be told. */
  private owed: Uint8Array[] = [];
  private closing: Uint8Array | null = null;

  constructor(
    private readonly house: RouterHouse,
    readonly socket: Socket,
  ) {
    this.channel = house.openChannel(this);
    if (this.channel === null) this.wait();
  }

  get isPlaying(): boolean {
    return this.isWelcomed && this.channel !== null && !this.isResuming;
  }

  // ---- from the client's socket ----

  message(bytes: Uint8Array): void {
    if (this.isClosed) return;
    const { message } = this.house;
    const fault = admitClientMessage(bytes, message);
    // Nonsense is the node's to count and to refuse.
    if (fault !== 0) return this.tell(bytes);
    const hasRead = message.welcomes === this.furtherWelcomes;
    if (this.isWelcomed && hasRead && message.type !== CLIENT.HELLO) this.isConfirmed = true;
    // What it says of Welcomes is between it and the router; one that never was is refused by the node.
    if (message.welcomes > this.furtherWelcomes) return this.tell(bytes);
    withoutWelcomes(bytes);
    switch (message.type) {
      case CLIENT.HELLO:
        return this.greet(bytes);
      case CLIENT.ACTION:
        return this.isWelcomed ? this.act(message.actionId, hasRead, bytes) : this.tell(bytes);
      case CLIENT.GOODBYE:
      case CLIENT.LOG_REQUEST:
        if (this.isPlaying || !this.isWelcomed) return this.tell(bytes);
        if (this.owed.length < MOST_OWED) this.owed.push(bytes.slice());
        return;
      case CLIENT.PING:
        if (this.isPlaying || !this.isWelcomed) return this.tell(bytes);
        // There is no node to ask: a client that waits hears that its router is there. Tick 0 is no news.
        this.socket.send(encodePong(message.nonce, 0));
        return;
      default: // a request of key frames: the next channel begins with them
        if (this.isPlaying || !this.isWelcomed) this.tell(bytes);
    }
  }

  text(): void {
    if (this.channel !== null) this.channel.text();
    else this.refuse('TEXT_FRAME');
  }

  dropped(): void {
    this.house.count('chokes');
    this.channel?.dropped();
  }

  drained(): void {
    this.channel?.drained();
  }

  closed(): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.leaveChannel();
  }

  private greet(bytes: Uint8Array): void {
    const { hello } = this.house.message;
    if (!this.hasGreeted && hello !== undefined) {
      this.hasGreeted = true;
      const { resumeSession: session, resumeEntity: entity, resumeToken: token } = hello;
      this.toldDurable = hello.resumeDurable;
      this.attempt = hello.attempt;
      if (session !== 0) this.identity = { session, entity, token };
      if (this.channel === null) this.unheard = bytes.slice();
    }
    this.tell(bytes);
  }

  private act(id: number, hasReadWelcomes: boolean, bytes: Uint8Array): void {
    const { kept } = this;
    // Numbered by a Welcome before the newest one: the client sends again what it kept.
    if (!hasReadWelcomes) return;
    if (id === kept.next) {
      if (kept.isFull) return this.refuse('WINDOW_EXCEEDED');
      kept.push(bytes);
      if (this.isPlaying) this.tell(bytes);
      return;
    }
    // The client breaks the rule of ids.
    if (this.isPlaying) this.tell(bytes);
    else this.refuse('ACTION_GAP');
  }

  /** Up, if there is a way. */
  private tell(bytes: Uint8Array): void {
    this.channel?.message(bytes);
  }

  // ---- from the node ----

  /** A message for this client alone, which came over the channel. */
  fromNode(bytes: Uint8Array): number {
    const root = follow(bytes, 0);
    const type = bytes[fieldAt(bytes, root, ENTRY.type)];
    if (type === SERVER.WELCOME) {
      this.welcome(readWelcome(bytes, follow(bytes, fieldAt(bytes, root, ENTRY.body))), bytes);
      return 0;
    }
    if (type === SERVER.CLOSING) {
      this.closing = bytes.slice(); // passed on with the end, if that is
      return 0;
    }
    if (type === SERVER.SELF_UPDATE) this.hear(bytes);
    return this.socket.send(bytes);
  }

  /** A message of the client's own topic: what it acknowledges is not kept any longer. */
  hear(bytes: Uint8Array): void {
    const root = follow(bytes, 0);
    if (bytes[fieldAt(bytes, root, ENTRY.type)] !== SERVER.SELF_UPDATE) return;
    const body = follow(bytes, fieldAt(bytes, root, ENTRY.body));
    const applied = fieldAt(bytes, body, ENTRY.applied);
    const durable = fieldAt(bytes, body, ENTRY.durable);
    this.kept.decided(applied === 0 ? 0 : u32(bytes, applied));
    if (durable !== 0) this.toldDurable = Math.max(this.toldDurable, u32(bytes, durable));
  }

  private welcome(fields: WelcomeFields, bytes: Uint8Array): void {
    const { applied, session, entity, token } = fields;
    const isSame = session === this.identity?.session;
    const mayHide = this.isWelcomed && this.isResuming && !this.mayBeRolledBack;
    const isHidden = mayHide && isSame && this.kept.fits(applied);
    if (!isSame) {
      this.toldDurable = 0;
      this.isConfirmed = false;
    }
    this.identity = { session, entity, token };
    this.waitsSince = -1;
    if (!isHidden) return this.passOn(applied, bytes);
    this.house.count('hiddenWelcomes');
    this.isResuming = false;
    this.kept.decided(applied);
    this.kept.forEach((action) => {
      this.house.count('replayedActions');
      this.tell(action);
    });
    this.payOwed();
  }

  /** The client's own, or one that it has to know of. */
  private passOn(applied: number, bytes: Uint8Array): void {
    if (this.isWelcomed) {
      this.house.count('passedWelcomes');
      if (++this.furtherWelcomes > MOST_WELCOMES) return this.refuse('NODE_AWAY');
    }
    this.kept.restart(applied);
    this.isWelcomed = true;
    this.isResuming = false;
    this.mayBeRolledBack = false;
    this.socket.send(bytes);
    this.payOwed();
  }

  private payOwed(): void {
    for (const bytes of this.owed.splice(0)) this.tell(bytes);
  }

  /** The node has ended the channel. */
  ended(code: number, reason: string): void {
    const { closing } = this;
    this.closing = null;
    this.leaveChannel();
    const name = errorName('close', code) ?? '';
    const mayGoOn = this.isConfirmed || this.isResuming;
    if (
      mayGoOn &&
      this.identity !== null &&
      PASSING.has(name) &&
      (name === 'SERVER_STOPPING' || this.isResuming)
    )
      return this.wait();
    if (closing !== null) this.socket.send(closing);
    this.close(code, reason);
  }

  // ---- the node goes and comes ----

  /** The link is gone. */
  lost(): void {
    if (this.isClosed || this.channel === null) return;
    this.leaveChannel();
    // A Hello that was on its way and asked to resume may be said again; one that begins a session may have begun it.
    const mayAsk = this.isWelcomed ? this.isConfirmed : !this.hasGreeted || this.identity !== null;
    if (mayAsk) return this.wait();
    this.refuse('NODE_AWAY');
  }

  /** A link stands. @param isSameLife of the node, since the last link */
  linked(isSameLife: boolean): void {
    if (!isSameLife) this.mayBeRolledBack = this.isWelcomed;
    this.retryAt = 0;
    this.retry(this.house.now());
  }

  /** A few times a second while it waits: asks again, or gives up. */
  retry(now: number): void {
    if (this.isClosed) return;
    if (this.waitsSince >= 0 && now - this.waitsSince >= LIMITS.routerWaitS * 1000) {
      this.house.count('gaveUp');
      return this.refuse('NODE_AWAY');
    }
    if (this.channel !== null || now < this.retryAt) return;
    this.channel = this.house.openChannel(this);
    if (this.channel === null) return;
    this.retryAt = now + RETRY_MS;
    this.ask();
  }

  /** What the new channel begins with. */
  private ask(): void {
    const { identity, unheard } = this;
    this.unheard = null;
    if (unheard !== null) {
      this.waitsSince = -1;
      return this.tell(unheard);
    }
    if (identity === null) {
      this.waitsSince = -1; // it has said nothing yet
      return;
    }
    this.isResuming = true;
    this.house.count('resumes');
    const { session: resumeSession, entity: resumeEntity, token: resumeToken } = identity;
    const { toldDurable: resumeDurable, attempt } = this;
    const resume = { resumeSession, resumeEntity, resumeToken, resumeDurable, attempt };
    this.tell(this.house.writer.hello(0, { protocol: PROTOCOL_VERSION, client: CLIENT_NAME, ...resume }));
  }

  private wait(): void {
    const now = this.house.now();
    if (this.waitsSince < 0) {
      this.waitsSince = now;
      this.house.count('waited');
    }
    this.retryAt = now + RETRY_MS;
  }

  /** Says why and closes, where no node can. */
  refuse(code: CloseName): void {
    if (this.isClosed) return;
    const { number, text, retry } = ERRORS[code];
    this.leaveChannel();
    this.socket.send(encodeClosing(number, code, text, retry));
    this.close(number, code);
  }

  private close(code: number, reason: string): void {
    if (this.isClosed) return;
    this.isClosed = true;
    this.house.forget(this);
    this.socket.end(code, reason);
  }

  private leaveChannel(): void {
    const { channel } = this;
    this.channel = null;
    channel?.leave();
    this.house.forget(this);
  }
}

/** Goodbyes and requests of logs that wait for a node. */
const MOST_OWED = 4;

/**
 * How a client gets into the world: authentication, account, the player's slot and inbox. Everything that cannot be
 * decided now waits in a list that `poll` looks at again; the connection's own deadline ends the waiting.
 *
 * ```
 *            ┌─ resume token ─▶ claim the inbox, entry RESUME ────────────────────────────┐
 *  Hello ────┤                                                                            ├─▶ READY
 *            └─ ticket ─▶ guest, new account ─▶ new record ─▶ claim, START ─▶ arrivals ───┤
 *                     └─▶ account ─▶ parked ─▶ take ─▶ claim, START ─▶ arrivals ──────────┤
 *                                └─▶ in the world ─▶ claim (newest wins), START ──────────┘
 * ```
 */
import { STORE_STATE } from '../memory/cut-block.js';
import { GATEWAY_COUNTER as COUNTER } from '../memory/gateway-block.js';
import { IdLease } from '../memory/ids.js';
import {
  CONTROL,
  LAST_CONNECTION_EPOCH,
  LEAVING,
  writerBusy,
  writerEpoch,
  writerGateway,
} from '../memory/inbox.js';
import { FLAG } from '../memory/player.js';
import { HEADER, HOT, OWNER, ownerState } from '../memory/record.js';
import { SlotCache } from '../memory/slots.js';
import type { HelloFields } from '../wire/client-message.js';
import { PROTOCOL_VERSION } from '../wire/protocol.js';
import { sleepingAround } from '../world/waking.js';
import type { Connection } from './connection.js';
import type { GatewayCore } from './core.js';
import { Lobby } from './lobby.js';
import { TokenBucket } from './session-rules.js';
import { fillPlayer, Newcomers } from './newcomer.js';

type Attempt = () => boolean;

export class Entrance {
  readonly newcomers: Newcomers;
  private readonly slots: SlotCache;
  private readonly lease: IdLease;
  private readonly lobby = new Lobby<{ connection: Connection; enter: () => void }>();
  private readonly turns: TokenBucket;
  /** What each waiting connection does at the next poll; it answers true when there is nothing left to wait for. */
  private readonly waiting = new Map<Connection, Attempt>();

  constructor(private readonly core: GatewayCore) {
    this.newcomers = new Newcomers(core);
    this.slots = new SlotCache(core.world.arena, core.thread);
    this.lease = new IdLease(core.world.ids);
    const perS = core.parts.newcomersPerS ?? Number.MAX_SAFE_INTEGER;
    this.turns = new TokenBucket(perS, Math.max(perS, core.parts.newcomersBurst ?? 0), core.now());
  }

  /** A verified Hello. */
  greet(connection: Connection, hello: HelloFields): void {
    if (hello.protocol !== PROTOCOL_VERSION) return connection.refuse('PROTOCOL_MISMATCH');
    connection.spawn = hello.spawn;
    connection.attempt = hello.attempt;
    if (hello.resumeSession !== 0) return this.resume(connection, hello);
    if (!this.isAdmitted(connection)) return connection.refuse('ADDRESS_LIMITED');
    this.guard(connection, this.authenticate(connection, hello.ticket));
  }

  /**
   * A player who was in the world when the server stopped stands in it again, away like after a lost connection: the
   * client may resume, or the grace ends. Resolves when the entity is in the arena.
   */
  async bringBack(entity: number): Promise<void> {
    if ((await this.core.parts.accounts.load(entity)) !== 'here') return;
    const { ids, arena } = this.core.world;
    const slot = ids.lookup(entity);
    if (slot < 0) return;
    const word = Atomics.load(arena.owner, slot);
    if (ownerState(word) === OWNER.PARKED && this.newcomers.takeParked(slot, word, entity))
      this.newcomers.send(slot);
  }

  /** The account's entity went to rest while its player was coming in. */
  again(connection: Connection): void {
    this.attempt(connection, () => this.enterAccount(connection));
  }

  /** Whether nobody is on the way in. */
  get isQuiet(): boolean {
    return this.waiting.size === 0 && this.newcomers.count === 0 && this.lobby.size === 0;
  }

  /** Newcomers who wait for their turn. */
  get lobbySize(): number {
    return this.lobby.size;
  }

  poll(now: number): void {
    for (const [connection, attempt] of this.waiting) {
      if (connection.isClosed() || attempt()) this.waiting.delete(connection);
    }
    this.letIn(now);
    this.newcomers.poll(now);
  }

  /** Gives back the slots that are held ready. Before the gateway ends. */
  close(): void {
    this.slots.release();
  }

  private attempt(connection: Connection, attempt: Attempt): void {
    if (!attempt()) this.waiting.set(connection, attempt);
  }

  /** What runs beyond the transport's callback must not end in an unhandled rejection. */
  private guard(connection: Connection, work: Promise<void>): void {
    work.catch((error: unknown) => {
      this.core.block.count(COUNTER.handlerErrors);
      this.core.parts.log.error({ err: error }, 'a client could not be let in');
      connection.refuse('INTERNAL');
    });
  }

  private async authenticate(connection: Connection, ticket: string): Promise<void> {
    const verdict = await this.core.parts.authenticate(ticket);
    if (connection.isClosed()) return; // the socket went while we waited
    if ('refused' in verdict) return connection.refuse(verdict.refused);
    // Who resumes is in already; a session that begins now might be gone after a crash with all that it did.
    if (this.core.world.cut.state === STORE_STATE.FAILING) return connection.refuse('DISK_TROUBLE');
    if ('guest' in verdict) return this.queue(connection, () => this.admitGuest(connection));
    connection.playerId = verdict.playerId;
    connection.entity = await this.core.parts.accounts.find(verdict.playerId);
    if (connection.isClosed()) return;
    if (connection.entity < 0) return connection.refuse('RECORD_DAMAGED');
    this.queue(connection, () => this.again(connection));
  }

  /** Whether its address may begin one more session now. Before the ticket is looked at: a wrong one counts, too. */
  private isAdmitted(connection: Connection): boolean {
    const { addresses, spawn } = this.core.parts;
    if (addresses === undefined) return true;
    const at = connection.spawn ?? spawn;
    const tiles = sleepingAround(this.core.world.directory, at.x, at.y);
    return addresses.admits(connection.socket.address ?? '', tiles, this.core.now());
  }

  /** A new session waits for its turn; it has one at once unless more come than the world lets in. */
  private queue(connection: Connection, enter: () => void): void {
    this.lobby.add(connection.socket.address ?? '', { connection, enter });
    this.letIn(this.core.now());
  }

  private letIn(now: number): void {
    while (this.lobby.size > 0 && this.turns.take(1, now)) {
      const next = this.lobby.next();
      if (next !== undefined && !next.connection.isClosed()) next.enter();
    }
  }

  private admitGuest(connection: Connection): void {
    const slot = this.create(connection, 0);
    if (slot < 0) return connection.refuse('WORLD_FULL');
    this.start(connection, slot);
    this.newcomers.send(slot);
  }

  /** @returns a filled slot that nobody else can touch, or −1 */
  private create(connection: Connection, flags: number): number {
    const slot = this.slots.take();
    if (slot < 0) return -1;
    const id = this.lease.next();
    if (id < 0) {
      this.slots.giveBack(slot);
      return -1;
    }
    const at = (flags & FLAG.ACCOUNT ? undefined : connection.spawn) ?? this.core.parts.spawn;
    fillPlayer(this.core, slot, id, flags, at.x, at.y);
    if (!this.core.world.ids.insert(id, slot)) {
      this.slots.giveBack(slot);
      return -1;
    }
    return slot;
  }

  private discard(slot: number): void {
    const { ids } = this.core.world;
    ids.remove(this.idOf(slot), slot);
    this.slots.giveBack(slot);
  }

  /** Claims the inbox of a slot that this gateway holds, and begins a session in it. @param session that goes on, 0 = a new one */
  private start(connection: Connection, slot: number, session = 0): void {
    const { inboxes } = this.core.world;
    const word = inboxes.claim(slot, inboxes.writer(slot), this.core.parts.number);
    if (word === 0) return connection.refuse('WORLD_FULL'); // 4 million connections in one slot: it is used up
    if (session !== 0) return connection.enter(slot, word, session, CONTROL.RESUME);
    connection.enter(slot, word, this.core.parts.secretNumbers(), CONTROL.START);
  }

  // ---- accounts ----

  /** @returns false when it has to be looked at again */
  private enterAccount(connection: Connection): boolean {
    const { ids, arena } = this.core.world;
    const slot = connection.entity === 0 ? -1 : ids.lookup(connection.entity);
    if (slot < 0) {
      this.guard(connection, this.fetchAccount(connection));
      return true;
    }
    const owner = Atomics.load(arena.owner, slot);
    const state = ownerState(owner);
    if (state === OWNER.PARKED) return this.wake(connection, slot, owner);
    // FREE, RESERVED: another gateway brings it in, or it is just going.
    if (state !== OWNER.OWNED && state !== OWNER.TRANSIT) return false;
    return this.claim(connection, slot, CONTROL.START, this.core.parts.secretNumbers());
  }

  /** Not in the arena: it rests in the store, or there is none (any more). */
  private async fetchAccount(connection: Connection): Promise<void> {
    const { entity } = connection;
    const loaded = entity === 0 ? 'absent' : await this.core.parts.accounts.load(entity);
    if (connection.isClosed()) return;
    if (loaded === 'here') return this.again(connection);
    // Anything but `absent` may be mended: the account keeps its entity.
    if (loaded !== 'absent') return this.refuseLoad(connection, loaded);
    await this.createAccount(connection);
  }

  private refuseLoad(connection: Connection, loaded: 'no-room' | 'refused'): void {
    connection.refuse(loaded === 'no-room' ? 'WORLD_FULL' : 'RECORD_DAMAGED');
  }

  private wake(connection: Connection, slot: number, word: number): boolean {
    if (!this.newcomers.takeParked(slot, word, connection.entity)) return false;
    this.start(connection, slot);
    this.newcomers.send(slot);
    return true;
  }

  private async createAccount(connection: Connection): Promise<void> {
    const slot = this.create(connection, FLAG.ACCOUNT);
    if (slot < 0) return connection.refuse('WORLD_FULL');
    const id = this.idOf(slot);
    const { accounts } = this.core.parts;
    const { playerId } = connection;
    const bound = await accounts.bind(playerId, connection.entity, id).catch((error: unknown) => {
      this.discard(slot);
      throw error;
    });
    if (bound !== id || connection.isClosed()) this.discard(slot);
    if (connection.isClosed()) {
      // Nobody plays it: as if it had not been bound. Somebody may have bound another one already, that stays.
      if (bound === id) await accounts.bind(playerId, id, 0);
      return;
    }
    if (bound === 0) return connection.refuse('WORLD_FULL');
    if (bound < 0) return connection.refuse('RECORD_DAMAGED');
    connection.entity = bound;
    if (bound !== id) return this.again(connection); // another gateway was faster: its entity is the player's
    this.start(connection, slot);
    this.newcomers.send(slot);
  }

  // ---- resume ----

  private resume(connection: Connection, hello: HelloFields): void {
    const { resumeSession: session, resumeEntity: entity } = hello;
    if (!this.core.parts.tokens.verify(session, entity, hello.resumeToken))
      return connection.refuse('SESSION_EXPIRED');
    connection.entity = entity;
    connection.forgotten = hello.resumeDurable;
    this.attempt(connection, () => this.enterResumed(connection, session));
  }

  private enterResumed(connection: Connection, session: number): boolean {
    const { ids, arena } = this.core.world;
    const slot = ids.lookup(connection.entity);
    // A hint, read without owning the record: a token was given only after its session stood there, committed, so
    // another session means that ours was followed by a newer one. It must not be thrown out for a lost resume. When
    // the hint is right the owner still decides.
    if (slot < 0) {
      this.guard(connection, this.fetchResumed(connection, session));
      return true;
    }
    const hot = arena.hot(slot);
    const flags = arena.u16[(hot + HOT.flags) >> 1];
    const isThere = arena.f64[(hot + HOT.sessionId) >> 3] === session;
    connection.isGuest = (flags & FLAG.ACCOUNT) === 0;
    // Nobody else has a guest's token: the session that stands there is an older or a newer one of the same client, for
    // the server fell back, or a Welcome did not arrive. With no other way to its entity than this it begins a new one.
    if (!isThere && !connection.isGuest) {
      connection.refuse('SESSION_EXPIRED');
      return true;
    }
    const owner = Atomics.load(arena.owner, slot);
    // The server was restarted: the session went on in the store. One that was left for good has its flag.
    if (ownerState(owner) === OWNER.PARKED && (flags & FLAG.OFFLINE) === 0)
      return this.goOn(connection, slot, owner, isThere ? session : 0);
    return isThere
      ? this.claim(connection, slot, CONTROL.RESUME, session)
      : this.claim(connection, slot, CONTROL.START, this.core.parts.secretNumbers());
  }

  private goOn(connection: Connection, slot: number, word: number, session: number): boolean {
    if (!this.newcomers.takeParked(slot, word, connection.entity)) return false;
    this.start(connection, slot, session);
    this.newcomers.send(slot);
    return true;
  }

  private async fetchResumed(connection: Connection, session: number): Promise<void> {
    const loaded = await this.core.parts.accounts.load(connection.entity);
    if (connection.isClosed()) return;
    if (loaded === 'here') this.attempt(connection, () => this.enterResumed(connection, session));
    else if (loaded === 'absent') connection.refuse('SESSION_EXPIRED');
    else this.refuseLoad(connection, loaded);
  }

  // ---- the inbox of an entity that is in the world ----

  /** Takes the inbox from whoever has it: the newest connection wins. @returns false when it is busy or just moving */
  private claim(connection: Connection, slot: number, control: number, session: number): boolean {
    const { ids, inboxes } = this.core.world;
    const word = inboxes.writer(slot);
    if (writerGateway(word) === LEAVING) {
      if (control === CONTROL.START) return false; // about to be parked or freed
      connection.refuse('SESSION_EXPIRED');
      return true;
    }
    if (writerEpoch(word) >= LAST_CONNECTION_EPOCH) {
      connection.refuse('SESSION_EXPIRED');
      return true;
    }
    // A router that goes on for a socket which its client has given up long ago must not take the session from the newer one.
    const seated = this.core.bySlot[slot];
    const isSame = control === CONTROL.RESUME && seated?.seat.session === session;
    if (isSame && connection.attempt > 0 && seated.attempt > connection.attempt) {
      connection.refuse('SESSION_TAKEN');
      return true;
    }
    // Word first, then the id once more: a slot freed and filled anew has another word, so the claim below fails.
    if (writerBusy(word) || ids.lookup(connection.entity) !== slot) return false;
    const mine = inboxes.claim(slot, word, this.core.parts.number);
    if (mine === 0) return false;
    connection.enter(slot, mine, session, control);
    return true;
  }

  private idOf(slot: number): number {
    const { arena } = this.core.world;
    return arena.f64[(arena.header(slot) + HEADER.id) >> 3];
  }
}

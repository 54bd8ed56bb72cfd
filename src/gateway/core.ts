/**
 * What one gateway knows: the shared structures, the injected parts, and its connections by slot. Local to the thread;
 * the modules of this folder are steps over one `GatewayCore`, in the order of the data's way:
 *
 * ```
 * socket → connection → entrance → inbox  ╎ shard ╎  delivery → interest → socket
 * ```
 */
import type { Clock } from '../base/clock.js';
import type { Log } from '../base/log.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { GATEWAY_THREAD } from '../memory/record.js';
import { SHARD_STATE } from '../memory/shard-block.js';
import { ClientMessageView } from '../wire/client-message.js';
import type { AccountBook } from './accounts.js';
import type { Addresses } from './addresses.js';
import type { Authenticate } from './auth.js';
import type { Connection } from './connection.js';
import { Replies, type WorldCard } from './replies.js';
import type { SecretNumbers, SessionTokens } from './session-token.js';
import type { Socket, Transport } from './transport.js';

/** What the composition root gives to a gateway. */
export interface GatewayParts {
  world: SharedWorld;
  /** Gateway number, 0 …; its thread number is 64 + number. */
  number: number;
  clock: Clock;
  transport: Transport;
  authenticate: Authenticate;
  accounts: AccountBook;
  /** Shard that owns the tile of a point, placed first where nobody does; −1: nobody can now, ask again. */
  ensureOwner: (x: number, y: number) => number;
  tokens: SessionTokens;
  secretNumbers: SecretNumbers;
  card: WorldCard;
  /** Where players appear who ask for no place, world metres; the game may move them at once. */
  spawn: { x: number; y: number };
  log: Log;
  /** Sockets at a time; one more is closed with WORLD_FULL. */
  maxConnections: number;
  /** What a client is sent at most, whatever stands around it. */
  clientBytesPerS: number;
  /** What one address may have; without it there is no such limit. */
  addresses?: Addresses;
  /** Sessions a second that may begin here; without it any number. */
  newcomersPerS?: number;
  /** So many at once; default: a second's. */
  newcomersBurst?: number;
}

/** A gateway looks at its clock 50 times a second; after a longer gap it was not running. */
const HELD_UP_MS = 500;
/** What is left of a lateness a turn later: a half after some twenty. */
const LATE_FADES = 0.97;
/** A turn that comes so late is an ordinary one: what is more counts as time that clients were not served in. */
const ORDINARY_MS = 60;
/** A shard that lags by more has too little time for those who come in. */
const WORLD_LATE_MS = 250;

export class GatewayCore {
  readonly thread: number;
  /** The client message in hand, reused for every one. */
  readonly message = new ClientMessageView();
  readonly replies: Replies;
  readonly connections = new Set<Connection>();
  /** The connection that plays the entity in a slot. */
  readonly bySlot: (Connection | undefined)[];
  /** Connections that skipped messages; looked at in the next turn, since the transport is in the middle of sending. */
  readonly choked: Connection[] = [];
  stopping = false;
  /** How late this thread has been to its turns lately, ms: what lies in a socket waits for so long, either way. */
  late = 0;
  /** The same by the clock of the machine, stops included: for so long what clients sent has piled up in their sockets. */
  piled = 0;
  /** Time in which this thread did not serve its clients, ms in all: no deadline of theirs runs on in it. */
  private lent = 0;
  private turnedAt: number;
  private realTurnedAt: number;
  /** When `now` was asked for last, and what it has left out so far. */
  private looked: number;
  private heldUp = 0;

  constructor(readonly parts: GatewayParts) {
    this.looked = this.turnedAt = this.realTurnedAt = parts.clock.now();
    this.thread = GATEWAY_THREAD + parts.number;
    this.replies = new Replies(parts.card);
    this.bySlot = new Array<Connection | undefined>(parts.world.arena.capacity).fill(undefined);
  }

  get world(): SharedWorld {
    return this.parts.world;
  }
  get block() {
    return this.parts.world.gatewayBlocks[this.parts.number];
  }
  /**
   * Milliseconds of this thread's own life: time in which it did not get to run (a stopped process, a machine that
   * slept) does not count. By this clock clients are judged: what was not read is not their silence.
   */
  now(): number {
    const real = this.parts.clock.now();
    const gap = real - this.looked;
    if (gap > HELD_UP_MS) this.heldUp += gap;
    this.looked = real;
    return real - this.heldUp;
  }
  /** A turn of the event loop, which was due `paceMs` after the one before. */
  turned(now: number, paceMs: number): void {
    const late = now - this.turnedAt - paceMs;
    this.late = Math.max(late, this.late * LATE_FADES, 0);
    if (late > ORDINARY_MS) this.lent += late - ORDINARY_MS;
    this.turnedAt = now;
    const real = this.real();
    this.piled = Math.max(real - this.realTurnedAt - paceMs, this.piled * LATE_FADES, 0);
    this.realTurnedAt = real;
  }
  /** The same of all that lies between this thread and a client. */
  lateFor(socket: Socket): number {
    return this.late + (socket.lateMs?.() ?? 0);
  }
  /** Ms of the machine's clock. */
  real(): number {
    return this.parts.clock.now();
  }
  /** The clock of deadlines: `now` without the time in which this thread came late to its turns. */
  served(now: number): number {
    return now - this.lent;
  }
  /** How long messages that are read now may have lain in their sockets because of this thread, ms. */
  pile(): number {
    return Math.max(this.piled, this.real() - this.realTurnedAt);
  }
  /**
   * Whether the part of the server behind the gateways is behind its clock: a shard that runs lags, or one is being
   * replaced. Who waits for it is not told that it took too long.
   */
  readonly isWorldLate = (): boolean => {
    const { clock, shardBlocks } = this.parts.world;
    const tick = this.tick();
    const most = Math.max(2, WORLD_LATE_MS / clock.tickMs);
    for (const block of shardBlocks) {
      const { state } = block;
      if (state === SHARD_STATE.NONE || state === SHARD_STATE.CLOSING) continue;
      if (state !== SHARD_STATE.RUNNING) return true;
      if (!block.isResting && tick - block.committedTick > most) return true;
    }
    return false;
  };
  tick(): number {
    return this.parts.world.clock.tickAt(this.parts.clock.now());
  }
}

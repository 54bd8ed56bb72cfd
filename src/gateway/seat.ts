/**
 * A connection's seat in the world: its word in one inbox, its session, and the ids that may come next. Everything that
 * this gateway writes for a client goes through here. What it cannot do it answers with the reason to close; it closes
 * nothing itself.
 */
import type { CloseName } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import { CONTROL, LEAVING, PRESENCE_STATE as PRESENCE, writerEpoch, writerGateway } from '../memory/inbox.js';
import type { SharedWorld } from '../memory/shared-world.js';
import { checkAction } from './session-rules.js';

/** START and RESUME are repeated this often until READY comes; both are idempotent. */
const CONTROL_REPEAT_MS = 1000;
const NOTHING = new Uint8Array(0);

export class Seat {
  session = 0;
  slot = -1;
  /** Our word in the inbox; 0 = no seat. */
  private word = 0;
  private isPlaying = false;
  /** The id that comes next, and the newest one that the owner is known to have decided. */
  private next = 1;
  private decided = 0;
  /** The id from which a resumed session goes on, 0 = it is a new one. */
  private resumedAt = 0;
  private control = 0;
  private controlAt = 0;
  private owesControl = false;
  private owesLog = false;
  private shutSeen = 0;

  constructor(private readonly world: SharedWorld) {}

  get isTaken(): boolean {
    return this.word !== 0;
  }
  /** Which socket of the session this is; shards name it in what they send. */
  get epoch(): number {
    return writerEpoch(this.word);
  }
  /** Whether the session is to go on, rather than to begin. */
  get isResuming(): boolean {
    return this.control === CONTROL.RESUME;
  }

  /** The inbox of the slot was claimed: `word` is ours. @param control START or RESUME, to be written now */
  take(slot: number, word: number, session: number, control: number, tick: number): void {
    this.slot = slot;
    this.word = word;
    this.session = session;
    this.control = control;
    this.owesControl = true;
    this.world.inboxes.setPresence(slot, word, PRESENCE.CONNECTED, tick);
  }

  /** Instead of the session that was to go on a new one begins. */
  renew(session: number): void {
    this.session = session;
    this.control = CONTROL.START;
    this.owesControl = true;
  }

  /** READY came: actions may follow. */
  begin(applied: number): void {
    this.isPlaying = true;
    this.resumedAt = this.isResuming ? applied + 1 : 0;
    this.owesControl = false;
    this.next = applied + 1;
    this.decided = applied;
  }

  /** The owner has decided everything up to this id. */
  decide(applied: number): void {
    if (applied > this.decided) this.decided = applied;
  }

  /** Hands an action to the owner. @returns 0, or why the connection must be closed; no id is ever skipped */
  act(id: number, kind: number, payload: Uint8Array): 0 | CloseName {
    const fault = checkAction(id, this.next, this.decided, LIMITS.windowActions);
    // Who was asked to send again from this id and begins beyond it has nothing to send: to ask once more is no use.
    if (fault === 'ACTION_GAP' && this.next === this.resumedAt && id > this.next) return 'SESSION_EXPIRED';
    if (fault !== 0) return fault;
    const result = this.world.inboxes.write(
      this.slot,
      this.word,
      this.session,
      id,
      kind,
      payload,
      payload.length,
    );
    if (result === 'taken') return this.overtaken();
    // The window leaves room for every granted id: the rules of the inbox were broken, and not by the client.
    if (result === 'full') return 'INTERNAL';
    this.next = id + 1;
    return 0;
  }

  /** The client wants its log. */
  askLog(): void {
    this.owesLog = true;
  }

  /** The owner shall answer READY once more: it repeats the outcomes of the last 64 actions. */
  askAgain(): void {
    this.control = CONTROL.RESUME;
    this.owesControl = true;
  }

  /** Writes the control entries that are due, as far as there is room. @returns 0, or why to close */
  pay(now: number): 0 | CloseName {
    if (!this.isPlaying && now - this.controlAt >= CONTROL_REPEAT_MS) this.owesControl = true;
    if (this.owesControl) {
      const result = this.write(this.control);
      if (result === 'taken') return this.overtaken();
      if (result === 'ok') {
        this.owesControl = false;
        this.controlAt = now;
      }
    }
    if (this.owesLog && this.isPlaying) {
      const result = this.write(CONTROL.LOG);
      if (result === 'taken') return this.overtaken();
      if (result === 'ok') this.owesLog = false;
    }
    return 0;
  }

  /** Whether the inbox still carries our word. @returns 0, or why to close */
  check(): 0 | CloseName {
    const word = this.world.inboxes.writer(this.slot);
    if ((word & ~1) === this.word) return 0;
    // A shut inbox is followed by GONE with the reason, in the same tick: it has until the next look.
    if (writerGateway(word) === LEAVING && this.isPlaying && this.shutSeen++ === 0) return 0;
    return this.overtaken();
  }

  /** Gets up: the owner is told how, unless another connection has the seat (then the client is not away at all). */
  leave(presence: number, tick: number): void {
    if (this.word !== 0) this.world.inboxes.setPresence(this.slot, this.word, presence, tick);
    this.slot = -1;
    this.word = 0;
    this.isPlaying = false;
  }

  /** Our word is gone: the owner has shut the inbox, or somebody else has it. */
  private overtaken(): CloseName {
    return writerGateway(this.world.inboxes.writer(this.slot)) === LEAVING
      ? 'SESSION_EXPIRED'
      : 'SESSION_TAKEN';
  }

  private write(control: number): 'ok' | 'full' | 'taken' {
    const { inboxes } = this.world;
    const free = inboxes.places - ((inboxes.tail(this.slot) - inboxes.head(this.slot)) | 0);
    // What the window still grants must find its places afterwards.
    const granted = this.isPlaying ? this.decided + LIMITS.windowActions - (this.next - 1) : 0;
    if (free <= granted) return 'full';
    return inboxes.write(this.slot, this.word, this.session, 0, control, NOTHING, 0);
  }
}

/**
 * The actions of one session, from the call until the server has them durably. Ids count 1, 2, 3…; an action goes out
 * when the window allows, gets its outcome once it is acknowledged, and is kept until it is acknowledged *durable*:
 * a server that was restarted may resume at a lower id than it had acknowledged, and then it is sent again (I3).
 *
 *   kept:   [ applied, not durable ][ sent, undecided ][ waiting for the window ]
 *            firstKept               reportedUpTo+1     nextToSend          nextId
 */
import { clientError } from './errors.js';

/** Called once per action; `rttMs` is from the first sending to the acknowledgement. */
export type Settle = (outcome: number, rttMs: number) => void;

export interface KeptAction {
  readonly id: number;
  readonly kind: number;
  readonly payload: Uint8Array;
  readonly settle: Settle | undefined;
  readonly fail: ((error: Error) => void) | undefined;
  sentAtMs: number;
  /** −1 until decided; then the code of the latest decision. */
  outcome: number;
  settled: boolean;
}

/** The rejected ones among the decided, as a self update lists them. */
export interface Rejections {
  readonly outcomeCount: number;
  outcomeId(i: number): number;
  outcomeCode(i: number): number;
}

export interface ActionSink {
  /**
   * Each decision, in order of ids. After a rollback of the server an action is decided, and told, again: then
   * `rttMs` is −1.
   */
  decided?(action: KeptAction, rttMs: number): void;
  /** Each action with its final outcome, in order of ids. */
  durable?(action: KeptAction): void;
}

export class ActionQueue {
  private kept: KeptAction[] = [];
  private head = 0;
  private nextId = 1;
  private nextToSend = 1;
  /** Outcomes are known up to here (in the present life of the server's session). */
  private reportedUpTo = 0;
  /** The server has decided up to here: the window's base. */
  private decidedUpTo = 0;
  private durableUpTo = 0;
  private window = 0;

  /** @param maxKept bound of all kept actions together; `push` beyond it throws QUEUE_FULL */
  constructor(
    private readonly maxKept: number,
    private readonly sink: ActionSink,
  ) {}

  get count(): number {
    return this.kept.length - this.head;
  }
  get undecided(): number {
    return this.nextId - 1 - this.reportedUpTo;
  }
  get lastId(): number {
    return this.nextId - 1;
  }
  get applied(): number {
    return this.reportedUpTo;
  }
  get durable(): number {
    return this.durableUpTo;
  }

  push(kind: number, payload: Uint8Array, settle?: Settle, fail?: (error: Error) => void): number {
    if (this.count >= this.maxKept) throw clientError('QUEUE_FULL', `${this.maxKept} kept`);
    const id = this.nextId++;
    this.kept.push({ id, kind, payload, settle, fail, sentAtMs: -1, outcome: -1, settled: false });
    return id;
  }

  /** The next action that may be sent now, marked as sent; undefined when the window is shut or all are out. */
  take(now: number): KeptAction | undefined {
    if (this.nextToSend >= this.nextId || this.nextToSend > this.decidedUpTo + this.window) return undefined;
    const action = this.at(this.nextToSend++);
    if (action.sentAtMs < 0) action.sentAtMs = now;
    return action;
  }

  /**
   * A Welcome. `applied` is what the server's record holds, be it lower than what was acknowledged before. Outcomes of
   * actions up to it come with the self update that follows.
   * @returns false when the two histories cannot belong together
   */
  resume(applied: number, window: number): boolean {
    if (applied >= this.nextId || applied < this.durableUpTo) return false;
    this.window = window;
    this.decidedUpTo = applied;
    this.reportedUpTo = Math.min(this.reportedUpTo, applied);
    this.nextToSend = applied + 1;
    return true;
  }

  /**
   * An acknowledgement: everything up to `applied` is decided; `rejected` names those that were not plainly applied.
   * Lower numbers than before are of an older message and change nothing.
   * @returns false when the server acknowledges what was never sent
   */
  acknowledge(applied: number, durable: number, rejected: Rejections, now: number): boolean {
    if (applied >= this.nextToSend || durable > applied) return false;
    const from = this.reportedUpTo + 1;
    for (let id = from; id <= applied; id++) this.at(id).outcome = 0;
    for (let i = 0; i < rejected.outcomeCount; i++) {
      const id = rejected.outcomeId(i);
      if (id >= from && id <= applied) this.at(id).outcome = rejected.outcomeCode(i);
    }
    if (applied > this.reportedUpTo) {
      this.reportedUpTo = applied;
      if (applied > this.decidedUpTo) this.decidedUpTo = applied;
    }
    for (let id = from; id <= applied; id++) this.settle(this.at(id), now);
    this.release(Math.min(durable, this.reportedUpTo));
    return true;
  }

  /** The actions that are decided but not known durable, oldest first: with the sink's they make the whole log. */
  forEachDecided(visit: (action: KeptAction) => void): void {
    for (let id = this.durableUpTo + 1; id <= this.reportedUpTo; id++) visit(this.at(id));
  }

  /** Ends this session: every action without an outcome fails with `error`; ids begin at 1 again. */
  restart(error: Error): void {
    const old = this.kept;
    const first = this.head;
    this.kept = [];
    this.head = 0;
    this.nextId = 1;
    this.nextToSend = 1;
    this.reportedUpTo = 0;
    this.decidedUpTo = 0;
    this.durableUpTo = 0;
    for (let i = first; i < old.length; i++) {
      const action = old[i] as KeptAction;
      if (!action.settled) {
        action.settled = true;
        action.fail?.(error);
      }
    }
  }

  private at(id: number): KeptAction {
    return this.kept[this.head + id - this.durableUpTo - 1] as KeptAction;
  }

  private settle(action: KeptAction, now: number): void {
    const first = !action.settled;
    action.settled = true;
    const rttMs = first ? now - action.sentAtMs : -1;
    this.sink.decided?.(action, rttMs);
    if (first) action.settle?.(action.outcome, rttMs);
  }

  private release(durable: number): void {
    while (this.durableUpTo < durable) {
      const action = this.kept[this.head] as KeptAction;
      this.head++;
      this.durableUpTo++;
      this.sink.durable?.(action);
    }
    if (this.head > 64 && this.head * 2 > this.kept.length) {
      this.kept.splice(0, this.head);
      this.head = 0;
    }
  }
}

/**
 * The actions of one client that its node has not decided, as their messages: what a router sends again when the client's
 * way to the node is made anew. At most a window of them. Pure.
 */
import { LIMITS } from '../base/limits.js';

export class KeptActions {
  private readonly messages: Uint8Array[] = [];
  /** Id of the first one that is kept, if any is. */
  private first = 1;

  get count(): number {
    return this.messages.length;
  }
  /** Id that comes next. */
  get next(): number {
    return this.first + this.messages.length;
  }
  get isFull(): boolean {
    return this.messages.length >= LIMITS.windowActions;
  }

  /** The action with the id `next`. */
  push(message: Uint8Array): void {
    this.messages.push(message.slice());
  }

  /** Whether a session that has decided everything up to this id goes on with what is kept. */
  fits(applied: number): boolean {
    return applied + 1 >= this.first && applied < this.next;
  }

  /** Everything up to this id is decided. */
  decided(applied: number): void {
    const done = applied + 1 - this.first;
    if (done <= 0) return;
    this.messages.splice(0, done);
    this.first = applied + 1;
  }

  /** The session goes on behind this id, whatever was kept: the client sends the rest itself. */
  restart(applied: number): void {
    this.messages.length = 0;
    this.first = applied + 1;
  }

  forEach(visit: (message: Uint8Array) => void): void {
    for (const message of this.messages) visit(message);
  }
}

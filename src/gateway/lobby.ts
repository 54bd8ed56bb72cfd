/**
 * Newcomers who wait for their turn when more come than the world lets in: one of each address after the other, so that
 * nobody waits behind a crowd that somebody else has sent. Pure; the entrance decides how many, and asks who is next.
 */
export class Lobby<T> {
  /** By address, who has waited longest in front. */
  private readonly queues = new Map<string, T[]>();
  private count = 0;

  get size(): number {
    return this.count;
  }

  add(address: string, one: T): void {
    const queue = this.queues.get(address);
    if (queue === undefined) this.queues.set(address, [one]);
    else queue.push(one);
    this.count++;
  }

  /** The next one, who leaves; its address goes to the end. */
  next(): T | undefined {
    const first = this.queues.entries().next().value;
    if (first === undefined) return undefined;
    const [address, queue] = first;
    const one = queue.shift();
    this.count--;
    this.queues.delete(address);
    if (queue.length > 0) this.queues.set(address, queue);
    return one;
  }
}

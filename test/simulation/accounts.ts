/**
 * What must hold of accounts (I5, I4): a player plays one entity, the same at each login, whatever the disk does; only a
 * crash before it was durable gives another one. Nobody else has it, and nobody who was overtaken plays on.
 */
import { fail } from './fail.js';
import type { Simulation } from './simulation.js';

export class AccountWatch {
  /** New accounts that came in, in groups as well. */
  accounts = 0;
  private readonly known = new Map<string, number>();
  private readonly holders = new Map<number, string>();

  constructor(private readonly sim: Simulation) {}

  /** After each tick. */
  check(): void {
    for (const { account, client } of this.sim.players)
      if (account !== '' && client.state === 'online' && client.welcome !== null)
        this.look(account, client.welcome.entity);
  }

  private look(account: string, entity: number): void {
    const before = this.known.get(account);
    if (before === entity) return;
    // Behind a router a client plays on in a process that is dead until it hears of the next one.
    if (this.sim.node.routed !== null && !this.isThere(entity)) return;
    if (before !== undefined) fail('I5', `account '${account}' played ${before}, and now ${entity}`);
    const other = this.holders.get(entity);
    if (other !== undefined) fail('I5', `the accounts '${other}' and '${account}' play ${entity}`);
    this.known.set(account, entity);
    this.holders.set(entity, account);
    this.accounts++;
  }

  private isThere(entity: number): boolean {
    const { world, disk } = this.sim.node;
    return world.ids.lookup(entity) >= 0 || disk.get('entities', entity) !== undefined;
  }

  /** The process has died: who was not durable never was. */
  crashed(): void {
    const { disk } = this.sim.node;
    for (const [account, entity] of this.known) {
      if (disk.get('entities', entity) !== undefined) continue;
      this.known.delete(account);
      this.holders.delete(entity);
    }
  }

  /** In the end. */
  checkEnd(): void {
    for (const { index, overtaken } of this.sim.players)
      for (const { state } of overtaken)
        if (state !== 'ended') fail('I5', `player ${index}: a client that was overtaken is ${state}`);
  }
}

/**
 * Accounts that log in for the first time in groups, on a server that is killed: whoever was told that something of them
 * is durable is the same character ever after, and nobody's account and entity lose each other on the disk.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { SignJWT } from 'jose';
import { systemTimers } from '../../src/base/clock.js';
import { type Client, connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import { openReadOnly } from '../../src/store/data-folder.js';
import { verifyData } from '../../src/store/verify.js';
import { RealServer } from '../real.js';

const KEY = 'a key of this bench that nobody else needs to know';
/** Where a login is not answered, something is wrong; the client tries again by itself meanwhile. */
const LOGIN_MS = 60_000;

const timers = systemTimers();

interface Account {
  readonly name: string;
  readonly entity: number;
  /** Whether its client was told that an action is durable. */
  isDurable: boolean;
  readonly client: Client;
}

export class Groups {
  /** Accounts that came in, those that came in again after a kill, and those that were somebody else then. */
  accounts = 0;
  again = 0;
  lost = 0;
  private last: Account[] = [];
  private readonly config: string;

  /** @param folder of its own; the data are in `data` below it @param size of a group */
  constructor(
    private readonly folder: string,
    private readonly size: number,
  ) {
    this.config = join(folder, 'config.json');
    writeFileSync(this.config, JSON.stringify({ 'ticket-key': KEY }), { mode: 0o600 });
  }

  start(shards: number): Promise<RealServer> {
    const flags = ['--data', this.data, '--shards', String(shards), '--gateways', '2'];
    return RealServer.start([...flags, '--config', this.config]);
  }

  /** A group that nobody has seen logs in, all at once, and each does something. */
  async enter(server: RealServer): Promise<void> {
    const names = Array.from({ length: this.size }, (_, i) => `player ${this.accounts + i}`);
    this.accounts += names.length;
    this.last = await Promise.all(names.map((name) => this.login(server, name)));
    for (const { client } of this.last) client.act('forage').catch(() => {}); // the kill may come first
  }

  /** The server was killed and started again: who was durable is who it was. */
  async comeBack(server: RealServer): Promise<void> {
    const before = this.last;
    for (const { client } of before) client.abandon();
    const now = await Promise.all(before.map(({ name }) => this.login(server, name)));
    now.forEach(({ entity, client }, i) => {
      this.again++;
      if (before[i]!.isDurable && entity !== before[i]!.entity) this.lost++;
      client.abandon();
    });
  }

  /** After the last stop. @returns how many accounts and entities have lost each other, and other faults of the data */
  async verify(): Promise<{ orphans: number; faults: number }> {
    const engine = openReadOnly(this.data);
    const verdict = await verifyData(engine, this.data).finally(() => engine.close());
    for (const text of [...verdict.faults, ...verdict.orphans]) process.stderr.write(`${text}\n`);
    return { orphans: verdict.orphanCount, faults: verdict.faultCount };
  }

  private get data(): string {
    return join(this.folder, 'data');
  }

  private async login(server: RealServer, name: string): Promise<Account> {
    const words = new SignJWT().setProtectedHeader({ alg: 'HS256' }).setSubject(name).setExpirationTime('1h');
    const ticket = await words.sign(new TextEncoder().encode(KEY));
    const client: Client = connect({
      url: server.game,
      socket: nodeSockets,
      ticket,
      view: 'light',
      handlers: {
        durable: () => {
          account.isDurable = true;
        },
      },
    });
    let cancel = () => {}; // a timer that is left behind would hold the process for its minute
    const late = new Promise<never>((_, reject) => {
      cancel = timers.after(LOGIN_MS, () => reject(new Error(`${name} was not let in`)));
    });
    const { entity } = await Promise.race([client.ready, late]).finally(cancel);
    const account: Account = { name, entity, isDurable: false, client };
    return account;
  }
}

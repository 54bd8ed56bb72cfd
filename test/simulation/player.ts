/**
 * One simulated player: a production SDK client on a simulated link, and a plan that the seed makes up: walking about a
 * corner of four tiles, giving, dropping, picking up, speaking, foraging; leaving and coming back.
 */
import type { Random } from '../../src/base/random.js';
import { LIMITS } from '../../src/base/limits.js';
import { encodePayload } from '../../src/base/payload.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { dx } from '../../src/geo/world.js';
import { type OwnRecord, classify } from '../../src/bots/classify.js';
import { ActionRecord } from '../../src/bots/record.js';
import { type Client, connect } from '../../src/client/client.js';
import type { ClientError } from '../../src/client/errors.js';
import type { LogFields } from '../../src/wire/server-message.js';
import { fail } from './fail.js';
import type { FaultMix } from './faults.js';
import type { SimNode } from './node.js';
import type { Link } from './net.js';

const TILE = boundsOf(tileAt(20_000, 20_000, LIMITS.baseTileLevel));
/** The corner of four base tiles about which everything happens. */
export const SPOT = { x: TILE.east, y: TILE.south };
/** Another one, where hardly anybody goes. */
const FAR_TILE = boundsOf(tileAt(120_000, 20_000, LIMITS.baseTileLevel));
const FAR = { x: FAR_TILE.east, y: FAR_TILE.south };
const SPREAD_M = 6;

export class SimPlayer {
  client!: Client;
  record = new ActionRecord();
  /** Records of sessions that are over and had no undecided action, none are kept: a goodbye begins a new one. */
  log: LogFields | null = null;
  /** Newest action of the session that it was told to be durable. */
  durable = 0;
  /** Whether its session was lost with a process that had not made it durable. */
  private mayExpire = false;
  private home = SPOT;
  private link: Link | undefined;
  private deafTicks = 0;
  private ending = false;
  /** Has left for good. */
  private isGone = false;
  /** Accounts and clients that it has had. */
  private accounts = 0;
  private clients = 0;
  /** Clients that were online, or coming in, when another one logged in with the same ticket. */
  readonly overtaken: Client[] = [];

  constructor(
    private readonly node: SimNode,
    private readonly random: Random,
    readonly index: number,
    private readonly far: number,
    private readonly place: (() => { x: number; y: number }) | null = null,
  ) {
    this.join();
  }

  /** Whether it has said goodbye. */
  get isLeaving(): boolean {
    return this.ending;
  }

  /** The server's process died. @param isThere whether its session is on the disk */
  crashed(isThere: boolean): void {
    this.mayExpire = !isThere;
  }

  get isSettled(): boolean {
    const { client } = this;
    // Walks that were begun in a slowed tile take their time.
    return (
      client.state === 'online' && client.undecided === 0 && client.self.vx === 0 && client.self.vy === 0
    );
  }

  /** What it logs in as, '' = a guest. */
  get account(): string {
    return this.index % 2 === 1 ? `player ${this.index}.${this.accounts}` : '';
  }

  /** Goes without a word, and comes in with an account that nobody has seen, now and then with two clients at once. */
  renew(): void {
    if (this.account === '' || this.isGone || this.ending) return;
    for (const client of [this.client, ...this.overtaken]) client.abandon();
    this.accounts++;
    this.join();
    if (this.random.int(3) === 0) this.overtake();
  }

  /** Logs in once more, while it plays. */
  overtake(): void {
    if (this.account === '' || this.isGone || this.ending || this.client.undecided > 0) return;
    this.overtaken.push(this.client);
    this.join();
  }

  private join(): void {
    const { node, random } = this;
    const mine = ++this.clients;
    const isMine = () => mine === this.clients;
    this.record = new ActionRecord();
    this.log = null;
    this.durable = 0;
    this.mayExpire = false;
    this.home = this.place !== null ? this.place() : random.next() < this.far ? FAR : SPOT;
    const at = () => (random.next() * 2 - 1) * SPREAD_M;
    this.client = connect({
      url: 'sim:',
      spawn: { x: this.home.x + at(), y: this.home.y + at() },
      ticket: this.account,
      view: 'full',
      renew: false,
      socket: (url, events) => {
        this.link = node.net.factory(url, events) as Link;
        return this.link;
      },
      clock: node.time,
      random,
      pulse: (beat) => node.time.every(100, beat),
      handlers: {
        decided: (action) => {
          if (isMine()) this.record.outcome(action.id, action.outcome);
        },
        durable: (action) => {
          if (!isMine()) return;
          this.record.fold(action.id);
          this.durable = action.id;
          this.mayExpire = false; // what is durable of it is there after any crash
        },
        ended: (error) => {
          if (isMine()) this.ended(error);
        },
      },
    });
  }

  private ended(error: ClientError | null): void {
    if (error === null || this.ending) return;
    if (error.code === 'RESUME_IMPOSSIBLE') fail('I12', `player ${this.index}: ${error.message}`);
    // A router may hold its client for longer than the place of a guest who has done nothing is kept.
    const wasIdle = this.node.routed !== null && this.account === '' && this.record.sent === 0;
    if (error.code === 'SESSION_EXPIRED' && (this.mayExpire || wasIdle)) this.ending = true; // and begins anew
    // Its other client came in later; behind a router whose link was down it hears of that by asking for its session.
    const wasLate = error.code === 'SESSION_EXPIRED' && this.node.routed !== null;
    if ((error.code === 'SESSION_TAKEN' || wasLate) && this.overtaken.length > 0) this.ending = true;
  }

  /** One tick of its life, with its share of faults. */
  play(mix: FaultMix): void {
    const { random } = this;
    if (this.link !== undefined && random.next() < mix.cut) this.node.net.cut(this.link);
    if (this.link !== undefined && this.deafTicks === 0 && random.next() < mix.deaf) {
      this.deafTicks = 1 + random.int(60);
      this.link.isStalled = true;
    }
    if (this.deafTicks > 0 && --this.deafTicks === 0) this.hear();
    if (this.ending) return this.comeBack();
    if (this.client.state !== 'online') return;
    if (mix.overtake > 0 && random.next() < mix.overtake) return this.overtake();
    if (this.client.undecided === 0 && random.next() < mix.goodbye) {
      this.ending = true;
      void this.client.goodbye();
      return;
    }
    if (random.next() < 0.1) this.act();
  }

  private hear(): void {
    if (this.link === undefined) return;
    this.link.isStalled = false;
    this.link.flush();
  }

  /** No more faults for it; it says nothing any more. */
  settle(): void {
    this.deafTicks = 0;
    this.hear();
    this.comeBack();
  }

  /** Says goodbye, and does not come back. */
  leave(): void {
    this.isGone = true;
    this.ending = true;
    void this.client.goodbye();
  }

  /** Whoever has said goodbye, or could not resume, begins anew. */
  comeBack(): void {
    if (this.isGone || !this.ending || this.client.state !== 'ended') return;
    this.ending = false;
    this.join();
  }

  private act(): void {
    const { random } = this;
    const choice = random.int(12);
    if (choice < 4) this.walk();
    else if (choice === 4) this.send(3, { item: 'u16', count: 'u16' }, { item: random.int(2), count: 1 });
    else if (choice === 5) this.send(7, 'none');
    else if (choice === 6) this.send(6, 'text', `hello ${random.int(100)}`);
    else this.reachOut();
  }

  /** Anywhere; from far away back to the corner, where borders are. */
  private walk(): void {
    const { random } = this;
    const { x, y } = this.client.self;
    const [east, north] = [dx(x, this.home.x), this.home.y - y];
    const isFar = Math.hypot(east, north) > 2 * SPREAD_M;
    const heading = isFar ? Math.atan2(north, east) : random.next() * 6.28;
    const seconds = 0.5 + random.next() * (isFar ? 2 : 1);
    this.send(1, { heading: f32, speed: f32, seconds: f32 }, { heading, speed: 6, seconds });
  }

  /** Gives something to whoever is nearest, or picks it up; now and then to somebody out of reach. */
  private reachOut(): void {
    const { random, client } = this;
    const { x, y } = client.self;
    const near = [...(client.view ?? [])].filter((e) => e.id !== client.entity);
    if (near.length === 0) return;
    const far = (e: { x: number; y: number }) => Math.hypot(dx(x, e.x), e.y - y);
    const nearest = near.reduce((best, e) => (far(e) < far(best) ? e : best));
    const target = random.next() < 0.8 ? nearest : near[random.int(near.length)]!;
    if (target.kind === 3) this.send(4, { target: 'id' }, { target: target.id });
    else
      this.send(
        5,
        { target: 'id', item: 'u16', count: 'u16' },
        { target: target.id, item: random.int(2), count: 1 + random.int(2) },
      );
  }

  private send(
    kind: number,
    shape: Parameters<typeof encodePayload>[0],
    values?: Parameters<typeof encodePayload>[1],
  ): void {
    const payload = encodePayload(shape, values);
    this.client.send(kind, payload);
    this.record.note(kind, payload);
  }

  askForLog(): void {
    this.client.requestLog().then(
      (log) => {
        this.log = log;
      },
      () => {}, // no connection: the check finds the log missing
    );
  }

  /** What the server's log says of the bot's own record. */
  verdict(): { own: OwnRecord; lost: number; duplicated: number; outOfOrder: number } {
    const own = this.record.summary();
    return { own, ...classify(own, this.log) };
  }
}

const f32 = 'f32' as const;

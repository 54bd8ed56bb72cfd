/**
 * One bot: a client of the public SDK, its own record of what it did, and a mind that walks and acts. It owns no timer;
 * its swarm calls `step`. Bots are honest: what they report is what they noted themselves.
 */
import type { Clock } from '../base/clock.js';
import { LIMITS } from '../base/limits.js';
import type { Random } from '../base/random.js';
import { type Client, connect } from '../client/client.js';
import type { SelfState, Welcome } from '../client/types.js';
import type { LogFields } from '../wire/server-message.js';
import type { SocketFactory } from '../client/socket.js';
import { cellNumber } from '../geo/cell.js';
import { dx, wrapX } from '../geo/world.js';
import { Breaker } from './breaker.js';
import { addVerdict, classify } from './classify.js';
import { DeathGap } from './death-gap.js';
import { choose, type Deed, walking } from './doings.js';
import { Eyes } from './eyes.js';
import { Lag } from './lag.js';
import { count, type Measures } from './measures.js';
import type { BotOptions } from './options.js';
import { planted, type Send } from './plant.js';
import { ActionRecord } from './record.js';
import type { Goal, Place, Scenario, Walker } from './scenarios/scenario.js';
import type { Things } from './things.js';
import { Track } from './track.js';
import { Trader } from './trader.js';
import { WorstGap } from './worst-gap.js';

/** What all bots of a process share. */
export interface Commons {
  readonly options: BotOptions;
  readonly scenario: Scenario;
  readonly clock: Clock;
  readonly random: Random;
  readonly sockets: SocketFactory;
  readonly measures: Measures;
  readonly things: Things;
  /** How much of the run under full load is over. */
  share: number;
  /** Since the first bot was started. */
  timeS: number;
  botAt(index: number): Bot | undefined;
}

/** Scenarios whose bots stroll, and go to where something grows. */
const HARVESTING: ReadonlySet<string> = new Set(['roam', 'cities', 'planet']);
/** A goal counts as reached at this distance: the position that the bot knows is up to 0.2 s old. */
const REACHED_M = 1.6;
/** The server's answer to a walk, and a little. */
const LATENCY_MS = 100;
const GIVE_M = 1.5;
const SAY_MS = 700;
const FORAGE_MS = 5500;
/** How long a bot must have been online before others must know it, and it others. */
const KNOWN_MS = 2000;
/** Cross-talk between reconnects and the record needs no more than the SDK's own bound. */
const MAX_KEPT = 256;

export class Bot implements Walker {
  readonly track = new Track();
  private readonly lag = new Lag();
  private readonly deathGap: DeathGap;
  private readonly worstGap: WorstGap;
  readonly home: Place;
  readonly client: Client;
  readonly fullView: boolean;
  leg = 0;
  private record = new ActionRecord();
  private readonly eyes: Eyes;
  private readonly breaker: Breaker;
  private readonly send: Send;
  private readonly trader: Trader;
  private tradeEvent = -1;
  private kinds: ReadonlyMap<string, number> = new Map();
  private goal: Goal | null = null;
  private walkMs = 0;
  private actMs = 0;
  private saidMs = Number.NEGATIVE_INFINITY;
  private foragedMs = Number.NEGATIVE_INFINITY;
  private onlineMs = -1;
  private lastSelfMs = -1;
  private active = true;
  private closes = 0;
  private refused = false;
  private restarts = 0;

  constructor(
    private readonly commons: Commons,
    readonly index: number,
  ) {
    const { options, random, scenario, clock, sockets } = commons;
    this.home = scenario.spawn(index, random);
    this.fullView = Math.floor((index + 1) * options.fullView) > Math.floor(index * options.fullView);
    this.eyes = new Eyes(commons.things);
    this.deathGap = new DeathGap(commons.measures.deathGapMs);
    this.worstGap = new WorstGap(commons.measures.worstGapMs);
    this.trader = new Trader(commons.measures);
    this.breaker = new Breaker(sockets, random, options.dropEvery, clock.now());
    this.send = planted(options.plant, (kind, payload) => this.client.send(kind, payload));
    this.client = connect({
      url: options.url,
      spawn: { x: wrapX(this.home.x), y: this.home.y },
      name: 'bluemarble-bot/1',
      view: this.fullView ? 'full' : 'light',
      renew: true,
      maxKept: MAX_KEPT,
      socket: this.breaker.sockets,
      clock,
      random,
      pulse: () => () => {}, // the swarm beats for all
      handlers: {
        welcome: (welcome) => this.onWelcome(welcome),
        self: (self) => this.onSelf(self),
        frame: (frame) => {
          if (this.eyes.frame(frame, this.client.entity, this.track, this.clock.now())) this.gap();
          if (frame.eventCount > 0) this.trader.hear(frame, this.tradeEvent, this.id, this.clock.now());
        },
        decided: (action, rttMs) => this.onDecided(action.id, action.outcome, rttMs),
        durable: (action) => this.record.fold(action.id),
        session: () => this.onNewSession(),
        disconnected: (code, name, opened) => this.onLost(code, name, opened),
        ended: (error) => {
          if (error !== null) this.onEnded(error.code);
        },
      },
    });
  }

  get id(): number {
    return this.client.entity;
  }
  get x(): number {
    return this.track.x;
  }
  get y(): number {
    return this.track.y;
  }
  get online(): boolean {
    return this.client.state === 'online';
  }
  get welcomed(): boolean {
    return this.client.welcome !== null;
  }
  /** Whether its picture in others' views, and theirs in its own, may be judged. */
  get ready(): boolean {
    return this.online && this.onlineMs >= 0 && this.clock.now() - this.onlineMs > KNOWN_MS;
  }
  get lags(): boolean {
    return this.lag.lags(this.clock.now());
  }
  get settled(): boolean {
    return this.client.state === 'ended' || (this.online && this.client.undecided === 0);
  }
  private get clock(): Clock {
    return this.commons.clock;
  }

  /** Walks and acts when it is time. */
  step(now: number): void {
    if (!this.active || !this.online || !this.track.known) return;
    if (this.breaker.beat(now)) this.commons.measures.drops++;
    if (now >= this.walkMs) this.walk(now);
    if (now >= this.actMs) this.act(now);
  }

  /** No more actions. */
  rest(): void {
    this.active = false;
  }

  /** Asks for the log and compares; resolves when the verdict is in the measures. */
  async compare(): Promise<void> {
    const log = await this.client.requestLog().catch(() => null);
    this.judge(log);
  }

  /** Without a log the session is judged as lost altogether: an honest bot does not take it on trust. */
  judge(log: LogFields | null): void {
    const { measures } = this.commons;
    const own = this.record.summary();
    measures.actionsSent += own.sent;
    measures.actionsApplied += own.applied;
    measures.actionsRejected += own.rejected;
    if (log === null && own.sent > 0) measures.logsMissing++;
    addVerdict(measures.verdict, classify(own, log));
    this.record = new ActionRecord();
  }

  /** Counters of the client that go into the report, at the end. */
  tally(): void {
    const { measures } = this.commons;
    const { stats } = this.client;
    this.deathGap.end(this.clock.now());
    measures.openGaps += stats.openGaps;
    measures.gaps += stats.gaps;
    measures.badMessages += stats.badMessages;
    measures.disconnects += this.closes;
    measures.serverRestarts = Math.max(measures.serverRestarts, this.restarts);
    for (const n of this.client.self.items) measures.carried += n;
    this.closes = 0;
  }

  // ---- what the client tells ----

  private onWelcome(welcome: Welcome): void {
    const now = this.clock.now();
    if (this.refused) {
      this.restarts++;
      this.closes = 0;
    }
    this.commons.measures.disconnects += this.closes;
    this.closes = 0;
    this.refused = false;
    this.kinds = new Map(welcome.kinds.map((name, i) => [name, i]));
    this.eyes.know(this.kinds);
    for (const [kind, name] of welcome.events) if (name === 'trade') this.tradeEvent = kind;
    this.deathGap.welcomed();
    this.onlineMs = now;
    this.lastSelfMs = -1;
    this.walkMs = now;
    this.actMs = now + this.pause();
    if (welcome.tick < this.track.tick) this.track.clear(); // another server, or one that was rolled back
    // Its place is not taken: where a shard lags it is older than the tick. The self update behind it tells both.
  }

  private onSelf(self: SelfState): void {
    const { measures } = this.commons;
    this.gap();
    const now = this.clock.now();
    this.deathGap.heard(now);
    const ticks = self.tick - this.track.tick;
    if (this.track.known && ticks > 0) {
      const { tickRate } = this.client.welcome!;
      const perTick = LIMITS.walkSpeedMps / tickRate;
      // Two shards may be a tick or two apart: then the time that has passed explains more than the numbers do.
      const passed = Math.max(ticks, ((now - this.track.arrivedMs) / 1000) * tickRate);
      const distance = Math.hypot(dx(this.track.x, self.x), self.y - this.track.y);
      measures.allowedJumpM = perTick;
      measures.maxJumpM = Math.max(measures.maxJumpM, distance - perTick * (passed - 1));
    }
    this.track.add(self.tick, self.x, self.y, now);
  }

  /** News of the bot itself has come. */
  private gap(): void {
    const now = this.clock.now();
    if (this.lastSelfMs >= 0) {
      this.commons.measures.selfGap(now - this.lastSelfMs, now);
      this.worstGap.note(now - this.lastSelfMs, now);
    }
    this.lastSelfMs = now;
  }

  private onDecided(id: number, outcome: number, rttMs: number): void {
    const { measures } = this.commons;
    this.record.outcome(id, outcome);
    if (rttMs >= 0) measures.rttMs.record(rttMs);
    this.lag.decided(rttMs, this.client.undecided, this.clock.now());
    if (outcome !== 0) count(measures.rejections, outcome);
  }

  private onNewSession(): void {
    // What had no outcome when its session expired will never have one: `judge` counts it as lost.
    const { measures } = this.commons;
    measures.sessionsExpired++;
    const own = this.record.summary();
    measures.actionsSent += own.sent;
    measures.actionsApplied += own.applied;
    measures.actionsRejected += own.rejected;
    measures.verdict.lost += own.sent - own.decided;
    this.record = new ActionRecord();
    this.track.clear();
    this.leg = 0;
    this.goal = null;
  }

  private onLost(code: number, name: string, opened: boolean): void {
    this.onlineMs = -1;
    if (this.breaker.claims()) return this.deathGap.broke();
    // Perhaps the server died: what it had not made durable is taken back, positions as well.
    if (code === 1006) this.track.clear();
    if (opened) count(this.commons.measures.closes, `${code} ${name}`);
    if (!this.welcomed && !opened) return; // the server is not there yet
    if (opened) this.closes++;
    // A server that refuses connections, or says that it stops, is being started again.
    if (!opened || name === 'SERVER_STOPPING') this.refused = true;
  }

  private onEnded(code: string): void {
    this.closes++;
    count(this.commons.measures.closes, code);
  }

  // ---- what the bot does ----

  private walk(now: number): void {
    const { scenario, share, random, timeS } = this.commons;
    if (this.goal !== null && this.distance(this.goal) <= REACHED_M) {
      this.walkMs = now + this.goal.restS * 1000;
      const rests = this.goal.restS > 0;
      this.goal = null;
      if (rests) return;
    }
    if (this.goal === null) {
      this.goal = this.harvest(now) ?? scenario.next(this, share, random, timeS);
      this.leg++;
    }
    const right = dx(this.x, wrapX(this.goal.x));
    const up = this.goal.y - this.y;
    const seconds = Math.hypot(right, up) / this.goal.speedMps;
    this.walkMs = now + Math.min(seconds, 10) * 1000 + LATENCY_MS;
    this.do(walking(right, up, this.goal.speedMps, seconds));
  }

  /** Now and then a bot that strolls goes to where something grows. */
  private harvest(now: number): Goal | null {
    const { options, things, random } = this.commons;
    if (!HARVESTING.has(options.scenario) || random.next() > 0.3) return null;
    const node = things.nearest(
      cellNumber(this.x, this.y),
      this.kinds.get('node') ?? -1,
      this.x,
      this.y,
      80,
      now,
    );
    return node === undefined ? null : { x: node.x + 1, y: node.y, speedMps: 4, restS: 4 };
  }

  private act(now: number): void {
    const { options, random, things } = this.commons;
    this.actMs = now + this.pause();
    if (options.actionsPerSecond === 0) return;
    const near = this.neighbour();
    const { items } = this.client.self;
    const isTrading = options.scenario === 'trade' && this.tradeEvent >= 0 && random.next() < 0.75;
    const trading = isTrading ? this.trader.next(items, near, random, now) : null;
    if (trading !== null) return this.do(trading);
    const deed = choose(
      options.scenario,
      {
        now,
        things,
        x: this.x,
        y: this.y,
        cell: cellNumber(this.x, this.y),
        items,
        near,
        nodeKind: this.kinds.get('node') ?? -1,
        pileKind: this.kinds.get('pile') ?? -1,
        canSay: now - this.saidMs > SAY_MS,
        canForage: now - this.foragedMs > FORAGE_MS,
      },
      random,
    );
    if (deed === null) {
      if (this.goal !== null) this.walk(now);
      return;
    }
    if (deed.name === 'say') this.saidMs = now;
    if (deed.name === 'forage') this.foragedMs = now;
    if (deed.name === 'drop') this.eyes.look(now);
    this.do(deed);
  }

  /** Another bot of this process within arm's reach: its neighbours in number are its neighbours in place. */
  private neighbour(): number {
    const { commons } = this;
    const first = this.index - (this.index % 4);
    const start = commons.random.int(4);
    for (let i = 0; i < 4; i++) {
      const other = commons.botAt(first + ((start + i) % 4));
      if (other !== undefined && other !== this && other.ready && this.distance(other) < GIVE_M)
        return other.id;
    }
    return 0;
  }

  private do(deed: Deed): void {
    const kind = this.client.welcome?.actions.get(deed.name);
    if (kind === undefined || this.client.undecided >= MAX_KEPT / 2) return;
    this.record.note(kind, deed.payload);
    this.lag.sent(this.clock.now());
    this.send(kind, deed.payload);
  }

  private distance(to: Place): number {
    return Math.hypot(dx(this.x, wrapX(to.x)), to.y - this.y);
  }

  /** Time to the next action: the mean is the rate that was asked for. */
  private pause(): number {
    const { options, random } = this.commons;
    return (1000 / Math.max(options.actionsPerSecond, 0.001)) * (0.5 + random.next());
  }
}

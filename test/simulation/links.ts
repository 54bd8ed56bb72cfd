/**
 * Links and routers of a simulation: production routers and a production link transport over streams that are late, stalled,
 * cut, or half open; routers that die. The seed decides everything.
 */
import { createLog } from '../../src/base/log.js';
import type { Random } from '../../src/base/random.js';
import { Router } from '../../src/cluster/router.js';
import type { DialledStream } from '../../src/cluster/upstream.js';
import { LinkTransport } from '../../src/gateway/link-transport.js';
import { linkCrypto } from '../../src/gateway/link-crypto.js';
import { LIMITS } from '../../src/base/limits.js';
import { Doorkeeper, say } from '../../src/wire/link/handshake.js';
import type { Socket, SocketListener } from '../../src/gateway/transport.js';
import type { StreamEvents } from '../../src/wire/link/stream.js';
import { TurnReader, TurnWriter } from '../../src/wire/link/turn.js';
import { fail } from './fail.js';
import { type SimNet, simTransport } from './net.js';
import { SaidHellos } from './said.js';
import { ProcessTimers } from './threads.js';
import type { VirtualTime } from './time.js';

const KEY = new TextEncoder().encode('the key of a simulated cluster, 32 or more');
const WORLD = { seed: 1, baseLevel: 11, deepestLevel: 13, cellLevel: 17, game: 'simulation' };
const MOST_DELAY_MS = 20;
const LINGER_MS = 5;
/** A dozen clients fill no megabytes: each byte that waits counts for so many, and links become full. */
const WEIGHT = 1024;

/** Chances a tick: a link is cut / goes silent without an end / stands still for a while; a router dies. */
export interface LinkMix {
  cut: number;
  silent: number;
  stall: number;
  death: number;
}
export const CALM_LINKS: LinkMix = { cut: 0, silent: 0, stall: 0, death: 0 };

/** One end of a stream; bytes arrive at the other end in order, later. */
class SimStream implements DialledStream {
  readonly binding = new Uint8Array(0);
  events: StreamEvents | null = null;
  other!: SimStream;
  isOpen = true;
  /** Bytes that wait here since the wire takes none. */
  private held = 0;

  constructor(
    private readonly wire: SimWire,
    private readonly side: 0 | 1,
  ) {}

  write(bytes: Uint8Array, done: () => void): void {
    if (!this.isOpen) return;
    const { wire, side } = this;
    const waits = this.waiting();
    if (waits > LIMITS.linkMostBytes) fail('I7', `${waits} bytes wait on a link, and more is written`);
    const copy = bytes.slice();
    const isTaken = wire.takes(side);
    if (!isTaken) this.held += copy.length;
    wire.later(side, () => {
      if (this.other.isOpen) this.other.events?.received(copy);
      if (isTaken) return;
      this.held -= copy.length;
      if (this.isOpen) done();
    });
    if (isTaken) done();
  }
  waiting(): number {
    return this.held * this.wire.weight;
  }
  end(): void {
    this.destroy();
  }
  destroy(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.wire.later(this.side, () => this.other.closed());
    this.events?.closed();
  }
  closed(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.events?.closed();
  }
  /** Its process is gone: nobody here is told anything, and the other end hears of it behind what is on the way. */
  die(): void {
    if (!this.isOpen) return;
    this.isOpen = false;
    this.events = null;
    this.wire.later(this.side, () => this.other.closed());
  }
}

/** What lies between the two ends of a link. */
export class SimWire {
  /** The router's end and the node's. */
  readonly ends: readonly [SimStream, SimStream] = [new SimStream(this, 0), new SimStream(this, 1)];
  /** By end: what it says from now on is lost. */
  readonly isMute: [boolean, boolean] = [false, false];
  private readonly delay: number;
  /** Nothing arrives before. */
  private stalledUntil = 0;

  /** @param weight what a byte counts for that waits @param owner timers of the router's process: they tell one life of it from another */
  constructor(
    private readonly time: VirtualTime,
    random: Random,
    readonly weight: number,
    readonly owner: ProcessTimers,
  ) {
    this.delay = random.int(MOST_DELAY_MS);
    this.ends[0].other = this.ends[1];
    this.ends[1].other = this.ends[0];
  }

  /** In order: who comes later never arrives earlier. */
  later(from: 0 | 1, fn: () => void): void {
    const at = Math.max(this.time.now() + this.delay, this.stalledUntil);
    this.time.after(at - this.time.now(), () => {
      if (!this.isMute[from]) fn();
    });
  }
  /** Whether what an end writes leaves its process at once. */
  takes(from: 0 | 1): boolean {
    return this.time.now() >= this.stalledUntil && !this.isMute[from];
  }
  stall(ms: number): void {
    this.stalledUntil = Math.max(this.stalledUntil, this.time.now() + ms);
  }
  cut(): void {
    for (const end of this.ends) end.closed();
  }
  /** Whether an end waits for words that will not come. */
  get isBroken(): boolean {
    const { ends, isMute } = this;
    return (ends[0].isOpen && isMute[1]) || (ends[1].isOpen && isMute[0]);
  }
}

export class SimRouters {
  readonly routers: Router[] = [];
  readonly wires: SimWire[] = [];
  readonly hellos = new SaidHellos();
  readonly counts = { cuts: 0, silences: 0, stalls: 0, deaths: 0 };
  mix: LinkMix;
  weight = WEIGHT;
  private readonly timers: ProcessTimers[] = [];
  private transport: LinkTransport | null = null;
  private nodeTimers: ProcessTimers | null = null;
  private life = '';
  private serial = 0;

  constructor(
    private readonly time: VirtualTime,
    private readonly random: Random,
    private readonly net: () => SimNet,
    count: number,
  ) {
    const maybe = (most: number) => (random.next() < 0.6 ? random.next() * most : 0);
    this.mix = { cut: maybe(0.02), silent: maybe(0.01), stall: maybe(0.04), death: maybe(0.02) };
    for (let r = 0; r < count; r++) this.begin(r);
  }

  /** The transport of the link gateway of one life of the node. */
  open(timers: ProcessTimers, life: number, accept: (socket: Socket) => SocketListener): LinkTransport {
    this.life = `life ${life}`;
    this.nodeTimers = timers;
    const { time: clock } = this;
    const log = createLog({ level: 'silent' });
    const transport = new LinkTransport({ clock, timers, log, soon: (flush) => void timers.after(0, flush) });
    transport.listen({ port: 0, exclusive: true }, (socket) => this.hellos.atNode(accept(socket)));
    this.transport = transport;
    return transport;
  }

  /** The node's process is gone; now and then with its machine, so that its sockets end without a word. */
  nodeDied(): void {
    this.transport = null;
    for (const wire of this.wires) this.endDied(wire, 1);
  }

  /** What had been written before arrives, then the end, if anything does. */
  private endDied(wire: SimWire, end: 0 | 1): void {
    wire.ends[end].die();
    if (this.random.next() < 0.3) wire.isMute[end] = true;
  }

  private begin(r: number): void {
    const { time: clock, random } = this;
    const timers = new ProcessTimers(clock);
    this.timers[r] = timers;
    const router: Router = new Router({
      clock,
      timers,
      log: createLog({ level: 'silent' }),
      transport: simTransport(
        () => this.net(),
        () => router,
      ),
      maxConnections: 1000,
      about: { name: `router ${r}`, pid: 0 },
      me: { name: `router ${r}`, life: `${++this.serial}`, program: 'simulation' },
      crypto: linkCrypto,
      key: KEY,
      soon: (flush) => void timers.after(LINGER_MS, flush),
      dial: async () => (this.transport === null ? null : this.connect(random, timers)),
    });
    this.routers[r] = router;
    router.game = `sim:${r}.${this.serial}`;
    void router.open();
  }

  private connect(random: Random, owner: ProcessTimers): DialledStream {
    const wire = new SimWire(this.time, random, this.weight, owner);
    this.wires.push(wire);
    this.greet(wire.ends[1]);
    return wire.ends[0];
  }

  /** As link-server.ts. */
  private greet(node: SimStream): void {
    const { transport } = this;
    const me = { name: 'node', life: this.life, program: 'simulation', world: WORLD };
    const keeper = new Doorkeeper(me, KEY, node.binding, linkCrypto);
    const out = new TurnWriter();
    const reader = new TurnReader(LIMITS.linkHandshakeBytes);
    const cancel = this.nodeTimers!.after(LIMITS.linkHandshakeS * 1000, () => node.destroy());
    node.events = {
      closed: cancel,
      received: (bytes) =>
        void reader.feed(bytes, (turn) => {
          while (turn.next()) {
            const step = keeper.hear(turn.type, turn.body(), () => null);
            say(node, out, step);
            if (step.peer === undefined) continue;
            cancel();
            node.events = transport?.join(node, step.peer) ?? null;
            return false;
          }
          return true;
        }),
    };
  }

  /** Whether every router has a link on which something is heard. */
  get isSound(): boolean {
    return this.routers.every(({ isUp }) => isUp) && this.wires.every((wire) => !wire.isBroken);
  }

  /** One tick of faults. */
  play(): void {
    const { random, mix, counts } = this;
    for (const wire of [...this.wires]) {
      if (!wire.ends.some(({ isOpen }) => isOpen)) this.wires.splice(this.wires.indexOf(wire), 1);
      else if (random.next() < mix.cut) {
        counts.cuts++;
        wire.cut();
      } else if (random.next() < mix.silent) {
        counts.silences++;
        const which = random.int(3); // either way, or both
        if (which !== 0) wire.isMute[0] = true;
        if (which !== 1) wire.isMute[1] = true;
      } else if (random.next() < mix.stall) {
        counts.stalls++;
        wire.stall(50 * (1 + random.int(40)));
      }
    }
    for (let r = 0; r < this.routers.length; r++) if (random.next() < mix.death) this.die(r);
  }

  private die(r: number): void {
    this.counts.deaths++;
    const dead = this.routers[r]!;
    this.timers[r]!.die();
    for (const wire of this.wires) if (wire.owner === this.timers[r]) this.endDied(wire, 0);
    for (const one of [...this.net().links]) if (one.door === dead) this.net().cut(one);
    this.begin(r);
  }
}

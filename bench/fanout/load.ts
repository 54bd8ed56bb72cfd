/**
 * The load generator of the fan-out bench, a process of its own: real sockets, far less work per message than a bot. The
 * same for the server and for the floor: it says Hello, then walks and pings at even distances in time, and counts what
 * comes. It checks nothing; the bots do that.
 */
import { monotonicClock, systemTimers } from '../../src/base/clock.js';
import { hash2, seededRandom } from '../../src/base/random.js';
import { leanSockets } from '../../src/bots/lean-socket.js';
import type { ClientSocket, SocketFactory } from '../../src/client/socket.js';
import { fieldAt, follow, i32, u32, u64 } from '../../src/wire/bytes.js';
import { ClientWriter } from '../../src/wire/client-writer.js';
import { PROTOCOL_VERSION, SERVER } from '../../src/wire/protocol.js';
import { placeOf } from './field.js';
import { emptyCounts, type FromLoad, type LoadOptions, type Tally, type ToLoad } from './talk.js';

const ROUND_MS = 5;
/** One client in so many counts the entities in its frames. */
const SAMPLE_EVERY = 20;
/** The walk action: heading, speed, seconds, each a float. */
const WALK_KIND = 1;
const WALK_MPS = 6;
const WALK_S = 10;

const clock = monotonicClock();
const random = seededRandom(1);
const writer = new ClientWriter();
const counts = emptyCounts();
const walk = new Uint8Array(12);
const walkFloats = new Float32Array(walk.buffer);

/** Entries of a ServerMessage (type, body) and of the bodies that are looked into. */
const TYPE = 4;
const BODY = 6;
const FRAME = { tick: 10, previous: 12, states: 16 } as const;
const SELF_TICK = 4;
const WELCOME_ENTITY = 8;
const STATE_BYTES = 32;

class LoadClient {
  private readonly socket: ClientSocket;
  private entity = 0;
  private newestTick = 0;
  private actionId = 0;
  isIn = false;

  constructor(
    private readonly index: number,
    options: LoadOptions,
    sockets: SocketFactory,
    private readonly entered: () => void,
  ) {
    this.socket = sockets(options.url, {
      opened: () => {
        counts.open++;
        const spawn = placeOf(options.field, index);
        this.socket.send(writer.hello(0, { protocol: PROTOCOL_VERSION, client: 'bench', spawn }));
      },
      received: (bytes) => this.received(bytes),
      closed: () => {
        counts.open--;
        counts.lost++;
      },
    });
  }

  act(): void {
    walkFloats[0] = random.next() * 2 * Math.PI;
    walkFloats[1] = WALK_MPS;
    walkFloats[2] = WALK_S;
    this.socket.send(writer.action(this.newestTick, ++this.actionId, WALK_KIND, walk));
    counts.actions++;
  }

  ping(): void {
    this.socket.send(writer.ping(this.newestTick, 1));
    counts.pings++;
  }

  leave(): void {
    this.socket.close(1000, '');
  }

  private received(bytes: Uint8Array): void {
    const root = follow(bytes, 0);
    const type = bytes[fieldAt(bytes, root, TYPE)];
    const body = follow(bytes, fieldAt(bytes, root, BODY));
    if (type === SERVER.CELL_FRAME) return this.frame(bytes, body);
    if (type === SERVER.SELF_UPDATE) {
      add(counts.selfUpdates, bytes);
      this.saw(u32(bytes, fieldAt(bytes, body, SELF_TICK)));
      return;
    }
    add(counts.replies, bytes);
    if (type !== SERVER.WELCOME) return;
    const at = fieldAt(bytes, body, WELCOME_ENTITY);
    this.entity = at === 0 ? 0 : u64(bytes, at);
    this.isIn = true;
    this.entered();
  }

  private frame(bytes: Uint8Array, body: number): void {
    const tick = fieldAt(bytes, body, FRAME.tick);
    if (tick !== 0) this.saw(u32(bytes, tick));
    const previous = fieldAt(bytes, body, FRAME.previous);
    const isDelta = previous !== 0 && u32(bytes, previous) !== 0;
    add(isDelta ? counts.frames : counts.replies, bytes);
    if (!isDelta || this.index % SAMPLE_EVERY !== 0) return;
    const at = fieldAt(bytes, body, FRAME.states);
    if (at === 0) return;
    const states = follow(bytes, at);
    const n = i32(bytes, states);
    counts.sampleStates += n;
    for (let i = 0; i < n; i++) {
      if (u64(bytes, states + 4 + i * STATE_BYTES) === this.entity) counts.sampleStates--;
    }
  }

  private saw(tick: number): void {
    if (tick > this.newestTick) this.newestTick = tick;
  }
}

function add(tally: Tally, bytes: Uint8Array): void {
  tally.messages++;
  tally.bytes += bytes.length;
}

/** Calls each client that is in the world in turn, so often that each is called `perSecond` times a second. */
class Rota {
  private next = 0;
  private due = 0;
  private at = clock.now();
  constructor(
    private readonly clients: readonly LoadClient[],
    private readonly perSecond: number,
    private readonly call: (client: LoadClient) => void,
  ) {}

  turn(): void {
    const { length } = this.clients;
    const now = clock.now();
    this.due += ((now - this.at) / 1000) * this.perSecond * length;
    this.at = now;
    for (; this.due >= 1; this.due--) {
      const client = this.clients[this.next++ % length]!;
      if (client.isIn) this.call(client);
    }
  }
}

class Load {
  private readonly clients: LoadClient[] = [];
  private rotas: Rota[] = [];
  private options!: LoadOptions;
  private readonly stop = systemTimers().every(ROUND_MS, () => this.round());
  private begun = 0;
  private entered = 0;
  private sockets!: SocketFactory;
  private whenIn: () => void = () => {};

  connect(options: LoadOptions): Promise<void> {
    this.options = options;
    this.sockets = leanSockets(seededRandom(hash2(1, 2)));
    this.begun = clock.now();
    this.rotas = [new Rota(this.clients, options.pingsPerSecond, (client) => client.ping())];
    return new Promise((resolve) => {
      this.whenIn = resolve;
    });
  }

  act(on: boolean): void {
    this.rotas = this.rotas.slice(0, 1);
    if (on && this.options.actionsPerSecond > 0)
      this.rotas.push(new Rota(this.clients, this.options.actionsPerSecond, (client) => client.act()));
  }

  leave(): void {
    this.stop();
    for (const client of this.clients) client.leave();
    process.disconnect();
  }

  private round(): void {
    for (const rota of this.rotas) rota.turn();
    if (this.options !== undefined && this.clients.length < this.options.field.clients) this.grow();
  }

  private grow(): void {
    const { field, ramp } = this.options;
    const due = Math.min(field.clients, ((clock.now() - this.begun) / 1000) * ramp);
    while (this.clients.length < due) {
      const client = new LoadClient(this.clients.length, this.options, this.sockets, () => {
        if (++this.entered === field.clients) this.allIn();
      });
      this.clients.push(client);
    }
  }

  private allIn(): void {
    counts.sample = Math.ceil(this.clients.length / SAMPLE_EVERY);
    this.whenIn();
  }
}

const load = new Load();

async function answer(message: ToLoad): Promise<void> {
  if (message.type === 'connect') await load.connect(message.options);
  else if (message.type === 'actions') load.act(message.on);
  else if (message.type === 'leave') return load.leave();
  process.send?.({ type: 'done', counts } satisfies FromLoad);
}

process.on('message', (message: ToLoad) => {
  answer(message).catch((error: unknown) => {
    process.send?.({ type: 'failed', reason: String(error) } satisfies FromLoad);
  });
});

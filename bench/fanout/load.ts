/**
 * The load generator of the fan-out bench, a process of its own: real sockets, far less work per message than a bot. The
 * same for the server and for the floor: it says Hello, then walks and pings at even distances in time, and counts what
 * comes. It checks nothing; the bots do that.
 */
import { monotonicClock, systemTimers } from '../../src/base/clock.js';
import { hash2, seededRandom } from '../../src/base/random.js';
import { leanSockets } from '../../src/bots/lean-socket.js';
import type { ClientSocket, SocketFactory } from '../../src/client/socket.js';
import { ColyseusDialect, JsonDialect } from '../peers/dialects.js';
import { BlueMarbleDialect, type Dialect, HEARD } from './dialect.js';
import { placeOf } from './field.js';
import { Lateness } from './lateness.js';
import {
  emptyCounts,
  type FromLoad,
  type LoadOptions,
  type Tally,
  type ToLoad,
  type Tongue,
} from './talk.js';

const ROUND_MS = 5;
/** One client in so many counts the entities in its frames, and when they come. */
const SAMPLE_EVERY = 20;

const clock = monotonicClock();
const random = seededRandom(1);
const counts = emptyCounts();
const DIALECTS: Readonly<Record<Tongue, new () => Dialect>> = {
  bluemarble: BlueMarbleDialect,
  colyseus: ColyseusDialect,
  json: JsonDialect,
};

class LoadClient {
  private readonly socket: ClientSocket;
  private readonly dialect: Dialect;
  private readonly lateness: Lateness | null;
  private wasIn = false;

  constructor(
    index: number,
    options: LoadOptions,
    sockets: SocketFactory,
    private readonly entered: () => void,
  ) {
    this.dialect = new DIALECTS[options.tongue]();
    this.lateness =
      index % SAMPLE_EVERY === 0 ? new Lateness(1000 / options.framesPerSecond, counts.lateness) : null;
    this.socket = sockets(options.urls[index % options.urls.length]!, {
      opened: () => {
        counts.open++;
        this.send(this.dialect.hello(placeOf(options.field, index)));
      },
      received: (bytes) => this.received(bytes),
      closed: () => {
        counts.open--;
        counts.lost++;
      },
    });
  }

  get isIn(): boolean {
    return this.wasIn;
  }

  act(): void {
    this.send(this.dialect.act(random.next() * 2 * Math.PI));
    counts.actions++;
  }

  ping(): void {
    if (this.send(this.dialect.ping())) counts.pings++;
  }

  leave(): void {
    this.socket.close(1000, '');
  }

  private send(bytes: Uint8Array | null): boolean {
    if (bytes !== null) this.socket.send(bytes);
    return bytes !== null;
  }

  private received(bytes: Uint8Array): void {
    const { dialect, lateness } = this;
    const what = dialect.heard(bytes);
    this.send(dialect.answer);
    add(
      what === HEARD.frame ? counts.frames : what === HEARD.self ? counts.selfUpdates : counts.replies,
      bytes,
    );
    if (lateness !== null && what === HEARD.frame) {
      lateness.heard(clock.now());
      counts.sampleStates += dialect.states(bytes);
    }
    if (this.wasIn || !dialect.isIn) return;
    this.wasIn = true;
    this.entered();
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

process.on('disconnect', () => process.exit(0));
process.on('message', (message: ToLoad) => {
  answer(message).catch((error: unknown) => {
    process.send?.({ type: 'failed', reason: String(error) } satisfies FromLoad);
  });
});

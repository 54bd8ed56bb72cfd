/**
 * Colyseus 0.16 in two ways. `rooms`: closed rooms of neighbours + 1 players, each of whom is sent the whole room; that
 * is how it is meant to be used, and no world. `views`: all players in one room, each with a StateView of its
 * neighbours: the nearest that it has to a seamless world.
 */
import { createRequire } from 'node:module';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { PeerOptions } from './talk.js';
import { step, type Walker, walk, walkerOf } from './walkers.js';

/** As much of the packages' types as is used here; the packages are not installed when this is type-checked. */
interface Client {
  sessionId: string;
  view?: { add(item: object): void };
  userData?: { index: number };
}
interface ColyseusRoom {
  clients: Client[];
  state: { players: Map<string, Player> };
}
interface Player {
  x: number;
  y: number;
  vx: number;
  vy: number;
}
interface Packages {
  core: {
    Room: new () => ColyseusRoom;
    Server: new (
      options: object,
    ) => {
      define(name: string, room: unknown): void;
      listen(port: number, host: string): Promise<void>;
    };
    matchMaker: {
      createRoom(name: string, options: object): Promise<{ roomId: string }>;
      joinById(
        roomId: string,
        options: object,
      ): Promise<{ sessionId: string; room: { roomId: string; processId: string } }>;
    };
  };
  schema: {
    Schema: new () => object;
    MapSchema: new () => Map<string, Player>;
    Encoder: { BUFFER_SIZE: number };
    StateView: new () => { add(item: object): void };
    defineTypes(type: unknown, fields: object): void;
    view(): (prototype: object, field: string) => void;
    type(type: unknown): (prototype: object, field: string) => void;
  };
  transport: { WebSocketTransport: new (options: object) => unknown };
}

const SEAT_S = 600;
/** For one encoding of everything that changed; the default is 8 KiB, and each growth is a line on the console. */
const ENCODER_BYTES = 4 * 1024 * 1024;

function packages(): Packages {
  const need = createRequire(import.meta.url);
  return {
    core: need('@colyseus/core') as Packages['core'],
    schema: need('@colyseus/schema') as Packages['schema'],
    transport: need('@colyseus/ws-transport') as Packages['transport'],
  };
}

/** @returns an address with a reserved seat for each client */
export async function serveColyseus(options: PeerOptions): Promise<string[]> {
  const { core, schema, transport } = packages();
  schema.Encoder.BUFFER_SIZE = ENCODER_BYTES;
  const views = options.peer === 'colyseus-views';
  const group = options.field.neighbours + 1;
  const http = createServer();
  const server = new core.Server({
    transport: new transport.WebSocketTransport({ server: http }),
    greet: false,
    gracefullyShutdown: false,
  });
  server.define('field', roomOf(core, schema, options, views, group));
  await server.listen(0, '127.0.0.1');
  const { port } = http.address() as AddressInfo;
  const { clients } = options.field;
  const urls: string[] = [];
  const rooms = views ? 1 : Math.ceil(clients / group);
  for (let r = 0; r < rooms; r++) {
    const { roomId } = await core.matchMaker.createRoom('field', {});
    const end = views ? clients : Math.min(clients, (r + 1) * group);
    for (let index = views ? 0 : r * group; index < end; index++) {
      const seat = await core.matchMaker.joinById(roomId, { index });
      urls.push(
        `ws://127.0.0.1:${port}/${seat.room.processId}/${seat.room.roomId}?sessionId=${seat.sessionId}`,
      );
    }
  }
  return urls;
}

function stateOf(schema: Packages['schema'], views: boolean) {
  class PlayerState extends schema.Schema {}
  schema.defineTypes(PlayerState, { x: 'float32', y: 'float32', vx: 'float32', vy: 'float32' });
  class FieldState extends schema.Schema {
    declare players: Map<string, Player>;
    constructor() {
      super();
      this.players = new schema.MapSchema();
    }
  }
  schema.type({ map: PlayerState })(FieldState.prototype, 'players');
  if (views) schema.view()(FieldState.prototype, 'players');
  return { PlayerState, FieldState };
}

function roomOf(
  core: Packages['core'],
  schema: Packages['schema'],
  options: PeerOptions,
  views: boolean,
  group: number,
) {
  const { PlayerState, FieldState } = stateOf(schema, views);
  const { field, tickRate, framesPerSecond } = options;
  return class extends core.Room {
    declare setState: (state: object) => void;
    declare setPatchRate: (ms: number) => void;
    declare setSeatReservationTime: (seconds: number) => void;
    declare setSimulationInterval: (work: () => void, ms: number) => void;
    declare onMessage: (type: string, heard: (client: Client, walk: number[]) => void) => void;
    autoDispose = false;
    private readonly walkers = new Map<number, { walker: Walker; player: Player; client: Client }>();

    onCreate(): void {
      this.setState(new FieldState());
      this.setPatchRate(1000 / framesPerSecond);
      this.setSeatReservationTime(SEAT_S);
      this.onMessage('w', (client, [heading, speed, seconds]) => {
        walk(this.walkers.get(client.userData!.index)!.walker, heading!, speed, seconds);
      });
      this.setSimulationInterval(() => this.tick(1 / tickRate), 1000 / tickRate);
    }

    onJoin(client: Client, { index }: { index: number }): void {
      const walker = walkerOf(field, index);
      const player = Object.assign(new PlayerState() as unknown as Player, {
        x: walker.x,
        y: walker.y,
        vx: 0,
        vy: 0,
      });
      client.userData = { index };
      this.state.players.set(client.sessionId, player);
      this.walkers.set(index, { walker, player, client });
      if (views) this.meet(index);
    }

    /** Everybody of the group sees the newcomer, and the newcomer them. */
    private meet(index: number): void {
      const me = this.walkers.get(index)!;
      me.client.view = new schema.StateView();
      const first = index - (index % group);
      for (let other = first; other < first + group; other++) {
        const mate = this.walkers.get(other);
        if (mate === undefined) continue;
        me.client.view.add(mate.player);
        if (mate !== me) mate.client.view!.add(me.player);
      }
    }

    private tick(dt: number): void {
      for (const { walker, player } of this.walkers.values()) {
        step(walker, dt);
        player.x = walker.x;
        player.y = walker.y;
        player.vx = walker.vx;
        player.vy = walker.vy;
      }
    }
  };
}

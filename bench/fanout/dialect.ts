/**
 * How a client of the load generator speaks to its server: BlueMarble's protocol here, those of the peers in
 * bench/peers/dialects.ts. The generator is the same for all; it knows only what a dialect says a message is.
 */
import { fieldAt, follow, u32, u64 } from '../../src/wire/bytes.js';
import { CellFrameView } from '../../src/wire/cell-frame-view.js';
import { ClientWriter } from '../../src/wire/client-writer.js';
import { PROTOCOL_VERSION, SERVER } from '../../src/wire/protocol.js';

/** What the server said: a frame of the world, an update of oneself alone, anything else. */
export const HEARD = { frame: 0, self: 1, reply: 2 } as const;

/** One client's side of a conversation. Bytes that it returns are valid until the next call on any client. */
export interface Dialect {
  /** First message after the socket has opened; null = the server speaks first. */
  hello(spawn: { x: number; y: number }): Uint8Array | null;
  /** What must be sent at once in answer to the message just heard; null = nothing. */
  readonly answer: Uint8Array | null;
  /** Whether the client is in the world. */
  readonly isIn: boolean;
  /** Walk in a direction, radians. */
  act(heading: number): Uint8Array;
  /** What a client owes once a second; null = nothing. */
  ping(): Uint8Array | null;
  /** @returns one of HEARD */
  heard(bytes: Uint8Array): number;
  /** Entities in a frame, the client itself not counted. */
  states(frame: Uint8Array): number;
}

const WALK_KIND = 1;
export const WALK_MPS = 6;
export const WALK_S = 10;

/** Entries of a ServerMessage (type, body) and of the bodies that are looked into. */
const TYPE = 4;
const BODY = 6;
const FRAME = { tick: 10, previous: 12 } as const;
const SELF_TICK = 4;
const WELCOME_ENTITY = 8;

const writer = new ClientWriter();
const walk = new Uint8Array(12);
const walkFloats = new Float32Array(walk.buffer);

export class BlueMarbleDialect implements Dialect {
  readonly answer = null;
  isIn = false;
  private entity = 0;
  private readonly frame = new CellFrameView();
  private newestTick = 0;
  private actionId = 0;

  hello(spawn: { x: number; y: number }): Uint8Array {
    return writer.hello(0, { protocol: PROTOCOL_VERSION, client: 'bench', spawn });
  }

  act(heading: number): Uint8Array {
    walkFloats[0] = heading;
    walkFloats[1] = WALK_MPS;
    walkFloats[2] = WALK_S;
    return writer.action(this.newestTick, ++this.actionId, WALK_KIND, walk);
  }

  ping(): Uint8Array {
    return writer.ping(this.newestTick, 1);
  }

  heard(bytes: Uint8Array): number {
    const root = follow(bytes, 0);
    const type = bytes[fieldAt(bytes, root, TYPE)];
    const body = follow(bytes, fieldAt(bytes, root, BODY));
    if (type === SERVER.CELL_FRAME) {
      const tick = fieldAt(bytes, body, FRAME.tick);
      if (tick !== 0) this.saw(u32(bytes, tick));
      const previous = fieldAt(bytes, body, FRAME.previous);
      return previous !== 0 && u32(bytes, previous) !== 0 ? HEARD.frame : HEARD.reply;
    }
    if (type === SERVER.SELF_UPDATE) {
      this.saw(u32(bytes, fieldAt(bytes, body, SELF_TICK)));
      return HEARD.self;
    }
    if (type === SERVER.WELCOME) {
      const at = fieldAt(bytes, body, WELCOME_ENTITY);
      this.entity = at === 0 ? 0 : u64(bytes, at);
      this.isIn = true;
    }
    return HEARD.reply;
  }

  states(frame: Uint8Array): number {
    const body = follow(frame, fieldAt(frame, follow(frame, 0), BODY));
    const view = this.frame.open(frame, body);
    let others = view.stateCount + view.moveCount;
    for (let i = 0; i < view.stateCount; i++) if (view.id(i) === this.entity) others--;
    for (let i = 0; i < view.moveCount; i++) if (view.moveId(i) === this.entity) others--;
    return others;
  }

  private saw(tick: number): void {
    if (tick > this.newestTick) this.newestTick = tick;
  }
}

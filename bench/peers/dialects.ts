/** The protocols of the peers, as a client of theirs sees them: no more of them than the load generator needs. */
import { type Dialect, HEARD, WALK_MPS, WALK_S } from '../fanout/dialect.js';

/** Message codes of Colyseus 0.16 (src/Protocol.ts of @colyseus/core, MIT). */
const COLYSEUS = { joinRoom: 10, roomData: 13, roomStatePatch: 15 } as const;

/** Colyseus: the seat is reserved by the bench, its address names the room and the seat. */
export class ColyseusDialect implements Dialect {
  answer: Uint8Array | null = null;
  isIn = false;
  /** Code, message type "w" as a short string, then MessagePack: an array of three floats. */
  private readonly walk = Uint8Array.from([COLYSEUS.roomData, 0xa1, 0x77, 0x93, ...new Array(15).fill(0)]);
  private readonly view = new DataView(this.walk.buffer);

  hello(): null {
    return null;
  }

  act(heading: number): Uint8Array {
    [heading, WALK_MPS, WALK_S].forEach((value, i) => {
      this.view.setUint8(4 + i * 5, 0xca);
      this.view.setFloat32(5 + i * 5, value);
    });
    return this.walk;
  }

  ping(): null {
    return null; // the WebSocket's own, which its transport sends
  }

  heard(bytes: Uint8Array): number {
    this.answer = null;
    if (bytes[0] === COLYSEUS.joinRoom) {
      this.isIn = true;
      this.answer = Uint8Array.of(COLYSEUS.joinRoom);
    }
    return bytes[0] === COLYSEUS.roomStatePatch ? HEARD.frame : HEARD.reply;
  }

  /** Who walks straight on changes x and y: five bytes each, three to name the entity. It sees itself as well. */
  states(frame: Uint8Array): number {
    return Math.max(0, Math.round((frame.length - 1) / 13) - 1);
  }
}

/** The plain `ws` server: JSON both ways. */
export class JsonDialect implements Dialect {
  readonly answer = null;
  isIn = false;

  hello(): Uint8Array {
    return new TextEncoder().encode('{"hello":true}');
  }

  act(heading: number): Uint8Array {
    return new TextEncoder().encode(JSON.stringify({ walk: [heading, WALK_MPS, WALK_S] }));
  }

  ping(): null {
    return null;
  }

  heard(): number {
    this.isIn = true;
    return HEARD.frame;
  }

  states(frame: Uint8Array): number {
    return (JSON.parse(new TextDecoder().decode(frame)) as unknown[]).length - 1;
  }
}

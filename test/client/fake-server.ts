/**
 * A server of one thread and no world, for tests of the SDK: sessions, exactly-once actions, windows, resume, and
 * frames that the test itself words. Nothing moves until `deliver` is called; time is the test's.
 */
import { Builder, ByteBuffer } from 'flatbuffers';
import { FNV_BASIS, fnvAction } from '../../src/base/fnv.js';
import { ERRORS, type CloseName } from '../../src/base/errors.js';
import type { ClientSocket, SocketEvents, SocketFactory } from '../../src/client/socket.js';
import { wrapX } from '../../src/geo/world.js';
import { CellFrameWriter } from '../../src/wire/cell-frame-writer.js';
import * as Up from '../../src/wire/generated/client_generated.js';
import * as Down from '../../src/wire/generated/server_generated.js';
import { verifyClientMessage } from '../../src/wire/verify.js';
import { ACTIONS, buildWelcome } from './fake-welcome.js';

interface Decided {
  kind: number;
  payload: Uint8Array;
  outcome: number;
}

export interface FakeSession {
  session: number;
  entity: number;
  decided: Decided[];
  /** How many of them would survive a crash. */
  durable: number;
  told: number;
  connection: Connection | null;
  expired: boolean;
  /** Of its own if the client asked for a spawn point. */
  position: { x: number; y: number } | null;
  velocity: { x: number; y: number; seconds: number };
}

export class Connection implements ClientSocket {
  readonly up: Uint8Array[] = [];
  readonly down: Uint8Array[] = [];
  session: FakeSession | null = null;
  /** Types of the messages that arrived, in order. */
  readonly said: string[] = [];
  readonly keyRequests: { x: number; y: number }[] = [];
  lastEcho = 0;
  /** Welcomes sent after the first. */
  welcomes = -1;
  open = true;
  closing: { code: number; reason: string } | null = null;
  constructor(readonly events: SocketEvents) {}
  send(bytes: Uint8Array): void {
    this.up.push(bytes.slice());
  }
  close(): void {
    this.open = false;
  }
}

export class FakeServer {
  connections: Connection[] = [];
  sessions: FakeSession[] = [];
  /** What the next decisions shall be; 0 = applied. */
  outcome: (kind: number, payload: Uint8Array) => number = () => 0;
  /** Whether actions are decided at all. */
  deciding = true;
  refusing = false;
  window = 60;
  tick = 100;
  position = { x: 10, y: 10 };
  /** Told with every self update; null = follows `applied`. */
  durable: number | null = null;
  items = [10, 3, 0, 0];
  private next = 1;

  readonly sockets: SocketFactory = (_url, events) => {
    const connection = new Connection(events);
    this.connections.push(connection);
    return connection;
  };

  get last(): Connection {
    return this.connections.at(-1)!;
  }

  /** Carries everything that is under way to where it goes, until nothing is. */
  deliver(): void {
    for (let busy = true; busy; ) {
      busy = false;
      for (const connection of [...this.connections]) if (this.carry(connection)) busy = true;
    }
  }

  private carry(c: Connection): boolean {
    let busy = false;
    if (this.refusing && !c.said.includes('open')) {
      this.connections = this.connections.filter((other) => other !== c);
      c.open = false;
      c.events.closed(1006, 'refused');
      return true;
    }
    if (!c.said.includes('open')) {
      c.said.push('open');
      c.events.opened();
      busy = true;
    }
    for (const bytes of c.up.splice(0)) {
      busy = true;
      if (c.open) this.read(c, bytes);
    }
    for (const bytes of c.down.splice(0)) {
      busy = true;
      c.events.received(bytes);
    }
    if (c.closing !== null && c.open) {
      busy = true;
      c.open = false;
      c.events.closed(c.closing.code, c.closing.reason);
    }
    return busy;
  }

  /** The socket breaks: what was under way either way is lost. */
  cut(code = 1006): void {
    const c = this.last;
    c.open = false;
    c.up.length = 0;
    c.down.length = 0;
    if (c.session !== null) c.session.connection = null;
    c.events.closed(code, '');
  }

  close(name: CloseName, c = this.last): void {
    const b = new Builder(128);
    const nameAt = b.createString(name);
    const textAt = b.createString(ERRORS[name].text);
    Down.Closing.startClosing(b);
    Down.Closing.addCode(b, ERRORS[name].number);
    Down.Closing.addName(b, nameAt);
    Down.Closing.addText(b, textAt);
    this.send(c, b, Down.ServerBody.Closing, Down.Closing.endClosing(b));
    c.closing = { code: ERRORS[name].number, reason: name };
    if (c.session !== null) c.session.connection = null;
  }

  /** What served the player is gone and back in its durable state, behind a socket that stays open. */
  fallBack(): void {
    const c = this.last;
    const session = c.session!;
    session.decided.length = session.durable;
    session.told = 0;
    this.welcome(c, session, true);
    this.self(c);
  }

  /** The same, in a state before what was told: `kept` actions of the session are there. */
  putBack(kept: number): void {
    const c = this.last;
    const session = c.session!;
    session.decided.length = session.durable = kept;
    c.session = this.renew(session);
    c.session.connection = c;
    this.welcome(c, c.session, false);
    this.self(c);
  }

  /** A new session for the entity of one that cannot go on. */
  private renew(old: FakeSession): FakeSession {
    const session = { ...old, session: this.next++, decided: [], durable: 0, told: 0 };
    old.expired = true;
    this.sessions.push(session);
    return session;
  }

  /** A crash: what was not durable is undone, sockets break. */
  crash(): void {
    for (const session of this.sessions) session.decided.length = session.durable;
    for (const c of this.connections.filter((other) => other.open)) {
      c.open = false;
      c.up.length = 0;
      c.down.length = 0;
      c.events.closed(1006, '');
    }
    for (const session of this.sessions) session.connection = null;
  }

  private read(c: Connection, bytes: Uint8Array): void {
    const fault = verifyClientMessage(bytes);
    if (fault !== 0) throw new Error(`the client sent a bad message: ${fault}`);
    const message = Up.ClientMessage.getRootAsClientMessage(new ByteBuffer(bytes));
    c.lastEcho = message.newestTick();
    c.said.push(Up.ClientBody[message.bodyType()]!);
    switch (message.bodyType()) {
      case Up.ClientBody.Hello:
        return this.hello(c, message.body(new Up.Hello()));
      case Up.ClientBody.Action:
        if (message.welcomes() > c.welcomes) throw new Error('the client has read more than was sent');
        if (message.welcomes() === c.welcomes) this.action(c, message.body(new Up.Action()));
        return;
      case Up.ClientBody.KeyRequest: {
        const request: Up.KeyRequest = message.body(new Up.KeyRequest());
        for (let i = 0; i < request.cellsLength(); i++) {
          c.keyRequests.push({ x: request.cells(i)!.x(), y: request.cells(i)!.y() });
        }
        return;
      }
      case Up.ClientBody.LogRequest:
        return this.log(c);
      case Up.ClientBody.Goodbye:
        c.closing = { code: 4000, reason: 'GOODBYE' };
        return;
      case Up.ClientBody.Ping:
        return this.pong(c, message.body(new Up.Ping()));
    }
  }

  private hello(c: Connection, hello: Up.Hello): void {
    const resume = Number(hello.resumeSession());
    let session = this.sessions.find((s) => s.session === resume && !s.expired);
    if (resume !== 0 && session === undefined) return this.close('SESSION_EXPIRED', c);
    const isBehind = session !== undefined && session.decided.length < hello.resumeDurable();
    const resumed = session !== undefined && !isBehind;
    if (session !== undefined && isBehind) session = this.renew(session);
    if (session === undefined) {
      const n = this.next++;
      const spawn = hello.spawn();
      session = {
        session: n,
        entity: 1000 + n,
        decided: [],
        durable: 0,
        told: 0,
        connection: null,
        expired: false,
        position: spawn === null ? null : { x: spawn.x(), y: spawn.y() },
        velocity: { x: 0, y: 0, seconds: 0 },
      };
      this.sessions.push(session);
    }
    session.connection = c;
    session.told = 0;
    c.session = session;
    this.welcome(c, session, resumed);
    this.self(c);
  }

  private welcome(c: Connection, session: FakeSession, resumed: boolean): void {
    c.welcomes++;
    const b = new Builder(1024);
    const applied = session.decided.length;
    const body = buildWelcome(b, {
      ...session,
      ...(session.position ?? this.position),
      resumed,
      applied,
      durable: Math.min(this.durable ?? applied, applied),
      window: this.window,
      tick: this.tick,
    });
    this.send(c, b, Down.ServerBody.Welcome, body);
  }

  private action(c: Connection, action: Up.Action): void {
    const session = c.session!;
    if (!this.deciding) return;
    if (action.id() !== session.decided.length + 1) return this.close('ACTION_GAP', c);
    const payload = (action.payloadArray() ?? new Uint8Array(0)).slice();
    session.decided.push({ kind: action.kind(), payload, outcome: this.outcome(action.kind(), payload) });
    if (action.kind() === ACTIONS.walk) walk(session, payload);
  }

  /** Two ticks: everybody walks on and hears of it. */
  step(): void {
    this.tick += 2;
    for (const session of this.sessions) {
      const { position, velocity } = session;
      if (position !== null && velocity.seconds > 0) {
        const seconds = Math.min(velocity.seconds, 0.1);
        position.x = wrapX(position.x + velocity.x * seconds);
        position.y += velocity.y * seconds;
        velocity.seconds -= seconds;
      }
      if (session.connection?.open) this.self(session.connection);
    }
  }

  /** A self update to a connection, with what was decided since the last one. */
  self(c = this.last): void {
    const session = c.session!;
    const applied = session.decided.length;
    session.durable = Math.min(this.durable ?? applied, applied);
    const b = new Builder(512);
    const items = Down.SelfUpdate.createItemsVector(b, this.items);
    const rejected: [number, number][] = [];
    for (let id = Math.max(session.told, applied - 64) + 1; id <= applied; id++) {
      const code = session.decided[id - 1]!.outcome;
      if (code !== 0) rejected.push([id, code]);
    }
    Down.SelfUpdate.startOutcomesVector(b, rejected.length);
    for (const [id, code] of rejected.reverse()) Down.Outcome.createOutcome(b, id, code);
    const outcomes = b.endVector();
    const S = Down.SelfUpdate;
    S.startSelfUpdate(b);
    S.addTick(b, this.tick);
    S.addEpoch(b, 1);
    S.addX(b, (session.position ?? this.position).x);
    S.addY(b, (session.position ?? this.position).y);
    S.addApplied(b, applied);
    S.addDurable(b, session.durable);
    S.addOutcomes(b, outcomes);
    S.addItems(b, items);
    this.send(c, b, Down.ServerBody.SelfUpdate, S.endSelfUpdate(b));
    session.told = applied;
  }

  private log(c: Connection): void {
    const { session, decided } = c.session!;
    const b = new Builder(128);
    const L = Down.LogReply;
    L.startLogReply(b);
    L.addSession(b, BigInt(session));
    L.addLastAction(b, decided.length);
    L.addApplied(b, decided.filter((d) => d.outcome === 0).length);
    L.addRejected(b, decided.filter((d) => d.outcome !== 0).length);
    let hash = FNV_BASIS;
    decided.forEach((d, i) => {
      hash = fnvAction(hash, i + 1, d.kind, d.payload, 0, d.payload.length, d.outcome);
    });
    L.addHash(b, hash);
    this.send(c, b, Down.ServerBody.LogReply, L.endLogReply(b));
  }

  private pong(c: Connection, ping: Up.Ping): void {
    const b = new Builder(64);
    Down.Pong.startPong(b);
    Down.Pong.addNonce(b, ping.nonce());
    Down.Pong.addTick(b, this.tick);
    this.send(c, b, Down.ServerBody.Pong, Down.Pong.endPong(b));
  }

  /** A frame of the test's own wording. */
  frame(
    cell: { x: number; y: number },
    publisher: number,
    tick: number,
    previous: number,
    word: (w: CellFrameWriter) => void = () => {},
    taken = 0,
    c = this.last,
  ): void {
    const writer = new CellFrameWriter(8192);
    writer.begin(cell.x, cell.y, publisher, tick, previous, 0, 0, taken);
    word(writer);
    c.down.push(writer.view(writer.finish()).slice());
  }

  /** Any bytes. */
  raw(bytes: Uint8Array, c = this.last): void {
    c.down.push(bytes);
  }

  private send(c: Connection, b: Builder, type: Down.ServerBody, body: number): void {
    const M = Down.ServerMessage;
    M.startServerMessage(b);
    M.addBodyType(b, type);
    M.addBody(b, body);
    b.finish(M.endServerMessage(b));
    c.down.push(b.asUint8Array().slice());
  }
}

function walk(session: FakeSession, payload: Uint8Array): void {
  const view = new DataView(payload.buffer, payload.byteOffset);
  const heading = view.getFloat32(0, true);
  const speed = view.getFloat32(4, true);
  const seconds = view.getFloat32(8, true);
  session.velocity = { x: Math.cos(heading) * speed, y: Math.sin(heading) * speed, seconds };
}

/** A clock that a test moves. */
export class HandClock {
  ms = 1000;
  now(): number {
    return this.ms;
  }
}

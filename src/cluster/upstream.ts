/**
 * A router's link to its node: dials, proves itself, tells of turns, and begins again when the link is gone, for as long as
 * the router lives. Which life of the node is at the other end it tells with each link that stands.
 */
import type { Clock, Timers } from '../base/clock.js';
import type { LinkName } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { Log } from '../base/log.js';
import { Greeter, isSameWorld, type LinkCrypto, type LinkPeer, say } from '../wire/link/handshake.js';
import { LinkEnd, type LinkEndParts } from '../wire/link/link-end.js';
import type { LinkStream, StreamEvents } from '../wire/link/stream.js';
import { TurnReader, type TurnView, TurnWriter } from '../wire/link/turn.js';

/** A node that is started again is there within a second or two. */
const REDIAL_MS = 100;
/** Who refuses us with a code will not think otherwise at once. */
const REFUSED_MS = 1000;
/** An answer to a turn of the node waits so long for a client to say something. */
const ANSWER_MS = 5;
/** Lives of the node that are known to be over. */
const MOST_LIVES = 64;

/** Connects; the events are heard from then on. @returns null when it cannot be reached */
export type Dial = () => Promise<DialledStream | null>;
export interface DialledStream extends LinkStream {
  events: StreamEvents | null;
}

export interface UpstreamParts extends Pick<LinkEndParts, 'soon' | 'late'> {
  readonly clock: Clock;
  readonly timers: Timers;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  readonly crypto: LinkCrypto;
  readonly key: Uint8Array;
  readonly me: Omit<LinkPeer, 'world'>;
  readonly dial: Dial;
}

export interface UpstreamEvents {
  /** @param generation number of the link, never used again @param isSameLife the node has not been started anew since the last one */
  up(generation: number, isSameLife: boolean): void;
  turn(turn: TurnView): void;
  full(isFull: boolean): void;
  down(why: LinkName | null): void;
  /** The node refuses this router, or this router the node; it is tried again. */
  refused(why: LinkName): void;
}

export class Upstream {
  /** Null while there is no link. */
  link: LinkEnd | null = null;
  /** The node, as it said last. */
  peer: LinkPeer | null = null;
  generation = 0;
  private readonly over: string[] = [];
  private isClosed = false;
  private cancelDial: (() => void) | null = null;
  private bytesBefore = { in: 0, out: 0 };

  constructor(
    private readonly parts: UpstreamParts,
    private readonly events: UpstreamEvents,
  ) {}

  get traffic(): { bytesIn: number; bytesOut: number } {
    const { link, bytesBefore } = this;
    return {
      bytesIn: bytesBefore.in + (link?.bytesIn ?? 0),
      bytesOut: bytesBefore.out + (link?.bytesOut ?? 0),
    };
  }

  open(): void {
    void this.dial();
  }

  close(): void {
    this.isClosed = true;
    this.cancelDial?.();
    this.link?.flush();
    this.link?.close(null);
  }

  private again(ms: number): void {
    this.cancelDial?.(); // one attempt at a time
    if (!this.isClosed) this.cancelDial = this.parts.timers.after(ms, () => void this.dial());
  }

  private async dial(): Promise<void> {
    const stream = await this.parts.dial();
    if (stream === null) return this.again(REDIAL_MS);
    if (this.isClosed) return stream.destroy();
    this.greet(stream);
  }

  private greet(stream: DialledStream): void {
    const { parts } = this;
    const out = new TurnWriter();
    const reader = new TurnReader(LIMITS.linkHandshakeBytes);
    const greeter = new Greeter(
      { ...parts.me, world: this.peer?.world ?? null },
      parts.key,
      stream.binding,
      parts.crypto,
    );
    const give = (why: LinkName | null) => {
      cancel();
      stream.events = null;
      stream.destroy();
      if (why !== null) this.events.refused(why);
      this.again(why === null ? REDIAL_MS : REFUSED_MS);
    };
    const cancel = parts.timers.after(LIMITS.linkHandshakeS * 1000, () => give('LINK_SILENT'));
    stream.events = {
      closed: () => give(null),
      received: (bytes) => {
        const taken = reader.feed(bytes, (turn) => {
          while (turn.next()) {
            const step = greeter.hear(turn.type, turn.body(), (peer) => this.judge(peer));
            say(stream, out, step);
            if (step.refused !== undefined) give(step.refused);
            if (step.peer !== undefined) {
              cancel();
              this.stand(stream, step.peer);
            }
            if (step.refused !== undefined || step.peer !== undefined) return false;
          }
          return true;
        });
        if (taken < 0) give('LINK_NONSENSE');
        else if (taken < bytes.length) this.link?.received(bytes.subarray(taken)); // came right behind the acceptance
      },
    };
    say(stream, out, greeter.begin());
  }

  /** Whether this node is of the world that the router is for, and no older life of it. */
  private judge(peer: LinkPeer): LinkName | null {
    if (this.over.includes(peer.life)) return 'LINK_LIFE';
    if (peer.world === null) return 'LINK_NONSENSE';
    const known = this.peer?.world ?? null;
    return known === null || isSameWorld(peer.world, known) ? null : 'LINK_WORLD';
  }

  private stand(stream: DialledStream, peer: LinkPeer): void {
    const { parts, events } = this;
    const before = this.peer;
    const isSameLife = before?.life === peer.life;
    if (before !== null && !isSameLife) {
      this.over.push(before.life);
      if (this.over.length > MOST_LIVES) this.over.shift();
    }
    this.peer = peer;
    this.generation++;
    const link: LinkEnd = new LinkEnd(
      stream,
      { ...parts, answerMs: ANSWER_MS },
      {
        turn: (turn) => events.turn(turn),
        full: (isFull) => events.full(isFull),
        closed: (why) => this.lost(link, why),
      },
    );
    this.link = link;
    stream.events = { received: (bytes) => link.received(bytes), closed: () => link.close(null) };
    parts.log.info({ node: peer.name, life: peer.life, program: peer.program }, 'linked to the node');
    events.up(this.generation, isSameLife);
  }

  private lost(link: LinkEnd, why: LinkName | null): void {
    this.bytesBefore.in += link.bytesIn;
    this.bytesBefore.out += link.bytesOut;
    if (this.link !== link) return; // a newer one has taken its place
    this.link = null;
    if (this.isClosed) return;
    this.parts.log.warn({ node: this.peer?.name, why }, 'the link to the node is gone');
    this.events.down(why);
    this.again(REDIAL_MS);
  }
}

/**
 * One router's link at the node, and the channels of its clients: each is a `Socket` for the gateway. See
 * link-transport.ts.
 */
import type { LinkName } from '../base/errors.js';
import { type ClusterFacts, readAbout, type RouterFacts, writeCluster } from '../wire/link/facts.js';
import { writeEnd } from '../wire/link/end.js';
import type { LinkPeer } from '../wire/link/handshake.js';
import { LinkEnd, type LinkEndParts } from '../wire/link/link-end.js';
import { readOpen } from '../wire/link/open.js';
import { readBuffered } from '../wire/link/pressure.js';
import type { LinkStream } from '../wire/link/stream.js';
import { writeSend } from '../wire/link/talk.js';
import { writePublish, writeSubscribe, writeUnsubscribe } from '../wire/link/topics.js';
import type { TurnView } from '../wire/link/turn.js';
import { LINK } from '../wire/link/types.js';
import { isOwnTopic, SENT, type Socket, type SocketListener } from './transport.js';

/** A topic, and how many channels of each link are subscribed to it. */
export interface Topic {
  readonly name: string;
  readonly number: number;
  readonly links: Map<RouterLink, number>;
}

/** What a link needs of its transport. */
export interface LinkHouse {
  accept(socket: Socket): SocketListener;
  topicOf(name: string): Topic;
  /** Nobody is subscribed to it any more. */
  leave(topic: Topic): void;
  /** Addresses of the other routers. */
  others(own: RouterLink): readonly string[];
  closed(link: RouterLink, why: LinkName | null): void;
  failed(error: unknown): void;
}

/** A message to one client that is longer than this is left out where the link is full: it is a key frame. */
const SMALL_BYTES = 4096;
/** Answers of a node ride with its frames; a quiet one answers after this. */
const ANSWER_MS = 100;

export class RouterLink {
  readonly end: LinkEnd;
  readonly channels = new Map<number, ChannelSocket>();
  facts: RouterFacts;

  constructor(
    stream: LinkStream,
    readonly peer: LinkPeer,
    parts: Omit<LinkEndParts, 'late' | 'answerMs'>,
    readonly house: LinkHouse,
  ) {
    const { name } = peer;
    this.facts = { name, pid: 0, game: '', admin: '', connections: 0, channels: 0, waiting: 0, lateMs: 0 };
    this.end = new LinkEnd(
      stream,
      { ...parts, answerMs: ANSWER_MS, late: () => 0 },
      {
        turn: (turn) => this.hear(turn),
        full: (isFull) => this.choke(isFull),
        closed: (why) => house.closed(this, why),
      },
    );
    this.now = () => parts.clock.now();
  }

  readonly now: () => number;

  publish(topic: Topic, bytes: Uint8Array): void {
    if (this.end.hasNoRoom) return; // its channels have been choked: they get key frames later
    writePublish(this.end.out, topic.number, bytes);
    this.end.said();
  }

  tellCluster(facts: ClusterFacts): void {
    writeCluster(this.end.out, facts);
    this.end.said();
  }

  /** The link is gone, and with it every client's way. */
  closeChannels(): void {
    for (const channel of [...this.channels.values()]) this.guarded(() => channel.closed());
  }

  /** What was skipped was skipped for all, those included who have come in meanwhile: they are told at the end. */
  private choke(isFull: boolean): void {
    for (const { listener } of [...this.channels.values()])
      this.guarded(() => {
        listener?.dropped();
        if (!isFull) listener?.drained();
      });
  }

  private hear(turn: TurnView): void {
    while (turn.next() && !this.end.isClosed) this.guarded(() => this.take(turn));
  }

  /** What one client's message does to the gateway is not the others' trouble. */
  private guarded(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.house.failed(error);
    }
  }

  private take(turn: TurnView): void {
    const { type, subject } = turn;
    if (type === LINK.OPEN) return this.open(subject, readOpen(turn));
    if (type === LINK.ABOUT) {
      this.facts = { ...(readAbout(turn) ?? this.facts), name: this.peer.name };
      return;
    }
    const channel = this.channels.get(subject);
    if (channel === undefined) return; // the gateway has closed it: what the client said before it heard of that is void
    switch (type) {
      case LINK.MESSAGE:
        return channel.listener?.message(turn.body());
      case LINK.TEXT:
        return channel.listener?.text();
      case LINK.DROPPED:
        return channel.listener?.dropped();
      case LINK.DRAINED:
        channel.told(0);
        return channel.listener?.drained();
      case LINK.BUFFERED:
        return channel.told(readBuffered(turn));
      case LINK.CLOSED:
        return channel.closed();
      default: // of a newer version: what is not known is left out
    }
  }

  private open(number: number, address: string): void {
    if (this.channels.has(number)) return this.end.close('LINK_NONSENSE');
    const channel = new ChannelSocket(this, number, address);
    this.channels.set(number, channel);
    const listener = this.house.accept(channel);
    // A gateway that refuses at once has ended it already.
    if (this.channels.has(number)) channel.listener = listener;
  }
}

/** One client of the router. */
export class ChannelSocket implements Socket {
  listener: SocketListener | undefined;
  private readonly topics = new Map<string, Topic>();
  /** Bytes that wait at the router, as it said last; and what was sent since, in a turn that it has not answered. */
  private waiting = 0;
  private underway = 0;
  private underwayTurn = 0;

  constructor(
    private readonly link: RouterLink,
    private readonly number: number,
    readonly address: string,
  ) {}

  private get isOpen(): boolean {
    return this.link.channels.get(this.number) === this;
  }

  send(bytes: Uint8Array): number {
    const { end } = this.link;
    if (!this.isOpen) return SENT.DROPPED;
    if (end.hasNoRoom && bytes.length > SMALL_BYTES) {
      this.listener?.dropped();
      return SENT.DROPPED;
    }
    if (this.underwayTurn <= end.newestApplied) this.underway = 0;
    this.underway += bytes.length;
    this.underwayTurn = end.newestSent + 1;
    writeSend(end.out, this.number, bytes);
    end.said();
    return SENT.OK;
  }

  /** Everything of a turn leaves in one write in any case. */
  cork(work: () => void): void {
    work();
  }

  subscribe(name: string): void {
    if (!this.isOpen || this.topics.has(name)) return;
    const { link } = this;
    const topic = link.house.topicOf(name);
    this.topics.set(name, topic);
    topic.links.set(link, (topic.links.get(link) ?? 0) + 1);
    writeSubscribe(link.end.out, this.number, topic.number, isOwnTopic(name));
    link.end.said();
  }

  unsubscribe(name: string): void {
    const topic = this.topics.get(name);
    if (topic === undefined) return;
    writeUnsubscribe(this.link.end.out, this.number, topic.number);
    this.link.end.said();
    this.drop(topic);
  }

  end(code: number, reason: string): void {
    if (!this.isOpen) return;
    writeEnd(this.link.end.out, this.number, code, reason);
    this.link.end.said();
    this.closed();
  }

  bufferedAmount(): number {
    const { end } = this.link;
    const isAnswered = this.underwayTurn <= end.newestApplied;
    // A full link has no room for anybody's frames.
    return this.waiting + (isAnswered ? 0 : this.underway) + (end.isFull ? Math.max(end.waiting, 1) : 0);
  }

  lateMs(): number {
    return this.link.end.lateMs(this.link.now());
  }

  /** Not the same first for all: clients of a router that dies shall spread. */
  elsewhere(): readonly string[] {
    const others = this.link.house.others(this.link);
    return others.map((_, i) => others[(i + this.number) % others.length] as string);
  }

  /** The router says how much waits for the client. */
  told(waiting: number): void {
    this.waiting = waiting;
  }

  /** The client's socket or its link is gone, or the gateway has ended it. */
  closed(): void {
    if (!this.isOpen) return;
    this.link.channels.delete(this.number);
    for (const topic of [...this.topics.values()]) this.drop(topic);
    const { listener } = this;
    this.listener = undefined;
    listener?.closed();
  }

  private drop(topic: Topic): void {
    const { link } = this;
    this.topics.delete(topic.name);
    const left = topic.links.get(link)! - 1;
    if (left > 0) topic.links.set(link, left);
    else topic.links.delete(link);
    if (topic.links.size === 0) link.house.leave(topic);
  }
}

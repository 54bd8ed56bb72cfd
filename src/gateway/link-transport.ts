/**
 * The transport of a gateway whose clients' sockets are at routers: what it says crosses a link, what is published once for
 * each router that has a subscriber. The gateway is the same as over uws-transport.ts.
 *
 * A link that cannot take what it is given *chokes* its channels: they hear `dropped`, as if each client's own socket had
 * been full, and later `drained`. Welcome, Closing and the like still pass; what is published or large does not.
 */
import type { Clock } from '../base/clock.js';
import type { LinkName } from '../base/errors.js';
import type { Log } from '../base/log.js';
import type { NodeFacts, RouterFacts } from '../wire/link/facts.js';
import type { LinkPeer } from '../wire/link/handshake.js';
import type { LinkEndParts } from '../wire/link/link-end.js';
import type { LinkStream, StreamEvents } from '../wire/link/stream.js';
import { RouterLink, type Topic } from './router-link.js';
import type { ListenOptions, Socket, SocketListener, Transport } from './transport.js';

export interface LinkTransportParts extends Omit<LinkEndParts, 'late' | 'answerMs'> {
  readonly clock: Clock;
  readonly log: Pick<Log, 'info' | 'warn' | 'error'>;
  /** Of this node, for its routers. */
  readonly facts?: () => NodeFacts;
}

export class LinkTransport implements Transport {
  private readonly links = new Set<RouterLink>();
  private readonly topics = new Map<string, Topic>();
  /** Numbers of topics that are not used at the moment. */
  private readonly freeNumbers: number[] = [];
  private mostTopics = 0;
  private accept: ((socket: Socket) => SocketListener) | undefined;
  private stopCensus: (() => void) | undefined;

  constructor(private readonly parts: LinkTransportParts) {}

  /** Facts of the routers that are linked now. */
  get routers(): readonly RouterFacts[] {
    return [...this.links].map((link) => link.facts);
  }
  get traffic(): { bytesIn: number; bytesOut: number } {
    let [bytesIn, bytesOut] = [this.bytesBefore.in, this.bytesBefore.out];
    for (const { end } of this.links) {
      bytesIn += end.bytesIn;
      bytesOut += end.bytesOut;
    }
    return { bytesIn, bytesOut };
  }
  private readonly bytesBefore = { in: 0, out: 0 };

  /** Links come by `join`; the port belongs to link-server.ts. @returns 0 */
  listen(_options: ListenOptions, accept: (socket: Socket) => SocketListener): number {
    this.accept = accept;
    this.stopCensus = this.parts.timers.every(CENSUS_MS, () => this.tellCluster());
    return 0;
  }

  /**
   * A router that has proved itself. One of the same name that is linked already is an older connection of it, or an older
   * life: the newer one wins.
   * @returns what hears the stream from now on; null when nobody is accepted
   */
  join(stream: LinkStream, peer: LinkPeer): StreamEvents | null {
    const { accept, parts } = this;
    if (accept === undefined) return null;
    for (const link of [...this.links])
      if (link.peer.name === peer.name)
        link.end.close(link.peer.life === peer.life ? 'LINK_SILENT' : 'LINK_LIFE');
    const link = new RouterLink(stream, peer, parts, {
      accept,
      topicOf: (name) => this.topicOf(name),
      leave: (topic) => this.leaveTopic(topic),
      others: (own) => this.others(own),
      closed: (closed, why) => this.closed(closed, why),
      failed: (error) => parts.log.error({ err: error, router: peer.name }, 'a record of a link failed'),
    });
    this.links.add(link);
    parts.log.info({ router: peer.name, life: peer.life, program: peer.program }, 'a router is linked');
    this.tellCluster();
    return { received: (bytes) => link.end.received(bytes), closed: () => link.end.close(null) };
  }

  publish(name: string, bytes: Uint8Array): void {
    const topic = this.topics.get(name);
    if (topic === undefined) return;
    for (const link of topic.links.keys()) link.publish(topic, bytes);
  }

  stopListening(): void {
    this.accept = undefined;
  }

  close(): void {
    this.accept = undefined;
    this.stopCensus?.();
    for (const link of [...this.links]) {
      link.end.flush(); // what clients were told last
      link.end.close(null);
    }
  }

  private closed(link: RouterLink, why: LinkName | null): void {
    this.links.delete(link);
    this.bytesBefore.in += link.end.bytesIn;
    this.bytesBefore.out += link.end.bytesOut;
    const channels = link.channels.size;
    this.parts.log.warn({ router: link.peer.name, why, channels }, 'a router is not linked any more');
    link.closeChannels();
    this.tellCluster();
  }

  private topicOf(name: string): Topic {
    let topic = this.topics.get(name);
    if (topic === undefined) {
      topic = { name, number: this.freeNumbers.pop() ?? this.mostTopics++, links: new Map() };
      this.topics.set(name, topic);
    }
    return topic;
  }

  /** Nobody is subscribed to it any more. */
  private leaveTopic(topic: Topic): void {
    this.topics.delete(topic.name);
    this.freeNumbers.push(topic.number);
  }

  private others(own: RouterLink): readonly string[] {
    const addresses: string[] = [];
    for (const { facts } of this.links)
      if (facts.game !== '' && facts.game !== own.facts.game && !addresses.includes(facts.game))
        addresses.push(facts.game);
    return addresses.slice(0, MOST_ADDRESSES);
  }

  private tellCluster(): void {
    const facts = { node: this.parts.facts?.() ?? null, routers: this.routers };
    for (const link of this.links) link.tellCluster(facts);
  }
}

/** Routers are told of each other this often, beside each time that one comes or goes. */
const CENSUS_MS = 1000;
/** Addresses in a Welcome. */
const MOST_ADDRESSES = 8;

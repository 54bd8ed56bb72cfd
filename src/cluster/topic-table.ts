/**
 * The topics of one node at a router: by number, as the node counts them, under a name that the router's own transport
 * knows. A name is of one link and is never used by another, so what came over an old link reaches nobody.
 */

export interface RoutedTopic<Client> {
  readonly name: string;
  /** Channels that are subscribed. */
  subscribers: number;
  /** Whose own it is: nobody else hears it. */
  owner: Client | null;
}

export class TopicTable<Client> {
  private readonly topics: (RoutedTopic<Client> | undefined)[] = [];

  /** @param generation number of the link, never used again by this router */
  constructor(private readonly generation: number) {}

  get(number: number): RoutedTopic<Client> | undefined {
    return this.topics[number];
  }

  enter(number: number, owner: Client | null): RoutedTopic<Client> {
    const topic = (this.topics[number] ??= { name: `${this.generation}.${number}`, subscribers: 0, owner });
    topic.subscribers++;
    return topic;
  }

  leave(number: number): RoutedTopic<Client> | undefined {
    const topic = this.topics[number];
    if (topic !== undefined && --topic.subscribers === 0) this.topics[number] = undefined;
    return topic;
  }
}

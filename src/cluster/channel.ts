/** One client's way over a link: what the router says of it, as records. It is gone with the link. */
import type { LinkEnd } from '../wire/link/link-end.js';
import { writeOpen } from '../wire/link/open.js';
import { writeBuffered, writeDrained, writeDropped } from '../wire/link/pressure.js';
import { writeClosed, writeMessage, writeText } from '../wire/link/talk.js';

export class Channel {
  /** @param number never used again on this link @param address of the client */
  constructor(
    private readonly link: LinkEnd,
    readonly number: number,
    address: string,
    /** Told when the router has closed it. */
    private readonly left: (channel: Channel) => void,
  ) {
    writeOpen(link.out, number, address);
    link.said();
  }

  message(bytes: Uint8Array): void {
    writeMessage(this.link.out, this.number, bytes);
    this.link.said();
  }

  text(): void {
    writeText(this.link.out, this.number);
    this.link.said();
  }

  dropped(): void {
    writeDropped(this.link.out, this.number);
    this.link.said();
  }

  drained(): void {
    writeDrained(this.link.out, this.number);
    this.link.said();
  }

  buffered(bytes: number): void {
    writeBuffered(this.link.out, this.number, bytes);
    this.link.said();
  }

  /** The client has left it; the node may have ended it already. */
  leave(): void {
    this.left(this);
    if (this.link.isClosed) return;
    writeClosed(this.link.out, this.number);
    this.link.said();
  }
}

/**
 * Sessions are begun by clients alone (I3): what reaches a node behind routers never holds more messages that begin one than
 * clients have said. A router that begins one anew, of which its client does not know, is found here.
 */
import type { SocketListener } from '../../src/gateway/transport.js';
import { admitClientMessage, ClientMessageView } from '../../src/wire/client-message.js';
import { CLIENT } from '../../src/wire/protocol.js';
import { fail } from './fail.js';

export class SaidHellos {
  private readonly message = new ClientMessageView();
  private said = 0;
  private heard = 0;

  /** A client says something. */
  byClient(bytes: Uint8Array): void {
    if (this.begins(bytes)) this.said++;
  }

  /** Listens to what a router says in a client's name. */
  atNode(listener: SocketListener): SocketListener {
    return {
      message: (bytes) => {
        if (this.begins(bytes) && ++this.heard > this.said)
          fail('I3', `${this.said} sessions were asked for by clients, ${this.heard} by routers`);
        listener.message(bytes);
      },
      text: () => listener.text(),
      dropped: () => listener.dropped(),
      drained: () => listener.drained(),
      closed: () => listener.closed(),
    };
  }

  private begins(bytes: Uint8Array): boolean {
    const { message } = this;
    if (admitClientMessage(bytes, message) !== 0 || message.type !== CLIENT.HELLO) return false;
    return message.hello?.resumeSession === 0;
  }
}

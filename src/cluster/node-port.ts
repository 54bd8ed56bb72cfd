/**
 * The admin port of the node, asked over HTTP: what a router shows is what its node says. The node's own machine is where
 * its link leads; every answer has a deadline.
 */
import { get, type IncomingMessage, type ServerResponse } from 'node:http';

const ANSWER_MS = 5_000;

export interface NodeAnswer {
  readonly status: number;
  readonly type: string;
  readonly body: Buffer;
}

export class NodePort {
  /** @param address http:// of the node's admin port; '' = it is not known @param token for its commands; null = none */
  constructor(
    private readonly address: () => string,
    private readonly token: string | null,
  ) {}

  /** @returns null when the node does not answer */
  async ask(method: 'GET' | 'POST', path: string, body?: object): Promise<NodeAnswer | null> {
    const address = this.address();
    if (address === '') return null;
    const headers: Record<string, string> = { 'content-type': 'application/json' };
    if (method === 'POST' && this.token !== null) headers['authorization'] = `Bearer ${this.token}`;
    try {
      const response = await fetch(`${address}${path}`, {
        method,
        headers,
        body: body === undefined ? undefined : JSON.stringify(body),
        signal: AbortSignal.timeout(ANSWER_MS),
        redirect: 'error', // the node never redirects
      });
      const type = response.headers.get('content-type') ?? 'application/octet-stream';
      return { status: response.status, type, body: Buffer.from(await response.arrayBuffer()) };
    } catch {
      return null;
    }
  }

  /** Passes on a stream of events until either side ends. @returns false when the node does not answer */
  stream(path: string, to: ServerResponse): Promise<boolean> {
    const address = this.address();
    if (address === '') return Promise.resolve(false);
    return new Promise((resolve) => {
      const request = get(`${address}${path}`, { timeout: ANSWER_MS }, (from: IncomingMessage) => {
        to.writeHead(from.statusCode ?? 502, from.headers);
        from.pipe(to);
        from.on('close', () => to.end());
        resolve(true);
      });
      request.on('timeout', () => request.destroy());
      request.on('error', () => {
        to.end();
        resolve(false);
      });
      to.on('close', () => request.destroy());
    });
  }
}

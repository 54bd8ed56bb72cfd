/**
 * The transport of production: uWebSockets.js, every option written out. One per gateway and thread.
 *
 * Three facts shape this file. What the process has no descriptor for is accepted for ever, in vain, by a loop that takes a
 * core: at `maxSockets` the port is closed, and opened again below. A throw inside a handler, or a thread that ends while its app is alive, takes the whole
 * process down: every handler is guarded, and `close` comes before the thread ends. And a second `listen` on a taken
 * port succeeds silently and steals half of the clients: a gateway alone listens exclusively.
 */
import { accessSync, constants } from 'node:fs';
import type { HttpResponse, TemplatedApp, WebSocket, us_listen_socket } from 'uWebSockets.js';
import { BlueMarbleError } from '../base/errors.js';
import { LIMITS } from '../base/limits.js';
import type { Addresses } from './addresses.js';
import type { ListenOptions, Socket, SocketListener, Transport } from './transport.js';

type Uws = typeof import('uWebSockets.js');

export interface UwsOptions {
  /** PEM files; without them the port speaks plain ws://. */
  tls?: { cert: string; key: string };
  /** Counts sockets by address. */
  addresses?: Addresses;
  /** Hears of a handler that threw; the socket is closed afterwards. */
  failed: (error: unknown) => void;
}

interface UserData {
  address: string;
  listener: SocketListener | undefined;
}

/** Below this share of its sockets a port that was closed is opened again. */
const REOPEN_SHARE = 0.95;

const SENTENCE =
  'This is the game port of a BlueMarble server. It speaks WebSocket only: connect with a WebSocket client' +
  ' (npm run bots -- --url ws://HOST:PORT). Status pages are on the admin port, by default the next number.\n';

/**
 * Loads uWebSockets.js.
 * @throws BlueMarbleError NO_BINARY where it has no binary for this Node or platform
 */
export async function loadUws(
  load: () => Promise<{ default: Uws }> = () => import('uWebSockets.js'),
): Promise<Uws> {
  try {
    return (await load()).default;
  } catch (error) {
    const why = error instanceof Error ? error.message.split('\n')[0] : String(error);
    throw new BlueMarbleError(
      'NO_BINARY',
      `uWebSockets.js has no binary that runs on ${process.platform} ${process.arch} with Node ${process.version} (${why});` +
        ' use Node 20 on Linux with glibc 2.27 or newer, or Node 22 or 24 with glibc 2.38 or newer',
    );
  }
}

class UwsSocket implements Socket {
  constructor(
    private readonly ws: WebSocket<UserData>,
    readonly address: string,
    readonly isOver: boolean,
  ) {}

  send(bytes: Uint8Array): number {
    return this.ws.send(bytes, true, false); // binary, not compressed
  }
  cork(work: () => void): void {
    this.ws.cork(work);
  }
  subscribe(topic: string): void {
    this.ws.subscribe(topic);
  }
  unsubscribe(topic: string): void {
    this.ws.unsubscribe(topic);
  }
  end(code: number, reason: string): void {
    this.ws.end(code, reason);
  }
  bufferedAmount(): number {
    return this.ws.getBufferedAmount();
  }
}

export class UwsTransport implements Transport {
  private readonly app: TemplatedApp;
  private token: us_listen_socket | undefined;
  private accept: ((socket: Socket) => SocketListener) | undefined;
  private open = true;
  /** TCP connections, and how many there may be. */
  private sockets = 0;
  private most = Number.POSITIVE_INFINITY;
  private again: (() => us_listen_socket | undefined) | undefined;
  isFull = false;

  /** @throws BlueMarbleError BAD_TLS */
  constructor(
    private readonly uws: Uws,
    private readonly options: UwsOptions,
  ) {
    this.app = options.tls ? secureApp(uws, options.tls) : uws.App();
    this.route();
  }

  listen(options: ListenOptions, accept: (socket: Socket) => SocketListener): number {
    this.accept = accept;
    this.most = options.maxSockets ?? Number.POSITIVE_INFINITY;
    const token = this.bind(options);
    if (token === undefined) {
      throw new BlueMarbleError(
        'PORT_TAKEN',
        `port ${options.port}${options.host ? ` of ${options.host}` : ''} cannot be listened on; is another server running there?`,
      );
    }
    this.token = token;
    const port = this.uws.us_socket_local_port(token);
    this.again = () => this.bind({ ...options, port });
    return port;
  }

  private bind(options: ListenOptions): us_listen_socket | undefined {
    const mode = options.exclusive ? LISTEN.EXCLUSIVE : LISTEN.SHARED;
    let token: us_listen_socket | undefined;
    const listening = (result: us_listen_socket | false): void => {
      token = result || undefined; // called before listen() returns
    };
    if (options.host === undefined) this.app.listen(options.port, mode, listening);
    // The types know no listen with a host and options; the binary does (tested).
    else (this.app.listen as unknown as ListenAt).call(this.app, options.host, options.port, mode, listening);
    return token;
  }

  /** Told of every TCP connection by the transport's filter; of WebSockets it does not tell the end, `close` does. */
  private count(n: 1 | -1): void {
    this.sockets += n;
    if (this.sockets < this.most || this.token === undefined) return;
    this.isFull = true;
    this.uws.us_listen_socket_close(this.token); // ends the accept loop, too, when called within it
    this.token = undefined;
  }

  /** Before a byte of it is read. What never becomes a WebSocket is told by `onAborted`, or by its first request. */
  private filtered(res: HttpResponse, n: 1 | -1): void {
    this.count(n);
    const { addresses } = this.options;
    if (n < 0 || addresses === undefined) return;
    const peer = textOf(res.getRemoteAddressAsText());
    if (!addresses.came(peer)) res.close();
    else res.onAborted(() => addresses.went(peer));
  }

  tend(): void {
    if (!this.isFull || !this.open || this.sockets > this.most * REOPEN_SHARE) return;
    this.token = this.again?.();
    this.isFull = this.token === undefined; // somebody else has taken the port meanwhile: look again
  }

  publish(topic: string, bytes: Uint8Array): void {
    if (this.open) this.app.publish(topic, bytes, true, false); // binary, not compressed
  }

  stopListening(): void {
    if (this.token) this.uws.us_listen_socket_close(this.token);
    this.token = undefined;
    this.isFull = false;
  }

  close(): void {
    if (!this.open) return;
    this.open = false;
    this.token = undefined; // close() below ends the listen socket too; ending it twice crashes
    this.app.close();
  }

  private route(): void {
    this.app.filter((res, n) => this.guard(undefined, () => this.filtered(res, n as 1 | -1)));
    this.app.ws<UserData>('/*', {
      // A client message is at most this long; more closes the socket before a byte of it is read.
      maxPayloadLength: LIMITS.clientMessageBytes,
      // The frames are small and already packed; compression would cost more than the network.
      compression: this.uws.DISABLED,
      // Dead peers go after this time (seconds; kept alive by the pings of the next option).
      idleTimeout: LIMITS.idleTimeoutS,
      // The transport pings by itself, so that a proxy in between keeps quiet connections open.
      sendPingsAutomatically: true,
      // Beyond this a message is skipped and `dropped` is called; the session then sends key frames.
      maxBackpressure: LIMITS.maxBackpressureBytes,
      // A slow reader is resynchronised first and closed by the session after seconds, with a code.
      closeOnBackpressureLimit: 0,
      // No end of age: sessions end by the client, by silence or by a code.
      maxLifetime: 0,
      upgrade: (res, req, context) => {
        // No subprotocol is spoken, so none is echoed.
        const peer = textOf(res.getRemoteAddressAsText());
        this.options.addresses?.went(peer);
        const address = this.options.addresses?.clientOf(
          peer,
          textOf(res.getProxiedRemoteAddressAsText()),
          req.getHeader('x-forwarded-for'),
        );
        res.upgrade<UserData>(
          { listener: undefined, address: address ?? peer },
          req.getHeader('sec-websocket-key'),
          '',
          req.getHeader('sec-websocket-extensions'),
          context,
        );
      },
      open: (ws) => this.opened(ws),
      message: (ws, message, isBinary) => {
        try {
          const { listener } = ws.getUserData();
          if (isBinary) listener?.message(new Uint8Array(message));
          else listener?.text();
        } catch (error) {
          this.fail(ws, error);
        }
      },
      dropped: (ws) => this.guard(ws, () => ws.getUserData().listener?.dropped()),
      drain: (ws) => this.guard(ws, () => ws.getUserData().listener?.drained()),
      close: (ws) => {
        const data = ws.getUserData();
        const { listener } = data;
        data.listener = undefined; // nothing may be said to a closed socket's listener
        this.count(-1);
        this.options.addresses?.closed(data.address);
        this.guard(undefined, () => listener?.closed());
      },
    });
    this.app.any('/*', (res) => {
      this.options.addresses?.went(textOf(res.getRemoteAddressAsText()));
      res
        .writeStatus('426 Upgrade Required')
        .writeHeader('Upgrade', 'websocket')
        .writeHeader('Content-Type', 'text/plain; charset=utf-8')
        .end(SENTENCE, true);
    });
  }

  private opened(ws: WebSocket<UserData>): void {
    this.guard(ws, () => {
      const data = ws.getUserData();
      const isOver = this.options.addresses?.opened(data.address) === false;
      data.listener = this.accept?.(new UwsSocket(ws, data.address, isOver));
    });
  }

  /** Nothing may throw into the transport: what does is reported, and its socket closed. */
  private guard(ws: WebSocket<UserData> | undefined, handler: () => void): void {
    try {
      handler();
    } catch (error) {
      this.fail(ws, error);
    }
  }

  private fail(ws: WebSocket<UserData> | undefined, error: unknown): void {
    this.options.failed(error);
    try {
      ws?.close();
    } catch {
      // It was closed before the throw: then there is nothing left to do.
    }
  }
}

function textOf(bytes: ArrayBuffer): string {
  return Buffer.from(bytes).toString();
}

/** The numbers of LIBUS_LISTEN_*, which the types know only as an enum that does not exist at run time. */
const LISTEN = {
  /** With SO_REUSEPORT: the gateways of one server share their port. */
  SHARED: 0,
  /** Without: a second server on this port fails, in either order. */
  EXCLUSIVE: 1,
} as const;
type ListenAt = (
  host: string,
  port: number,
  options: number,
  done: (token: us_listen_socket | false) => void,
) => void;

function secureApp(uws: Uws, tls: { cert: string; key: string }): TemplatedApp {
  for (const [what, file] of [
    ['certificate', tls.cert],
    ['private key', tls.key],
  ] as const) {
    try {
      accessSync(file, constants.R_OK);
    } catch {
      throw new BlueMarbleError(
        'BAD_TLS',
        `the ${what} file ${file} cannot be read; give the path of a PEM file`,
      );
    }
  }
  try {
    return uws.SSLApp({
      key_file_name: tls.key,
      cert_file_name: tls.cert,
      // Releases OpenSSL's buffers of idle connections: some 30 KB for each of thousands of clients.
      ssl_prefer_low_memory_usage: true,
    });
  } catch {
    throw new BlueMarbleError(
      'BAD_TLS',
      `${tls.cert} and ${tls.key} do not make a TLS server; give a PEM certificate and the private key that belongs to it`,
    );
  }
}

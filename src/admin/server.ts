/**
 * The admin port: plain HTTP/1.1 for operators and scripts, answered in the main thread.
 *
 * Contract: reads from a `NodeView` without stopping anyone; every answer but the page is JSON; every refusal has a
 * code. Bodies, headers and times are bounded: a stuck client costs one socket for a few seconds.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Clock, Timers } from '../base/clock.js';
import { listenError } from '../base/listen.js';
import { type Log, reasonOf } from '../control/log.js';
import { ADMIN_ERRORS, AdminError } from './errors.js';
import { type Asset, Assets } from './assets.js';
import { Guesses } from './guesses.js';
import { Hosts, isFollowedLink, isFromElsewhere } from './hosts.js';
import { LiveFeed } from './live.js';
import { Places } from './places.js';
import { isDoorCode, Refusals } from './refusals.js';
import { type Answer, type NodeView, type Route, routes } from './routes.js';

/** What an admin port shows that is not a node's own. */
export interface AdminPages {
  readonly routes: readonly Route[];
  /** Answers `/api/live`. */
  readonly live: Pick<LiveFeed, 'add' | 'close'>;
}

export interface AdminOptions {
  readonly adminHost: string;
  readonly adminPort: number;
  /** Names that it is asked by beside its address, see hosts.ts. */
  readonly adminHosts: readonly string[];
  /** Bearer token of the commands; null = commands are off. */
  readonly adminToken: string | null;
  readonly testFaults: boolean;
  readonly node: NodeView | AdminPages;
  readonly log: Log;
  readonly clock: Clock;
  readonly timers: Timers;
}

const BODY_BYTES = 16 * 1024;

export class AdminServer {
  private readonly server: Server;
  private readonly table: ReadonlyMap<string, Route>;
  private readonly assets = new Assets();
  private readonly live: AdminPages['live'];
  private readonly hosts: Hosts;
  private readonly places: Places;
  private readonly guesses: Guesses | null;
  readonly refusals: Refusals;

  constructor(private readonly options: AdminOptions) {
    const { node, adminHost, adminHosts, adminToken, clock, timers, log } = options;
    const pages = 'routes' in node ? node : { routes: routes(node), live: new LiveFeed(node, timers) };
    this.table = new Map(pages.routes.map((route) => [route.path, route]));
    this.live = pages.live;
    this.hosts = new Hosts(adminHost, adminHosts);
    this.guesses = adminToken === null ? null : new Guesses(adminToken, clock);
    this.refusals = new Refusals(timers, log);
    this.server = createServer(
      {
        requestTimeout: 10_000, // a whole request, body included
        headersTimeout: 5_000, // no slow-header sockets
        keepAliveTimeout: 5_000, // scrapers come back within seconds or reconnect
        maxHeaderSize: 8 * 1024, // we read two headers
        connectionsCheckingInterval: 1_000, // the timeouts above are looked at this often
      },
      (request, response) => {
        void this.handle(request, response);
      },
    );
    this.places = new Places(this.server); // for operators, not players
  }

  /** Resolves with the port it listens on. Throws TAKEN_ADMIN_PORT, BAD_FLAG. */
  listen(): Promise<number> {
    const { adminHost: host, adminPort: port } = this.options;
    return new Promise((resolve, reject) => {
      this.server.once('error', (error: NodeJS.ErrnoException) => {
        const flags = { portFlag: 'admin-port', hostFlag: 'admin-host', taken: 'TAKEN_ADMIN_PORT' } as const;
        reject(listenError(error, { port, host, ...flags }));
      });
      // exclusive: no sharing of the handle between cluster workers.
      this.server.listen({ host, port, exclusive: true }, () =>
        resolve((this.server.address() as AddressInfo).port),
      );
    });
  }

  /** Stops listening and ends every connection. */
  close(): Promise<void> {
    return new Promise((resolve) => {
      this.server.close(() => resolve());
      this.live.close();
      this.refusals.close();
      this.server.closeAllConnections();
    });
  }

  private async handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let answer: Answer;
    try {
      response.once('close', () => this.places.answered(request.socket));
      if (!this.places.asks(request.socket, pathOf(request))) throw new AdminError('NO_PLACE');
      this.admit(request);
      if (this.isLive(request)) return this.live.add(response);
      const asset =
        request.method === 'GET' || request.method === 'HEAD' ? this.assets.get(pathOf(request)) : null;
      answer = asset === null ? await this.answer(request) : assetAnswer(await asset, request);
    } catch (error) {
      answer = this.refusal(error, request);
    }
    const body = Buffer.isBuffer(answer.body)
      ? answer.body
      : Buffer.from(typeof answer.body === 'string' ? answer.body : `${JSON.stringify(answer.body)}\n`);
    response.writeHead(answer.status ?? 200, {
      'content-type': answer.type ?? 'application/json; charset=utf-8',
      'content-length': body.length,
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      ...answer.headers,
    });
    response.end(request.method === 'HEAD' ? undefined : body);
    request.resume(); // what is left of a refused body is thrown away, so that the socket can be used again
  }

  /** Whoever asks, by whatever method: only by a name of ours, and not from another site's page. */
  private admit(request: IncomingMessage): void {
    const { headers, headersDistinct, method, socket } = request;
    const { host, origin } = headers;
    if (!this.hosts.serves(headersDistinct.host ?? [], socket.localAddress ?? ''))
      throw new AdminError('FOREIGN_HOST', host === undefined ? 'there is none' : JSON.stringify(host));
    const [site, mode, dest] = (['site', 'mode', 'dest'] as const).map((name) =>
      one(headers[`sec-fetch-${name}`]),
    );
    const sender = { host, origin, site, mode, dest };
    const isRead = method === 'GET' || method === 'HEAD';
    // A stream holds a place for as long as a page likes: nobody needs a link to it.
    if (isRead && isFollowedLink(sender) && !this.isLive(request)) return;
    if (isFromElsewhere(sender)) throw new AdminError('FOREIGN_ORIGIN', origin ?? '');
  }

  private isLive(request: IncomingMessage): boolean {
    return request.method === 'GET' && pathOf(request) === '/api/live';
  }

  private async answer(request: IncomingMessage): Promise<Answer> {
    const path = pathOf(request);
    const route = this.table.get(path);
    if (route === undefined)
      throw new AdminError('UNKNOWN_PATH', path, {
        paths: [...this.table.values()].map((r) => `${r.method} ${r.path}`),
      });
    const method = request.method === 'HEAD' ? 'GET' : request.method;
    if (method !== route.method)
      throw new AdminError('METHOD_NOT_ALLOWED', `${path} answers ${route.method}`);
    const query = new URLSearchParams((request.url ?? '').split('?')[1] ?? '');
    if (route.method === 'GET') return route.answer({}, query);
    this.authorize(request);
    if (route.testOnly === true && !this.options.testFaults) throw new AdminError('FAULTS_OFF');
    return route.answer(await readBody(request), query);
  }

  private authorize(request: IncomingMessage): void {
    if (this.guesses === null) throw new AdminError('ADMIN_OFF');
    const given = /^Bearer (.+)$/i.exec(request.headers.authorization ?? '')?.[1];
    if (given === undefined) throw new AdminError('UNAUTHORIZED'); // forgotten, not guessed
    const address = request.socket.remoteAddress ?? '';
    const wait = this.guesses.wait(address);
    if (wait > 0) {
      const retryAfterSeconds = Math.ceil(wait / 1000);
      throw new AdminError('TOO_MANY_GUESSES', `try again in ${retryAfterSeconds} s`, { retryAfterSeconds });
    }
    if (!this.guesses.isRight(given, address)) throw new AdminError('UNAUTHORIZED');
  }

  private refusal(error: unknown, request: IncomingMessage): Answer {
    let known: AdminError;
    if (error instanceof AdminError) known = error;
    else {
      this.options.log.error({ path: request.url, reason: reasonOf(error) }, 'admin request failed');
      known = new AdminError('INTERNAL');
    }
    const { headers: asked, socket } = request;
    if (isDoorCode(known.code)) {
      const example = { FOREIGN_HOST: asked.host, FOREIGN_ORIGIN: asked.origin }[known.code as string];
      this.refusals.note(known.code, socket.remoteAddress ?? '', example ?? null);
    }
    const headers: Record<string, string> = {};
    if ('retryAfterSeconds' in known.more) headers['retry-after'] = String(known.more.retryAfterSeconds);
    if (known.code === 'UNAUTHORIZED') headers['www-authenticate'] = 'Bearer';
    if (known.code === 'METHOD_NOT_ALLOWED')
      headers.allow = this.table.get((request.url ?? '').split('?', 1)[0])?.method ?? 'GET';
    return {
      status: ADMIN_ERRORS[known.code].status,
      body: { error: { code: known.code, text: known.message, ...known.more } },
      headers,
    };
  }
}

/** A header that is meant to come once. */
function one(header: string | string[] | undefined): string | undefined {
  return Array.isArray(header) ? header.join() : header;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '/').split('?', 1)[0];
}

function assetAnswer({ type, plain, zipped, headers }: Asset, request: IncomingMessage): Answer {
  const zips = /\bgzip\b/.test(request.headers['accept-encoding'] ?? '');
  return {
    body: zips ? zipped : plain,
    type,
    headers: { ...headers, vary: 'accept-encoding', ...(zips ? { 'content-encoding': 'gzip' } : {}) },
  };
}

/** Reads a JSON object of at most BODY_BYTES; an empty body is an empty object. */
async function readBody(request: IncomingMessage): Promise<Record<string, unknown>> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > BODY_BYTES) throw new AdminError('BODY_TOO_LARGE', `${BODY_BYTES} bytes`);
    parts.push(part);
  }
  const text = Buffer.concat(parts).toString('utf8').trim();
  if (text === '') return {};
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new AdminError('BAD_BODY', 'it is not JSON');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new AdminError('BAD_BODY', 'it is not an object');
  return value as Record<string, unknown>;
}

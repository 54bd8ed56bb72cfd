/**
 * The admin port of a router: what its node shows, through it, and its own numbers. While the node is away its last status
 * stands, and totals never fall.
 */
import type { ServerResponse } from 'node:http';
import { Gauge, Registry } from 'prom-client';
import { AdminError } from './admin/errors.js';
import { type Answer, type NodeView, type Route, routes } from './admin/routes.js';
import type { AdminPages } from './admin/server.js';
import type { Clock } from './base/clock.js';
import { NodePort } from './cluster/node-port.js';
import { ROUTER_COUNTS } from './cluster/routed-client.js';
import type { Router } from './cluster/router.js';
import { LastingTotals } from './cluster/totals.js';
import { type ClusterStatus, clusterStatus } from './control/cluster-status.js';
import type { Status } from './control/status.js';

/** A world that is older than its process by this goes on from its data. */
const OLDER_S = 3;
/** Answered by the router itself. */
const OWN: ReadonlySet<string> = new Set(['/', '/play', '/healthz', '/readyz']);

export class RouterAdmin implements AdminPages {
  readonly routes: readonly Route[];
  readonly live: AdminPages['live'];
  private readonly node: NodePort;
  private readonly totals = new LastingTotals();
  private readonly startedMs: number;
  private last: Status | null = null;
  private readonly viewers = new Set<ServerResponse>();

  constructor(
    private readonly router: Router,
    private readonly clock: Clock,
    token: string | null,
    drain: () => void,
  ) {
    this.startedMs = clock.now();
    this.node = new NodePort(() => router.cluster.node?.admin ?? '', token);
    this.live = {
      add: (response) => void this.show(response),
      close: () => {
        for (const viewer of this.viewers) viewer.end();
      },
    };
    this.routes = routes({} as NodeView).map((route) => this.routed(route, drain));
  }

  /** Every path of a node's port: some the router answers itself, the others the node. */
  private routed(route: Route, drain: () => void): Route {
    const own: Record<string, Route['answer']> = {
      '/readyz': () => this.ready(),
      '/metrics': async () => ({
        body: await this.metrics(),
        type: 'text/plain; version=0.0.4; charset=utf-8',
      }),
      '/api/cluster': () => ({ body: this.cluster() }),
      '/api/status': async () => ({ body: await this.status() }),
      '/api/admin/drain': () => {
        drain();
        return { status: 202, body: { draining: true } };
      },
    };
    const answer = own[route.path];
    if (answer !== undefined) return { ...route, answer };
    if (OWN.has(route.path)) return route;
    const { method, path } = route;
    // A node without --test-faults refuses by itself.
    return { ...route, testOnly: false, answer: (body, query) => this.ask(method, path, body, query) };
  }

  private async ask(
    method: Route['method'],
    path: string,
    body: Record<string, unknown>,
    query: URLSearchParams,
  ): Promise<Answer> {
    const words = query.size === 0 ? '' : `?${query}`;
    const answer = await this.node.ask(method, `${path}${words}`, method === 'POST' ? body : undefined);
    if (answer === null) throw new AdminError('NODE_AWAY');
    return answer;
  }

  private async show(response: ServerResponse): Promise<void> {
    this.viewers.add(response);
    response.on('close', () => this.viewers.delete(response));
    if (await this.node.stream('/api/live', response)) return;
    if (!response.headersSent) response.writeHead(503, { 'retry-after': '1' });
    response.end();
  }

  private ready(): Answer {
    const reasons = this.router.isUp ? [] : ['there is no link to the node'];
    return { status: reasons.length === 0 ? 200 : 503, body: { ready: reasons.length === 0, reasons } };
  }

  cluster(): ClusterStatus {
    const { router } = this;
    const routers = router.cluster.routers.filter(({ name }) => name !== router.facts.name);
    return clusterStatus(
      { node: router.cluster.node, routers: [router.facts, ...routers] },
      router.isUp ? 'running' : 'dead',
    );
  }

  /** The node's, or how it was last; totals over all of its lives; and the router's own numbers. */
  async status(): Promise<object> {
    const { router } = this;
    const life = router.upstream.peer?.life ?? '';
    const answer = router.isUp ? await this.node.ask('GET', '/api/status') : null;
    if (answer?.status === 200) {
      this.last = JSON.parse(answer.body.toString('utf8')) as Status;
      const { tick, tickRate, uptimeSeconds, totals } = this.last;
      const goesOn = tick / tickRate > uptimeSeconds + OLDER_S;
      // Told by the life that answered: the link may have changed hands meanwhile.
      if (life === router.upstream.peer?.life) this.totals.see(life, { ...totals }, goesOn);
    }
    if (this.last === null) throw new AdminError('NODE_AWAY');
    return {
      ...this.last,
      address: router.game,
      uptimeSeconds: Math.round((this.clock.now() - this.startedMs) / 100) / 10,
      totals: this.totals.all(),
      router: this.own(),
    };
  }

  private own(): object {
    const { router } = this;
    const { bytesIn, bytesOut } = router.upstream.traffic;
    const { link, peer, generation } = router.upstream;
    const roundTripMs = link === null ? null : Math.round(link.roundTripMs * 10) / 10;
    const links = {
      isUp: router.isUp,
      node: peer?.name ?? null,
      life: peer?.life ?? null,
      links: generation,
    };
    const { connections, channels, waiting, lateMs } = router.facts;
    return {
      ...{ connections, channels, waiting, lateMs },
      link: { ...links, bytesIn, bytesOut, roundTripMs },
      turns: router.turns,
      published: router.published,
      counts: router.counts,
    };
  }

  private async metrics(): Promise<string> {
    const registry = new Registry();
    const { router } = this;
    const { bytesIn, bytesOut } = router.upstream.traffic;
    const put = (name: string, help: string, value: number) =>
      new Gauge({ name: `bluemarble_router_${name}`, help, registers: [registry] }).set(value);
    for (const [name, help, value] of [
      ['connections', 'Sockets of clients.', router.facts.connections],
      ['channels', 'Clients that have a way to the node.', router.facts.channels],
      ['waiting', 'Clients that wait for their node.', router.facts.waiting],
      ['late_seconds', 'How late the router is to its turns.', router.late / 1000],
      ['link_up', '1 while there is a link to the node.', router.isUp ? 1 : 0],
      ['link_in_bytes', 'Bytes that came over the links so far.', bytesIn],
      ['link_out_bytes', 'Bytes that went over the links so far.', bytesOut],
      ['link_turns', 'Turns of the node that were applied so far.', router.turns],
    ] as const)
      put(name, help, value);
    const events = new Gauge({
      name: 'bluemarble_router_events',
      help: 'What happened to clients so far.',
      labelNames: ['event'],
      registers: [registry],
    });
    for (const name of ROUTER_COUNTS) events.set({ event: name }, router.counts[name]);
    return registry.metrics();
  }
}

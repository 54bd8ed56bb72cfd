/**
 * The slowest handovers and changes of layout as /api/traces tells them: the time of each step as a bar; a click goes to
 * the place. Asked for every two seconds while the pane is open, never otherwise.
 */
import { h } from '../look/dom.js';
import { count, duration, milliseconds } from '../look/format.js';
import { type Step, segmentsOf } from './steps.js';

const ASK_MS = 2000;
const SHOWN = 8;

interface Trace {
  readonly atSeconds: number;
  readonly totalMs: number;
  readonly steps: readonly Step[];
}
interface Handover extends Trace {
  readonly entity: number;
  readonly from: number;
  readonly to: number;
  readonly tile: string | null;
  readonly x: number | null;
  readonly y: number | null;
}
interface Migration extends Trace {
  readonly decision: string;
  readonly entities: number;
}
interface Traces {
  readonly handovers: { readonly slowest: readonly Handover[] };
  readonly migrations: { readonly slowest: readonly Migration[] };
}

/** Where a crossing happened: a tile, and more exactly a place in it where it is known. */
export interface Spot {
  readonly tile: string | null;
  readonly x: number | null;
  readonly y: number | null;
}

export class Crossings {
  private askedMs = Number.NEGATIVE_INFINITY;
  private shown = '';

  constructor(
    private readonly box: HTMLElement,
    private readonly go: (spot: Spot) => void,
  ) {}

  /** Brings the pane up to date when it is time. @param uptimeS of the server, for "ago" */
  show(uptimeS: number): void {
    const now = performance.now(); // house-ok: a page's clock
    if (!this.box.hidden && this.box.childElementCount === 0)
      this.box.append(h('p', { class: 'empty' }, 'Asking the server …'));
    if (this.box.hidden || now - this.askedMs < ASK_MS) return;
    this.askedMs = now;
    void this.ask(uptimeS);
  }

  private async ask(uptimeS: number): Promise<void> {
    try {
      const answer = await fetch('/api/traces');
      if (answer.ok) this.render((await answer.json()) as Traces, uptimeS);
    } catch {
      // the stream's state tells of a lost server
    }
  }

  private render({ handovers, migrations }: Traces, uptimeS: number): void {
    const [quick, slow] = [handovers.slowest.slice(0, SHOWN), migrations.slowest.slice(0, SHOWN)];
    const key = JSON.stringify([quick, slow]);
    if (key === this.shown) {
      for (const time of this.box.querySelectorAll<HTMLElement>('time')) tellAge(time, uptimeS);
      return;
    }
    if (this.box.contains(document.activeElement)) return; // not under the finger
    this.shown = key;
    this.box.replaceChildren(
      h('h3', {}, 'Slowest handovers'),
      this.list(quick, 'No player has changed shard yet.', ({ entity, from, to, tile, x, y }) => ({
        title: `entity ${entity}, shard ${from} → ${to}`,
        spot: { tile, x, y },
      })),
      h('h3', {}, 'Slowest changes of layout'),
      this.list(slow, 'No tile was split, merged or moved yet.', ({ decision, entities }) => ({
        title: `${decision}, ${count(entities)} ${entities === 1 ? 'entity' : 'entities'}`,
        spot: { tile: /\d+\/\d+\/\d+/.exec(decision)?.[0] ?? null, x: null, y: null },
      })),
    );
    for (const time of this.box.querySelectorAll<HTMLElement>('time')) tellAge(time, uptimeS);
  }

  private list<T extends Trace>(
    traces: readonly T[],
    none: string,
    words: (trace: T) => { title: string; spot: Spot },
  ): HTMLElement {
    if (traces.length === 0) return h('p', { class: 'empty' }, none);
    const longest = Math.max(0.001, ...traces.map(({ steps }) => lengthOf(steps)));
    const names = traces[0].steps.slice(1).map(({ step }, i) => h('li', { class: `step s${i + 1}` }, step));
    const rows = traces.map((trace) => this.row(trace, words(trace), longest));
    return h('div', {}, h('ul', { class: 'key', 'aria-hidden': 'true' }, ...names), h('ol', {}, ...rows));
  }

  private row(trace: Trace, { title, spot }: { title: string; spot: Spot }, longest: number): HTMLElement {
    const segments = segmentsOf(trace.steps);
    const bar = h('span', { class: 'steps', 'aria-hidden': 'true' });
    for (const { step, number, ms } of segments) {
      const part = h('i', { class: `s${number}`, title: `${step}: ${milliseconds(ms)}` });
      part.style.width = `${(ms / longest) * 100}%`;
      bar.append(part);
    }
    const most = segments.reduce((a, b) => (b.ms > a.ms ? b : a), { step: '', number: 0, ms: -1 });
    const all = segments.map(({ step, ms }) => `${step} ${milliseconds(ms)}`).join(', ');
    const isNowhere = spot.tile === null && spot.x === null;
    return h(
      'li',
      {},
      h(
        'button',
        { type: 'button', class: 'crossing', disabled: isNowhere, onclick: () => this.go(spot) },
        h('strong', {}, milliseconds(trace.totalMs)),
        h('span', {}, title),
        h('time', { class: 'muted', 'data-at': trace.atSeconds }),
        bar,
        h('small', { class: 'muted' }, most.ms < 0 ? '' : `longest: ${most.step}, ${milliseconds(most.ms)}`),
        h('span', { class: 'hidden' }, `. Steps: ${all}`),
      ),
    );
  }
}

function tellAge(time: HTMLElement, uptimeS: number): void {
  time.textContent = `${duration(uptimeS - Number(time.dataset.at))} ago`;
}

function lengthOf(steps: readonly Step[]): number {
  return Math.max(0, ...steps.map(({ ms }) => ms ?? 0));
}

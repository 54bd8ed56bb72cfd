/** The planner's decisions, newest first, with their reasons; tiles in them are buttons that show the tile. */
import { h, setText } from '../look/dom.js';
import { duration } from '../look/format.js';
import { type Decision, type Planet, tileName } from './planet.js';

type Choose = (tile: string) => void;

/** What was decided, in words; older servers say it themselves. */
function words(d: Decision): string {
  if (d.decision !== undefined) return d.decision;
  const tile = tileName(d.tile);
  const shard = typeof d.shard === 'number' ? ` shard ${d.shard}` : '';
  return `${d.kind ?? 'decision'} ${tile}${tile !== '' && shard !== '' ? ' to' : ''}${shard}`.trim();
}

export function kindOf(d: Decision): string {
  return d.kind ?? /^\w+/.exec(d.decision ?? '')?.[0] ?? 'decision';
}

export function decisionItem(d: Decision, planet: Planet, choose: Choose): HTMLLIElement {
  const kind = kindOf(d);
  const text = words(d).replace(new RegExp(`^${kind}\\s*`), '');
  const parts = text.split(/(\d+\/\d+\/\d+)/g);
  const what = parts.map((part) =>
    /^\d+\/\d+\/\d+$/.test(part)
      ? h('button', { type: 'button', class: 'link', onclick: () => choose(part) }, part)
      : part,
  );
  const outcome = typeof d.outcome === 'string' && d.outcome !== 'done' ? ` (${d.outcome})` : '';
  return h(
    'li',
    { class: `decision ${kind}` },
    h('span', { class: 'badge' }, kind),
    h('time', { class: 'muted', title: `tick ${d.tick}`, 'data-tick': d.tick }, ago(d.tick, planet)),
    h('p', {}, ...what, outcome),
    h('p', { class: 'muted' }, d.reason),
  );
}

function ago(tick: number, { status }: Planet): string {
  return `${duration(((status?.tick ?? tick) - tick) / (status?.tickRate ?? 20))} ago`;
}

export class Timeline {
  private newest = '';

  constructor(
    private readonly box: HTMLElement,
    private readonly planet: Planet,
    private readonly choose: Choose,
  ) {}

  show(): void {
    const { decisions } = this.planet;
    const running = decisions.filter((d) => d.outcome === 'running').length;
    const key = `${decisions.length} ${running} ${decisions[0]?.tick}`;
    if (key === this.newest && this.box.childElementCount > 0) {
      for (const time of this.box.querySelectorAll<HTMLElement>('time'))
        setText(time, ago(Number(time.dataset.tick), this.planet));
      return;
    }
    if (this.box.contains(document.activeElement) && this.box.childElementCount > 0) return; // not under the finger
    this.newest = key;
    if (decisions.length === 0) {
      this.box.replaceChildren(
        h(
          'div',
          { class: 'empty' },
          h('strong', {}, 'No decisions yet'),
          'When a tile grows hot the planner splits it, moves it or lowers its rates; each decision appears here with its reason.',
        ),
      );
      return;
    }
    this.box.replaceChildren(
      h('ol', { class: 'timeline' }, ...decisions.map((d) => decisionItem(d, this.planet, this.choose))),
    );
  }
}

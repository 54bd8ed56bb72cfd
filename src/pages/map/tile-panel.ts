/** The selected tile: its numbers as /api/tiles says them, its last minutes, its neighbours, what was decided about it. */
import uPlot from 'uplot';
import { centreOf, formatTile, neighboursOf, type TileAddress } from '../../geo/address.js';
import { tileSize, tileX, tileY } from '../../geo/tile.js';
import { xyToLonLat } from '../../geo/world.js';
import { h } from '../look/dom.js';
import { count, metres, percent, place } from '../look/format.js';
import { places } from '../look/places.js';
import { colour, type Theme } from '../look/theme.js';
import { loadColour, shardColour } from './palette.js';
import { DENSITY_LEVEL, type Leaf, type Planet, type Tile } from './planet.js';
import { decisionItem } from './timeline.js';

const NAMES: Readonly<Record<string, string>> = {
  players: 'Players',
  entities: 'Entities',
  shard: 'Shard',
  load: 'Load',
  busy: 'Busy',
  dilation: 'Speed of time',
  nearRate: 'Near frames',
  farRate: 'Far frames',
  actionsPerSecond: 'Actions / s',
  bytesPerSecond: 'Bytes / s',
};
const SHARES = ['load', 'busy', 'dilation', 'nearRate', 'farRate'];

export class TilePanel {
  private shown: string | null = null;
  private figures = '';
  private plot: uPlot | null = null;
  private theme: Theme | null = null;

  constructor(
    private readonly box: HTMLElement,
    private readonly planet: Planet,
    private readonly choose: (tile: string) => void,
    private readonly actions: (tile: Tile) => HTMLElement,
  ) {}

  /** Builds it anew next time: names have come. */
  forget(): void {
    this.shown = null;
  }

  /** Brings the panel up to date. @param tile selected, null = none */
  show(tile: string | null, theme: Theme): void {
    const leaf = tile === null ? undefined : this.planet.leaves.get(tile);
    if (tile === null || leaf === undefined) {
      const key = `asleep ${tile}`;
      if (this.shown !== key) {
        this.clear();
        this.box.append(this.nothing(tile));
        this.shown = key;
      }
      this.showBusiest(theme);
      return;
    }
    const figures = JSON.stringify(leaf.data);
    const isSame = this.shown === tile && this.theme === theme;
    if (!isSame) {
      this.clear();
      this.theme = theme;
      this.shown = tile;
      this.build(leaf, theme);
    }
    if (!isSame || figures !== this.figures) this.numbers(leaf, theme);
    this.figures = figures;
    this.showNeighbours(leaf, theme);
    this.drawHistory(tile);
  }

  private clear(): void {
    this.plot?.destroy();
    this.plot = null;
    this.box.replaceChildren();
  }

  private nothing(tile: string | null): HTMLElement {
    if (tile !== null)
      return h(
        'div',
        { class: 'empty' },
        h('strong', {}, `${tile} is asleep`),
        'Nobody has looked at it for a minute, so it costs nothing.',
      );
    const hint = h(
      'div',
      { class: 'empty' },
      h('strong', {}, 'No tile selected'),
      'Click a tile on the map, or focus the map and press N for the busiest one.',
    );
    return h('div', {}, hint, h('h3', {}, 'Busiest tiles'), h('ol', { class: 'busiest' }));
  }

  private showBusiest(theme: Theme): void {
    const list = this.box.querySelector('.busiest');
    if (list === null || list.contains(document.activeElement)) return;
    this.box.querySelector('h3')?.toggleAttribute('hidden', this.planet.leaves.size === 0);
    const leaves = [...this.planet.leaves.values()]
      .sort((a, b) => b.data.players - a.data.players)
      .slice(0, 8);
    const rows = leaves.map(({ data }) => {
      const load = this.planet.loadOf(data);
      const bar = h('i', {});
      bar.style.width = `${Math.min(100, Math.max(2, load * 100))}%`;
      bar.style.background = loadColour(load, theme);
      const onclick = () => this.choose(data.tile);
      return h(
        'li',
        {},
        h(
          'button',
          { type: 'button', onclick },
          h('span', {}, data.tile, h('small', { class: 'muted' }, places.ofTile(data.tile))),
          h('span', { class: 'bar', title: `load ${percent(load)}` }, bar),
          h('span', { class: 'muted' }, data.players === 1 ? '1 player' : `${count(data.players)} players`),
        ),
      );
    });
    list.replaceChildren(...rows);
  }

  private build(leaf: Leaf, theme: Theme): void {
    const { x, y } = centreOf(leaf.address);
    const { lon, lat } = xyToLonLat(x, y);
    this.box.append(
      h(
        'div',
        { class: 'tile-title' },
        h('h2', { id: 'tile-name' }, `Tile ${leaf.data.tile}`),
        h('a', { class: 'button', href: `/play?tile=${leaf.data.tile}` }, 'Play here'),
        h('p', { id: 'tile-place' }, places.ofTile(leaf.data.tile)),
        h('p', { class: 'muted' }, `${metres(tileSize(leaf.address.z))} wide, ${place(lon, lat, 2)}`),
      ),
      h('dl', { class: 'figures', id: 'tile-figures' }),
      h('h3', {}, 'History'),
      h('div', {
        class: 'history',
        id: 'tile-history',
        role: 'img',
        'aria-label': 'Players of the last minutes',
      }),
      h('h3', {}, 'Neighbours'),
      h('div', { class: 'neighbours' }),
      h('h3', {}, 'Decisions about it'),
      this.decisions(leaf.data.tile),
      this.actions(leaf.data),
    );
    const history = this.box.querySelector<HTMLElement>('#tile-history');
    if (history !== null) this.plot = historyPlot(history, theme);
  }

  private numbers(leaf: Leaf, theme: Theme): void {
    const { data } = leaf;
    const rows: HTMLElement[] = [];
    const fields: Record<string, unknown> = { ...data, load: this.planet.loadOf(data) };
    for (const [field, name] of Object.entries(NAMES)) {
      const value = fields[field];
      if (typeof value !== 'number') continue;
      const swatch =
        field === 'shard'
          ? mark(shardColour(data.shard, theme))
          : field === 'load' && mark(loadColour(value, theme));
      const text = SHARES.includes(field) ? percent(value) : field === 'shard' ? `${value}` : count(value);
      rows.push(
        h('div', {}, h('dt', {}, name), h('dd', { 'data-field': field, 'data-value': value }, swatch, text)),
      );
    }
    this.box.querySelector('#tile-figures')?.replaceChildren(...rows);
  }

  /** Made anew only when one has changed, and not under the finger. */
  private showNeighbours(leaf: Leaf, theme: Theme): void {
    const now = this.neighbours(leaf, theme);
    const before = this.box.querySelector('.neighbours');
    if (before === null || before.contains(document.activeElement) || before.isEqualNode(now)) return;
    before.replaceWith(now);
  }

  /** The eight around it, as they lie. */
  private neighbours(leaf: Leaf, theme: Theme): HTMLElement {
    const list = h('div', { class: 'neighbours' });
    const around = neighboursOf(leaf.address);
    const middle = around.findIndex(
      ({ x, y }) => y > leaf.address.y || (y === leaf.address.y && x !== leaf.address.x - 1),
    );
    for (const [i, address] of around.entries()) {
      if (i === middle) list.append(h('span', { class: 'here', 'aria-hidden': 'true' }, 'this tile'));
      list.append(this.neighbour(address, theme));
    }
    return list;
  }

  private neighbour(address: TileAddress, theme: Theme): HTMLElement {
    const { x, y } = centreOf(address);
    const near = this.planet.leafAt(tileX(x, DENSITY_LEVEL), tileY(y, DENSITY_LEVEL));
    const name = formatTile(near?.address ?? address);
    if (near === undefined) return h('span', { class: 'asleep', title: `${name}: asleep` }, 'asleep');
    const { shard, players } = near.data;
    return h(
      'button',
      {
        type: 'button',
        title: name,
        'aria-label': `Tile ${name}, shard ${shard}, ${players} players`,
        onclick: () => this.choose(name),
      },
      mark(shardColour(shard, theme)),
      count(players),
    );
  }

  private decisions(tile: string): HTMLElement {
    const known = this.planet.decisionsOf(tile);
    if (known.length === 0) return h('p', { class: 'muted' }, 'None so far.');
    return h(
      'ol',
      { class: 'timeline' },
      ...known.slice(0, 8).map((d) => decisionItem(d, this.planet, this.choose)),
    );
  }

  private drawHistory(tile: string): void {
    const samples = this.planet.history.get(tile) ?? [];
    const { plot } = this;
    if (plot === null || samples.length === 0) return;
    plot.setData([samples.map((s) => s.timeS), samples.map((s) => s.players)]);
    const width = plot.root.parentElement?.clientWidth ?? plot.width;
    if (width > 0 && width !== plot.width) plot.setSize({ width, height: plot.height });
  }
}

function mark(fill: string): HTMLElement {
  const swatch = h('i', { class: 'swatch' });
  swatch.style.background = fill;
  return swatch;
}

function historyPlot(box: HTMLElement, _theme: Theme): uPlot {
  const line = colour('--accent');
  const muted = colour('--muted');
  const grid = { stroke: colour('--line'), width: 1 };
  return new uPlot(
    {
      width: Math.max(200, box.clientWidth),
      height: 110,
      legend: { show: false },
      cursor: { show: false },
      scales: { x: { time: false }, y: { range: (_u, _min, max) => [0, Math.max(4, max * 1.15)] } },
      axes: [
        { show: false },
        { stroke: muted, grid, ticks: { show: false }, size: 42, font: '11px system-ui' },
      ],
      series: [{}, { stroke: line, width: 2, fill: `${line}22`, points: { show: false } }],
    },
    [[], []],
    box,
  );
}

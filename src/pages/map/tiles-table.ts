/** The map as a table: every tile with its numbers, for readers of screens and for who prefers figures. */
import { h } from '../look/dom.js';
import { count, percent } from '../look/format.js';
import { places } from '../look/places.js';
import type { Leaf, Planet } from './planet.js';

const MOST_ROWS = 200;
const COLUMNS = [
  ['tile', 'Tile'],
  ['shard', 'Shard'],
  ['players', 'Players'],
  ['entities', 'Entities'],
  ['load', 'Load'],
] as const;
type Column = (typeof COLUMNS)[number][0];

export class TilesTable {
  private by: Column = 'players';
  private isUp = false;
  private shownAt = -1;

  constructor(
    private readonly box: HTMLElement,
    private readonly planet: Planet,
    private readonly choose: (tile: string) => void,
  ) {}

  /** @param timeS of the planet; the table is made anew once in two seconds, and not under the user's hands */
  show(timeS: number): void {
    if (timeS - this.shownAt < 2 && this.shownAt >= 0 && timeS >= this.shownAt) return;
    if (this.box.contains(document.activeElement) || this.box.closest('[hidden]') !== null) return;
    this.shownAt = timeS;
    this.render();
  }

  /** Makes it anew next time: names have come. */
  forget(): void {
    this.shownAt = -1;
  }

  /** Tiles in the order of the table. */
  order(): string[] {
    return this.sorted().map((leaf) => leaf.data.tile);
  }

  private sorted(): Leaf[] {
    const { by, planet } = this;
    const value = ({ data }: Leaf) => (by === 'load' ? planet.loadOf(data) : data[by]);
    const leaves = [...planet.leaves.values()].sort((a, b) => {
      const [left, right] = [value(a), value(b)];
      const order = left < right ? -1 : left > right ? 1 : 0;
      return (this.isUp ? order : -order) || a.data.tile.localeCompare(b.data.tile);
    });
    return leaves;
  }

  private render(): void {
    const leaves = this.sorted();
    if (leaves.length === 0) {
      this.box.replaceChildren(
        h(
          'div',
          { class: 'empty' },
          h('strong', {}, 'The planet sleeps'),
          'Tiles wake when a player looks at them.',
        ),
      );
      return;
    }
    const head = COLUMNS.map(([column, name]) => this.header(column, name));
    const rows = leaves.slice(0, MOST_ROWS).map((leaf) => this.row(leaf));
    const more = leaves.length - rows.length;
    this.box.replaceChildren(
      h(
        'table',
        {},
        h(
          'caption',
          {},
          `${count(leaves.length)} tiles awake${more > 0 ? `, the first ${MOST_ROWS} shown` : ''}`,
        ),
        h('thead', {}, h('tr', {}, ...head)),
        h('tbody', {}, ...rows),
      ),
    );
  }

  private header(column: Column, name: string): HTMLElement {
    const isSorted = this.by === column;
    const arrow = isSorted ? (this.isUp ? ' ↑' : ' ↓') : '';
    const sort = isSorted ? (this.isUp ? 'ascending' : 'descending') : 'none';
    const onclick = () => {
      this.isUp = isSorted ? !this.isUp : false;
      this.by = column;
      this.render();
      this.box.querySelectorAll<HTMLElement>('th button')[COLUMNS.findIndex(([c]) => c === column)]?.focus();
    };
    return h(
      'th',
      { scope: 'col', 'aria-sort': sort },
      h('button', { type: 'button', onclick }, name + arrow),
    );
  }

  private row({ data }: Leaf): HTMLElement {
    const open = h(
      'button',
      { type: 'button', class: 'link', onclick: () => this.choose(data.tile) },
      data.tile,
    );
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, open, h('small', { class: 'muted' }, places.ofTile(data.tile))),
      h('td', {}, data.shard),
      h('td', {}, count(data.players)),
      h('td', {}, count(data.entities)),
      h('td', {}, percent(this.planet.loadOf(data))),
    );
  }
}

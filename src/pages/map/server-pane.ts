/** The server in figures: shards, totals, promises, where the raw numbers are. */
import { h } from '../look/dom.js';
import { bytes, count, duration, milliseconds, percent } from '../look/format.js';
import { theme } from '../look/theme.js';
import { drainButton } from './operator.js';
import { shardColour } from './palette.js';
import type { Status } from './planet.js';

const LINKS = ['/api/status', '/api/tiles', '/readyz'];

export function showServer(pane: HTMLElement, status: Status): void {
  if (pane.hidden) return;
  let figures = pane.querySelector('.server-figures');
  if (figures === null) {
    figures = h('div', { class: 'server-figures' });
    const links = LINKS.map((path) => h('a', { href: path }, path));
    pane.replaceChildren(
      figures,
      h('p', { class: 'links' }, 'Raw numbers: ', ...links),
      h('h3', {}, 'Operator'),
      drainButton(),
    );
  }
  const { totals } = status;
  const items = totals.itemsCreated - totals.itemsConsumed;
  const promise = (name: string, holds: boolean, detail: string) =>
    h(
      'li',
      { class: holds ? 'holds' : 'broken' },
      h('strong', {}, name),
      h('span', {}, holds ? 'holds' : 'broken'),
      h('small', { class: 'muted' }, detail),
    );
  figures.replaceChildren(
    h('h3', {}, 'Promises, right now'),
    h(
      'ul',
      { class: 'promises' },
      promise(
        'No tick missed or doubled',
        status.ticksMissed === 0 && status.ticksDoubled === 0,
        `${count(Number(status.ticksMissed))} missed, ${count(Number(status.ticksDoubled))} doubled`,
      ),
      promise(
        'Items conserved',
        totals.items === items,
        `${count(totals.items)} counted, ${count(items)} made and not used up`,
      ),
      promise(
        'Full speed',
        status.dilation === 1,
        status.dilation === 1 ? 'time runs as it should' : `slowest tile at ${percent(status.dilation)}`,
      ),
    ),
    h('h3', {}, 'Shards'),
    shardTable(status),
    h('h3', {}, 'Since the start'),
    pairs([
      ['Uptime', duration(status.uptimeSeconds)],
      ['Tick', count(status.tick)],
      ['Handovers', count(totals.handovers)],
      ['Crossings inside a shard', count(totals.crossings)],
      ['Splits, merges, moves', `${totals.splits}, ${totals.merges}, ${totals.moves}`],
      ['Restarts of shards', count(totals.shardRestarts)],
      ['Actions applied', count(totals.actionsApplied)],
      ['Connections', count(status.gateways.reduce((n, g) => n + g.connections, 0))],
      ['Bytes out', `${bytes(status.gateways.reduce((n, g) => n + g.bytesOutPerSecond, 0))}/s`],
    ]),
  );
}

function pairs(rows: readonly (readonly [string, string])[]): HTMLElement {
  const list = h('dl', { class: 'pairs' });
  for (const [name, value] of rows) list.append(h('div', {}, h('dt', {}, name), h('dd', {}, value)));
  return list;
}

function shardTable(status: Status): HTMLElement {
  const rows = status.shards.map(({ id, tiles, players, tickMs, busy }) => {
    const mark = h('i', { class: 'swatch' });
    mark.style.background = shardColour(id, theme());
    return h(
      'tr',
      {},
      h('th', { scope: 'row' }, mark, id),
      h('td', {}, count(tiles)),
      h('td', {}, count(players)),
      h('td', {}, milliseconds(tickMs.p99)),
      h('td', {}, percent(busy)),
    );
  });
  const head = ['Shard', 'Tiles', 'Players', 'Tick p99', 'CPU'].map((name) =>
    h('th', { scope: 'col' }, name),
  );
  return h('table', {}, h('thead', {}, h('tr', {}, ...head)), h('tbody', {}, ...rows));
}

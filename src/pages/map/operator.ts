/**
 * The operator's hand: split, merge, move, drain. Each asks once more; the token is typed by the user and stays in this
 * tab's session only.
 */
import { formatTile, parentOf, parseTile } from '../../geo/address.js';
import { byId, h } from '../look/dom.js';
import type { Planet, Tile } from './planet.js';

const KEY = 'bluemarble-admin-token';
const BASE_LEVEL = 11;
const DEEPEST_LEVEL = 13;

interface Command {
  readonly title: string;
  readonly text: string;
  readonly path: string;
  readonly body: object;
  readonly isGrave?: boolean;
}

/** Buttons for one tile. */
export function tileActions(planet: Planet, tile: Tile): HTMLElement {
  const address = parseTile(tile.tile);
  const parent = address === undefined || address.z <= BASE_LEVEL ? undefined : parentOf(address);
  const target = h('select', { 'aria-label': 'Shard to move the tile to' });
  for (const { id } of planet.status?.shards ?? [])
    if (id !== tile.shard) target.append(h('option', { value: id }, `to shard ${id}`));
  const button = (name: string, isOff: boolean, command: () => Command) =>
    h('button', { type: 'button', disabled: isOff, onclick: () => confirm(command()) }, name);
  return h(
    'div',
    { class: 'operator' },
    h('h3', {}, 'Operator'),
    h(
      'div',
      { class: 'buttons' },
      button('Split', address === undefined || address.z >= DEEPEST_LEVEL, () => ({
        title: `Split ${tile.tile}?`,
        text: `Its ${tile.players} players go to four tiles on the least loaded shards. Nobody is disconnected.`,
        path: 'split',
        body: { tile: tile.tile },
      })),
      button('Merge', parent === undefined, () => ({
        title: `Merge ${parent === undefined ? '' : formatTile(parent)}?`,
        text: 'The four tiles become one again, on the shard that has most of them.',
        path: 'merge',
        body: { tile: parent === undefined ? '' : formatTile(parent) },
      })),
    ),
    h(
      'div',
      { class: 'buttons' },
      target,
      button('Move', target.options.length === 0, () => ({
        title: `Move ${tile.tile} to shard ${target.value}?`,
        text: `Its ${tile.players} players change shard within a few ticks.`,
        path: 'move',
        body: { tile: tile.tile, shard: Number(target.value) },
      })),
    ),
  );
}

/** The button that ends the whole server in good order. */
export function drainButton(): HTMLElement {
  const onclick = () =>
    confirm({
      title: 'Drain and stop the server?',
      text: 'All sessions end in good order, then the process ends. The map goes dark with it.',
      path: 'drain',
      body: {},
      isGrave: true,
    });
  return h('button', { type: 'button', class: 'grave', onclick }, 'Drain and stop');
}

function confirm(command: Command): void {
  const dialog = byId<HTMLDialogElement>('confirm');
  const token = byId<HTMLInputElement>('token');
  const answer = byId('confirm-answer');
  byId('confirm-title').textContent = command.title;
  byId('confirm-text').textContent = command.text;
  answer.textContent = '';
  token.value = sessionStorage.getItem(KEY) ?? '';
  const go = byId<HTMLButtonElement>('confirm-go');
  go.className = command.isGrave === true ? 'grave' : 'primary';
  go.onclick = async () => {
    go.disabled = true;
    answer.textContent = await send(command, token.value);
    go.disabled = false;
    if (answer.textContent === '') dialog.close();
  };
  dialog.showModal();
  (token.value === '' ? token : go).focus();
}

/** @returns why it was refused, '' when it is under way */
async function send({ path, body }: Command, token: string): Promise<string> {
  try {
    const response = await fetch(`/api/admin/${path}`, {
      method: 'POST',
      body: JSON.stringify(body),
      headers: { authorization: `Bearer ${token}` },
    });
    if (response.ok) {
      sessionStorage.setItem(KEY, token);
      return '';
    }
    if (response.status === 401) sessionStorage.removeItem(KEY);
    const { error } = (await response.json()) as { error: { code: string; text: string } };
    return `${error.text} (${error.code})`;
  } catch {
    return 'The server does not answer.';
  }
}

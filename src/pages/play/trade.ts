/** A trade as its two parties see it: told by the event `trade`, answered with tradePut, tradeAccept, tradeAbort. */
import type { Client, GameEvent } from '../../client/index.js';
import { byId, h } from '../look/dom.js';

/** Kinds of items that the event tells. */
const ITEMS = 4;
const OPEN = 0;

type Act = (action: string, fields: Record<string, number>) => void;

/** Shows the state that an event tells; a trade that is over says so and goes. */
export function showTrade(client: Client, event: GameEvent, act: Act): void {
  const box = byId('trade');
  const { payload } = event;
  if (payload.length < 40) return;
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  const asker = view.getFloat64(0, true);
  const asked = view.getFloat64(8, true);
  if (client.entity !== asker && client.entity !== asked) return;
  const mine = client.entity === asker ? 0 : 1;
  const version = view.getUint16(16, true);
  const isOpen = view.getUint8(18) === OPEN;
  const accepted = view.getUint8(19);
  const names = client.welcome?.items ?? [];
  const bags = [0, 1].map((party) =>
    Array.from({ length: ITEMS }, (_, i) => view.getUint16(20 + (party * ITEMS + i) * 2, true)),
  );
  const list = (party: number) =>
    bags[party]
      .map((n, i) => (n > 0 ? `${n} ${names[i]}` : ''))
      .filter(Boolean)
      .join(', ') || 'nothing';
  box.hidden = !isOpen;
  if (!isOpen) return;
  const put = h('select', { 'aria-label': 'Item to put in' });
  for (const [i, name] of names.slice(0, ITEMS).entries()) put.append(h('option', { value: i }, name));
  const deed = (text: string, go: () => void, look = '') =>
    h('button', { type: 'button', class: look, onclick: go }, text);
  const trade = event.source;
  const said = (party: number) => (accepted & (1 << party) ? ' ✓' : '');
  if (box.contains(document.activeElement) && box.dataset.version === String(version)) return;
  box.dataset.version = String(version);
  box.replaceChildren(
    h('h2', {}, 'Trade'),
    h('p', {}, `You give ${list(mine)}${said(mine)}`),
    h('p', {}, `You get ${list(1 - mine)}${said(1 - mine)}`),
    h(
      'div',
      { class: 'buttons' },
      put,
      deed('Put one in', () => act('tradePut', { trade, item: Number(put.value), count: 1 })),
      deed('Accept', () => act('tradeAccept', { trade, version }), 'primary'),
      deed('Call off', () => act('tradeAbort', { trade })),
    ),
  );
}

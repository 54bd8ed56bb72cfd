/**
 * A trade as its two parties see it: told by the event `trade` at every change and once a second, answered with tradePut,
 * tradeTake, tradeAccept, tradeAbort. The window stays when it is over and says what came of it.
 */
import {
  BUILT_IN_EVENTS,
  type Client,
  type GameEvent,
  readPayload,
  type TradeState,
} from '../../client/index.js';
import { byId, h, setText } from '../look/dom.js';

const STATE = { open: 0, settled: 1, aborted: 2 } as const;
/** A trade that says nothing for so long is over, though its last words were missed. */
const SILENT_MS = 4000;
/** How long its end is told when nobody closes the window. */
const TELL_MS = 12_000;

type Act = (action: string, fields: Record<string, number>) => void;

interface Shown {
  readonly id: number;
  readonly party: 0 | 1;
  version: number;
  /** What the party puts in, and what the other one does, by kind of item. */
  mine: readonly number[];
  theirs: readonly number[];
  heardMs: number;
  /** When it was over; null = it goes on. */
  overMs: number | null;
}

export class TradeWindow {
  private readonly box = byId('trade');
  private readonly title = h('h2', {});
  private readonly give = h('p', { id: 'trade-give' });
  private readonly get = h('p', { id: 'trade-get' });
  private readonly item = h('select', { id: 'trade-item', 'aria-label': 'Item to put in or take out' });
  private readonly accept: HTMLButtonElement;
  private readonly tools: HTMLElement;
  private readonly end: HTMLElement;
  private shown: Shown | null = null;

  constructor(
    private readonly client: Client,
    act: Act,
  ) {
    const button = (id: string, text: string, onclick: () => void, look = '') =>
      h('button', { type: 'button', id, class: look, onclick }, text);
    const one = (action: string) => () => this.withTrade((trade) => act(action, { trade, ...this.chosen() }));
    this.accept = button(
      'trade-accept',
      'Accept',
      () => this.withTrade((trade, { version }) => act('tradeAccept', { trade, version })),
      'primary',
    );
    const abort = () => this.withTrade((trade) => act('tradeAbort', { trade }));
    this.tools = h(
      'div',
      { class: 'trade-tools' },
      h(
        'div',
        { class: 'buttons' },
        this.item,
        button('trade-put', 'Put one in', one('tradePut')),
        button('trade-take', 'Take one out', one('tradeTake')),
      ),
      h('div', { class: 'buttons' }, this.accept, button('trade-abort', 'Call off', abort)),
    );
    this.end = h(
      'div',
      { class: 'buttons' },
      button('trade-close', 'Close', () => this.close()),
    );
    this.box.replaceChildren(this.title, this.give, this.get, this.tools, this.end);
  }

  /** Takes an event `trade` of anybody's; those of others are none of ours. */
  hear({ source, payload }: GameEvent, now: number): void {
    const told = readPayload(BUILT_IN_EVENTS.trade, payload);
    if (told === null) return;
    const party = [told.asker, told.asked].indexOf(this.client.entity);
    if (party < 0) return;
    const { shown } = this;
    const isOther = shown !== null && shown.id !== source && shown.overMs === null;
    if (isOther || (shown?.id !== source && told.state !== STATE.open)) return; // one at a time, and no old ends
    if (shown?.id === source && shown.overMs !== null) return;
    this.show(source, party as 0 | 1, told, now);
  }

  /** With every picture: ends what has fallen silent, and puts away what has been told. */
  beat(now: number): void {
    const { shown } = this;
    if (shown === null) return;
    if (shown.overMs === null && now - shown.heardMs > SILENT_MS)
      this.finish(shown, now, 'Trade over', 'It says nothing any more: look into your bag.', '');
    else if (
      shown.overMs !== null &&
      now - shown.overMs > TELL_MS &&
      !this.box.contains(document.activeElement)
    )
      this.close();
  }

  private show(id: number, party: 0 | 1, told: TradeState, now: number): void {
    const sides = [
      [told.askerItem0, told.askerItem1, told.askerItem2, told.askerItem3],
      [told.askedItem0, told.askedItem1, told.askedItem2, told.askedItem3],
    ];
    const [mine, theirs] = [sides[party], sides[1 - party]];
    const isNew = this.shown?.id !== id;
    const shown: Shown = { id, party, version: told.version, mine, theirs, heardMs: now, overMs: null };
    this.shown = shown;
    if (isNew) this.open(party);
    // Once it is over the words say what each is given.
    if (told.state === STATE.settled)
      return this.finish(
        shown,
        now,
        'Trade done',
        `You gave ${this.list(theirs)}`,
        `You got ${this.list(mine)}`,
      );
    if (told.state === STATE.aborted)
      return this.finish(
        shown,
        now,
        'Trade called off',
        `You keep ${this.list(mine)}`,
        'Nothing changed hands.',
      );
    const [hasMine, hasTheirs] = [party, 1 - party].map((of) => (told.accepted & (1 << of)) !== 0);
    setText(this.give, `You give ${this.list(mine)}${hasMine ? ' ✓ accepted' : ''}`);
    setText(this.get, `You get ${this.list(theirs)}${hasTheirs ? ' ✓ accepted' : ''}`);
    this.accept.disabled = hasMine;
    setText(this.accept, hasMine ? 'Accepted' : 'Accept');
  }

  private open(party: number): void {
    const names = this.client.welcome?.items ?? [];
    this.item.replaceChildren(...names.slice(0, 4).map((name, i) => h('option', { value: i }, name)));
    setText(this.title, party === 0 ? 'Trade: you asked' : 'Trade: you are asked');
    this.tools.hidden = false;
    this.end.hidden = true;
    this.box.hidden = false;
  }

  private finish(shown: Shown, now: number, title: string, give: string, get: string): void {
    shown.overMs = now;
    const hadFocus = this.box.contains(document.activeElement);
    setText(this.title, title);
    setText(this.give, give);
    setText(this.get, get);
    this.tools.hidden = true;
    this.end.hidden = false;
    if (hadFocus) byId('world').focus();
  }

  private close(): void {
    const hadFocus = this.box.contains(document.activeElement);
    this.box.hidden = true;
    this.shown = null;
    if (hadFocus) byId('world').focus();
  }

  private chosen(): { item: number; count: number } {
    return { item: Number(this.item.value), count: 1 };
  }

  private withTrade(act: (trade: number, shown: Shown) => void): void {
    if (this.shown !== null && this.shown.overMs === null) act(this.shown.id, this.shown);
  }

  private list(items: readonly number[]): string {
    const names = this.client.welcome?.items ?? [];
    return (
      items
        .map((n, i) => (n > 0 ? `${n} ${names[i]}` : ''))
        .filter(Boolean)
        .join(', ') || 'nothing'
    );
  }
}

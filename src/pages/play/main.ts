/**
 * The game in the page, and the SDK by example: connect, act, draw the view. Everything that talks to the server is in
 * this file; the others draw and listen to hands.
 */
import '../look/look.css';
import './play.css';
import {
  browserSockets,
  type Client,
  type ClientSocket,
  columnReader,
  connect,
  type GameEvent,
} from '../../client/index.js';
import { parseTile } from '../../geo/address.js';
import { byId, h, setText } from '../look/dom.js';
import { places } from '../look/places.js';
import { themeButton } from '../look/theme.js';
import { Ground } from './ground.js';
import { Hands } from './hands.js';
import { Painter, type Seen } from './painter.js';
import { askedPlace, choosePlace, gameUrl, type Place } from './start.js';
import { TradeWindow } from './trade.js';

const WALK_MPS = 5;
const REACH_M = 3;
const NOTE_MS = 3500;
const HOW_TO_WALK = matchMedia('(pointer: coarse)').matches
  ? 'Hold or tap where you want to go; two fingers zoom.'
  : 'Walk with W A S D or the arrow keys, or hold the mouse where you want to go.';
const DEEDS: Readonly<Record<string, string>> = {
  KeyG: 'gather',
  KeyP: 'pick',
  KeyE: 'give',
  KeyT: 'tradeOffer',
  KeyR: 'drop',
  KeyF: 'forage',
};

const ZOOMS: Readonly<Record<string, number>> = { '+': 1.4, '=': 1.4, '-': 1 / 1.4, _: 1 / 1.4 };

/** What a deed is done to. */
const TARGETS: Readonly<Record<string, string>> = {
  gather: 'node',
  pick: 'pile',
  give: 'player',
  tradeOffer: 'player',
};

class Game {
  readonly client: Client;
  private readonly painter = new Painter(byId<HTMLCanvasElement>('world'));
  private readonly ground = new Ground();
  private readonly hands: Hands;
  private readonly trade: TradeWindow;
  private socket: ClientSocket | null = null;
  /** Item that is dropped and given. */
  private item = 0;
  private seen: Seen[] = [];
  private noteUntil = 0;
  private reconnects = 0;
  private bag = '';

  constructor(url: string, spawn: Place) {
    // The SDK keeps the session by itself: lost connections are made again, actions are sent until they are decided.
    const sockets = browserSockets();
    this.client = connect({
      url,
      spawn,
      name: 'bluemarble-page/1',
      socket: (address, events) => (this.socket = sockets(address, events)),
      handlers: {
        welcome: (welcome) => {
          const { columns } = welcome;
          this.painter.columns = {
            product: columnReader(columns, 'product'),
            amount: columnReader(columns, 'amount'),
            mood: columnReader(columns, 'mood'),
          };
          this.note(welcome.resumed ? 'Resumed: the same session, nothing was lost.' : HOW_TO_WALK);
        },
        event: (event) => this.onEvent(event),
        decided: (_action, rttMs) => {
          if (rttMs >= 0) setText(byId('rtt'), `${Math.round(rttMs)} ms`);
        },
        disconnected: () => {
          this.reconnects++;
        },
        ended: (error) => this.note(error === null ? 'Goodbye.' : `Ended: ${error.message}`, 1e9),
      },
    });
    this.trade = new TradeWindow(this.client, (action, fields) => this.act(action, fields));
    this.hands = new Hands(
      byId<HTMLCanvasElement>('world'),
      (px, py) => {
        const [east, north] = this.painter.metresAt(px, py);
        return { heading: Math.atan2(north, east), seconds: Math.hypot(east, north) / WALK_MPS };
      },
      ({ heading, seconds }) => this.act('walk', { heading, speed: WALK_MPS, seconds }),
      (factor) => this.zoom(factor),
    );
    places.load(() => {});
    requestAnimationFrame(this.frame);
  }

  /** What a key or a button asks for, with the nearest fitting target. */
  do(deed: string): void {
    const { item } = this;
    const kind = TARGETS[deed];
    if (deed === 'forage') this.act(deed);
    else if (kind === undefined) this.act(deed, { item, count: 1 });
    else {
      const target = this.nearest(kind);
      if (target === undefined) this.note(`No ${kind} within ${REACH_M} m: walk nearer.`);
      else if (deed === 'give') this.act(deed, { target, item, count: 1 });
      else this.act(deed, { target });
    }
  }

  say(text: string): void {
    this.act('say', text);
  }

  /** The socket ends as if the network had failed; the SDK resumes. */
  cut(): void {
    this.note('Connection cut. The server keeps your player standing for 15 s.');
    this.socket?.close(3000, '');
  }

  zoom(factor: number): void {
    this.painter.zoomBy(factor);
  }

  recolour(): void {
    this.painter.recolour();
  }

  showBorders(isShown: boolean): void {
    this.painter.showBorders = isShown;
  }

  private act(action: string, fields?: string | Record<string, number>): void {
    if (this.client.welcome === null) return;
    if (!this.client.welcome.actions.has(action)) return this.note(`This game has no ${action}.`);
    // Resolves when the owner has decided, through any number of handovers and reconnects.
    this.client.act(action, fields).then(
      ({ code, name }) => {
        if (code !== 0)
          this.note(
            `${action}: ${name === '' ? `refused (${code})` : name.toLowerCase().replaceAll('_', ' ')}`,
          );
      },
      (error: Error) => this.note(error.message),
    );
  }

  private onEvent(event: GameEvent): void {
    const now = performance.now(); // house-ok: a page's clock
    if (event.name === 'trade') return this.trade.hear(event, now);
    const text = event.name === 'speech' ? new TextDecoder().decode(event.payload) : 'Grrr!';
    this.painter.say(event.source, text, now);
    byId('told').append(h('span', {}, `${text} `));
  }

  private nearest(kind: string): number | undefined {
    const kinds = this.client.welcome?.kinds ?? [];
    return this.seen.find(({ entity, metres }) => metres <= REACH_M && kinds[entity.kind] === kind)?.entity
      .id;
  }

  private readonly frame = (now: number): void => {
    const { client } = this;
    this.hands.beat(now);
    this.trade.beat(now);
    if (client.welcome !== null) {
      this.seen = this.painter.seen(client, now);
      this.ground.follow(client.self.x, client.self.y, now);
      this.painter.draw(client, this.seen, now, parseTile(this.ground.tile)?.z ?? 0);
      this.showNumbers();
    }
    this.showState();
    for (const [deed, kind] of Object.entries(TARGETS)) {
      const button = document.querySelector(`[data-deed=${deed}]`);
      button?.toggleAttribute('data-ready', this.nearest(kind) !== undefined);
    }
    if (now > this.noteUntil) byId('note').hidden = true;
    requestAnimationFrame(this.frame);
  };

  private showNumbers(): void {
    const { tile, shard, crossed, shardChanges } = this.ground;
    setText(byId('tile'), tile === '' ? '–' : tile);
    setText(byId('place'), places.ofTile(tile));
    setText(byId('shard'), shard < 0 ? '–' : String(shard));
    setText(byId('borders'), `${crossed} (${shardChanges} to another shard)`);
    const far = this.seen.reduce((n, { isFar }) => n + (isFar ? 1 : 0), 0);
    const inView = byId('in-view');
    setText(inView, `${this.seen.length - far} near, ${far} far`);
    const kinds = this.client.welcome?.kinds ?? [];
    const players = this.seen.filter(({ entity }) => kinds[entity.kind] === 'player').length;
    inView.title = players === 1 ? '1 other player' : `${players} other players`;
    const items = this.client.self.items;
    const names = this.client.welcome?.items ?? [];
    const key = `${items.join()} ${this.item}`;
    if (key === this.bag) return;
    this.bag = key;
    const hadFocus = byId('bag').contains(document.activeElement);
    const rows = names.slice(0, 4).map((name, i) => {
      const isChosen = i === this.item;
      const onclick = () => {
        this.item = i;
      };
      const text = h('b', { 'data-item': name }, items[i] ?? 0);
      return h(
        'li',
        {},
        h('button', { type: 'button', 'aria-pressed': String(isChosen), onclick }, text, ` ${name}`),
      );
    });
    byId('bag').replaceChildren(...rows);
    if (hadFocus) byId('bag').querySelector<HTMLElement>('[aria-pressed=true]')?.focus();
  }

  private showState(): void {
    const pill = byId('state');
    const { state } = this.client;
    pill.dataset.state = state === 'online' ? 'live' : state === 'ended' ? 'lost' : 'connecting';
    const again = this.reconnects > 0 ? `, resumed ${this.reconnects} ×` : '';
    const texts: Record<string, string> = { online: `online${again}`, ended: 'ended' };
    setText(
      pill.querySelector('span') ?? pill,
      texts[state] ?? (this.reconnects > 0 ? 'reconnecting' : 'connecting'),
    );
  }

  private note(text: string, ms = NOTE_MS): void {
    const box = byId('note');
    box.hidden = false;
    setText(box, text);
    this.noteUntil = performance.now() + ms; // house-ok: a page's clock
  }
}

function listen(game: Game): void {
  const words = byId<HTMLInputElement>('words');
  for (const button of document.querySelectorAll<HTMLElement>('[data-deed]'))
    button.addEventListener('click', () => game.do(button.dataset.deed ?? ''));
  addEventListener('keydown', (event) => {
    if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.repeat) return;
    if (event.code in DEEDS) game.do(DEEDS[event.code]);
    if (event.key in ZOOMS) game.zoom(ZOOMS[event.key]);
    const isOnWorld = event.target === document.body || (event.target as HTMLElement).id === 'world';
    if (event.code === 'Enter' && isOnWorld) {
      event.preventDefault();
      words.focus();
    }
  });
  byId('chat').addEventListener('submit', (event) => {
    event.preventDefault();
    if (words.value.trim() !== '') game.say(words.value.trim());
    words.value = '';
    byId('world').focus();
  });
  byId('zoom-in').addEventListener('click', () => game.zoom(ZOOMS['+']));
  byId('zoom-out').addEventListener('click', () => game.zoom(ZOOMS['-']));
  byId('cut').addEventListener('click', () => game.cut());
  byId('show-borders').addEventListener('change', (event) =>
    game.showBorders((event.target as HTMLInputElement).checked),
  );
  addEventListener('pagehide', () => void game.client.goodbye());
}

let game: Game | null = null;

async function begin(place: Place | Promise<Place>): Promise<void> {
  try {
    game = new Game(await gameUrl(new URLSearchParams(location.search)), await place);
    listen(game);
    byId('start').hidden = true;
    document.body.classList.remove('waiting');
    byId('world').focus();
  } catch (error) {
    setText(byId('refused'), (error as Error).message);
  }
}

themeButton(byId<HTMLButtonElement>('theme'), () => game?.recolour());
const asked = askedPlace(new URLSearchParams(location.search));
if (asked !== null) void begin(asked);
else
  for (const button of document.querySelectorAll<HTMLElement>('[data-place]'))
    button.addEventListener('click', () => void begin(choosePlace(button.dataset.place ?? '')));

/** The live map: the parts of the page, put together. Events come in, a picture is drawn when something has changed. */
import 'uplot/dist/uPlot.min.css';
import '../look/look.css';
import './map.css';
import { centreOf, formatTile, parseTile } from '../../geo/address.js';
import { tileSize } from '../../geo/tile.js';
import { byId } from '../look/dom.js';
import { places } from '../look/places.js';
import { prefersStill, theme, themeButton } from '../look/theme.js';
import { Announcer } from './announcer.js';
import { Camera } from './camera.js';
import { Charts } from './charts.js';
import { Crossings, type Spot } from './crossings.js';
import { type FeedState, openFeed } from './feed.js';
import { attachGestures } from './gestures.js';
import { showHeadline, showLegend, showRuler } from './headline.js';
import { tileActions } from './operator.js';
import { type Layers, Painter, tileAtPixel } from './painter.js';
import { type Decision, DENSITY_LEVEL, type LiveEvent, Planet } from './planet.js';
import { showServer } from './server-pane.js';
import { Tabs } from './tabs.js';
import { TilePanel } from './tile-panel.js';
import { TilesTable } from './tiles-table.js';
import { Timeline } from './timeline.js';

/** After the last move of the view its picture is made sharp again. */
const STILL_MS = 140;
/** Width of the view around a single crossing. */
const SPOT_M = 2000;

class MapPage {
  private readonly canvas = byId<HTMLCanvasElement>('map');
  private readonly planet = new Planet();
  private readonly camera = new Camera();
  private readonly layers: Layers = { colour: 'load', players: true, tiles: true, grid: true };
  private readonly painter = new Painter(this.planet, this.layers, () => this.redraw());
  private readonly charts = new Charts(byId('charts'));
  private readonly select = (tile: string) => this.choose(tile, true);
  private readonly tilePanel = new TilePanel(byId('tile-pane'), this.planet, this.select, (tile) =>
    tileActions(this.planet, tile),
  );
  private readonly timeline = new Timeline(byId('decisions-pane'), this.planet, this.select);
  private readonly crossings = new Crossings(byId('crossings-pane'), (spot) => this.goTo(spot));
  private readonly announcer = new Announcer(byId('told'), byId('alerted'), () => performance.now()); // house-ok: a page's clock
  private readonly table = new TilesTable(byId('table-pane'), this.planet, this.select);
  private readonly tabs: Tabs;
  private feed: FeedState = 'connecting';
  private movedMs = 0;
  private isAsked = false;

  constructor() {
    this.tabs = new Tabs(document.querySelector('.tabs') as HTMLElement, () => this.panes());
    themeButton(byId<HTMLButtonElement>('theme'), () => this.recolour());
    attachGestures(this.canvas, {
      camera: this.camera,
      moved: () => this.moved(),
      pick: (px, py) => this.choose(tileAtPixel(this.planet, this.camera, px, py), false),
      step: (by) => this.step(by),
      home: () => this.camera.zoom(1e-6),
    });
    this.attachTools();
    new ResizeObserver(() => this.resize()).observe(this.canvas);
    // On a narrow page the whole world would be a strip.
    if (this.canvas.clientWidth < 600) this.closer();
    void this.painter.land.load('/assets/land.json').then(() => this.redraw());
    places.load(() => {
      this.table.forget();
      this.tilePanel.forget();
      this.panes();
      this.redraw();
    });
    openFeed(
      (event) => this.take(event),
      (state) => {
        this.feed = state;
        showHeadline(this.planet, state);
      },
    );
    this.panes();
  }

  private closer(): void {
    this.resize();
    this.camera.zoom(1.7);
    this.camera.pan(40, 0);
  }

  private take(event: LiveEvent): void {
    const now = performance.now(); // house-ok: a page's clock
    const changes = this.planet.take(event);
    this.painter.effects.addChanges(changes, now);
    if (event.handovers !== undefined) this.painter.effects.addHandovers(event.handovers, now);
    for (const { kind, address } of changes) this.announcer.news(kind, `tile ${formatTile(address)}`);
    this.announcer.beat();
    if (this.planet.missesDecisions) void this.askDecisions();
    // A selected tile that was split or merged gives the selection to what stands there now.
    const { selected } = this.painter;
    if (selected !== null && !this.planet.leaves.has(selected) && changes.length > 0) this.reselect(selected);
    if (event.status !== undefined) {
      showHeadline(this.planet, this.feed);
      showLegend(this.planet, this.layers);
      this.charts.take(event.status, this.planet.handoverTimes);
      this.announcer.alarm(event.status.alarms);
      byId('welcome').hidden = this.planet.leaves.size > 0 || event.status.players > 0;
    }
    this.panes();
    this.redraw();
  }

  private panes(): void {
    if (!byId('tile-pane').hidden) this.tilePanel.show(this.painter.selected, theme());
    if (!byId('decisions-pane').hidden) this.timeline.show();
    this.crossings.show(this.planet.status?.uptimeSeconds ?? 0);
    this.table.show(this.planet.status?.uptimeSeconds ?? 0);
    if (this.planet.status !== null) showServer(byId('server-pane'), this.planet.status);
  }

  /** @param goThere turns the view to it */
  private choose(asked: string | null, goThere: boolean): void {
    const address = asked === null ? undefined : parseTile(asked);
    // A decision may name a tile that has been split or merged since: what stands there now is shown.
    const isLeaf = asked !== null && this.planet.leaves.has(asked);
    const now = isLeaf || address === undefined ? undefined : this.planet.leafAround(address);
    const tile = now?.data.tile ?? asked;
    this.painter.selected = tile;
    if (address !== undefined) {
      if (goThere) {
        const { x, y } = centreOf(address);
        this.camera.show(x, y, Math.min(this.camera.scale * this.camera.width, tileSize(address.z) * 6));
        this.moved();
      }
      this.tabs.open('tile-tab');
      const leaf = this.planet.leaves.get(tile as string);
      if (leaf !== undefined)
        this.announcer.say(
          `Tile ${tile}, ${places.ofTile(tile as string)}, shard ${leaf.data.shard}, ${leaf.data.players} players`,
        );
    }
    this.panes();
    this.redraw();
  }

  private step(by: number): void {
    const order = this.table.order();
    const at = this.painter.selected === null ? -1 : order.indexOf(this.painter.selected);
    if (by !== 0 && order.length === 0) this.announcer.say('No tile is awake');
    if (by === 0 || order.length === 0) this.choose(null, false);
    else this.choose(order[(at + by + order.length) % order.length], true);
  }

  /** Turns to a place where something crossed, and marks it. */
  private goTo({ tile, x, y }: Spot): void {
    const now = performance.now(); // house-ok: a page's clock
    const address = tile === null ? undefined : parseTile(tile);
    const leaf = address === undefined ? undefined : this.planet.leafAround(address);
    this.painter.selected = leaf?.data.tile ?? null;
    const at = x !== null && y !== null ? { x, y } : address && centreOf(address);
    if (at === undefined) return;
    this.camera.show(at.x, at.y, x === null && address ? tileSize(address.z) * 4 : SPOT_M);
    this.painter.effects.addSpot(at.x, at.y, now);
    this.announcer.say(`The map shows ${tile === null ? 'the place' : `tile ${tile}`}`);
    this.moved();
    this.panes();
  }

  private async askDecisions(): Promise<void> {
    this.planet.missesDecisions = false;
    try {
      const answer = await fetch('/api/decisions');
      if (!answer.ok) return;
      const { decisions } = (await answer.json()) as { decisions: Decision[] };
      this.planet.takeDecisions(decisions);
      this.panes();
    } catch {
      // the next whole event asks again
    }
  }

  private reselect(tile: string): void {
    const address = parseTile(tile);
    if (address === undefined) return;
    this.painter.selected = this.planet.leafAround(address)?.data.tile ?? null;
  }

  private attachTools(): void {
    const zoom = (factor: number) => () => {
      this.camera.zoom(factor);
      this.moved();
    };
    byId('zoom-in').addEventListener('click', zoom(2));
    byId('zoom-out').addEventListener('click', zoom(0.5));
    byId('home').addEventListener('click', zoom(1e-6));
    byId('busiest').addEventListener('click', () => {
      const [[square] = [-1]] = [...this.planet.density].sort(([, a], [, b]) => b - a);
      if (square < 0) return;
      const { x, y } = this.planet.middleOf(square);
      const leaf = this.planet.leafAt(this.planet.squareColumn(square), this.planet.squareRow(square));
      if (leaf !== undefined) this.choose(leaf.data.tile, false);
      this.camera.show(x, y, tileSize(DENSITY_LEVEL) * 2);
      this.moved();
    });
    for (const layer of ['tiles', 'players', 'grid'] as const) {
      byId<HTMLInputElement>(`layer-${layer}`).addEventListener('change', (event) => {
        this.layers[layer] = (event.target as HTMLInputElement).checked;
        this.redraw();
      });
    }
    for (const radio of document.querySelectorAll<HTMLInputElement>('input[name=colour]'))
      radio.addEventListener('change', () => {
        this.layers.colour = radio.value as Layers['colour'];
        showLegend(this.planet, this.layers);
        this.redraw();
      });
    const focus = () => {
      this.painter.crosshair = this.canvas.matches(':focus-visible');
      this.redraw();
    };
    this.canvas.addEventListener('focus', focus);
    this.canvas.addEventListener('blur', focus);
    this.canvas.addEventListener('pointerdown', () => {
      this.painter.crosshair = false;
    });
  }

  private recolour(): void {
    this.painter.recolour();
    this.charts.recolour();
    showLegend(this.planet, this.layers);
    this.panes();
    this.redraw();
  }

  private resize(): void {
    const { clientWidth, clientHeight } = this.canvas;
    this.camera.resize(clientWidth, clientHeight);
    this.canvas.width = Math.round(clientWidth * devicePixelRatio);
    this.canvas.height = Math.round(clientHeight * devicePixelRatio);
    this.paint(performance.now()); // house-ok: a page's clock; at once, for a resized canvas is blank
  }

  private moved(): void {
    this.movedMs = performance.now(); // house-ok: a page's clock
    setTimeout(() => this.redraw(), STILL_MS + 20); // house-ok: a page has no injected timers
    this.redraw();
  }

  private redraw(): void {
    if (this.isAsked) return;
    this.isAsked = true;
    requestAnimationFrame((now) => {
      this.isAsked = false;
      this.paint(now);
    });
  }

  private paint(now: number): void {
    const context = this.canvas.getContext('2d', { alpha: false });
    if (context === null) return;
    const isMoving = now - this.movedMs < STILL_MS;
    const goesOn = this.painter.draw(context, this.camera, theme(), devicePixelRatio, now, isMoving);
    showRuler(this.camera);
    // Who prefers stillness gets a picture with each piece of news, not a film.
    if (goesOn && !prefersStill()) this.redraw();
  }
}

new MapPage();

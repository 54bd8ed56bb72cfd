/** Draws the map: land, grid, tiles, players, what just happened, the selection. One picture a call, only what is seen. */
import { boundsOf, formatTile } from '../../geo/address.js';
import { tileSize, tileX, tileY } from '../../geo/tile.js';
import { WIDTH } from '../../geo/world.js';
import { places } from '../look/places.js';
import { colour, type Theme } from '../look/theme.js';
import type { Camera } from './camera.js';
import { Dots } from './dots.js';
import { Effects } from './effects.js';
import { Glows } from './glows.js';
import { Land } from './land.js';
import { loadColour, loadStep, shardColour } from './palette.js';
import { DENSITY_LEVEL, type Leaf, type Planet } from './planet.js';

/** Tiles smaller than this are drawn as marks of this size, so that a hot one is seen on the whole world. */
const MARK_PX = 5;
const HOT_STEP = 5;
/** The panel of layers, or the legend on a phone; and a label, CSS pixels. */
const PANEL_PX = { width: 350, height: 58 };
const PANEL_ON_PHONE_PX = { width: 300, height: 80 };
const LABEL_PX = 130;

export interface Layers {
  colour: 'load' | 'shard';
  players: boolean;
  tiles: boolean;
  grid: boolean;
}

export class Painter {
  readonly land = new Land();
  readonly effects = new Effects();
  readonly dots: Dots;
  selected: string | null = null;
  /** Shows the place that the keyboard aims at. */
  crosshair = false;
  private palette = this.readPalette();
  private hatch: CanvasPattern | null = null;
  private readonly glows: Glows;
  /** What stands still, drawn once, and what it shows. */
  private readonly backdrop = document.createElement('canvas');
  private drawn = '';
  private wanted = '';

  constructor(
    private readonly planet: Planet,
    private readonly layers: Layers,
    changed: () => void,
  ) {
    this.dots = new Dots(changed);
    this.glows = new Glows(planet);
  }

  /** After a change of theme. */
  recolour(): void {
    this.palette = this.readPalette();
    this.hatch = null;
    this.glows.forget();
    this.drawn = '';
  }

  /** @returns whether the next picture will differ even if nothing comes in */
  draw(
    context: CanvasRenderingContext2D,
    camera: Camera,
    theme: Theme,
    ratio: number,
    now: number,
    isMoving: boolean,
  ): boolean {
    const { ink } = this.palette;
    this.dots.follow(camera, now);
    this.drawStill(context, camera, theme, ratio, isMoving);
    if (this.layers.players && this.dots.shown > 0) this.dots.draw(context, camera, theme, ink, now);
    this.effects.draw(context, camera, theme, ink, now);
    this.drawSelection(context, camera);
    if (this.crosshair) drawCrosshair(context, camera, ink);
    return !this.effects.isEmpty || this.dots.shown > 0 || this.dots.total > 0;
  }

  /**
   * All that stays from one picture to the next while nobody moves the view and no news comes. The second picture of
   * the same is kept: what changes with every picture need not be kept, what stays costs one copy.
   */
  private drawStill(
    context: CanvasRenderingContext2D,
    camera: Camera,
    theme: Theme,
    ratio: number,
    isMoving: boolean,
  ): void {
    const { backdrop, layers } = this;
    const shown = `${layers.colour} ${layers.players && this.dots.shown === 0} ${layers.tiles} ${layers.grid}`;
    const place = `${camera.x} ${camera.y} ${camera.scale} ${camera.width} ${camera.height} ${ratio}`;
    const key = `${place} ${shown} ${theme} ${isMoving} ${this.planet.version} ${this.land.version}`;
    const isAgain = key === this.wanted;
    this.wanted = key;
    if (!isAgain && key !== this.drawn) return this.drawLayers(context, camera, theme, ratio, isMoving);
    if (key !== this.drawn) {
      const pen = backdrop.getContext('2d', { alpha: false });
      if (pen === null) return;
      if (backdrop.width !== context.canvas.width) backdrop.width = context.canvas.width;
      if (backdrop.height !== context.canvas.height) backdrop.height = context.canvas.height;
      this.drawLayers(pen, camera, theme, ratio, isMoving);
      this.drawn = key;
    }
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.globalAlpha = 1;
    context.drawImage(backdrop, 0, 0);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
  }

  private drawLayers(
    context: CanvasRenderingContext2D,
    camera: Camera,
    theme: Theme,
    ratio: number,
    isMoving: boolean,
  ): void {
    const { outside, sea, ground, coast, player } = this.palette;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = outside;
    context.fillRect(0, 0, camera.width, camera.height);
    this.land.draw(context, camera, ratio, [sea, ground, coast], isMoving);
    if (this.layers.grid) this.drawGrid(context, camera);
    if (this.layers.tiles) this.drawTiles(context, camera, theme, false);
    if (this.layers.players && this.dots.shown === 0) this.glows.draw(context, camera, ratio, player);
    // From afar a tile is smaller than the light of its players: its load is shown in the middle of that light.
    if (this.layers.tiles) this.drawTiles(context, camera, theme, true);
  }

  private drawGrid(context: CanvasRenderingContext2D, camera: Camera): void {
    const degree = WIDTH / 360 / camera.scale;
    const base = tileSize(11) / camera.scale;
    const cell = tileSize(17) / camera.scale;
    if (base < 26) {
      const step = degree * 30 > 160 ? (degree * 10 > 160 ? 2 : 10) : 30;
      this.lines(context, camera, (WIDTH / 360) * step, 0.5);
    } else this.lines(context, camera, tileSize(11), 0.9);
    if (cell > 22) this.lines(context, camera, tileSize(17), 0.35);
  }

  /** Lines of a grid that begins at the world's north-western corner. */
  private lines(context: CanvasRenderingContext2D, camera: Camera, step: number, alpha: number): void {
    const px = step / camera.scale;
    context.globalAlpha = alpha;
    context.strokeStyle = this.palette.line;
    context.lineWidth = 1;
    context.beginPath();
    const x = camera.worldX(0) + WIDTH / 2;
    const y = WIDTH / 4 - camera.worldY(0);
    const top = Math.max(0, camera.screenY(WIDTH / 4));
    const bottom = Math.min(camera.height, camera.screenY(-WIDTH / 4));
    for (let at = -((x % step) / camera.scale); at <= camera.width; at += px) {
      context.moveTo(Math.round(at) + 0.5, top);
      context.lineTo(Math.round(at) + 0.5, bottom);
    }
    for (let at = top - (y % step) / camera.scale; at <= bottom + 1; at += px) {
      context.moveTo(0, Math.round(at) + 0.5);
      context.lineTo(camera.width, Math.round(at) + 0.5);
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  /** @param marks those that are too small to be seen as they lie, or the others */
  private drawTiles(context: CanvasRenderingContext2D, camera: Camera, theme: Theme, marks: boolean): void {
    for (const leaf of this.planet.leaves.values()) {
      const { west, north } = boundsOf(leaf.address);
      const size = tileSize(leaf.address.z) / camera.scale;
      if (size < MARK_PX !== marks) continue;
      const grown = Math.max(size, MARK_PX);
      const px = camera.screenX(west) - (grown - size) / 2;
      const py = camera.screenY(north) - (grown - size) / 2;
      if (px > camera.width || py > camera.height || px + grown < 0 || py + grown < 0) continue;
      const load = this.planet.loadOf(leaf.data);
      context.fillStyle =
        this.layers.colour === 'load' ? loadColour(load, theme) : shardColour(leaf.data.shard, theme);
      context.globalAlpha = marks ? 1 : size > 400 ? 0.22 : 0.5;
      context.fillRect(px, py, grown, grown);
      if (!marks && loadStep(load) >= HOT_STEP) this.fillHatch(context, px, py, grown);
      if (size < 10) continue;
      context.globalAlpha = 0.95;
      context.strokeStyle = context.fillStyle;
      context.lineWidth = 1;
      context.strokeRect(
        Math.round(px) + 0.5,
        Math.round(py) + 0.5,
        Math.round(grown) - 1,
        Math.round(grown) - 1,
      );
      if (size > 64) this.label(context, camera, leaf, px, py, size);
    }
    context.globalAlpha = 1;
  }

  private fillHatch(context: CanvasRenderingContext2D, px: number, py: number, size: number): void {
    this.hatch ??= hatchOf(context, this.palette.ink);
    if (this.hatch === null) return;
    const before = context.fillStyle;
    context.fillStyle = this.hatch;
    context.fillRect(px, py, size, size);
    context.fillStyle = before;
  }

  private label(
    context: CanvasRenderingContext2D,
    camera: Camera,
    leaf: Leaf,
    px: number,
    py: number,
    size: number,
  ): void {
    context.globalAlpha = 1;
    context.fillStyle = this.palette.ink;
    context.font = `600 ${size > 140 ? 13 : 11}px system-ui, sans-serif`;
    context.textBaseline = 'top';
    const x = Math.max(px + 7, px + size > 200 ? 68 : 7); // clear of the buttons
    // Clear of what lies along the upper edge on the right, where the tile is tall enough.
    const panel = camera.width < 600 ? PANEL_ON_PHONE_PX : PANEL_PX;
    const under = x + LABEL_PX > camera.width - panel.width && py < panel.height;
    const y = (under && py + size > panel.height + 40 ? panel.height : Math.max(py, 0)) + 6;
    const { data } = leaf;
    context.fillText(size > 140 ? data.tile : `${data.players}`, x, y);
    if (size <= 140) return;
    context.font = '12px system-ui, sans-serif';
    context.fillText(
      `shard ${data.shard} · ${data.players === 1 ? '1 player' : `${data.players} players`}`,
      x,
      y + 17,
    );
    context.fillText(places.ofTile(data.tile), x, y + 33, Math.max(40, px + size - x - 6)); // dx-ok: pixels
  }

  private drawSelection(context: CanvasRenderingContext2D, camera: Camera): void {
    const leaf = this.selected === null ? undefined : this.planet.leaves.get(this.selected);
    if (leaf === undefined) return;
    const { west, north } = boundsOf(leaf.address);
    const size = tileSize(leaf.address.z) / camera.scale;
    const grown = Math.max(size, 14);
    const px = camera.screenX(west) - (grown - size) / 2;
    const py = camera.screenY(north) - (grown - size) / 2;
    context.lineWidth = 4;
    context.strokeStyle = this.palette.outside;
    context.strokeRect(px, py, grown, grown);
    context.lineWidth = 2;
    context.strokeStyle = this.palette.ink;
    context.strokeRect(px, py, grown, grown);
  }

  private readPalette() {
    return {
      ink: colour('--text'),
      outside: colour('--panel'),
      sea: colour('--sea'),
      ground: colour('--land'),
      coast: colour('--coast'),
      line: colour('--grid'),
      player: colour('--player'),
    };
  }
}

/** Address of the tile shown at a pixel: the leaf there, else the nearest mark. */
export function tileAtPixel(planet: Planet, camera: Camera, px: number, py: number): string | null {
  const x = camera.worldX(px);
  const y = camera.worldY(py);
  const leaf = planet.leafAt(tileX(x, DENSITY_LEVEL), tileY(y, DENSITY_LEVEL));
  if (leaf !== undefined) return formatTile(leaf.address);
  let nearest: string | null = null;
  let nearestPx = 14;
  for (const [name, { address }] of planet.leaves) {
    const { west, east, north } = boundsOf(address);
    const half = (east - west) / 2; // dx-ok: edges of one tile
    if (half / camera.scale > MARK_PX) continue;
    const away = Math.hypot(camera.screenX(west + half) - px, camera.screenY(north - half) - py); // dx-ok: pixels
    if (away >= nearestPx) continue;
    nearestPx = away;
    nearest = name;
  }
  return nearest;
}

function drawCrosshair(context: CanvasRenderingContext2D, camera: Camera, ink: string): void {
  const px = Math.round(camera.width / 2) + 0.5;
  const py = Math.round(camera.height / 2) + 0.5;
  context.strokeStyle = ink;
  context.lineWidth = 1.5;
  context.beginPath();
  for (const [ux, uy] of [
    [1, 0],
    [-1, 0],
    [0, 1],
    [0, -1],
  ]) {
    context.moveTo(px + ux * 5, py + uy * 5);
    context.lineTo(px + ux * 13, py + uy * 13);
  }
  context.stroke();
}

function hatchOf(context: CanvasRenderingContext2D, ink: string): CanvasPattern | null {
  const stripe = document.createElement('canvas');
  stripe.width = stripe.height = 8;
  const pen = stripe.getContext('2d');
  if (pen === null) return null;
  pen.strokeStyle = ink;
  pen.lineWidth = 1.5;
  pen.beginPath();
  for (const at of [-4, 4]) {
    pen.moveTo(at, 8);
    pen.lineTo(at + 8, 0);
  }
  pen.stroke();
  return context.createPattern(stripe, 'repeat');
}

/** Draws the map: land, grid, tiles, players, what just happened, the selection. One picture a call, only what is seen. */
import { boundsOf, formatTile } from '../../geo/address.js';
import { tileNorth, tileSize, tileWest, tileX, tileY } from '../../geo/tile.js';
import { WIDTH } from '../../geo/world.js';
import { colour, type Theme } from '../look/theme.js';
import type { Camera } from './camera.js';
import { Dots } from './dots.js';
import { Effects } from './effects.js';
import { Land } from './land.js';
import { loadColour, loadStep, shardColour } from './palette.js';
import { DENSITY_LEVEL, type Leaf, type Planet } from './planet.js';

/** Tiles smaller than this are drawn as marks of this size, so that a hot one is seen on the whole world. */
const MARK_PX = 5;
const BIN_PX = 9;
const HOT_STEP = 5;

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
  private glow: HTMLCanvasElement | null = null;

  constructor(
    private readonly planet: Planet,
    private readonly layers: Layers,
    changed: () => void,
  ) {
    this.dots = new Dots(changed);
  }

  /** After a change of theme. */
  recolour(): void {
    this.palette = this.readPalette();
    this.hatch = null;
    this.glow = null;
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
    const { ink, outside, sea, ground, coast } = this.palette;
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.globalAlpha = 1;
    context.fillStyle = outside;
    context.fillRect(0, 0, camera.width, camera.height);
    this.land.draw(context, camera, ratio, [sea, ground, coast], isMoving);
    if (this.layers.grid) this.drawGrid(context, camera);
    if (this.layers.tiles) this.drawTiles(context, camera, theme);
    this.dots.follow(camera, now);
    if (this.layers.players) {
      if (this.dots.shown > 0) this.dots.draw(context, camera, theme, ink, now);
      else this.drawDensity(context, camera);
    }
    this.effects.draw(context, camera, theme, ink, now);
    this.drawSelection(context, camera);
    if (this.crosshair) drawCrosshair(context, camera, ink);
    return !this.effects.isEmpty || this.dots.shown > 0 || this.dots.total > 0;
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

  private drawTiles(context: CanvasRenderingContext2D, camera: Camera, theme: Theme): void {
    for (const leaf of this.planet.leaves.values()) {
      const { west, north } = boundsOf(leaf.address);
      const size = tileSize(leaf.address.z) / camera.scale;
      const grown = Math.max(size, MARK_PX);
      const px = camera.screenX(west) - (grown - size) / 2;
      const py = camera.screenY(north) - (grown - size) / 2;
      if (px > camera.width || py > camera.height || px + grown < 0 || py + grown < 0) continue;
      const load = this.planet.loadOf(leaf.data);
      context.fillStyle =
        this.layers.colour === 'load' ? loadColour(load, theme) : shardColour(leaf.data.shard, theme);
      const isMark = size < MARK_PX;
      context.globalAlpha = isMark ? 0.9 : size > 400 ? 0.22 : 0.5;
      context.fillRect(px, py, grown, grown);
      if (!isMark && loadStep(load) >= HOT_STEP) this.fillHatch(context, px, py, grown);
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
      if (size > 64) this.label(context, leaf, px, py, size);
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

  private label(context: CanvasRenderingContext2D, leaf: Leaf, px: number, py: number, size: number): void {
    context.globalAlpha = 1;
    context.fillStyle = this.palette.ink;
    context.font = `600 ${size > 140 ? 13 : 11}px system-ui, sans-serif`;
    context.textBaseline = 'top';
    const x = Math.max(px + 7, px + size > 200 ? 68 : 7); // clear of the buttons
    const y = Math.max(py, 0) + 6;
    const { data } = leaf;
    context.fillText(size > 140 ? data.tile : `${data.players}`, x, y);
    if (size <= 140) return;
    context.font = '12px system-ui, sans-serif';
    context.fillText(
      `shard ${data.shard} · ${data.players === 1 ? '1 player' : `${data.players} players`}`,
      x,
      y + 17,
    );
  }

  /** Players as glows, gathered in bins of the screen. */
  private drawDensity(context: CanvasRenderingContext2D, camera: Camera): void {
    const bins = new Map<number, [number, number, number]>();
    const half = tileSize(DENSITY_LEVEL) / 2;
    const { planet } = this;
    for (const [square, players] of planet.density) {
      const px = camera.screenX(tileWest(planet.squareColumn(square), DENSITY_LEVEL) + half);
      const py = camera.screenY(tileNorth(planet.squareRow(square), DENSITY_LEVEL) - half);
      if (px < -40 || py < -40 || px > camera.width + 40 || py > camera.height + 40) continue;
      const key = Math.floor(px / BIN_PX) * 65536 + Math.floor(py / BIN_PX);
      const bin = bins.get(key);
      if (bin === undefined) bins.set(key, [px * players, py * players, players]);
      else {
        bin[0] += px * players;
        bin[1] += py * players;
        bin[2] += players;
      }
    }
    const near = Math.min(6, tileSize(DENSITY_LEVEL) / camera.scale / 4);
    this.glow ??= glowOf(this.palette.player);
    for (const [x, y, players] of bins.values()) {
      const radius = 7 + 2 * near + 5 * Math.log2(1 + players);
      const [px, py] = [x / players, y / players];
      context.globalAlpha = 0.75;
      context.drawImage(this.glow, px - radius, py - radius, radius * 2, radius * 2);
      context.globalAlpha = 1;
      context.fillStyle = this.palette.player;
      disc(context, px, py, Math.min(5, 1.2 + near / 3 + 0.35 * Math.log2(1 + players)));
    }
    context.globalAlpha = 1;
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

function disc(context: CanvasRenderingContext2D, px: number, py: number, radius: number): void {
  context.beginPath();
  context.arc(px, py, radius, 0, 2 * Math.PI);
  context.fill();
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

/** A soft round light, drawn once and stamped for every place. */
function glowOf(fill: string): HTMLCanvasElement {
  const stamp = document.createElement('canvas');
  stamp.width = stamp.height = 64;
  const pen = stamp.getContext('2d');
  if (pen === null) return stamp;
  const light = pen.createRadialGradient(32, 32, 0, 32, 32, 32);
  light.addColorStop(0, `${fill}cc`);
  light.addColorStop(0.25, `${fill}55`);
  light.addColorStop(1, `${fill}00`);
  pen.fillStyle = light;
  pen.fillRect(0, 0, 64, 64);
  return stamp;
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

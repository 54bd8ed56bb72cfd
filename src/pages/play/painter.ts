/** Draws the world around the player: ground, cells and tile borders, who and what is near, words over heads. */
import type { Client, Entity, Position } from '../../client/index.js';
import { tileNorth, tileSize, tileWest, tileX, tileY } from '../../geo/tile.js';
import { dx } from '../../geo/world.js';
import { colour as readColour } from '../look/theme.js';

const BASE_LEVEL = 11;
const TUFT_M = 5;
const BUBBLE_MS = 5000;
const PRODUCT_COLOURS = ['#e8b93c', '#d6456b', '#a9743f', '#8d99a8'];
const ANGRY = 1;
const OFFLINE_FLAG = 1;
/** Pixels of a metre. */
const NEAREST = 40;
const FARTHEST = 1;
/** Tufts of grass are drawn from here. */
const GRASS_FROM = 6;
/** Who is shown so many ticks later than frames come stands far away: fainter, for the place is a little old. */
const FAR_TICKS = 4;

export interface Seen {
  entity: Entity;
  at: Position;
  metres: number;
  /** In the rings around the near view, where news come slower. */
  isFar: boolean;
}

interface Bubble {
  text: string;
  untilMs: number;
}

/** Readers of the public columns, by what the game calls them. */
export interface Columns {
  product?: (entity: Entity) => number;
  amount?: (entity: Entity) => number;
  mood?: (entity: Entity) => number;
}

export class Painter {
  /** Pixels of a metre; from all that the server shows to two steps around. */
  zoom = 14;
  showBorders = true;
  columns: Columns = {};
  private readonly bubbles = new Map<number, Bubble>();
  private readonly scratch: Position = { x: 0, y: 0 };
  private readonly colours = new Map<string, string>();
  private x = 0;
  private y = 0;

  constructor(private readonly canvas: HTMLCanvasElement) {}

  zoomBy(factor: number): void {
    this.zoom = Math.min(NEAREST, Math.max(FARTHEST, this.zoom * factor));
  }

  /** After a change of theme. */
  recolour(): void {
    this.colours.clear();
  }

  private colour(name: string): string {
    let value = this.colours.get(name);
    if (value === undefined) this.colours.set(name, (value = readColour(name)));
    return value;
  }

  say(id: number, text: string, now: number): void {
    this.bubbles.set(id, { text, untilMs: now + BUBBLE_MS });
  }

  /** Everybody and everything in view, nearest first; the own player not among them. */
  seen(client: Client, now: number): Seen[] {
    const { view } = client;
    if (view === null) return [];
    const seen: Seen[] = [];
    for (const entity of view) {
      if (entity.id === client.entity) continue;
      const at = view.at(entity.id, now);
      if (at === undefined) continue;
      const metres = Math.hypot(dx(client.self.x, entity.x), entity.y - client.self.y);
      seen.push({ entity, at, metres, isFar: entity.slowTicks >= FAR_TICKS });
    }
    return seen.sort((a, b) => a.metres - b.metres);
  }

  /** @returns metres east and north of the player of a pixel */
  metresAt(px: number, py: number): [number, number] {
    const { clientWidth, clientHeight } = this.canvas;
    return [(px - clientWidth / 2) / this.zoom, (clientHeight / 2 - py) / this.zoom];
  }

  /** @param level of the leaf that the player stands in */
  draw(client: Client, seen: readonly Seen[], now: number, level: number): void {
    const { canvas } = this;
    const context = canvas.getContext('2d');
    if (context === null) return;
    const ratio = devicePixelRatio;
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    if (canvas.width !== Math.round(width * ratio)) canvas.width = Math.round(width * ratio);
    if (canvas.height !== Math.round(height * ratio)) canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    const own = client.view?.at(client.entity, now, this.scratch) ?? client.self;
    this.x = own.x;
    this.y = own.y;
    context.fillStyle = this.colour('--land');
    context.fillRect(0, 0, width, height);
    if (this.zoom >= GRASS_FROM) this.grass(context, width, height);
    if (this.showBorders) {
      this.grid(context, width, height, tileSize(client.welcome?.cellLevel ?? 17), 0.9, 1.5);
      this.borders(context, width, height, BASE_LEVEL, 3);
      if (level > BASE_LEVEL) this.borders(context, width, height, level, 2);
    }
    for (let i = seen.length - 1; i >= 0; i--) this.entity(context, client, seen[i]);
    this.player(context, own, true, false);
    this.drawBubbles(context, client, own, now);
  }

  private px(x: number): number {
    return this.canvas.clientWidth / 2 + dx(this.x, x) * this.zoom;
  }
  private py(y: number): number {
    return this.canvas.clientHeight / 2 - (y - this.y) * this.zoom;
  }

  /** Lines every `step` metres from the world's north-western corner. */
  private grid(
    context: CanvasRenderingContext2D,
    width: number,
    height: number,
    step: number,
    alpha: number,
    line: number,
  ): void {
    const west = tileWest(0, 0);
    const north = tileNorth(0, 0);
    const first = Math.floor((this.x - width / 2 / this.zoom - west) / step);
    const last = Math.ceil((this.x + width / 2 / this.zoom - west) / step);
    const top = Math.floor((north - this.y - height / 2 / this.zoom) / step);
    const bottom = Math.ceil((north - this.y + height / 2 / this.zoom) / step);
    context.globalAlpha = alpha;
    context.strokeStyle = this.colour('--coast');
    context.lineWidth = line;
    context.beginPath();
    for (let i = first; i <= last; i++) {
      context.moveTo(this.px(west + i * step), 0);
      context.lineTo(this.px(west + i * step), height);
    }
    for (let i = top; i <= bottom; i++) {
      context.moveTo(0, this.py(north - i * step));
      context.lineTo(width, this.py(north - i * step));
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  /** Tufts that stand where they stand, so that one's own steps are seen. */
  private grass(context: CanvasRenderingContext2D, width: number, height: number): void {
    const west = Math.floor((this.x - width / 2 / this.zoom) / TUFT_M);
    const south = Math.floor((this.y - height / 2 / this.zoom) / TUFT_M);
    context.strokeStyle = this.colour('--coast');
    context.lineWidth = 1.5;
    context.globalAlpha = 0.55;
    context.beginPath();
    for (let i = west; i <= west + width / this.zoom / TUFT_M + 1; i++) {
      for (let j = south; j <= south + height / this.zoom / TUFT_M + 1; j++) {
        const chance = Math.imul(Math.imul(i, 0x9e3779b1) ^ Math.imul(j, 0x85ebca6b), 0xc2b2ae35) >>> 0;
        const px = this.px((i + (chance & 255) / 256) * TUFT_M);
        const py = this.py((j + ((chance >>> 8) & 255) / 256) * TUFT_M);
        const tall = 3 + ((chance >>> 16) & 3);
        context.moveTo(px - 2, py - tall);
        context.lineTo(px, py);
        context.lineTo(px + 2.5, py - tall);
      }
    }
    context.stroke();
    context.globalAlpha = 1;
  }

  /** The borders of the tile of a level around the player, where the owner of the ground may change. */
  private borders(
    context: CanvasRenderingContext2D,
    width: number,
    height: number,
    level: number,
    line: number,
  ): void {
    const column = tileX(this.x, level);
    const row = tileY(this.y, level);
    context.strokeStyle = this.colour('--warn');
    context.lineWidth = line;
    context.setLineDash([12, 8]);
    context.beginPath();
    for (const edge of [column, column + 1]) {
      context.moveTo(this.px(tileWest(edge, level)), 0);
      context.lineTo(this.px(tileWest(edge, level)), height);
    }
    for (const edge of [row, row + 1]) {
      context.moveTo(0, this.py(tileNorth(edge, level)));
      context.lineTo(width, this.py(tileNorth(edge, level)));
    }
    context.stroke();
    context.setLineDash([]);
    context.fillStyle = this.colour('--warn');
    context.font = '600 12px system-ui, sans-serif';
    const y = height * (0.4 + 0.05 * (level - BASE_LEVEL));
    const label = (edge: number, text: string, align: CanvasTextAlign) => {
      context.textAlign = align;
      context.fillText(text, this.px(tileWest(edge, level)) + (align === 'left' ? 10 : -10), y);
    };
    for (const edge of [column, column + 1]) {
      label(edge, `${level}/${edge - 1}/${row}`, 'right');
      label(edge, `${level}/${edge}/${row}`, 'left');
    }
  }

  private entity(context: CanvasRenderingContext2D, client: Client, { entity, at, isFar }: Seen): void {
    const [px, py] = [this.px(at.x), this.py(at.y)];
    if (px < -60 || py < -60 || px > this.canvas.clientWidth + 60 || py > this.canvas.clientHeight + 60)
      return;
    context.globalAlpha = isFar ? 0.55 : 1;
    const kind = client.welcome?.kinds[entity.kind] ?? '';
    if (kind === 'player') this.player(context, at, false, (entity.flags & OFFLINE_FLAG) !== 0);
    else if (kind === 'creature') this.creature(context, at, this.columns.mood?.(entity) === ANGRY);
    else if (kind === 'node' || kind === 'pile') this.thing(context, entity, at, kind === 'node');
    else this.thing(context, entity, at, false);
    context.globalAlpha = 1;
  }

  private player(context: CanvasRenderingContext2D, at: Position, isSelf: boolean, isAway: boolean): void {
    const r = Math.max(isSelf ? 5 : 3.5, 0.45 * this.zoom + 2);
    if (isAway) context.globalAlpha = 0.4;
    context.fillStyle = isSelf ? this.colour('--self') : this.colour('--player');
    context.strokeStyle = isSelf ? this.colour('--text') : this.colour('--panel');
    context.lineWidth = r < 6 ? 1.5 : 2;
    context.beginPath();
    context.arc(this.px(at.x), this.py(at.y), r, 0, 2 * Math.PI);
    context.fill();
    context.stroke();
    context.globalAlpha = 1;
  }

  private creature(context: CanvasRenderingContext2D, at: Position, isAngry: boolean): void {
    const r = 0.5 * this.zoom + 2;
    const [px, py] = [this.px(at.x), this.py(at.y)];
    context.fillStyle = isAngry ? this.colour('--bad') : this.colour('--muted');
    context.beginPath();
    context.moveTo(px, py - r);
    context.lineTo(px + r, py + r * 0.8);
    context.lineTo(px - r, py + r * 0.8);
    context.fill();
  }

  /** A node is round-cornered and holds a growing stock, a pile is a small square. */
  private thing(context: CanvasRenderingContext2D, entity: Entity, at: Position, isNode: boolean): void {
    const size = (isNode ? 0.9 : 0.55) * this.zoom + 3;
    const [px, py] = [this.px(at.x), this.py(at.y)];
    context.fillStyle = PRODUCT_COLOURS[this.columns.product?.(entity) ?? 0] ?? this.colour('--muted');
    context.beginPath();
    context.roundRect(px - size / 2, py - size / 2, size, size, isNode ? size * 0.35 : 2);
    context.fill();
    const amount = this.columns.amount?.(entity) ?? 0;
    if (amount === 0 || this.zoom < 8) return;
    context.fillStyle = this.colour('--text');
    context.font = '600 11px system-ui, sans-serif';
    context.textAlign = 'center';
    context.fillText(String(amount), px, py + size / 2 + 12);
  }

  private drawBubbles(context: CanvasRenderingContext2D, client: Client, own: Position, now: number): void {
    context.font = '14px system-ui, sans-serif';
    context.textAlign = 'center';
    for (const [id, { text, untilMs }] of this.bubbles) {
      const at = id === client.entity ? own : client.view?.at(id, now);
      if (now > untilMs || at === undefined) {
        this.bubbles.delete(id);
        continue;
      }
      const wide = context.measureText(text).width + 20;
      const [px, py] = [this.px(at.x), this.py(at.y) - 0.5 * this.zoom - 18];
      context.fillStyle = this.colour('--panel');
      context.strokeStyle = this.colour('--line');
      context.lineWidth = 1;
      context.beginPath();
      context.roundRect(px - wide / 2, py - 22, wide, 28, 10);
      context.fill();
      context.stroke();
      context.fillStyle = this.colour('--text');
      context.fillText(text, px, py - 3);
    }
  }
}

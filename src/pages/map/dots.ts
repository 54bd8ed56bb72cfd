/**
 * The entities of the view, when it is near enough: asked for twice a second, and drawn on their way from the state
 * before to the newest one.
 */
import { dx, WIDTH, wrapX } from '../../geo/world.js';
import type { Theme } from '../look/theme.js';
import type { Camera } from './camera.js';
import { shardColour } from './palette.js';

/** Views of at most this many metres show single entities; the server answers boxes up to 40 km. */
export const DOTS_FROM_M = 30_000;
const ASK_MS = 500;
const FIELDS = 7;
const KIND = { player: 0, creature: 1, node: 2 } as const;

interface Dot {
  fromX: number;
  fromY: number;
  x: number;
  y: number;
  kind: number;
  shard: number;
  seen: number;
}

export class Dots {
  private readonly dots = new Map<number, Dot>();
  private asked = 0;
  private askedMs = Number.NEGATIVE_INFINITY;
  private takenMs = 0;
  private isAsking = false;
  /** Entities in the view, of which a sample may be shown. */
  total = 0;

  constructor(private readonly changed: () => void) {}

  get shown(): number {
    return this.dots.size;
  }

  /** To be called with every picture: asks when it is time, forgets when the view is too wide. */
  follow(camera: Camera, now: number): void {
    const wide = Math.max(camera.width, camera.height) * camera.scale;
    if (wide > DOTS_FROM_M) {
      this.dots.clear();
      this.total = 0;
      return;
    }
    if (this.isAsking || now - this.askedMs < ASK_MS) return;
    this.askedMs = now;
    void this.ask(camera);
  }

  draw(context: CanvasRenderingContext2D, camera: Camera, theme: Theme, ink: string, now: number): void {
    const share = Math.min(1, (now - this.takenMs) / ASK_MS);
    const radius = Math.min(5, Math.max(2, 12 / Math.sqrt(camera.scale)));
    for (const dot of this.dots.values()) {
      const px = camera.screenX(wrapX(dot.fromX + dx(dot.fromX, dot.x) * share));
      const py = camera.screenY(dot.fromY + (dot.y - dot.fromY) * share);
      if (px < -9 || py < -9 || px > camera.width + 9 || py > camera.height + 9) continue;
      context.fillStyle = dot.kind === KIND.player ? shardColour(dot.shard, theme) : ink;
      drawKind(context, dot.kind, px, py, radius);
    }
    context.globalAlpha = 1;
  }

  private async ask(camera: Camera): Promise<void> {
    this.isAsking = true;
    const number = ++this.asked;
    try {
      // Whole hundreds of metres, so that viewers of one place share an answer.
      const west = wrapX(Math.floor(camera.worldX(0) / 100) * 100);
      const east = wrapX(Math.ceil(camera.worldX(camera.width) / 100) * 100);
      const south = Math.max(-WIDTH / 4, Math.floor(camera.worldY(camera.height) / 100) * 100);
      const north = Math.min(WIDTH / 4, Math.ceil(camera.worldY(0) / 100) * 100);
      const answer = await fetch(`/api/dots?west=${west}&south=${south}&east=${east}&north=${north}`);
      if (!answer.ok) return;
      const { dots, total } = (await answer.json()) as { dots: number[]; total: number };
      this.total = total;
      this.take(dots, west, south, number);
    } catch {
      // the stream's state tells of a lost server
    } finally {
      this.isAsking = false;
    }
  }

  private take(flat: readonly number[], west: number, south: number, seen: number): void {
    this.takenMs = performance.now(); // house-ok: a page's clock
    for (let i = 0; i < flat.length; i += FIELDS) {
      const [id, east, north, , , kind, shard] = flat.slice(i, i + FIELDS);
      const x = wrapX(west + east);
      const y = south + north;
      const dot = this.dots.get(id);
      if (dot === undefined) this.dots.set(id, { fromX: x, fromY: y, x, y, kind, shard, seen });
      else Object.assign(dot, { fromX: dot.x, fromY: dot.y, x, y, shard, seen });
    }
    for (const [id, dot] of this.dots) if (dot.seen !== seen) this.dots.delete(id);
    this.changed();
  }
}

function drawKind(context: CanvasRenderingContext2D, kind: number, px: number, py: number, r: number): void {
  context.globalAlpha = kind === KIND.player ? 1 : 0.45;
  context.beginPath();
  if (kind === KIND.player) context.arc(px, py, r, 0, 2 * Math.PI);
  else if (kind === KIND.creature) {
    context.moveTo(px, py - r);
    context.lineTo(px + r, py + r * 0.8);
    context.lineTo(px - r, py + r * 0.8);
  } else context.rect(px - r * 0.6, py - r * 0.6, r * 1.2, r * 1.2);
  context.fill();
}

/**
 * Short animations of what just happened: a split draws its cross, a merge wipes it, a move and a handover send out a
 * ring. Who prefers stillness sees a mark of the same length that does not move.
 */
import { boundsOf, centreOf, type TileAddress } from '../../geo/address.js';
import { prefersStill, type Theme } from '../look/theme.js';
import type { Camera } from './camera.js';
import { shardColour } from './palette.js';
import type { Change } from './planet.js';

const LAYOUT_MS = 1800;
const SPOT_MS = 3000;
const HANDOVER_MS = 900;
const MOST = 400;
/** A ring around a change is at least so large, so that it is seen on the whole world. */
const RING_PX = 26;

type Effect = { readonly startMs: number } & (
  | { readonly kind: Change['kind']; readonly address: TileAddress; readonly shard: number }
  | { readonly kind: 'handover' | 'spot'; readonly x: number; readonly y: number; readonly shard: number }
);

export class Effects {
  private effects: Effect[] = [];

  addChanges(changes: readonly Change[], now: number): void {
    for (const change of changes) this.add({ ...change, startMs: now });
  }

  /** @param handovers x, y, shard before, shard now of each; flat */
  addHandovers(handovers: readonly number[], now: number): void {
    for (let i = 0; i < handovers.length; i += 4)
      this.add({
        kind: 'handover',
        x: handovers[i],
        y: handovers[i + 1],
        shard: handovers[i + 3],
        startMs: now,
      });
  }

  /** A place that the user asked for. */
  addSpot(x: number, y: number, now: number): void {
    this.add({ kind: 'spot', x, y, shard: -1, startMs: now });
  }

  get isEmpty(): boolean {
    return this.effects.length === 0;
  }

  draw(context: CanvasRenderingContext2D, camera: Camera, theme: Theme, ink: string, now: number): void {
    const still = prefersStill();
    this.effects = this.effects.filter((e) => now - e.startMs < lengthOf(e));
    for (const effect of this.effects) {
      const progress = still ? 0.5 : Math.max(0, (now - effect.startMs) / lengthOf(effect));
      if ('address' in effect) drawChange(context, camera, effect, progress, theme, ink);
      else if (effect.kind === 'spot') spot(context, camera, effect, progress, ink);
      else ring(context, camera, effect, 4 + 12 * progress, 1 - progress, theme);
    }
    context.globalAlpha = 1;
  }

  private add(effect: Effect): void {
    this.effects.push(effect);
    if (this.effects.length > MOST) this.effects.shift();
  }
}

function lengthOf(effect: Effect): number {
  if (effect.kind === 'spot') return SPOT_MS;
  return effect.kind === 'handover' ? HANDOVER_MS : LAYOUT_MS;
}

/** A ring that closes in on the place and stays there for a while. */
function spot(
  context: CanvasRenderingContext2D,
  camera: Camera,
  { x, y }: { x: number; y: number },
  progress: number,
  ink: string,
): void {
  context.globalAlpha = progress < 0.8 ? 1 : (1 - progress) * 5;
  context.strokeStyle = ink;
  context.lineWidth = 2.5;
  context.beginPath();
  context.arc(camera.screenX(x), camera.screenY(y), 12 + 60 * Math.max(0, 1 - progress * 4), 0, 2 * Math.PI);
  context.stroke();
}

function ring(
  context: CanvasRenderingContext2D,
  camera: Camera,
  { x, y, shard }: { x: number; y: number; shard: number },
  radius: number,
  alpha: number,
  theme: Theme,
): void {
  context.globalAlpha = alpha;
  context.strokeStyle = shardColour(shard, theme);
  context.lineWidth = 1.5;
  context.beginPath();
  context.arc(camera.screenX(x), camera.screenY(y), radius, 0, 2 * Math.PI);
  context.stroke();
}

function drawChange(
  context: CanvasRenderingContext2D,
  camera: Camera,
  effect: Effect & { address: TileAddress },
  progress: number,
  theme: Theme,
  ink: string,
): void {
  const { west, north, east } = boundsOf(effect.address);
  const size = (east - west) / camera.scale; // dx-ok: edges of one tile
  const left = camera.screenX(west);
  const top = camera.screenY(north);
  context.globalAlpha = 1 - progress ** 3;
  context.strokeStyle = effect.kind === 'move' ? shardColour(effect.shard, theme) : ink;
  context.lineWidth = 2;
  context.strokeRect(left, top, size, size);
  if (effect.kind !== 'move') {
    // Ease out; a merge is a split that goes back.
    const drawn = 1 - (1 - Math.min(1, progress * 2)) ** 3;
    const half = (size / 2) * (effect.kind === 'split' ? drawn : 1 - drawn);
    context.beginPath();
    context.moveTo(left + size / 2 - half, top + size / 2);
    context.lineTo(left + size / 2 + half, top + size / 2);
    context.moveTo(left + size / 2, top + size / 2 - half);
    context.lineTo(left + size / 2, top + size / 2 + half);
    context.stroke();
  }
  if (size > 4 * RING_PX) return; // its cross and outline are seen well enough
  const radius = Math.max(size * 0.7, RING_PX) * (effect.kind === 'merge' ? 1.2 - progress : 0.5 + progress);
  ring(
    context,
    camera,
    { ...centreOf(effect.address), shard: effect.shard },
    Math.max(1, radius),
    1 - progress,
    theme,
  );
}

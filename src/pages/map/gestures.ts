/**
 * Hands on the map: drag, wheel, pinch, double click; arrow keys, plus and minus, Enter. Turns them into moves of the
 * camera and into `pick` of a pixel.
 */
import type { Camera } from './camera.js';

export interface GestureTarget {
  readonly camera: Camera;
  /** The view has moved. */
  moved(): void;
  /** A pixel was clicked or tapped, or the middle chosen by Enter. */
  pick(px: number, py: number): void;
  /** Chooses another tile by keyboard: 1 the next, −1 the one before; 0 none. */
  step(by: number): void;
  /** Shows everything. */
  home(): void;
}

const PAN_PX = 90;
/** A press that moves less is a click. */
const CLICK_PX = 6;

export function attachGestures(canvas: HTMLCanvasElement, target: GestureTarget): void {
  attachPointers(canvas, target);
  canvas.addEventListener(
    'wheel',
    (event) => {
      event.preventDefault();
      const { left, top } = canvas.getBoundingClientRect();
      const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
      target.camera.zoom(2 ** ((-event.deltaY * lines) / 240), event.clientX - left, event.clientY - top); // dx-ok: pixels
      target.moved();
    },
    { passive: false },
  );
  canvas.addEventListener('dblclick', (event) => {
    const { left, top } = canvas.getBoundingClientRect();
    target.camera.zoom(2.5, event.clientX - left, event.clientY - top); // dx-ok: pixels
    target.moved();
  });
  canvas.addEventListener('keydown', (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (onKey(event.key, event.shiftKey, target)) event.preventDefault();
  });
}

function attachPointers(canvas: HTMLCanvasElement, target: GestureTarget): void {
  const pointers = new Map<number, { x: number; y: number }>();
  let travelled = 0;
  const place = (event: PointerEvent) => {
    const { left, top } = canvas.getBoundingClientRect();
    return { x: event.clientX - left, y: event.clientY - top }; // dx-ok: pixels
  };
  canvas.addEventListener('pointerdown', (event) => {
    canvas.setPointerCapture(event.pointerId);
    if (pointers.size === 0) travelled = 0;
    pointers.set(event.pointerId, place(event));
    canvas.classList.add('grabbed');
  });
  canvas.addEventListener('pointermove', (event) => {
    const before = pointers.get(event.pointerId);
    if (before === undefined) return;
    const now = place(event);
    const right = now.x - before.x; // dx-ok: pixels
    const down = now.y - before.y;
    travelled += Math.abs(right) + Math.abs(down);
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    pointers.set(event.pointerId, now);
    if (travelled < CLICK_PX) return;
    if (other === undefined) target.camera.pan(-right, -down);
    else {
      const apart = Math.hypot(before.x - other.x, before.y - other.y); // dx-ok: pixels
      const grown = Math.hypot(now.x - other.x, now.y - other.y); // dx-ok: pixels
      target.camera.zoom(grown / Math.max(1, apart), (now.x + other.x) / 2, (now.y + other.y) / 2);
      target.camera.pan(-right / 2, -down / 2);
    }
    target.moved();
  });
  const end = (event: PointerEvent) => {
    if (!pointers.delete(event.pointerId)) return;
    if (pointers.size > 0) return;
    canvas.classList.remove('grabbed');
    const { x, y } = place(event);
    if (event.type === 'pointerup' && travelled < CLICK_PX) target.pick(x, y);
  };
  canvas.addEventListener('pointerup', end);
  canvas.addEventListener('pointercancel', end);
}

/** @returns whether the key means something here */
function onKey(key: string, shift: boolean, target: GestureTarget): boolean {
  const { camera } = target;
  const far = shift ? 3 * PAN_PX : PAN_PX;
  const pans: Record<string, readonly [number, number]> = {
    ArrowLeft: [-far, 0],
    ArrowRight: [far, 0],
    ArrowUp: [0, -far],
    ArrowDown: [0, far],
  };
  if (key in pans) camera.pan(...pans[key]);
  else if (key === '+' || key === '=') camera.zoom(1.6);
  else if (key === '-' || key === '_') camera.zoom(1 / 1.6);
  else if (key === '0' || key === 'Home') target.home();
  else if (key === 'Enter' || key === ' ') target.pick(camera.width / 2, camera.height / 2);
  else if (key === 'n' || key === 'p') target.step(key === 'n' ? 1 : -1);
  else if (key === 'Escape') target.step(0);
  else return false;
  target.moved();
  return true;
}

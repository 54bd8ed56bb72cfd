/**
 * Walking by hand: WASD or arrow keys, or hold the pointer where you want to go (a tap walks there). Turns them into a
 * wish (heading in radians from east, seconds); the caller sends it. A wish is repeated before it runs out.
 */

export interface Wish {
  readonly heading: number;
  /** 0 = stand still. */
  readonly seconds: number;
}

const REPEAT_MS = 400;
const HELD_S = 1;
const MOST_S = 10;
const TAP_MS = 250;
const KEYS: Readonly<Record<string, readonly [number, number]>> = {
  KeyW: [0, 1],
  ArrowUp: [0, 1],
  KeyS: [0, -1],
  ArrowDown: [0, -1],
  KeyA: [-1, 0],
  ArrowLeft: [-1, 0],
  KeyD: [1, 0],
  ArrowRight: [1, 0],
};

export class Hands {
  private readonly keys = new Set<string>();
  private pointer: { x: number; y: number; downMs: number } | null = null;
  /** Fingers on the glass: one walks, two zoom. */
  private readonly fingers = new Map<number, { x: number; y: number }>();
  private sentMs = 0;

  /** @param secondsTo how long it takes to walk to a pixel, and its heading; @param walk sends the wish @param zoom by a factor */
  constructor(
    canvas: HTMLCanvasElement,
    private readonly secondsTo: (px: number, py: number) => Wish,
    private readonly walk: (wish: Wish) => void,
    private readonly zoom: (factor: number) => void,
  ) {
    addEventListener('keydown', (event) => {
      const isTyping = event.target instanceof HTMLInputElement && event.target.type !== 'checkbox';
      if (!(event.code in KEYS) || isTyping || event.ctrlKey || event.metaKey) return;
      event.preventDefault();
      if (event.repeat || this.keys.has(event.code)) return;
      this.keys.add(event.code);
      this.send();
    });
    addEventListener('keyup', (event) => {
      if (this.keys.delete(event.code)) this.send();
    });
    addEventListener('blur', () => {
      if (this.keys.size === 0) return;
      this.keys.clear();
      this.send();
    });
    this.attachPointers(canvas);
    canvas.addEventListener(
      'wheel',
      (event) => {
        event.preventDefault();
        const lines = event.deltaMode === WheelEvent.DOM_DELTA_LINE ? 16 : 1;
        this.zoom(2 ** ((-event.deltaY * lines) / 300));
      },
      { passive: false },
    );
  }

  private attachPointers(canvas: HTMLCanvasElement): void {
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.fingers.set(event.pointerId, { x: event.offsetX, y: event.offsetY });
      if (this.fingers.size > 1) {
        if (this.pointer !== null) this.walk({ heading: 0, seconds: 0 });
        this.pointer = null;
        return;
      }
      this.pointer = { x: event.offsetX, y: event.offsetY, downMs: event.timeStamp };
      this.send();
    });
    canvas.addEventListener('pointermove', (event) => {
      this.pinch(event);
      if (this.pointer !== null) Object.assign(this.pointer, { x: event.offsetX, y: event.offsetY });
    });
    const up = (event: PointerEvent) => {
      this.fingers.delete(event.pointerId);
      const held = this.pointer;
      this.pointer = null;
      // A tap walks all the way; letting go after holding stops.
      if (held !== null && event.timeStamp - held.downMs > TAP_MS) this.walk({ heading: 0, seconds: 0 });
    };
    canvas.addEventListener('pointerup', up);
    canvas.addEventListener('pointercancel', up);
  }

  /** With every picture: repeats what is still held. */
  beat(now: number): void {
    if ((this.keys.size > 0 || this.pointer !== null) && now - this.sentMs >= REPEAT_MS) this.send();
  }

  /** Two fingers that part make everything larger. */
  private pinch(event: PointerEvent): void {
    const before = this.fingers.get(event.pointerId);
    if (before === undefined) return;
    const now = { x: event.offsetX, y: event.offsetY };
    this.fingers.set(event.pointerId, now);
    const other = [...this.fingers].find(([id]) => id !== event.pointerId)?.[1];
    if (other === undefined) return;
    const apart = Math.hypot(before.x - other.x, before.y - other.y); // dx-ok: pixels
    this.zoom(Math.hypot(now.x - other.x, now.y - other.y) / Math.max(1, apart)); // dx-ok: pixels
  }

  private send(): void {
    this.sentMs = performance.now(); // house-ok: a page's clock
    this.walk(this.wish());
  }

  private wish(): Wish {
    if (this.keys.size === 0 && this.pointer !== null) {
      const wish = this.secondsTo(this.pointer.x, this.pointer.y);
      return { ...wish, seconds: Math.min(MOST_S, wish.seconds) };
    }
    let [east, north] = [0, 0];
    for (const code of this.keys) {
      east += KEYS[code][0];
      north += KEYS[code][1];
    }
    return { heading: Math.atan2(north, east), seconds: east === 0 && north === 0 ? 0 : HELD_S };
  }
}

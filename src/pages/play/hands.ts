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
  private sentMs = 0;

  /** @param secondsTo how long it takes to walk to a pixel, and its heading; @param walk sends the wish */
  constructor(
    canvas: HTMLCanvasElement,
    private readonly secondsTo: (px: number, py: number) => Wish,
    private readonly walk: (wish: Wish) => void,
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
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      this.pointer = { x: event.offsetX, y: event.offsetY, downMs: event.timeStamp };
      this.send();
    });
    canvas.addEventListener('pointermove', (event) => {
      if (this.pointer !== null) Object.assign(this.pointer, { x: event.offsetX, y: event.offsetY });
    });
    const up = (event: PointerEvent) => {
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

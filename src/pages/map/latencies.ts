/** The histogram of handover times: bars over a logarithmic scale, with the lines of one tick and of 500 ms. */
import { BARS, barsOf, share } from './bars.js';
import { colour } from '../look/theme.js';

const FOOT = 20;
const MARKS = [1, 10, 100, 1000];

export function drawLatencies(
  canvas: HTMLCanvasElement,
  times: readonly number[],
  tickMs: number,
  height: number,
): void {
  const width = canvas.parentElement?.clientWidth ?? 0;
  const ratio = devicePixelRatio;
  const context = canvas.getContext('2d');
  if (context === null || width === 0) return;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  context.scale(ratio, ratio);
  const bars = barsOf(times);
  const most = Math.max(1, ...bars);
  const step = width / BARS;
  const floor = height - FOOT;
  context.font = '11px system-ui, sans-serif';
  context.fillStyle = colour('--accent');
  for (const [i, n] of bars.entries()) {
    // The root keeps a rare slow handover visible beside thousands of quick ones.
    const tall = n === 0 ? 0 : Math.max(2, Math.sqrt(n / most) * (floor - 18));
    context.fillRect(i * step + 0.5, floor - tall, step - 1, tall);
  }
  context.fillStyle = colour('--muted');
  for (const ms of MARKS) {
    context.textAlign = ms === 1000 ? 'right' : 'center';
    context.fillText(ms < 1000 ? `${ms} ms` : '1 s', share(ms) * width, height - 6);
  }
  line(context, share(tickMs) * width, floor, colour('--ok'), 'one tick', 'right');
  line(context, share(500) * width, floor, colour('--bad'), '500 ms', 'right');
}

function line(
  context: CanvasRenderingContext2D,
  px: number,
  floor: number,
  stroke: string,
  text: string,
  align: CanvasTextAlign,
): void {
  context.strokeStyle = context.fillStyle = stroke;
  context.setLineDash([4, 3]);
  context.beginPath();
  context.moveTo(Math.round(px) + 0.5, 2);
  context.lineTo(Math.round(px) + 0.5, floor);
  context.stroke();
  context.setLineDash([]);
  context.textAlign = align;
  context.fillText(text, px - 5, 12);
}

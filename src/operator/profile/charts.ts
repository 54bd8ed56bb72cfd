/** Charts of a recording as inline SVG: lines over time, readable without any script. */

export interface Line {
  readonly name: string;
  readonly points: readonly (readonly [seconds: number, value: number])[];
}

const WIDTH = 640;
const HEIGHT = 150;
const LEFT = 56;
const BOTTOM = 22;
const COLOURS = ['#1b6ca8', '#d1495b', '#2e933c', '#8f5fb5', '#c47a00', '#0b8a8f', '#6b705c', '#b5179e'];

export const escapeHtml = (text: string) =>
  text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('"', '&quot;');

/** @param format of a value on the axis */
export function chart(title: string, lines: readonly Line[], format: (value: number) => string): string {
  const drawn = lines.filter(({ points }) => points.length > 1);
  if (drawn.length === 0) return '';
  const all = drawn.flatMap(({ points }) => points);
  const end = Math.max(...all.map(([seconds]) => seconds), 1);
  const top = Math.max(...all.map(([, value]) => value), 1e-9);
  const at = ([seconds, value]: readonly [number, number]) =>
    `${(LEFT + (seconds / end) * (WIDTH - LEFT - 8)).toFixed(1)},${(HEIGHT - BOTTOM - (value / top) * (HEIGHT - BOTTOM - 8)).toFixed(1)}`;
  const paths = drawn.map(
    ({ name, points }, i) =>
      `<polyline fill="none" stroke="${COLOURS[i % COLOURS.length]}" stroke-width="1.6" points="${points.map(at).join(' ')}"><title>${escapeHtml(name)}</title></polyline>`,
  );
  const legend = drawn.map(
    ({ name }, i) =>
      `<span><i style="background:${COLOURS[i % COLOURS.length]}"></i>${escapeHtml(name)}</span>`,
  );
  const base = HEIGHT - BOTTOM;
  return `<figure><figcaption>${escapeHtml(title)}</figcaption>
<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${escapeHtml(title)}">
<path class="axis" d="M${LEFT} 4V${base}H${WIDTH - 8}"/>
<text x="${LEFT - 6}" y="14" text-anchor="end">${escapeHtml(format(top))}</text><text x="${LEFT - 6}" y="${base}" text-anchor="end">0</text>
<text x="${WIDTH - 8}" y="${HEIGHT - 6}" text-anchor="end">${Math.round(end)} s</text>${paths.join('')}</svg>
<p class="legend">${legend.join(' ')}</p></figure>`;
}

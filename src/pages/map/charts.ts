/** The charts: five minutes that scroll, collected since the page was opened, and the histogram of handovers. */
import uPlot from 'uplot';
import { h } from '../look/dom.js';
import { bytes, count, milliseconds, percent } from '../look/format.js';
import { colour, theme } from '../look/theme.js';
import { drawLatencies } from './latencies.js';
import { shardColour } from './palette.js';
import type { Status } from './planet.js';

const KEPT = 300;
const HEIGHT = 128;

interface Chart {
  readonly title: string;
  readonly note: string;
  readonly unit: (value: number) => string;
  /** Names of the lines, and what each is at a moment; rates take the status before as well. */
  readonly lines: (status: Status) => readonly string[];
  readonly values: (now: Status, before: Status) => readonly number[];
  readonly least: number;
  /** Drawn at the length of a tick, and always in sight. */
  readonly hasTickLine?: true;
}

function rate(now: Status, before: Status, total: string): number {
  const seconds = Math.max(0.001, now.uptimeSeconds - before.uptimeSeconds);
  return Math.max(0, ((now.totals[total] ?? 0) - (before.totals[total] ?? 0)) / seconds);
}

const CHARTS: readonly Chart[] = [
  {
    title: 'Tick time',
    note: 'p50 thin, p99 thick, by shard',
    unit: milliseconds,
    lines: (s) => s.shards.flatMap(({ id }) => [`shard ${id} p50`, `shard ${id} p99`]),
    values: (s) => s.shards.flatMap(({ tickMs }) => [tickMs.p50, tickMs.p99]),
    least: 2,
    hasTickLine: true,
  },
  {
    title: 'CPU',
    note: 'share of a core, by shard',
    unit: percent,
    lines: (s) => s.shards.map(({ id }) => `shard ${id}`),
    values: (s) => s.shards.map(({ busy }) => busy),
    least: 0.1,
  },
  {
    title: 'Actions',
    note: 'applied a second',
    unit: count,
    lines: () => ['actions'],
    values: (s, before) => [rate(s, before, 'actionsApplied')],
    least: 4,
  },
  {
    title: 'Bytes out',
    note: 'a second, all gateways',
    unit: bytes,
    lines: () => ['bytes'],
    values: (s) => [s.gateways.reduce((sum, g) => sum + g.bytesOutPerSecond, 0)],
    least: 1000,
  },
];

interface Drawn {
  readonly chart: Chart;
  readonly figure: HTMLElement;
  readonly plotBox: HTMLElement;
  readonly value: HTMLElement;
  plot: uPlot | null;
  key: string;
  times: number[];
  columns: number[][];
}

export class Charts {
  private readonly drawn: Drawn[];
  private readonly latencies: HTMLCanvasElement;
  private readonly latencyNote: HTMLElement;
  private readonly latencyValue = h('b', {});
  private before: Status | null = null;
  private times: readonly number[] = [];
  private tickMs = 50;

  constructor(box: HTMLElement) {
    this.drawn = CHARTS.map((chart) => {
      const plotBox = h(
        'div',
        { class: 'plot', 'aria-hidden': 'true' },
        h('p', { class: 'waiting' }, 'collecting …'),
      );
      const value = h('b', {}); // no <output>: that is read aloud with every change
      const figure = h(
        'figure',
        { class: 'chart' },
        h('figcaption', {}, h('strong', {}, chart.title), value, h('span', { class: 'muted' }, chart.note)),
        plotBox,
      );
      box.append(figure);
      return { chart, figure, plotBox, value, plot: null, key: '', times: [], columns: [] };
    });
    this.latencies = h('canvas', { role: 'img', 'aria-label': 'Histogram of handover times' });
    this.latencyNote = h('span', { class: 'muted', title: 'of all handovers since the start' });
    const caption = h(
      'figcaption',
      {},
      h('strong', {}, 'Handover time'),
      this.latencyValue,
      this.latencyNote,
    );
    box.append(h('figure', { class: 'chart' }, caption, h('div', { class: 'plot' }, this.latencies)));
    new ResizeObserver(() => this.resize()).observe(box);
  }

  /** A status has come, once a second. */
  take(status: Status, handoverTimes: readonly number[]): void {
    const { before } = this;
    this.before = status;
    this.times = handoverTimes;
    this.tickMs = 1000 / status.tickRate;
    const { p50, p99, max } = status.handoverMs;
    this.latencyValue.textContent = max > 0 ? `p99 ${milliseconds(p99)}` : '';
    this.latencyNote.textContent =
      max > 0 ? `p50 ${milliseconds(p50)}, max ${milliseconds(max)}` : 'none yet';
    this.drawLatencies();
    if (before === null || status.uptimeSeconds <= before.uptimeSeconds) return;
    for (const drawn of this.drawn) this.add(drawn, status, before);
  }

  /** After a change of theme. */
  recolour(): void {
    for (const drawn of this.drawn) drawn.key = '';
    this.drawLatencies();
  }

  private add(drawn: Drawn, status: Status, before: Status): void {
    const { chart } = drawn;
    const names = chart.lines(status);
    const values = chart.values(status, before);
    if (drawn.columns.length !== values.length) {
      drawn.times = [];
      drawn.columns = values.map(() => []);
    }
    drawn.times.push(status.uptimeSeconds);
    for (const [i, value] of values.entries()) drawn.columns[i].push(value);
    if (drawn.times.length > KEPT) {
      drawn.times.shift();
      for (const column of drawn.columns) column.shift();
    }
    drawn.value.textContent = chart.unit(Math.max(0, ...values));
    if (drawn.times.length < 2) return;
    const key = `${names.join()} ${theme()}`;
    if (key !== drawn.key) {
      drawn.plot?.destroy();
      drawn.plotBox.replaceChildren();
      drawn.plot = plotOf(chart, names, drawn.plotBox, this.tickMs);
      drawn.key = key;
    }
    const now = status.uptimeSeconds;
    const times = drawn.times.map((at) => at - now); // seconds back
    drawn.plot?.setData([times, ...drawn.columns] as uPlot.AlignedData);
  }

  private resize(): void {
    for (const { plot, plotBox } of this.drawn) plot?.setSize({ width: plotBox.clientWidth, height: HEIGHT });
    this.drawLatencies();
  }

  private drawLatencies(): void {
    drawLatencies(this.latencies, this.times, this.tickMs, HEIGHT);
  }
}

function plotOf(chart: Chart, names: readonly string[], box: HTMLElement, tickMs: number): uPlot {
  const least = chart.hasTickLine ? Math.max(chart.least, tickMs * 1.2) : chart.least;
  const muted = colour('--muted');
  const font = '11px system-ui, sans-serif';
  const grid = { stroke: colour('--line'), width: 1 };
  const perShard = names.length > 1 || /^shard/.test(names[0]);
  const pairs = names.some((name) => name.endsWith('p99'));
  const series = names.map((label, i): uPlot.Series => {
    const stroke = perShard ? shardColour(pairs ? i >> 1 : i, theme()) : colour('--accent');
    const isThin = pairs && i % 2 === 0;
    return {
      label,
      stroke,
      width: isThin ? 1 : 2,
      points: { show: false },
      ...(names.length === 1 ? { fill: `${colour('--accent')}22` } : {}),
    };
  });
  const ago = (_u: uPlot, splits: number[]) =>
    splits.map((s) => (s === 0 ? 'now' : s > -60 ? `−${-s} s` : `−${-s / 60} min`));
  return new uPlot(
    {
      width: Math.max(160, box.clientWidth),
      height: HEIGHT,
      legend: { show: false },
      cursor: { show: false },
      padding: [8, 14, 0, 0],
      scales: {
        x: { time: false, range: (_u, min) => [Math.min(-60, min ?? -60), 0] },
        y: { range: (_u, _min, max) => [0, Math.max(least, (max ?? 0) * 1.15)] },
      },
      axes: [
        {
          stroke: muted,
          font,
          grid: { show: false },
          ticks: { show: false },
          size: 22,
          values: ago,
          incrs: [15, 30, 60, 120],
          space: 70,
        },
        {
          stroke: muted,
          font,
          grid,
          ticks: { show: false },
          size: 54,
          space: 28,
          values: (_u, splits) => splits.map((v) => chart.unit(v)),
        },
      ],
      series: [{}, ...series],
      hooks: chart.hasTickLine ? { draw: [(plot) => tickLine(plot, tickMs)] } : {},
    },
    [[], ...names.map(() => [])] as uPlot.AlignedData,
    box,
  );
}

/** A dashed line at the length of a tick: above it a shard is late. */
function tickLine({ ctx, bbox, valToPos }: uPlot, tickMs: number): void {
  const y = Math.round(valToPos(tickMs, 'y', true)) + 0.5;
  ctx.save();
  ctx.strokeStyle = ctx.fillStyle = colour('--ok');
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([4 * devicePixelRatio, 3 * devicePixelRatio]);
  ctx.beginPath();
  ctx.moveTo(bbox.left, y);
  ctx.lineTo(bbox.left + bbox.width, y);
  ctx.stroke();
  ctx.font = `${11 * devicePixelRatio}px system-ui, sans-serif`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'bottom';
  ctx.fillText('one tick', bbox.left + 4 * devicePixelRatio, y - 2 * devicePixelRatio);
  ctx.restore();
}

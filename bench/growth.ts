/**
 * How the cost of sending grows: CPU of the whole server over the number of clients in the open field, and over the
 * budget of bytes of clients who stand in one crowd, each size a server of its own with real sockets. What the second
 * plot draws is fitted by a line, cost = a + b · bytes; how far the points are from it says how linear it is.
 *
 * Flags: --sizes (clients) --budgets (bytes a second) --clients (of the crowd) --neighbours --seconds --warm
 */
import { BlueMarbleError } from '../src/base/errors.js';
import type { BenchArgs } from './benches.js';
import { FANOUT_DEFAULTS, FRAMES_PER_S, type FanoutOptions, measure, serverFlags } from './fanout.js';
import { startServer } from './fanout/children.js';
import { makeField } from './fanout/field.js';
import { perClientFrame, round, usPerClientFrame } from './fanout/figures.js';
import { bars } from './plot.js';

export const name = 'growth';
export const describe =
  'CPU of the server over the number of clients, and over the bytes that each may be sent.';
export const flags = ['sizes', 'budgets', 'clients', 'neighbours', 'seconds', 'warm'];

const SIZES = [250, 500, 1_000, 2_000];
/** KiB a second: the default last. */
const BUDGETS = [8, 16, 32, 64].map((kib) => kib * 1024);
const CROWD = 500;

interface Row {
  readonly clients: number;
  readonly budget: number;
  readonly bytesPerClientPerSecond: number;
  readonly neighbours: number;
  readonly cores: number;
  readonly usPerClientFrame: number;
}

async function measured(options: FanoutOptions, budget: number, flags: readonly string[]): Promise<Row> {
  const field = makeField(options.layout, options.clients, options.neighbours);
  const { active } = await measure(
    await startServer(field, [...serverFlags(options), ...flags], []),
    field,
    options,
  );
  if (active.frames.messages === 0) throw new Error('the server sent no frames: no result');
  const got = perClientFrame(active, FRAMES_PER_S);
  const row = {
    clients: options.clients,
    budget,
    bytesPerClientPerSecond: Math.round(got.bytes * FRAMES_PER_S),
    neighbours: round(got.neighbours),
    cores: round(active.cpuUs / 1e6 / active.seconds),
    usPerClientFrame: round(usPerClientFrame(active, FRAMES_PER_S)),
  };
  console.error(`  ${row.clients} clients, ${row.bytesPerClientPerSecond} bytes/s: ${row.cores} cores`);
  return row;
}

/** Least squares. @returns a and b of cost = a + b · size, and the farthest point's distance as a share of its cost */
export function lineThrough(points: readonly (readonly [size: number, cost: number])[]) {
  const mean = (of: (point: readonly [number, number]) => number) =>
    points.reduce((sum, point) => sum + of(point), 0) / points.length;
  const size = mean((p) => p[0]);
  const cost = mean((p) => p[1]);
  const wide = mean((p) => (p[0] - size) ** 2);
  const b = wide === 0 ? 0 : mean((p) => (p[0] - size) * (p[1] - cost)) / wide;
  const a = cost - b * size;
  const off = Math.max(...points.map((p) => Math.abs(p[1] - a - b * p[0]) / p[1]));
  return { a, b, off };
}

function listOf(values: BenchArgs['values'], flag: string, fallback: readonly number[]): readonly number[] {
  if (values[flag] === undefined) return fallback;
  const list = String(values[flag]).split(',').map(Number);
  if (!list.every((n) => n > 0))
    throw new BlueMarbleError('BAD_FLAG', `--${flag} must be numbers such as 500,1000, not ${values[flag]}`);
  return list;
}

/** @returns conditions and `growth {clients: Row[], budgets: Row[], usPerClientFrameAtNoBytes, usPerKiB, farthestPercent}` */
export async function run({ json, values }: BenchArgs): Promise<Record<string, unknown>> {
  const number = (flag: string, fallback: number) => listOf(values, flag, [fallback])[0]!;
  const d = FANOUT_DEFAULTS;
  const options = {
    ...d,
    seconds: number('seconds', d.seconds),
    warmSeconds: number('warm', d.warmSeconds),
    neighbours: number('neighbours', d.neighbours),
  };
  const crowd = number('clients', CROWD);
  const clients: Row[] = [];
  for (const size of listOf(values, 'sizes', SIZES))
    clients.push(await measured({ ...options, clients: size }, 0, []));
  const budgets: Row[] = [];
  for (const budget of listOf(values, 'budgets', BUDGETS))
    budgets.push(
      await measured({ ...options, layout: 'cell', clients: crowd, neighbours: crowd - 1 }, budget, [
        '--client-bytes',
        String(budget),
      ]),
    );
  const line = lineThrough(
    budgets.map((r) => [r.bytesPerClientPerSecond / FRAMES_PER_S / 1024, r.usPerClientFrame]),
  );
  if (!json) draw(clients, budgets, line);
  return {
    neighbours: options.neighbours,
    seconds: options.seconds,
    framesPerSecond: FRAMES_PER_S,
    growth: {
      clients,
      budgets,
      usPerClientFrameAtNoBytes: round(line.a),
      usPerKiB: round(line.b),
      farthestPercent: round(line.off * 100),
    },
  };
}

function draw(clients: readonly Row[], budgets: readonly Row[], { a, b }: { a: number; b: number }): void {
  const largest = clients[clients.length - 1]!;
  console.log(
    bars(
      'CPU over clients; · = on a line from the corner to the largest',
      clients.map((r) => ({
        label: `${r.clients}`,
        value: r.cores,
        dot: (largest.cores * r.clients) / largest.clients,
        text: `${r.cores} cores, ${r.usPerClientFrame} µs a client and frame`,
      })),
    ),
  );
  console.log(
    bars(
      `CPU over what each of ${budgets[0]!.clients} in one crowd may be sent; · = ${round(a)} + ${round(b)} · KiB`,
      budgets.map((r) => ({
        label: `${r.budget / 1024} KiB/s`,
        value: r.usPerClientFrame,
        dot: a + (b * r.bytesPerClientPerSecond) / FRAMES_PER_S / 1024,
        text: `${r.usPerClientFrame} µs a client and frame, ${round(r.bytesPerClientPerSecond / 1024)} KiB/s sent`,
      })),
    ),
  );
}

/**
 * One look as lines of text: what matters first, cut to the size of the terminal. Pure; colours are ANSI's own eight, and
 * say nothing that the words do not say.
 */
import { type Look, ratesOf } from './rates.js';

export interface ScreenSize {
  readonly columns: number;
  readonly rows: number;
  readonly colour: boolean;
  /** Whether the user has stopped it. */
  readonly isStopped?: boolean;
}

type Paint = (code: number, text: string) => string;

/** What the server sent, and nothing that moves the cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: that is what it takes out
export const plain = (text: string): string => text.replace(/[\u0000-\u001f\u007f-\u009f]/g, ' ');

/** @param url shown in the first line @returns at most `rows` lines of at most `columns` characters */
export function screen(before: Look | null, now: Look, url: string, size: ScreenSize): string[] {
  const paint: Paint = (code, text) => (size.colour ? `\u001b[${code}m${text}\u001b[0m` : text);
  const width = Math.max(20, size.columns);
  const line = (text: string, code = 0) => {
    const cut = plain(text).slice(0, width);
    return code === 0 ? cut : paint(code, cut);
  };
  const fixed = [
    ...(size.isStopped === true ? [line('stopped: space goes on', RED)] : []),
    ...head(before, now, url, line),
    ...shards(now, line),
    ...gateways(now, line),
    ...decisions(now, line),
  ];
  const room = size.rows - fixed.length;
  return [...fixed, ...tiles(now, line, room)].slice(0, Math.max(1, size.rows));
}

type LineOf = (text: string, code?: number) => string;
const BOLD = 1;
const RED = 31;
const CYAN = 36;

function head(before: Look | null, now: Look, url: string, line: LineOf): string[] {
  const { status: s } = now;
  const r = ratesOf(before, now);
  const promises = s.ticksMissed + s.ticksDoubled;
  return [
    line(
      `BlueMarble ${url}   up ${duration(s.uptimeSeconds)}   tick ${s.tick}   speed ${(r.speed * 100).toFixed(0)} %`,
      BOLD,
    ),
    line(
      `players ${s.players}   entities ${s.entities}   tiles ${now.tiles.tiles.length}   items ${s.totals.items}   bots ${s.bots}`,
    ),
    line(
      `actions ${r.actionsPerSecond}/s   handovers ${r.handoversPerSecond}/s (p99 ${ms(s.handoverMs.p99)}, max ${ms(s.handoverMs.max)})   crossings ${r.crossingsPerSecond}/s   out ${bytes(r.bytesOutPerSecond)}/s`,
    ),
    ...(promises > 0 ? [line(`BROKEN: ${s.ticksMissed} ticks missed, ${s.ticksDoubled} doubled`, RED)] : []),
    ...s.alarms.map((alarm) => line(`! ${alarm}`, RED)),
    '',
  ];
}

function shards({ status }: Look, line: LineOf): string[] {
  const rows = status.shards.map((s) =>
    line(
      columns(
        [String(s.id), String(s.incarnation), String(s.tiles), String(s.players), String(s.entities)],
        [percent(s.busy), ms(s.tickMs.p50), ms(s.tickMs.p99), ms(s.gcMaxMs)],
      ),
      s.tickMs.p99 > 1000 / status.tickRate ? RED : 0,
    ),
  );
  const names = ['shard', 'start', 'tiles', 'players', 'entities'];
  return [line(columns(names, ['cpu', 'tick p50', 'tick p99', 'gc max']), CYAN), ...rows, ''];
}

function gateways({ status }: Look, line: LineOf): string[] {
  const rows = status.gateways.map((g) =>
    line(columns([String(g.id), String(g.connections), `${bytes(g.bytesOutPerSecond)}/s`], [])),
  );
  return [line(columns(['gateway', 'clients', 'out'], []), CYAN), ...rows, ''];
}

function decisions({ status }: Look, line: LineOf): string[] {
  const latest = status.decisions.slice(-5).reverse();
  if (latest.length === 0) return [];
  // Whatever a decision carries besides: its words are what people read.
  const rows = latest.map((decision) => {
    const { tick, decision: what, reason } = decision;
    return line(`  tick ${tick}: ${what} (${reason})`);
  });
  return [line('decisions, newest first', CYAN), ...rows, ''];
}

/** The tiles with most players, as many as there is room for. */
function tiles({ tiles: { tiles: all } }: Look, line: LineOf, room: number): string[] {
  if (room < 2) return [];
  const hottest = [...all].sort((a, b) => b.players - a.players || b.entities - a.entities);
  const rows = hottest
    .slice(0, room - 1)
    .map((t) =>
      line(columns([t.tile.padEnd(16), String(t.shard), String(t.players), String(t.entities)], [])),
    );
  return [line(columns(['tile'.padEnd(16), 'shard', 'players', 'entities'], []), CYAN), ...rows];
}

const columns = (narrow: readonly string[], wide: readonly string[]) =>
  [...narrow.map((cell) => cell.padStart(9)), ...wide.map((cell) => cell.padStart(10))].join('');

const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
const ms = (value: number) => `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;

export function bytes(n: number): string {
  if (n < 1024) return `${Math.round(n)} B`;
  return n < 2 ** 20 ? `${(n / 1024).toFixed(1)} KiB` : `${(n / 2 ** 20).toFixed(1)} MiB`;
}

export function duration(seconds: number): string {
  const s = Math.floor(seconds);
  if (s < 60) return `${s} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min ${s % 60} s`;
  return `${Math.floor(s / 3600)} h ${Math.floor((s % 3600) / 60)} min`;
}

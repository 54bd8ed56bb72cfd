/**
 * The report of a run: the fields that scripts depend on, and which promises broke. Pure.
 */
import type { ServerFigures } from './admin.js';
import { type Quantiles, rounded } from './histogram.js';
import type { Measures } from './measures.js';
import type { ElasticFigures, ReshapeMeter } from './reshapes.js';

/** Exactly this is printed by --json. Server-side figures are null without an admin port. */
export interface Report {
  players: number;
  connected: number;
  disconnects: number;
  /** Sockets that the bots broke themselves (--drop-every). */
  drops: number;
  serverRestarts: number;
  actionsSent: number;
  actionsApplied: number;
  actionsRejected: number;
  actionsLost: number;
  actionsDuplicated: number;
  actionsOutOfOrder: number;
  handovers: number | null;
  crossings: number | null;
  handoverMs: Quantiles | null;
  selfUpdateGapMs: Quantiles;
  /** Over all bots and stretches of three seconds: the longest gap in each. */
  worstGapMs: Quantiles;
  /**
   * Of each player and each death of what served it (a process, its connection): from its last own update before to the
   * first after; one that never came counts to the end of the run.
   */
  deathGapMs: Quantiles;
  /** The same while a change of layout was under way, and otherwise; null without an admin port. */
  selfUpdateGapReshapeMs: Quantiles | null;
  selfUpdateGapCalmMs: Quantiles | null;
  rttMs: Quantiles;
  viewMissing: number;
  viewDuplicates: number;
  viewStaleMs: Quantiles;
  updatesPerClientPerSecond: number;
  actionsPerClientPerSecond: number;
  bytesPerClientPerSecond: number;
  maxPositionJumpM: number;
  itemsBefore: number | null;
  itemsAfter: number | null;
  /** Two-sided trades that were settled, and that came to nothing. */
  trades: number;
  tradesAborted: number;
  /** What load made of the tiles; null without an admin port. */
  elastic: ElasticFigures | null;
}

export function makeReport(
  m: Measures,
  server: ServerFigures | null,
  reshapes: ReshapeMeter | null = null,
): Report {
  const gaps = reshapes?.gaps(m.selfGapSlices);
  const perClientSecond = (n: number) => (m.clientSeconds > 0 ? rounded(n / m.clientSeconds) : 0);
  return {
    players: m.players,
    connected: m.connected,
    disconnects: m.disconnects,
    drops: m.drops,
    serverRestarts: Math.max(m.serverRestarts, server?.serverRestarts ?? 0),
    actionsSent: m.actionsSent,
    actionsApplied: m.actionsApplied,
    actionsRejected: m.actionsRejected,
    actionsLost: m.verdict.lost,
    actionsDuplicated: m.verdict.duplicated,
    actionsOutOfOrder: m.verdict.outOfOrder,
    handovers: server?.handovers ?? null,
    crossings: server?.crossings ?? null,
    handoverMs: server?.handoverMs ?? null,
    selfUpdateGapMs: m.selfGapMs.summary(),
    worstGapMs: m.worstGapMs.summary(),
    deathGapMs: m.deathGapMs.summary(),
    selfUpdateGapReshapeMs: gaps?.reshape ?? null,
    selfUpdateGapCalmMs: gaps?.calm ?? null,
    rttMs: m.rttMs.summary(),
    viewMissing: m.viewMissing,
    viewDuplicates: m.viewDuplicates,
    viewStaleMs: m.staleMs.summary(),
    updatesPerClientPerSecond: perClientSecond(m.updates),
    actionsPerClientPerSecond: perClientSecond(m.actions),
    bytesPerClientPerSecond: perClientSecond(m.bytes),
    maxPositionJumpM: rounded(m.maxJumpM),
    itemsBefore: server?.itemsBefore ?? null,
    itemsAfter: server?.itemsAfter ?? null,
    trades: m.trades,
    tradesAborted: m.tradesAborted,
    elastic: reshapes?.figures() ?? null,
  };
}

/** Of all actions, at least this share must be applied: bots try what should work. */
const APPLIED_SHARE = 0.8;
/** On top of what walking explains, for rounding and the tick in which a walk begins. */
const JUMP_TOLERANCE_M = 0.5;

function list(entries: ReadonlyMap<unknown, number>): string {
  return [...entries].map(([what, n]) => `${what}: ${n}`).join(', ');
}

/** One sentence for each promise that broke; none = the run is good. */
export function brokenPromises(report: Report, m: Measures, server: ServerFigures | null): string[] {
  const broken: string[] = [];
  const must = (holds: boolean, otherwise: string) => {
    if (!holds) broken.push(otherwise);
  };
  must(
    report.connected === report.players,
    `${report.players - report.connected} bots were not connected at the end`,
  );
  must(report.disconnects === 0, `${report.disconnects} connections were lost: ${list(m.closes)}`);
  must(report.actionsLost === 0, `${report.actionsLost} actions were lost`);
  must(report.actionsDuplicated === 0, `${report.actionsDuplicated} actions were done twice`);
  must(report.actionsOutOfOrder === 0, `${report.actionsOutOfOrder} sessions differ from what was sent`);
  must(m.logsMissing === 0, `${m.logsMissing} sessions gave no log to compare with`);
  must(m.sessionsExpired === 0, `${m.sessionsExpired} sessions expired`);
  must(report.actionsSent > 0, 'no action was sent: nothing was tested');
  must(
    report.actionsApplied >= APPLIED_SHARE * report.actionsSent,
    'less than 80 % of the actions were applied',
  );
  must(report.viewMissing === 0, `${report.viewMissing} times somebody was missing from a view`);
  must(
    m.viewLagging * 2 <= m.viewLooks,
    `${m.viewLagging} of ${m.viewLooks} looks at a view could not be judged, since the bot lagged: nothing is said of views`,
  );
  must(
    report.viewDuplicates === 0,
    `${report.viewDuplicates} times somebody was in a view twice or as a ghost`,
  );
  must(m.openGaps === 0, `${m.openGaps} gaps in frame streams got no key frame`);
  must(m.badMessages === 0, `${m.badMessages} messages of the server were not valid`);
  must(
    m.maxJumpM <= m.allowedJumpM + JUMP_TOLERANCE_M,
    `a bot jumped ${report.maxPositionJumpM} m in a tick; walking explains ${rounded(m.allowedJumpM)} m`,
  );
  if (server === null) {
    must(m.carried > 0, 'the run ended with no items');
    return broken;
  }
  must(
    server.itemsBefore === server.itemsAfter,
    `items: ${server.itemsAfter} counted, ${server.itemsBefore} expected`,
  );
  must(server.itemsAfter > 0, 'the run ended with no items');
  must(server.ticksMissed === 0, `${server.ticksMissed} ticks were missed`);
  must(server.ticksDoubled === 0, `${server.ticksDoubled} ticks were doubled`);
  return broken;
}

/** The report for people. */
export function table(report: Report, m: Measures): string {
  const lines: string[] = [];
  const { elastic, ...rest } = report;
  for (const [name, value] of Object.entries(rest) as [string, number | Quantiles | null][]) {
    const text =
      value === null
        ? '-'
        : typeof value === 'number'
          ? String(value)
          : `p50 ${value.p50}  p99 ${value.p99}  max ${value.max}`;
    lines.push(`${name.padEnd(28)}${text}`);
  }
  for (const [name, value] of Object.entries(elastic ?? {})) lines.push(`${name.padEnd(28)}${value ?? '-'}`);
  if (m.rejections.size > 0) lines.push(`${'rejections by code'.padEnd(28)}${list(m.rejections)}`);
  if (m.closes.size > 0) lines.push(`${'closes by code'.padEnd(28)}${list(m.closes)}`);
  lines.push(`${'gaps mended by key frames'.padEnd(28)}${m.gaps - m.openGaps}`);
  const { p50, p99, max } = m.lateMs.summary();
  lines.push(`${'rounds of the bots late, ms'.padEnd(28)}p50 ${p50}  p99 ${p99}  max ${max}`);
  lines.push(`${'view pairs judged'.padEnd(28)}${m.viewPairs}, in far rings ${m.viewFarPairs}`);
  lines.push(`${'views not judged (lag)'.padEnd(28)}${m.viewLagging} of ${m.viewLooks} looks`);
  return lines.join('\n');
}

/** P4: each decision tells the numbers by which it was made, and they say what it says. */
import type { DecisionRecord } from '../../src/control/elastic.js';
import type { PlannerLimits } from '../../src/control/planner/types.js';
import { fail } from './fail.js';

/** What a kind of decision must tell. */
const TOLD: Readonly<Record<string, readonly string[]>> = {
  split: ['load', 'threshold', 'players', 'capacity', 'busy', 'children'],
  merge: ['load', 'threshold', 'entities'],
  move: ['load', 'threshold', 'source', 'target'],
  degrade: ['busy', 'players', 'threshold', 'rung', 'saturated'],
  start: ['load', 'threshold', 'wanted', 'ready'],
  stop: ['load', 'threshold', 'idleS'],
  saturated: ['waiting', 'threshold'],
};

/** Of a decision that nobody asked for. */
export function checkCause({ kind, decision, numbers, reason }: DecisionRecord, limits: PlannerLimits): void {
  for (const name of TOLD[kind]!)
    if (!Number.isFinite(numbers[name])) fail('P4', `${decision} does not tell its ${name}`);
  if (reason.length < 10) fail('P4', `${decision} gives no reason`);
  const { load, threshold, source, target, wanted, ready, idleS, waiting } = numbers as Record<
    string,
    number
  >;
  const holds: Readonly<Record<string, () => boolean>> = {
    split: () => threshold! >= limits.splitLoadShare && load! >= threshold!,
    merge: () => threshold === limits.mergeLoadShare && load! < threshold!,
    move: () =>
      threshold === limits.packLoadShare
        ? target! + load! <= limits.coolLoadShare
        : threshold === limits.splitLoadShare && Math.max(source! - load!, target! + load!) < source!,
    degrade: () => numbers.rung! >= 0 && (threshold === limits.emergencyLoadShare || numbers.saturated === 1),
    start: () => wanted! > ready! && load! >= limits.startLoadShare,
    stop: () => idleS! >= limits.packAfterS && load! < threshold!,
    saturated: () => waiting! >= 0 && threshold === limits.fullWaitingShare,
  };
  if (!holds[kind]!()) fail('P4', `${decision} does not follow from ${JSON.stringify(numbers)}`);
}

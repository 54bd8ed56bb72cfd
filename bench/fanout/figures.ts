/** The arithmetic of the fan-out bench: from two readings of counters to figures, from pairs of runs to the ratio. Pure. */
import type { Counts, FloorOptions, Tally } from './talk.js';
import type { Field } from './field.js';

/** What happened between two readings. */
export interface Window {
  seconds: number;
  cpuUs: number;
  clients: number;
  frames: Tally;
  selfUpdates: Tally;
  replies: Tally;
  actions: number;
  pings: number;
  /** Entities told of in deltas, per client of the sample, itself not counted. */
  statesPerClient: number;
  /** Frames of the sample by lateness, ms. */
  lateness: number[];
}

/** One process measured: with actions and without. */
export interface Run {
  active: Window;
  silent: Window;
}

export function windowOf(before: Counts, after: Counts, seconds: number, cpuUs: number): Window {
  const between = (a: Tally, b: Tally): Tally => ({
    messages: b.messages - a.messages,
    bytes: b.bytes - a.bytes,
  });
  return {
    seconds,
    cpuUs,
    clients: after.open,
    frames: between(before.frames, after.frames),
    selfUpdates: between(before.selfUpdates, after.selfUpdates),
    replies: between(before.replies, after.replies),
    actions: after.actions - before.actions,
    pings: after.pings - before.pings,
    lateness: after.lateness.map((n, ms) => n - before.lateness[ms]!),
    statesPerClient: after.sample === 0 ? 0 : (after.sampleStates - before.sampleStates) / after.sample,
  };
}

/** Two windows of one run as one. */
export function sumOf(a: Window, b: Window): Window {
  const sum = (x: Tally, y: Tally): Tally => ({
    messages: x.messages + y.messages,
    bytes: x.bytes + y.bytes,
  });
  return {
    seconds: a.seconds + b.seconds,
    cpuUs: a.cpuUs + b.cpuUs,
    clients: b.clients,
    frames: sum(a.frames, b.frames),
    selfUpdates: sum(a.selfUpdates, b.selfUpdates),
    replies: sum(a.replies, b.replies),
    actions: a.actions + b.actions,
    pings: a.pings + b.pings,
    lateness: a.lateness.map((n, ms) => n + b.lateness[ms]!),
    statesPerClient: a.statesPerClient + b.statesPerClient,
  };
}

/** Clients times frames: what a cost is divided by. */
function clientFrames(window: Window, framesPerSecond: number): number {
  return window.clients * window.seconds * framesPerSecond;
}

export function usPerClientFrame(window: Window, framesPerSecond: number): number {
  return window.cpuUs / clientFrames(window, framesPerSecond);
}

/** What the floor has to send so that it does what the server did. */
export function floorOptions(
  field: Field,
  window: Window,
  framesPerSecond: number,
  answersAtOnce = false,
): FloorOptions {
  const mean = (tally: Tally) => (tally.messages === 0 ? 0 : tally.bytes / tally.messages);
  return {
    field,
    framesPerSecond,
    cellsPerClient: window.frames.messages / clientFrames(window, framesPerSecond),
    frameBytes: mean(window.frames),
    selfUpdatesPerFrame: window.selfUpdates.messages / clientFrames(window, framesPerSecond),
    selfUpdateBytes: mean(window.selfUpdates),
    repliesPerSecond: window.replies.messages / (window.clients * window.seconds),
    replyBytes: mean(window.replies),
    answersAtOnce,
  };
}

/** Messages and bytes (of WebSocket payload) that a client gets in a frame's time, and how many entities. */
export function perClientFrame(window: Window, framesPerSecond: number) {
  const n = clientFrames(window, framesPerSecond);
  const { frames, selfUpdates, replies } = window;
  return {
    bytes: (frames.bytes + selfUpdates.bytes + replies.bytes) / n,
    sends: (frames.messages + selfUpdates.messages + replies.messages) / n,
    neighbours: window.statesPerClient / (window.seconds * framesPerSecond),
  };
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Three digits are more than a noisy machine can tell. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}

/** The ratio of each pair, then the median: what slows the machine for a while slows both of a pair. */
export function compare(servers: readonly Run[], floors: readonly Run[], framesPerSecond: number) {
  const us = (runs: readonly Run[], part: keyof Run) =>
    runs.map((run) => usPerClientFrame(run[part], framesPerSecond));
  const ratios = (part: keyof Run) => us(servers, part).map((cost, i) => cost / us(floors, part)[i]!);
  const actions = servers.map(({ active, silent }) =>
    active.actions === 0
      ? 0
      : (active.cpuUs - (silent.cpuUs * active.seconds) / silent.seconds) / active.actions,
  );
  return {
    floorUsPerClientFrame: round(median(us(floors, 'active'))),
    serverUsPerClientFrame: round(median(us(servers, 'active'))),
    ratio: round(median(ratios('active'))),
    ratioSilent: round(median(ratios('silent'))),
    usPerAction: round(median(actions)),
    ratios: ratios('active').map(round),
    ratiosSilent: ratios('silent').map(round),
  };
}

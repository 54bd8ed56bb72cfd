/**
 * What the processes of the fan-out bench say to each other: typed once for both sides. Requests go to the load generator
 * and to the floor over Node's IPC channel, each is answered once.
 */
import type { Field } from './field.js';
import { LATENESS_BINS } from './lateness.js';

/** Messages of one sort since the process started. */
export interface Tally {
  messages: number;
  bytes: number;
}

/** What all clients together have received and sent. */
export interface Counts {
  /** Deltas of cells; what comes published. */
  frames: Tally;
  selfUpdates: Tally;
  /** Everything that is sent to one client alone: pongs, key frames. */
  replies: Tally;
  actions: number;
  pings: number;
  /** Entities in the deltas of the watched sample, and deltas' clients: the sample's size. */
  sampleStates: number;
  sample: number;
  /** Sockets that are open, and that were closed without our asking. */
  open: number;
  lost: number;
  /** Frames of the watched sample by lateness, ms (lateness.ts). */
  lateness: number[];
}

/** Whose protocol the clients speak. */
export type Tongue = 'bluemarble' | 'colyseus' | 'json';

export interface LoadOptions {
  /** One for all clients, or one for each. */
  urls: readonly string[];
  tongue: Tongue;
  framesPerSecond: number;
  field: Field;
  actionsPerSecond: number;
  pingsPerSecond: number;
  /** Clients that connect a second. */
  ramp: number;
}

/** To the load generator. `connect` is answered when every client is in the world. */
export type ToLoad =
  | { type: 'connect'; options: LoadOptions }
  | { type: 'actions'; on: boolean }
  | { type: 'counts' }
  | { type: 'leave' };

export type FromLoad = { type: 'done'; counts: Counts } | { type: 'failed'; reason: string };

/** What the floor sends: measured at the server. All rates are per client. */
export interface FloorOptions {
  field: Field;
  framesPerSecond: number;
  /** Deltas that a client gets in a frame's time: in how many cells it is subscribed. */
  cellsPerClient: number;
  /** Mean length of a cell's delta. */
  frameBytes: number;
  selfUpdatesPerFrame: number;
  selfUpdateBytes: number;
  repliesPerSecond: number;
  replyBytes: number;
  /** Whether replies leave at once, in a write each, as from a server that holds nothing back; else with the frames. */
  answersAtOnce: boolean;
}

export type ToFloor = { type: 'serve'; options: FloorOptions };
export type FromFloor = { type: 'listening'; port: number };

export function emptyCounts(): Counts {
  const tally = () => ({ messages: 0, bytes: 0 });
  return {
    frames: tally(),
    selfUpdates: tally(),
    replies: tally(),
    actions: 0,
    pings: 0,
    sampleStates: 0,
    sample: 0,
    open: 0,
    lost: 0,
    lateness: new Array<number>(LATENESS_BINS).fill(0),
  };
}

/**
 * What one gateway tells the rest of the process: counters and gauges written by the gateway alone, the doorbell rung by
 * shards that have pushed records for it; only the gateway waits, and never blocks.
 *
 * ```
 *  64 B      64 B               counters   gauges     refusals by code
 * ┌────────┬──────────────────┬──────────┬──────────┬────────────────────┐
 * │ header │ doorbell, state  │ f64 × 16 │ f64 × 8  │ f64 × 64           │
 * └────────┴──────────────────┴──────────┴──────────┴────────────────────┘
 * ```
 * A gateway's death is the process's: nothing is recovered.
 */
import { LINE, checkHeader, magicOf, writeHeader } from './header.js';

const MAGIC = magicOf('BMgw');
const DOORBELL = LINE >> 2;
const STATE = DOORBELL + 1;
const HEARTBEAT = DOORBELL + 2;
const COUNTERS = (2 * LINE) >> 3;
const GAUGES = COUNTERS + 16;
const REFUSALS = GAUGES + 8;
const REFUSAL_PLACES = 64;
const FIRST_CLOSE_CODE = 4000;
const BYTES = 1024;

export const GATEWAY_STATE = { NONE: 0, STARTING: 1, RUNNING: 2, CLOSING: 3, CLOSED: 4 } as const;

export const GATEWAY_COUNTER = {
  accepted: 0,
  messagesIn: 1,
  bytesIn: 2,
  framesOut: 3,
  bytesOut: 4,
  actionsIn: 5,
  badFrames: 6,
  keyFrames: 7,
  resumes: 8,
  staleRecords: 9,
  droppedBatches: 10,
  arrivalsFull: 11,
  inboxFull: 12,
  handlerErrors: 13,
  addressCuts: 14,
} as const;

export const GATEWAY_GAUGE = {
  connections: 0,
  sessions: 1,
  cells: 2,
  slow: 3,
  /** Thread id of the kernel, 0 = the main thread, or unknown. */
  threadId: 4,
  /** How late the thread has been to its turns lately. */
  lateS: 5,
  /** 1 while the port is closed because all sockets are taken. */
  full: 6,
  /** Newcomers who wait for their turn. */
  lobby: 7,
} as const;

export class GatewayBlock {
  private readonly i32: Int32Array;
  private readonly f64: Float64Array;

  private constructor(readonly sab: SharedArrayBuffer) {
    this.i32 = checkHeader(sab, MAGIC, 'gateway block');
    this.f64 = new Float64Array(sab);
  }

  static create(): GatewayBlock {
    const sab = new SharedArrayBuffer(BYTES);
    writeHeader(new Int32Array(sab), MAGIC, []);
    return new GatewayBlock(sab);
  }

  /** @throws AssertionError when the buffer is not a gateway block of this version */
  static from(sab: SharedArrayBuffer): GatewayBlock {
    return new GatewayBlock(sab);
  }

  /** GATEWAY_STATE. */
  get state(): number {
    return Atomics.load(this.i32, STATE);
  }
  set state(value: number) {
    Atomics.store(this.i32, STATE, value);
  }

  /** Moves on with every turn of the gateway; a value that stands still is a hang. */
  get heartbeat(): number {
    return Atomics.load(this.i32, HEARTBEAT);
  }
  beat(): void {
    Atomics.add(this.i32, HEARTBEAT, 1);
  }

  /** Shard, after pushing what its tick has for this gateway: once a tick. */
  ring(): void {
    Atomics.add(this.i32, DOORBELL, 1);
    Atomics.notify(this.i32, DOORBELL);
  }
  /** Gateway: read before looking for work, so that a ring in between is not slept through. */
  get doorbell(): number {
    return Atomics.load(this.i32, DOORBELL);
  }
  /** Gateway: resolves when rung since `seen`, or after `ms`; at once when rung already. Does not block the thread. */
  whenRung(seen: number, ms: number): Promise<unknown> | undefined {
    const waiting = Atomics.waitAsync(this.i32, DOORBELL, seen, ms);
    return waiting.async ? waiting.value : undefined;
  }

  /** Gateway: adds to a GATEWAY_COUNTER. */
  count(counter: number, n = 1): void {
    this.f64[COUNTERS + counter] += n;
  }
  counter(counter: number): number {
    return this.f64[COUNTERS + counter];
  }
  /** Gateway: sets a GATEWAY_GAUGE. */
  setGauge(gauge: number, value: number): void {
    this.f64[GAUGES + gauge] = value;
  }
  gauge(gauge: number): number {
    return this.f64[GAUGES + gauge];
  }
  /** Gateway: counts a connection closed with a close code (4000 … 4062; others together under 4063). */
  countClose(code: number): void {
    this.f64[REFUSALS + closePlace(code)]++;
  }
  closes(code: number): number {
    return this.f64[REFUSALS + closePlace(code)];
  }
}

function closePlace(code: number): number {
  const place = code - FIRST_CLOSE_CODE;
  return place >= 0 && place < REFUSAL_PLACES ? place : REFUSAL_PLACES - 1;
}

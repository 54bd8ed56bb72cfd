/**
 * Where each entity has been heading of late, by slot: written by whoever owns the entity, once a second, and handed over
 * with the slot, since it lies in memory that all shards share. Plain accesses, published by the owner word like the record.
 *
 * ```
 *  64 B      slot 0 (40 B)                                                                slot 1
 * ┌────────┬───────┬───────┬────────┬────────┬────────────┬──────┬─────────────────┬───┬──────
 * │ header │ x f64 │ y f64 │ vx f32 │ vy f32 │ generation │ tick │ speed² f32      │ – │  …     m, m/s; as of tick
 * └────────┴───────┴───────┴────────┴────────┴────────────┴──────┴─────────────────┴───┴──────
 * ```
 * Statistics, not state: not undone with a tick, not stored; a slot of another generation begins anew.
 */
import { LINE, checkHeader, magicOf, writeHeader } from './header.js';

const MAGIC = magicOf('BMdr');

export const DRIFT_BYTES = 40;
/** Byte offsets in the drift of a slot. */
export const DRIFT = {
  x: 0, // f64 m
  y: 8, // f64 m
  vx: 16, // f32 m/s
  vy: 20, // f32 m/s
  generation: 24, // u32; 0 = never written
  tick: 28, // i32
  speed2: 32, // f32 (m/s)²: mean of the squared speed
} as const;

export class Drifts {
  readonly f64: Float64Array;
  readonly f32: Float32Array;
  readonly u32: Uint32Array;
  readonly i32: Int32Array;

  private constructor(readonly sab: SharedArrayBuffer) {
    checkHeader(sab, MAGIC, 'drifts');
    this.f64 = new Float64Array(sab);
    this.f32 = new Float32Array(sab);
    this.u32 = new Uint32Array(sab);
    this.i32 = new Int32Array(sab);
  }

  /** @param slots places of the arena */
  static create(slots: number): Drifts {
    const sab = new SharedArrayBuffer(LINE + slots * DRIFT_BYTES);
    writeHeader(new Int32Array(sab), MAGIC, [slots]);
    return new Drifts(sab);
  }

  /** @throws AssertionError when the buffer does not hold drifts of this version */
  static from(sab: SharedArrayBuffer): Drifts {
    return new Drifts(sab);
  }

  /** Byte where the drift of a slot begins. */
  at(slot: number): number {
    return LINE + slot * DRIFT_BYTES;
  }
}

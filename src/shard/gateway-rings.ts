/**
 * The rings from this shard to the gateways: one producer (this shard), one consumer (the gateway) each. Remembers who
 * got something, so that each gateway is woken once a tick.
 */
import { type ByteRing, RECORD_HEADER_BYTES } from '../memory/byte-ring.js';
import { SHARD_COUNTER, SHARD_GAUGE, type ShardBlock } from '../memory/shard-block.js';
import type { SharedWorld } from '../memory/shared-world.js';

export class GatewayRings {
  readonly count: number;
  private readonly rings: readonly ByteRing[];
  private readonly block: ShardBlock;
  private touched = 0;

  constructor(
    private readonly world: SharedWorld,
    shard: number,
  ) {
    this.rings = world.frames[shard]!;
    this.block = world.shardBlocks[shard]!;
    this.count = this.rings.length;
  }

  /** @returns byte offset of the record's content (8-aligned) in the ring's memory, or −1 when it is full */
  reserve(gateway: number, bytes: number): number {
    const at = this.rings[gateway]!.reserve(bytes);
    return at < 0 ? -1 : at + RECORD_HEADER_BYTES;
  }

  u8(gateway: number): Uint8Array {
    return this.rings[gateway]!.u8;
  }

  f64(gateway: number): Float64Array {
    return this.rings[gateway]!.f64;
  }

  /** Fills the header words of the reserved record. */
  header(
    gateway: number,
    at: number,
    type: number,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: number,
  ): void {
    const { i32 } = this.rings[gateway]!;
    const w = (at >> 2) - 7;
    i32[w] = type;
    i32[w + 1] = a | 0;
    i32[w + 2] = b | 0;
    i32[w + 3] = c | 0;
    i32[w + 4] = d | 0;
    i32[w + 5] = e | 0;
    i32[w + 6] = f | 0;
  }

  /** Copies whole words (messages are padded to 8 bytes) without making a view. */
  copy(gateway: number, at: number, words: Int32Array, bytes: number): void {
    const { i32 } = this.rings[gateway]!;
    for (let from = 0, to = at >> 2, end = (bytes + 3) >> 2; from < end; from++, to++) i32[to] = words[from]!;
  }

  /** Publishes the reserved record with its real length. */
  commit(gateway: number, bytes: number): void {
    this.rings[gateway]!.commit(bytes);
    this.block.count(SHARD_COUNTER.framesSent);
    this.block.count(SHARD_COUNTER.frameBytes, bytes);
    this.touched |= 1 << gateway;
  }

  /** Wakes the gateways that got something. */
  ring(): void {
    for (let g = 0; this.touched !== 0; g++, this.touched >>>= 1) {
      if ((this.touched & 1) === 0) continue;
      this.block.raiseShare(SHARD_GAUGE.framesHigh, this.rings[g]!.used(), this.rings[g]!.bytes);
      this.world.gatewayBlocks[g]!.ring();
    }
  }
}

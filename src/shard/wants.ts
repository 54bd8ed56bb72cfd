/**
 * Which streams the gateways want, asked of their filters; and streams made for what is wanted. Most cells are watched
 * whole, at the frame rate and from further away at slower classes: one question each. Only where a filter has the cell's
 * marker are its parts asked for, one by one.
 */
import { CLASSES } from '../base/rates.js';
import { SQUARES, SQUARE_DEPTH, WHOLE, markerOf, putStreamKey, squareOfLeaf } from '../geo/square.js';
import type { InterestFilter } from '../memory/interest-filter.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import type { Chains } from './chains.js';
import type { Core } from './core.js';
import { UNKNOWN } from './published.js';
import type { Streams } from './streams.js';

export class Wants {
  private readonly filters: readonly InterestFilter[];
  // To pass a number by its place (why: `columnAt`, geo/tile.ts).
  private readonly key = new Float64Array(1);
  private readonly cell = new Float64Array(1);

  constructor(
    private readonly core: Core,
    private readonly streams: Streams,
  ) {
    this.filters = core.world.filters;
  }

  /** Which gateways want a stream, as bits. */
  mask(keys: Float64Array, at: number): number {
    const { filters } = this;
    let mask = 0;
    for (let g = 0; g < filters.length; g++) if (filters[g]!.wantsAt(keys, at)) mask |= 1 << g;
    return mask;
  }

  /** Whether somebody may watch parts of a cell. */
  isCut(cells: Float64Array, at: number): boolean {
    this.key[0] = markerOf(cells[at]!);
    return this.mask(this.key, 0) !== 0;
  }

  /** The place of a stream that exists or is wanted, or −1. */
  open(keys: Float64Array, at: number): number {
    const place = this.streams.findAt(keys, at);
    return place >= 0 || this.mask(keys, at) === 0 ? place : this.create(keys[at]!);
  }

  private create(key: number): number {
    const place = this.streams.create(key);
    if (place < 0) this.core.block.count(SHARD_COUNTER.streamOverflows);
    return place;
  }

  /** Streams for a whole cell at slower classes. @returns whether there are any */
  openSlower(cells: Float64Array, at: number): boolean {
    const { key } = this;
    let isAny = false;
    for (let rate = 1; rate < CLASSES; rate++) {
      putStreamKey(cells, at, WHOLE, rate, key);
      if (this.open(key, 0) >= 0) isAny = true;
    }
    return isAny;
  }

  /** Streams for all parts of a cut cell that somebody wants. */
  openParts(cells: Float64Array, at: number): void {
    const { key } = this;
    for (let square = 1; square < SQUARES; square++)
      for (let rate = 0; rate < CLASSES; rate++) {
        putStreamKey(cells, at, square, rate, key);
        this.open(key, 0);
      }
  }

  /** Chains an item to every stream of a cell that covers a leaf (UNKNOWN: to all of the cell). */
  chain(
    chains: Chains,
    heads: Int32Array,
    cells: Float64Array,
    at: number,
    leaf: number,
    item: number,
  ): void {
    this.cell[0] = cells[at]!;
    this.chainSquare(chains, heads, WHOLE, item);
    if (!this.isCut(cells, at)) return;
    if (leaf === UNKNOWN) {
      for (let square = 1; square < SQUARES; square++) this.chainSquare(chains, heads, square, item);
      return;
    }
    for (let depth = 1; depth <= SQUARE_DEPTH; depth++)
      this.chainSquare(chains, heads, squareOfLeaf(leaf, depth), item);
  }

  /** In the cell that `cell` holds. */
  private chainSquare(chains: Chains, heads: Int32Array, square: number, item: number): void {
    for (let rate = 0; rate < CLASSES; rate++) {
      putStreamKey(this.cell, 0, square, rate, this.key);
      const place = this.open(this.key, 0);
      if (place >= 0) chains.add(heads, place, item);
    }
  }
}

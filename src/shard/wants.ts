/**
 * Which streams the gateways want, asked of their filters once a cell and frame; and streams made for what is wanted.
 * What was found stands in `streams.wanted` until the next frame: who begins to watch meanwhile is served in that one.
 */
import { CLASSES } from '../base/rates.js';
import { SQUARES, SQUARE_DEPTH, WHOLE, cellOfKey, partOfKey, partOfSquare } from '../geo/square.js';
import { putStreamKey, squareOfLeaf } from '../geo/square.js';
import {
  type InterestFilter,
  PART_WORDS,
  WHOLE_PARTS,
  hasParts,
  wholeOf,
} from '../memory/interest-filter.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import type { Chains } from './chains.js';
import type { Core } from './core.js';
import { UNKNOWN } from './published.js';
import type { Streams } from './streams.js';

/** What is wanted of a cell: nothing, the whole, parts as well. */
export const WANTED = { NOTHING: 0, WHOLE: 1, PARTS: 2 } as const;

export class Wants {
  private readonly filters: readonly InterestFilter[];
  /** By gateway: its word for the cell that was looked at last. */
  private readonly words: Int32Array;
  // To pass a number by its place (why: `columnAt`, geo/tile.ts).
  private readonly key = new Float64Array(1);
  private readonly cell = new Float64Array(1);

  constructor(
    private readonly core: Core,
    private readonly streams: Streams,
  ) {
    this.filters = core.world.filters;
    this.words = new Int32Array(this.filters.length);
  }

  /** Opens all wanted streams of the cell whose number stands at a place of an array. @returns one of WANTED */
  openAll(cells: Float64Array, at: number): number {
    const wanted = this.look(cells, at);
    if (wanted === WANTED.NOTHING) return wanted;
    let wholes = 0;
    for (let g = 0; g < this.words.length; g++) wholes |= wholeOf(this.words[g]!);
    for (let part = 0; wholes >> part !== 0; part++) if (wholes & (1 << part)) this.open(cells, at, part);
    if (wanted === WANTED.PARTS) this.openParts(cells, at);
    return wanted;
  }

  private openParts(cells: Float64Array, at: number): void {
    for (let n = 0; n < PART_WORDS; n++) {
      let bits = 0;
      for (let g = 0; g < this.words.length; g++)
        if (hasParts(this.words[g]!)) bits |= this.filters[g]!.partsAt(this.words[g]!, n);
      for (; bits !== 0; bits &= bits - 1)
        this.open(cells, at, WHOLE_PARTS + 32 * n + 31 - Math.clz32(bits & -bits));
    }
  }

  /** Asks what is wanted of a cell. */
  private look(cells: Float64Array, at: number): number {
    const { words, filters } = this;
    let wanted: number = WANTED.NOTHING;
    for (let g = 0; g < words.length; g++) {
      const word = filters[g]!.wordAt(cells, at);
      words[g] = word;
      if (hasParts(word)) wanted = WANTED.PARTS;
      else if (word !== 0 && wanted === WANTED.NOTHING) wanted = WANTED.WHOLE;
    }
    return wanted;
  }

  /** Notes which gateways want a part of the cell that was looked at, and opens its stream. */
  private open(cells: Float64Array, at: number, part: number): void {
    const { words, filters, streams, key } = this;
    let mask = 0;
    for (let g = 0; g < words.length; g++) if (filters[g]!.isIn(words[g]!, part)) mask |= 1 << g;
    if (mask === 0) return; // a gateway has taken it away just now
    putStreamKey(cells, at, part, key);
    let place = streams.findAt(key, 0);
    if (place < 0) place = streams.create(key[0]!);
    if (place < 0) this.core.block.count(SHARD_COUNTER.streamOverflows);
    else streams.want(place, mask, this.core.tick);
  }

  /** Opens the stream of a key if it is wanted. */
  openKey(key: number): void {
    this.cell[0] = cellOfKey(key);
    if (this.look(this.cell, 0) !== WANTED.NOTHING) this.open(this.cell, 0, partOfKey(key));
  }

  /** Asks anew for an open stream of a cell without rows. @returns whether somebody wants it */
  askFor(place: number): boolean {
    const { streams } = this;
    if (this.look(streams.cell, place) === WANTED.NOTHING) return false;
    this.open(streams.cell, place, streams.part[place]!);
    return streams.isAsked(place, this.core.tick);
  }

  /**
   * Chains an item to every open stream of a cell that covers a leaf (UNKNOWN: to all of the cell).
   * @param wanted what is wanted of the cell
   */
  chain(
    chains: Chains,
    heads: Int32Array,
    cells: Float64Array,
    at: number,
    wanted: number,
    leaf: number,
    item: number,
  ): void {
    this.cell[0] = cells[at]!;
    this.chainSquare(chains, heads, WHOLE, item);
    if (wanted !== WANTED.PARTS) return;
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
      putStreamKey(this.cell, 0, partOfSquare(square, rate), this.key);
      const place = this.streams.findAt(this.key, 0);
      if (place >= 0) chains.add(heads, place, item);
    }
  }
}

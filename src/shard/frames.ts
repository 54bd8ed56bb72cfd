/**
 * Frames: on each frame tick, what changed in every square that somebody watches, encoded once a rate class and copied
 * into the rings of the gateways that want it. A gateway that is new to a stream, or lost something, gets a key frame.
 *
 * States go out when it is the turn of the stream's class, removals and events at once. Rows come from the shard's own
 * view of this tick, so that frames and `entitiesNear` never disagree.
 */
import { isTurn } from '../base/rates.js';
import { LIMITS } from '../base/limits.js';
import { cellOfKey, leafOf, leafOfQuantised } from '../geo/square.js';
import { SHARD_COUNTER } from '../memory/shard-block.js';
import { farRate, nearRate } from '../memory/service.js';
import { ROW, type ViewWriter } from '../memory/view.js';
import type { Core } from './core.js';
import { Chains } from './chains.js';
import type { Events } from './events.js';
import { FrameEncoder } from './frame-encoder.js';
import { RECORD } from '../memory/player.js';
import type { GatewayRings } from './gateway-rings.js';
import { GONE_CELL, type Published, UNKNOWN } from './published.js';
import { Quantiser } from '../geo/quantise.js';
import type { Streams } from './streams.js';
import { WANTED, Wants } from './wants.js';

/** Links of removals and events to streams, for each slot: most stand in one stream or none. */
const LINKS_PER_SLOT = 4;
const FULL = 100;
/** From cells to squares of the deepest level. */
const SHIFT = LIMITS.cellLevel - LIMITS.deepestTileLevel;
const NOBODY: readonly number[] = [];

export class Frames {
  private readonly wants: Wants;
  private readonly chains: Chains;
  private readonly encoder: FrameEncoder;
  private readonly quantiser = new Quantiser();
  /** By place in the view: what is wanted of the cell (WANTED). */
  private readonly cells: Uint8Array;
  /** Predecessors whose streams are to be closed, and the streams where that is not done for every gateway. */
  private dead: readonly number[] = NOBODY;
  readonly unclosed = new Set<number>();
  private hasBegun = false;
  /** Gateways that got a frame in this tick, as bits. */
  private told = 0;

  constructor(
    private readonly core: Core,
    private readonly view: ViewWriter,
    private readonly streams: Streams,
    private readonly published: Published,
    private readonly events: Events,
    private readonly rings: GatewayRings,
  ) {
    this.wants = new Wants(core, streams);
    this.chains = new Chains(core, streams, core.arena.capacity * LINKS_PER_SLOT);
    this.encoder = new FrameEncoder(core, view, streams, published, events, this.chains);
    this.cells = new Uint8Array(view.cells);
  }

  /**
   * The streams of dead publishers end with this one's first frames. Several, where replacements died before they had
   * closed what they found.
   */
  closeAfter(publishers: readonly number[], keys: readonly number[]): void {
    this.dead = publishers;
    if (publishers.length > 0) for (const key of keys) this.unclosed.add(key);
  }

  /** Whether no stream is open, of this shard or of dead ones, and nothing waits for the next frame. */
  get isQuiet(): boolean {
    return this.dead.length + this.unclosed.size + this.streams.count + this.published.removals === 0;
  }

  /** One frame of every wanted stream. Call after the view of this tick is published. */
  publish(): void {
    if (!this.hasBegun) this.begin();
    this.findStreams();
    this.openUnclosed();
    this.endStreams();
    this.seeRows();
    this.chainRemovals();
    this.chainEvents();
    this.told = 0;
    for (let s = 0; s < this.streams.count; s++) {
      this.publishStream(s);
      this.core.progress();
    }
    this.endTurn();
    this.chains.clear();
    this.published.removals = 0;
    this.events.clear();
    if (this.dead.length > 0 && this.unclosed.size === 0) this.forgetDead();
  }

  /** Before the first frame leaves, and after the last close has left: a replacement must close all that may be open. */
  private begin(): void {
    this.core.block.setPublishers([...this.dead, this.core.options.incarnation]);
    this.hasBegun = true;
  }
  private forgetDead(): void {
    this.core.block.setPublishers([this.core.options.incarnation]);
    this.dead = NOBODY;
  }

  /** Streams for all cells with entities that somebody wants. */
  private findStreams(): void {
    const { view, wants } = this;
    for (let c = 0; c < view.placedCount; c++) this.cells[c] = wants.openAll(view.f64, view.cellPlace(c));
  }

  /** And for those that dead ones may have left, entities or not. */
  private openUnclosed(): void {
    if (this.unclosed.size === 0) return;
    const key = new Float64Array(1);
    for (key[0] of this.unclosed) {
      if (this.placed(Float64Array.of(cellOfKey(key[0]!)), 0) < 0) this.wants.openKey(key[0]!);
      const s = this.streams.findAt(key, 0);
      if (s < 0 || !this.streams.isAsked(s, this.core.tick)) this.unclosed.delete(key[0]!);
    }
  }

  /**
   * Ends what nobody wants. Of a cell with entities everything is known by now; who begins to watch at this moment is
   * served in the next frame, since of these entities nothing may have been seen in this one.
   */
  private endStreams(): void {
    const { streams, core } = this;
    for (let s = streams.count - 1; s >= 0; s--) {
      if (streams.isAsked(s, core.tick)) continue;
      if (this.placed(streams.cell, s) >= 0 || !this.wants.askFor(s)) streams.remove(s);
    }
  }

  /** Place in the view of a cell with entities, −1 = it has none. */
  private placed(cells: Float64Array, at: number): number {
    const c = this.view.findFrom(cells, at);
    return c < this.view.placedCount ? c : -1;
  }

  /** Notes for every entity whether the cell that last showed it still does, and where it is watched what has changed. */
  private seeRows(): void {
    const { view, published } = this;
    for (let c = 0; c < view.placedCount; c++) {
      const at = view.cellPlace(c);
      const cell = view.f64[at]!;
      const watched = this.cells[c]!;
      if (watched !== WANTED.NOTHING) this.quantiser.openAt(view.f64, at);
      const end = view.cellStart(c) + view.cellRows(c);
      for (let row = view.cellStart(c); row < end; row++) {
        this.core.progress();
        const byte = view.rowByte(row);
        const slot = view.i32[(byte + ROW.slot) >> 2]!;
        // Entities handed over in this tick stand in the view once more; their next owner shows them from now on.
        if (published.cell[slot] !== cell && this.core.owned.has(slot)) {
          published.moved(slot, view.f64, at);
          if (watched === WANTED.NOTHING) published.cell[slot] = GONE_CELL;
        }
        if (watched !== WANTED.NOTHING) this.seeRow(byte, slot, watched === WANTED.PARTS);
      }
    }
  }

  private seeRow(byte: number, slot: number, isCut: boolean): void {
    const { view, published, quantiser } = this;
    const w = byte >> 2;
    const qx = quantiser.xAt(view.f64, (byte + ROW.x) >> 3);
    const qy = quantiser.yAt(view.f64, (byte + ROW.y) >> 3);
    const vx = quantiser.speedAt(view.f32, w + (ROW.vx >> 2));
    const vy = quantiser.speedAt(view.f32, w + (ROW.vy >> 2));
    published.keep(slot, view, byte);
    published.id[slot] = view.f64[(byte + ROW.id) >> 3]!;
    published.epoch[slot] = view.u32[w + (ROW.epoch >> 2)]!;
    published.see(
      slot,
      isCut ? leafOfQuantised(qx, qy) : UNKNOWN,
      (qx << 16) | qy,
      (vx << 16) | (vy & 0xffff),
      (view.u16[(byte + ROW.kind) >> 1]! << 16) | view.u16[(byte + ROW.flags) >> 1]!,
      view.i32[w + (ROW.pub0 >> 2)]!,
      view.i32[w + (ROW.pub1 >> 2)]!,
    );
  }

  /** To all streams that may have shown it; where we have none, somebody else's may have. */
  private chainRemovals(): void {
    const { published, streams } = this;
    for (let i = 0; i < published.removals; i++)
      this.chain(streams.removals, published.removalCell, published.removalLeaf[i]!, i);
  }

  private chainEvents(): void {
    const { events, streams } = this;
    for (let i = events.count - 1; i >= 0; i--)
      this.chain(streams.events, events.cell, leafOf(events.cell[i]!, events.x[i]!, events.y[i]!), i);
  }

  private chain(heads: Int32Array, cells: Float64Array, leaf: number, i: number): void {
    const c = this.placed(cells, i);
    const wanted = c < 0 ? this.wants.openAll(cells, i) : this.cells[c]!;
    this.core.progress();
    if (wanted !== WANTED.NOTHING) this.wants.chain(this.chains, heads, cells, i, wanted, leaf, i);
  }

  private publishStream(s: number): void {
    const { core, streams, encoder } = this;
    const wanted = streams.wanted[s]!;
    const following = wanted & streams.keyed[s]!;
    const starting = wanted & ~following;
    // A follower gets its delta even if it is empty while others get a key: the sequence is the stream's.
    const isTurn = starting !== 0 || this.isTurn(s);
    const { writer } = encoder;
    let got = following;
    const closes = this.unclosed.size > 0 && this.unclosed.has(streams.key[s]!) ? this.dead : NOBODY;
    const hasNews = isTurn || streams.removals[s]! >= 0 || streams.events[s]! >= 0;
    const bytes = following === 0 || !hasNews ? 0 : encoder.encode(s, streams.lastTick[s]!, isTurn, closes);
    const isWorth = bytes > 0 && writer.states + writer.moves + writer.removals + writer.events > 0;
    let isWhole = true;
    if (starting !== 0 || isWorth) {
      // Before it leaves: who subscribes after it has passed must not get an older key frame.
      const entry = encoder.entryOf(s);
      if (entry >= 0) this.view.setLastSeq(entry, core.tick);
      isWhole = writer.dropped === 0;
      if (following !== 0) got = this.send(following, s, bytes, streams.lastTick[s]!);
      if (starting !== 0) got |= this.send(starting, s, encoder.encode(s, 0, true, closes), 0);
      streams.lastTick[s] = core.tick;
    }
    if (isTurn && isWhole) streams.shownTick[s] = core.tick;
    if (got === wanted && this.unclosed.size > 0) this.unclosed.delete(streams.key[s]!);
    streams.keyed[s] = got; // who did not get its copy (ring full) has a gap: a key frame next time
    streams.removals[s] = -1;
    streams.events[s] = -1;
  }

  /** Whether the stream's class shows what has changed in this frame, at the rate that its leaf is served. */
  private isTurn(s: number): boolean {
    const { core, streams } = this;
    const { directory } = core.world;
    const rate = streams.rate[s]!;
    let percent = FULL;
    if (directory.anyService !== 0) {
      const word = directory.service(streams.column[s]! >> SHIFT, streams.row[s]! >> SHIFT);
      percent = rate === 0 ? nearRate(word) : farRate(word);
    }
    if (rate === 0 && percent === FULL) return true;
    return isTurn(rate, core.tick / core.options.frameEvery, streams.phase[s]!, percent);
  }

  /** Copies the encoded frame to some gateways. @returns those that got it */
  private send(mask: number, s: number, bytes: number, previous: number): number {
    const { rings, core, streams } = this;
    let got = 0;
    for (let g = 0; g < rings.count; g++) {
      if (!(mask & (1 << g))) continue;
      const at = rings.reserve(g, bytes);
      if (at < 0) {
        core.block.count(SHARD_COUNTER.frameOverflows);
        continue;
      }
      rings.copy(g, at, this.encoder.words, bytes);
      rings.header(
        g,
        at,
        RECORD.FRAME,
        streams.column[s]!,
        streams.row[s]!,
        core.tick,
        previous,
        core.options.incarnation,
        streams.part[s]!,
      );
      rings.commit(g, bytes);
      got |= 1 << g;
    }
    this.told |= got;
    return got;
  }

  /** Tells each gateway that it has all frames of this tick: between two of them it changes nobody's squares. */
  private endTurn(): void {
    const { rings, core } = this;
    for (let g = 0; g < rings.count; g++) {
      if (!(this.told & (1 << g))) continue;
      const at = rings.reserve(g, 0);
      if (at < 0) continue;
      rings.header(g, at, RECORD.TURN, 0, 0, core.tick, 0, core.options.incarnation, 0);
      rings.commit(g, 0);
    }
  }
}

/**
 * Shard 0 as a gateway meets it in shared memory, played by the test: accepts arrivals, drains inboxes, answers READY,
 * SELF, LOG, publishes a view and frames. Decides every action as applied. No simulation.
 */
import { LIMITS } from '../../src/base/limits.js';
import { cellNumber, columnOfCell, rowOfCell } from '../../src/geo/cell.js';
import { RECORD_HEADER_BYTES } from '../../src/memory/byte-ring.js';
import { CONTROL, PLACE, writerEpoch, writerGateway } from '../../src/memory/inbox.js';
import { READY_HEAD_BYTES, RECORD, SELF_HEAD_BYTES } from '../../src/memory/player.js';
import { HEADER, HOT, OWNER, ownerState, packOwner, targetOf } from '../../src/memory/record.js';
import { SHARD_STATE } from '../../src/memory/shard-block.js';
import type { SharedWorld } from '../../src/memory/shared-world.js';
import { CellFrameWriter } from '../../src/wire/cell-frame-writer.js';
import { LogReplyWriter, type SelfState, SelfUpdateWriter } from '../../src/wire/self-update.js';
import { drive } from '../../src/memory/steps.js';
import { accept } from '../../src/world/handover.js';

export class ScriptedShard {
  readonly owned = new Set<number>();
  /** Kinds and ids of the entries drained, in order. */
  readonly log: { slot: number; session: number; id: number; kind: number; bytes: number }[] = [];
  tick = 0;
  /** Do not answer START and RESUME. */
  isDeaf = false;
  /** Do not drain actions. */
  isBusy = false;
  /** Who else stands in the view, without a record; those with a speed walk east. */
  crowd: readonly { id: number; x: number; y: number; speed: number }[] = [];
  private readonly selfs = new SelfUpdateWriter();
  private readonly logs = new LogReplyWriter();
  private readonly frames = new CellFrameWriter(2 ** 16);
  private readonly heads = new Map<number, number>();
  /** Newest frame by cell. */
  private readonly sequences = new Map<number, number>();

  constructor(
    private readonly world: SharedWorld,
    readonly shard = 0,
    readonly incarnation = 11,
  ) {
    const block = world.shardBlocks[shard];
    block.incarnation = incarnation;
    block.state = SHARD_STATE.RUNNING;
  }

  /** Accepts, drains, publishes the view, answers; frames when asked. */
  run(frames = false): void {
    this.tick++;
    this.takeArrivals();
    const ready: number[] = [];
    const logs: number[] = [];
    for (const slot of this.owned) this.drain(slot, ready, logs);
    this.publishView();
    if (frames) this.publishFrames();
    if (frames) this.endTurn();
    for (const slot of ready) this.push(slot, RECORD.READY);
    for (const slot of logs) this.pushLog(slot);
    for (const block of this.world.gatewayBlocks) block.ring();
  }

  private takeArrivals(): void {
    const { arena, arrivals } = this.world;
    for (const rings of arrivals) {
      const ring = rings?.[this.shard];
      for (let at = ring?.peek() ?? -1; ring && at >= 0; at = ring.peek()) {
        const [slot, generation, epoch] = ring.i32.subarray(at >> 2, (at >> 2) + 3);
        ring.advance();
        if (slot < 0) continue; // wakes a tile; here all are awake
        const generationOf = (s: number) => arena.u32[(arena.header(s) + HEADER.generation) >> 2];
        const next = drive(
          accept(arena.owner, slot, this.shard, generation >>> 0, epoch >>> 0, generationOf),
        );
        if (next < 0) continue;
        arena.u32[(arena.header(slot) + HEADER.epoch) >> 2] = next;
        this.owned.add(slot);
        this.heads.delete(slot);
      }
    }
  }

  private drain(slot: number, ready: number[], logs: number[]): void {
    const { arena, inboxes } = this.world;
    const hot = arena.hot(slot);
    let head = this.heads.get(slot) ?? inboxes.head(slot);
    for (; inboxes.available(slot, head) > 0; head = (head + 1) | 0) {
      const at = inboxes.entry(slot, head);
      const session = inboxes.f64[(at + PLACE.sessionId) >> 3];
      const id = inboxes.u32[(at + PLACE.actionId) >> 2];
      const kind = inboxes.u16[(at + PLACE.kind) >> 1];
      if (kind < CONTROL.FIRST && this.isBusy) break;
      this.log.push({ slot, session, id, kind, bytes: inboxes.u16[(at + PLACE.length) >> 1] });
      if (kind === CONTROL.START && arena.f64[(hot + HOT.sessionId) >> 3] !== session) {
        arena.f64[(hot + HOT.sessionId) >> 3] = session;
        arena.u32[(hot + HOT.lastActionId) >> 2] = 0;
      }
      if ((kind === CONTROL.START || kind === CONTROL.RESUME) && !this.isDeaf && !ready.includes(slot))
        ready.push(slot);
      if (kind === CONTROL.LOG) logs.push(slot);
      const next = arena.u32[(hot + HOT.lastActionId) >> 2] + 1;
      if (kind < CONTROL.FIRST && session === arena.f64[(hot + HOT.sessionId) >> 3] && id === next) {
        arena.u32[(hot + HOT.lastActionId) >> 2] = id;
      }
    }
    this.heads.set(slot, head);
    inboxes.publishHead(slot, head);
  }

  private publishView(): void {
    const view = this.world.viewWriters[this.shard];
    const { arena } = this.world;
    view.begin(this.tick, this.incarnation);
    const cells = [...this.owned].map((slot) => ({ slot, c: view.cell(this.cellOf(slot)) }));
    for (const { c } of cells) view.addRow(c);
    const others = this.crowd.map((one) => ({ one, c: view.cell(cellNumber(one.x, one.y)) }));
    for (const { c } of others) view.addRow(c);
    view.place();
    for (const [cell, tick] of this.sequences) view.setLastSeq(view.cell(cell), tick);
    for (const { slot, c } of cells) {
      const hot = arena.hot(slot);
      view.row(
        c,
        this.idOf(slot),
        arena.f64[(hot + HOT.x) >> 3],
        arena.f64[(hot + HOT.y) >> 3],
        0,
        0,
        0,
        0,
        slot,
        1,
        0,
        0,
      );
    }
    for (const { one, c } of others) view.row(c, one.id, one.x, one.y, one.speed, 0, 0, 0, -1, 1, 0, 0);
    view.publish();
  }

  /** One frame of every cell with entities that a gateway wants; a key first. */
  private publishFrames(): void {
    const cells = new Map<number, number[]>();
    for (const slot of this.owned) {
      const cell = this.cellOf(slot);
      cells.set(cell, [...(cells.get(cell) ?? []), slot]);
    }
    for (const [cell, slots] of cells) {
      this.world.filters.forEach((filter, g) => {
        if (filter.wants(cell)) this.pushFrame(g, cell, slots, this.sequences.get(cell) ?? 0);
      });
      if (this.world.filters.some((filter) => filter.wants(cell))) this.sequences.set(cell, this.tick);
    }
  }

  pushFrame(g: number, cell: number, slots: number[], previous: number): void {
    const { frames } = this;
    frames.begin(columnOfCell(cell), rowOfCell(cell), this.incarnation, this.tick, previous);
    for (const slot of slots) frames.state(this.idOf(slot), 1, 0, 0, 0, 0, 0, 0, 0, 0);
    const length = frames.finish();
    const ring = this.world.frames[this.shard][g];
    const at = ring.reserve(length);
    ring.i32.set(
      [RECORD.FRAME, columnOfCell(cell), rowOfCell(cell), this.tick, 0, this.incarnation, 0],
      (at >> 2) + 1,
    );
    ring.u8.set(frames.view(length), at + RECORD_HEADER_BYTES);
    ring.commit(length);
  }

  private endTurn(): void {
    for (const ring of this.world.frames[this.shard]) {
      const at = ring.reserve(0);
      ring.i32.set([RECORD.TURN, 0, 0, this.tick, 0, this.incarnation, 0], (at >> 2) + 1);
      ring.commit(0);
    }
  }

  /** A SELF or READY about a slot, to whoever holds its writer word. */
  push(
    slot: number,
    type: number,
    changes: { tick?: number; epoch?: number; connectionEpoch?: number; ok?: number } = {},
  ): void {
    const { arena, inboxes } = this.world;
    const writer = inboxes.writer(slot);
    if (writerGateway(writer) >= this.world.gatewayBlocks.length) return;
    const hot = arena.hot(slot);
    const applied = arena.u32[(hot + HOT.lastActionId) >> 2];
    const tick = changes.tick ?? this.tick;
    const epoch = changes.epoch ?? 1;
    const x = arena.f64[(hot + HOT.x) >> 3];
    const y = arena.f64[(hot + HOT.y) >> 3];
    const state: SelfState = {
      tick,
      epoch,
      x,
      y,
      vx: 0,
      vy: 0,
      applied,
      durable: applied,
      dilation: 1,
      outcomeIds: new Uint32Array(64),
      outcomeCodes: new Uint32Array(64),
      outcomeCount: 0,
      items: new Uint32Array(LIMITS.itemKinds),
      itemCount: 1,
    };
    const head = type === RECORD.READY ? READY_HEAD_BYTES : SELF_HEAD_BYTES;
    const ring = this.world.frames[this.shard][writerGateway(writer)];
    const at = ring.reserve(head + this.selfs.maxBytes);
    const body = at + RECORD_HEADER_BYTES;
    ring.f64[body >> 3] = x;
    ring.f64[(body >> 3) + 1] = y;
    if (type === RECORD.READY) {
      ring.f64[(body >> 3) + 2] = this.idOf(slot);
      ring.f64[(body >> 3) + 3] = arena.f64[(hot + HOT.sessionId) >> 3];
    }
    const connection = changes.connectionEpoch ?? writerEpoch(writer);
    const last = type === RECORD.READY ? [applied, applied, changes.ok ?? 1] : [applied, epoch, 0];
    ring.i32.set([type, slot, connection, tick, ...last], (at >> 2) + 1);
    ring.commit(head + this.selfs.encode(ring.u8, body + head, state));
  }

  gone(slot: number, closeCode: number): void {
    const writer = this.world.inboxes.writer(slot);
    const ring = this.world.frames[this.shard][writerGateway(writer)];
    const at = ring.reserve(0);
    ring.i32.set([RECORD.GONE, slot, writerEpoch(writer), closeCode, 0, 0, 0], (at >> 2) + 1);
    ring.commit(0);
  }

  private pushLog(slot: number): void {
    const { arena, inboxes } = this.world;
    const ring = this.world.frames[this.shard][writerGateway(inboxes.writer(slot))];
    const at = ring.reserve(this.logs.maxBytes);
    const hot = arena.hot(slot);
    const session = arena.f64[(hot + HOT.sessionId) >> 3];
    const applied = arena.u32[(hot + HOT.lastActionId) >> 2];
    ring.i32.set([RECORD.LOG, slot, writerEpoch(inboxes.writer(slot)), 0, 0, 0, 0], (at >> 2) + 1);
    ring.commit(this.logs.encode(ring.u8, at + RECORD_HEADER_BYTES, session, applied, applied, 0, 0));
  }

  /** Puts an entity somewhere else, as a step would. */
  moveTo(slot: number, x: number, y: number): void {
    const hot = this.world.arena.hot(slot);
    this.world.arena.f64[(hot + HOT.x) >> 3] = x;
    this.world.arena.f64[(hot + HOT.y) >> 3] = y;
  }

  /** As the owner does with an account whose player has left. */
  park(slot: number): void {
    const { arena, inboxes } = this.world;
    inboxes.leave(slot);
    this.owned.delete(slot);
    const epoch = arena.u32[(arena.header(slot) + HEADER.epoch) >> 2];
    Atomics.store(arena.owner, slot, packOwner(OWNER.PARKED, 127, 127, epoch));
  }

  slotOf(entity: number): number {
    return this.world.ids.lookup(entity);
  }
  idOf(slot: number): number {
    return this.world.arena.f64[(this.world.arena.header(slot) + HEADER.id) >> 3];
  }
  cellOf(slot: number): number {
    const hot = this.world.arena.hot(slot);
    return cellNumber(this.world.arena.f64[(hot + HOT.x) >> 3], this.world.arena.f64[(hot + HOT.y) >> 3]);
  }
  /** State and target of a slot's owner word. */
  owner(slot: number): { state: number; target: number } {
    const word = Atomics.load(this.world.arena.owner, slot);
    return { state: ownerState(word), target: targetOf(word) };
  }
}

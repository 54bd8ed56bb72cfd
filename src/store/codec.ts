/**
 * The one place that converts between arena records (memory/record.ts, as they travel: memory/store-ring.ts) and stored
 * tables (schemas/store.fbs). Pure; one codec a store.
 *
 * What a table does not hold, since it means something only in one process: generation, undo tags, the head of the
 * inbox, the handover's stamp; and the origin of natural content, which has a table of its own. The base tile follows from the place. Everything else comes back bit by bit, but for the
 * payload bits of a NaN in a component.
 *
 * What the running game has no place for (components, items that it dropped) is handed out as `Rest`, which the store
 * keeps beside the loaded entity and gives back when it is written again: nothing is lost, and it returns with the name.
 */
import { Builder, ByteBuffer } from 'flatbuffers';
import { LIMITS } from '../base/limits.js';
import { tileIndex } from '../geo/tile.js';
import { HALF_WIDTH, QUARTER_WIDTH } from '../geo/world.js';
import { ANSWER, ANSWER_BYTES, COLD, HOT, OUTBOX, OUTBOX_BYTES } from '../memory/record.js';
import { STORED_RECORD as AT, STORED_RECORD_BYTES } from '../memory/store-ring.js';
import { frame, unframe } from './frame.js';
import { Answer } from './generated/blue-marble-store/answer.js';
import { ColumnValue } from './generated/blue-marble-store/column-value.js';
import { Entity } from './generated/blue-marble-store/entity.js';
import { ItemStack } from './generated/blue-marble-store/item-stack.js';
import { Letter } from './generated/blue-marble-store/letter.js';
import { Record as Kind } from './generated/blue-marble-store/record.js';
import { Session } from './generated/blue-marble-store/session.js';
import { Stored } from './generated/blue-marble-store/stored.js';
import type { Names } from './names.js';
import { readValue, writeValue } from './values.js';

const NO_ITEM = 255;
const OUTCOMES = 64;

/** Of an entity what the running game has no place for, by stored numbers. */
export interface Rest {
  items: [number, number][];
  columns: [number, number][];
}

/** A record on its way between arena and table. */
export class RecordBytes {
  readonly u8: Uint8Array;
  readonly u16: Uint16Array;
  readonly i32: Int32Array;
  readonly u32: Uint32Array;
  readonly f32: Float32Array;
  readonly f64: Float64Array;
  /** Full owner epoch. */
  epoch = 0;
  rest: Rest | null = null;

  constructor(buffer: ArrayBuffer = new ArrayBuffer(STORED_RECORD_BYTES)) {
    this.u8 = new Uint8Array(buffer);
    this.u16 = new Uint16Array(buffer);
    this.i32 = new Int32Array(buffer);
    this.u32 = new Uint32Array(buffer);
    this.f32 = new Float32Array(buffer);
    this.f64 = new Float64Array(buffer);
  }

  get id(): number {
    return this.f64[AT.id >> 3];
  }
  get tick(): number {
    return this.i32[(AT.hot + HOT.lastTick) >> 2];
  }
  /** Of what is no player; 0 when it comes out of the store: then it was noted long ago. */
  get origin(): number {
    return this.u32[(AT.hot + HOT.origin) >> 2];
  }
  /** The running game's kind. */
  get kind(): number {
    return this.u16[(AT.hot + HOT.kind) >> 1];
  }
  get flags(): number {
    return this.u16[(AT.hot + HOT.flags) >> 1];
  }
  get tile(): number {
    return tileIndex(this.f64[(AT.hot + HOT.x) >> 3], this.f64[(AT.hot + HOT.y) >> 3], LIMITS.baseTileLevel);
  }
}

export class Codec {
  private readonly builder = new Builder(2048);

  constructor(readonly names: Names) {}

  /** @returns framed bytes of the record; `record.rest` goes into the table as well */
  encode(record: RecordBytes): Uint8Array {
    const b = this.builder;
    b.clear();
    const session = this.session(record);
    const items = this.items(record);
    const columns = this.columns(record);
    const letters = this.letters(record);
    const answers = this.answers(record);
    const { i32, u32, f32, f64 } = record;
    const hot = AT.hot;
    Entity.startEntity(b);
    Entity.addId(b, BigInt(record.id));
    Entity.addTick(b, record.tick);
    Entity.addEpoch(b, record.epoch);
    Entity.addKind(b, this.names.kindStored[record.kind] ?? record.kind);
    Entity.addFlags(b, record.flags);
    b.forceDefaults(true); // −0 equals the default 0 and is another number
    Entity.addX(b, f64[(hot + HOT.x) >> 3]);
    Entity.addY(b, f64[(hot + HOT.y) >> 3]);
    Entity.addZ(b, f32[(hot + HOT.z) >> 2]);
    Entity.addHeading(b, f32[(hot + HOT.heading) >> 2]);
    Entity.addVx(b, f32[(hot + HOT.vx) >> 2]);
    Entity.addVy(b, f32[(hot + HOT.vy) >> 2]);
    Entity.addRateTokens(b, f32[(hot + HOT.rateTokens) >> 2]);
    b.forceDefaults(false);
    Entity.addBirthTick(b, i32[AT.birthTick >> 2]);
    Entity.addStepCount(b, i32[(hot + HOT.stepCount) >> 2]);
    Entity.addStayUntil(b, i32[(hot + HOT.stayUntilTick) >> 2]);
    Entity.addMessageCounter(b, u32[(hot + HOT.messageCounter) >> 2]);
    if (session !== 0) Entity.addSession(b, session);
    if (items !== 0) Entity.addItems(b, items);
    if (columns !== 0) Entity.addColumns(b, columns);
    if (letters !== 0) Entity.addLetters(b, letters);
    if (answers !== 0) Entity.addAnswers(b, answers);
    const entity = Entity.endEntity(b);
    b.finish(Stored.createStored(b, Kind.Entity, entity));
    return frame(b.asUint8Array());
  }

  private session({ f64, u32, u16 }: RecordBytes): number {
    const hot = AT.hot;
    const id = f64[(hot + HOT.sessionId) >> 3];
    const last = u32[(hot + HOT.lastActionId) >> 2];
    const hash = u32[(hot + HOT.appliedHash) >> 2];
    if (id === 0 && last === 0 && hash === 0) return 0;
    const b = this.builder;
    const first = (AT.cold + COLD.outcomes) >> 1;
    const outcomes = Session.createOutcomesVector(b, u16.subarray(first, first + OUTCOMES));
    Session.startSession(b);
    Session.addId(b, BigInt(id));
    Session.addLastAction(b, last);
    Session.addApplied(b, u32[(hot + HOT.appliedCount) >> 2]);
    Session.addRejected(b, u32[(hot + HOT.rejectedCount) >> 2]);
    Session.addHash(b, hash);
    Session.addOutcomes(b, outcomes);
    return Session.endSession(b);
  }

  private items(record: RecordBytes): number {
    const b = this.builder;
    const first = (AT.cold + COLD.items) >> 2;
    const stacks: [number, number][] = [...(record.rest?.items ?? [])];
    for (let item = 0; item < LIMITS.itemKinds; item++) {
      const count = record.u32[first + item];
      if (count > 0) stacks.push([this.names.itemStored[item] ?? item, count]);
    }
    if (stacks.length === 0) return 0;
    Entity.startItemsVector(b, stacks.length);
    for (const [item, count] of stacks.reverse()) ItemStack.createItemStack(b, item, count);
    return b.endVector();
  }

  private columns(record: RecordBytes): number {
    const b = this.builder;
    const values: [number, number][] = [...(record.rest?.columns ?? [])];
    for (const { number, place } of this.names.columnsStored) {
      const value = readValue(record, AT.hot + HOT.components + place.offset, place.type);
      if (value !== 0 || Object.is(value, -0)) values.push([number, value]);
    }
    if (values.length === 0) return 0;
    Entity.startColumnsVector(b, values.length);
    for (const [number, value] of values.reverse()) ColumnValue.createColumnValue(b, value, number);
    return b.endVector();
  }

  private letters(record: RecordBytes): number {
    const b = this.builder;
    const { u8, u16, u32, i32, f64 } = record;
    const offsets: number[] = [];
    for (let p = 0; p < LIMITS.outboxPlaces; p++) {
      const at = AT.cold + COLD.outbox + p * OUTBOX_BYTES;
      const state = u8[at + OUTBOX.state];
      if (state === 0) continue;
      const item = u8[at + OUTBOX.itemKind];
      const first = (at + OUTBOX.args) >> 3;
      const args = Letter.createArgsVector(b, f64.subarray(first, first + 4));
      Letter.startLetter(b);
      Letter.addTarget(b, BigInt(f64[(at + OUTBOX.target) >> 3]));
      Letter.addCounter(b, u32[(at + OUTBOX.counter) >> 2]);
      Letter.addKind(b, u16[(at + OUTBOX.kind) >> 1]);
      Letter.addState(b, state);
      Letter.addItem(b, item === NO_ITEM ? 0 : (this.names.itemStored[item] ?? item) + 1);
      Letter.addCount(b, u32[(at + OUTBOX.itemCount) >> 2]);
      Letter.addSentTick(b, i32[(at + OUTBOX.sentTick) >> 2]);
      Letter.addAnswer(b, u16[(at + OUTBOX.answer) >> 1]);
      Letter.addArgs(b, args);
      offsets.push(Letter.endLetter(b));
    }
    return offsets.length === 0 ? 0 : Entity.createLettersVector(b, offsets);
  }

  private answers(record: RecordBytes): number {
    const b = this.builder;
    const { u8, u16, u32, f64 } = record;
    const offsets: number[] = [];
    for (let p = 0; p < LIMITS.answerPlaces; p++) {
      const at = AT.cold + COLD.answers + p * ANSWER_BYTES;
      if (u8[at + ANSWER.used] === 0) continue;
      Answer.startAnswer(b);
      Answer.addSource(b, BigInt(f64[(at + ANSWER.source) >> 3]));
      Answer.addCounter(b, u32[(at + ANSWER.counter) >> 2]);
      Answer.addAnswer(b, u16[(at + ANSWER.answer) >> 1]);
      Answer.addUsed(b, u8[at + ANSWER.used]);
      b.forceDefaults(true);
      Answer.addArgument(b, f64[(at + ANSWER.arg) >> 3]);
      b.forceDefaults(false);
      offsets.push(Answer.endAnswer(b));
    }
    return offsets.length === 0 ? 0 : Entity.createAnswersVector(b, offsets);
  }

  /**
   * Fills a record from framed bytes.
   * @returns null, or a sentence that says why these bytes are refused (the record is then half filled)
   */
  decode(bytes: Uint8Array, into: RecordBytes): string | null {
    const entity = entityOf(bytes);
    if (typeof entity === 'string') return entity;
    const { names } = this;
    const kind = names.kindHere[entity.kind()] ?? -1;
    if (kind < 0) return `the game has no kind '${names.stored.kinds[entity.kind()] ?? entity.kind()}'`;
    if (!isInWorld(entity.x(), entity.y())) return 'it stands outside the world';
    const { u8, u16, i32, u32, f32, f64 } = into;
    u8.fill(0);
    into.epoch = entity.epoch();
    into.rest = null;
    const hot = AT.hot;
    f64[AT.id >> 3] = Number(entity.id());
    i32[AT.birthTick >> 2] = entity.birthTick();
    f64[(hot + HOT.x) >> 3] = entity.x();
    f64[(hot + HOT.y) >> 3] = entity.y();
    f32[(hot + HOT.z) >> 2] = entity.z();
    f32[(hot + HOT.heading) >> 2] = entity.heading();
    f32[(hot + HOT.vx) >> 2] = entity.vx();
    f32[(hot + HOT.vy) >> 2] = entity.vy();
    i32[(hot + HOT.lastTick) >> 2] = entity.tick();
    u16[(hot + HOT.kind) >> 1] = kind;
    u16[(hot + HOT.flags) >> 1] = entity.flags();
    i32[(hot + HOT.stayUntilTick) >> 2] = entity.stayUntil();
    i32[(hot + HOT.stepCount) >> 2] = entity.stepCount();
    u32[(hot + HOT.messageCounter) >> 2] = entity.messageCounter();
    f32[(hot + HOT.rateTokens) >> 2] = entity.rateTokens();
    i32[(hot + HOT.tile) >> 2] = into.tile;
    this.readSession(entity, into);
    this.readItems(entity, into);
    this.readColumns(entity, into);
    return this.readLetters(entity, into) ?? this.readAnswers(entity, into);
  }

  private readSession(entity: Entity, { f64, u32, u16 }: RecordBytes): void {
    const session = entity.session();
    if (session === null) return;
    const hot = AT.hot;
    f64[(hot + HOT.sessionId) >> 3] = Number(session.id());
    u32[(hot + HOT.lastActionId) >> 2] = session.lastAction();
    u32[(hot + HOT.appliedCount) >> 2] = session.applied();
    u32[(hot + HOT.rejectedCount) >> 2] = session.rejected();
    u32[(hot + HOT.appliedHash) >> 2] = session.hash();
    const first = (AT.cold + COLD.outcomes) >> 1;
    const count = Math.min(session.outcomesLength(), OUTCOMES);
    for (let i = 0; i < count; i++) u16[first + i] = session.outcomes(i)!;
  }

  private readItems(entity: Entity, into: RecordBytes): void {
    for (let i = 0; i < entity.itemsLength(); i++) {
      const stack = entity.items(i)!;
      const here = this.names.itemHere[stack.item()] ?? -1;
      if (here >= 0) into.u32[((AT.cold + COLD.items) >> 2) + here] += stack.count();
      else restOf(into).items.push([stack.item(), stack.count()]);
    }
  }

  private readColumns(entity: Entity, into: RecordBytes): void {
    for (let i = 0; i < entity.columnsLength(); i++) {
      const column = entity.columns(i)!;
      const place = this.names.columnHere[column.column()];
      if (place === undefined) restOf(into).columns.push([column.column(), column.value()]);
      else writeValue(into, AT.hot + HOT.components + place.offset, place.type, column.value());
    }
  }

  private readLetters(entity: Entity, into: RecordBytes): string | null {
    const count = entity.lettersLength();
    if (count > LIMITS.outboxPlaces) return `it has ${count} messages under way`;
    const { u8, u16, u32, i32, f64 } = into;
    for (let p = 0; p < count; p++) {
      const letter = entity.letters(p)!;
      const at = AT.cold + COLD.outbox + p * OUTBOX_BYTES;
      const stored = letter.item() - 1;
      const item = stored < 0 ? NO_ITEM : (this.names.itemHere[stored] ?? -1);
      // Items that the game dropped stay with their giver: nobody could receive them.
      if (item < 0) restOf(into).items.push([stored, letter.count()]);
      f64[(at + OUTBOX.target) >> 3] = Number(letter.target());
      u32[(at + OUTBOX.counter) >> 2] = letter.counter();
      u16[(at + OUTBOX.kind) >> 1] = letter.kind();
      u8[at + OUTBOX.state] = letter.state();
      u8[at + OUTBOX.itemKind] = item < 0 ? NO_ITEM : item;
      u32[(at + OUTBOX.itemCount) >> 2] = item < 0 ? 0 : letter.count();
      i32[(at + OUTBOX.sentTick) >> 2] = letter.sentTick();
      u16[(at + OUTBOX.answer) >> 1] = letter.answer();
      for (let i = 0; i < Math.min(4, letter.argsLength()); i++)
        f64[((at + OUTBOX.args) >> 3) + i] = letter.args(i)!;
    }
    i32[(AT.hot + HOT.outboxCount) >> 2] = count;
    return null;
  }

  private readAnswers(entity: Entity, into: RecordBytes): string | null {
    const count = entity.answersLength();
    if (count > LIMITS.answerPlaces) return `it keeps ${count} answers`;
    const { u8, u16, u32, f64 } = into;
    for (let p = 0; p < count; p++) {
      const answer = entity.answers(p)!;
      const at = AT.cold + COLD.answers + p * ANSWER_BYTES;
      f64[(at + ANSWER.source) >> 3] = Number(answer.source());
      u32[(at + ANSWER.counter) >> 2] = answer.counter();
      u16[(at + ANSWER.answer) >> 1] = answer.answer();
      u8[at + ANSWER.used] = answer.used();
      f64[(at + ANSWER.arg) >> 3] = answer.argument();
    }
    return null;
  }
}

/** The table in framed bytes, verified; or a sentence that says why there is none. */
export function entityOf(bytes: Uint8Array): Entity | string {
  const table = unframe(bytes);
  if (typeof table === 'string') return table;
  const stored = Stored.getRootAsStored(new ByteBuffer(table));
  if (stored.recordType() !== Kind.Entity) return 'it is no entity';
  return stored.record(new Entity()) as Entity;
}

function restOf(record: RecordBytes): Rest {
  record.rest ??= { items: [], columns: [] };
  return record.rest;
}

/** False for NaN, too. */
function isInWorld(x: number, y: number): boolean {
  return x >= -HALF_WIDTH && x < HALF_WIDTH && Math.abs(y) <= QUARTER_WIDTH;
}

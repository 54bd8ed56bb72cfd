/**
 * What a game module is, and the World that it sees: types and a few constants, all that game code imports.
 * Contract: game code is synchronous, touches only entities that this shard owns, and keeps no state of its own outside
 * columns and bags (a module is shared by every shard of its thread, and a restarted shard knows only the records).
 */
import { ERRORS } from '../base/errors.js';
import type { FieldType } from '../base/payload.js';
import type { Random } from '../base/random.js';

export type { FieldType, Random };

/** What a component column holds. Values read back as what fits the type: an f32 rounds, an integer wraps. */
export type ColumnType = 'f64' | 'f32' | 'i32' | 'u32' | 'i16' | 'u16' | 'i8' | 'u8';

/** One number per entity, part of its record: it travels, is stored, and is undone with it. New entities hold 0. */
export interface Column {
  get(entity: Entity): number;
  set(entity: Entity, value: number): void;
}

/** An entity that this shard owns: a slot. Valid within the current call only; remember ids, never entities. */
export type Entity = number;

/** Outcomes of actions and answers to messages. A game adds its own from 1000 (`rejections`). */
export const OUTCOME = Object.freeze({
  APPLIED: 0,
  BAD_PAYLOAD: ERRORS.BAD_PAYLOAD.number,
  OUT_OF_REACH: ERRORS.OUT_OF_REACH.number,
  NOT_FOUND: ERRORS.NOT_FOUND.number,
  NOT_ENOUGH: ERRORS.NOT_ENOUGH.number,
  BAG_FULL: ERRORS.BAG_FULL.number,
  COOLDOWN: ERRORS.COOLDOWN.number,
  OUTBOX_FULL: ERRORS.OUTBOX_FULL.number,
  NOT_ALLOWED: ERRORS.NOT_ALLOWED.number,
  TARGET_OFFLINE: ERRORS.TARGET_OFFLINE.number,
  TARGET_GONE: ERRORS.TARGET_GONE.number,
  /** The game's own code threw: of an action, or of whoever was asked or given something. What it did is undone. */
  GAME_FAULT: ERRORS.GAME_FAULT.number,
});

/** Whoever is near a point: a reused object, valid until the next `near`. Sorted by ascending id. */
export interface Near {
  readonly count: number;
  id(i: number): number;
  /** Metres. */
  x(i: number): number;
  y(i: number): number;
  kind(i: number): number;
}

/**
 * The world as game code sees it. Lengths are metres, angles radians, times seconds; `C` names the columns.
 *
 * Whatever a call does not take (an entity of another shard or none at all, NaN, a negative count, a name that the game
 * does not declare, a length beyond the limit) it refuses by an error with a sentence, and has done nothing. An error that
 * leaves the game's code, this one or any other, undoes all of the call of the game in which it was thrown.
 */
export interface World<C extends string = string> {
  /** Number of the running tick. */
  readonly tick: number;
  /** What one step advances, in seconds. Timers count it down: store remaining time, never a tick or a date. */
  readonly dt: number;
  readonly game: {
    readonly name: string;
    readonly items: readonly string[];
    readonly kinds: readonly string[];
  };
  /** The component columns by name, made once per shard. */
  readonly columns: Readonly<Record<C, Column>>;
  /** The same by name at run time; an unknown name throws. */
  column(name: C): Column;

  /** Unique for ever, an integer below 2^53. */
  id(entity: Entity): number;
  /** Index into the game's `kinds`; 0 is the player. */
  kind(entity: Entity): number;
  x(entity: Entity): number;
  y(entity: Entity): number;
  vx(entity: Entity): number;
  vy(entity: Entity): number;
  /** Direction it faces: 0 = east, π/2 = north. */
  heading(entity: Entity): number;
  /** Whether a session plays it (connected, or lost for less than the resume grace). False for all but players. */
  online(entity: Entity): boolean;
  /** Whether it stays in the world, and so comes back, when its player leaves: an account. False for all but players. */
  lasting(entity: Entity): boolean;

  /** Metres from the entity to a point, the shortest way round the world. */
  distance(entity: Entity, x: number, y: number): number;
  /** Heading from the entity to a point, the shortest way round the world. */
  bearing(entity: Entity, x: number, y: number): number;

  /** Changes the position by metres; x wraps, y stops at the walls. */
  move(entity: Entity, dx: number, dy: number): void;
  /** What viewers extrapolate with, m/s; moves nothing by itself. */
  setVelocity(entity: Entity, vx: number, vy: number): void;
  setHeading(entity: Entity, radians: number): void;

  /** How many of an item kind are in its bag. */
  items(entity: Entity, itemKind: number): number;
  /** Makes items out of nothing; logged. False, and nothing done, for more than 2^31 − 1 of a kind, or after despawn. */
  createItems(entity: Entity, itemKind: number, count: number): boolean;
  /** Destroys items; logged. False, and nothing done, when it has fewer. */
  consumeItems(entity: Entity, itemKind: number, count: number): boolean;
  /**
   * Moves items to any entity of the world. A target of this shard has them (or has refused) on return. Otherwise they
   * leave the bag now, travel, and come back if they are refused: APPLIED then means "on the way". A target whose
   * handlers throw has refused, with GAME_FAULT.
   * @param note a number that the target's `received` is told with the items
   * @returns an outcome; anything but APPLIED changed nothing: NOT_ENOUGH, OUTBOX_FULL, or the target's refusal
   */
  give(from: Entity, toId: number, itemKind: number, count: number, note?: number): number;
  /**
   * A reliable message: received once, in the order of sending to one target. Neither `receive` nor `answered` runs
   * before `send` returns, wherever the target lives: in one of the next ticks, and each after the other. A target that
   * does not exist answers TARGET_GONE, one whose `receive` throws GAME_FAULT.
   * @param kind of one of the game's `messages`
   * @returns APPLIED when accepted for delivery, OUTBOX_FULL when the sender has too many unanswered
   */
  send(
    from: Entity,
    targetId: number,
    kind: number,
    a0?: number,
    a1?: number,
    a2?: number,
    a3?: number,
  ): number;
  /** A message that may be lost and has no answer. */
  sendLossy(targetId: number, kind: number, a0?: number, a1?: number, a2?: number, a3?: number): void;

  /** A new entity with an empty bag, found and given to at once, seen by `near` from the next tick. −1: no room. */
  spawn(kind: number, x: number, y: number): Entity | -1;
  /** Removes it at the end of the tick. False, and nothing done, while its bag or its outbox holds something. */
  despawn(entity: Entity): boolean;
  /**
   * Natural content (what `populate` spawned) of which nobody but its own steps has made anything is not stored: it goes
   * when nobody is near, and is made again by `populate`. What was written to by an action, a message, a gift, another's
   * step, gained or lost an item, or left its tile is stored like anything else. This says the same of one whose own
   * steps made something of it that is to last. Of everything else it says nothing.
   */
  keep(entity: Entity): void;
  /**
   * The last thing in a step: until something is written to the entity (by an action, a message, a gift, another's step),
   * its steps would change nothing, so they may be left out. It costs almost nothing then. Some may be made all the same,
   * as after a handover. Not for players, nor for who has letters on their way: they stay awake.
   */
  sleep(entity: Entity): void;
  /** The entity of an id if this shard owns it, else −1: it may live in another shard, or never have lived. */
  find(id: number): Entity | -1;
  /** Entities within `radius` (≤ 1 000 m), across all borders, where they were after the last tick. */
  near(x: number, y: number, radius: number): Near;
  /** Tells everyone who watches the entity's cell, by one of the game's `events`. At most 176 bytes; they are copied. */
  emit(entity: Entity, eventKind: number, bytes: Uint8Array, length: number): void;
  /** In [0, 1): a function of world seed, entity, tick, and how often it was asked for that entity in this tick. */
  random(entity: Entity): number;
  /** Runs one of the game's `jobs` off the tick; its result comes to `jobDone`. False: the queue is full. */
  defer(entity: Entity, job: string, input: unknown): boolean;
}

/** Decoded payload of an action: its fields as numbers. Reused; valid during `apply`. */
export type StructPayload<F extends string = string> = { readonly [field in F]: number };
/** Decoded text of an action: valid UTF-8, `length` bytes (1…176) from 0. Reused; valid during `apply`. */
export interface TextPayload {
  readonly bytes: Uint8Array;
  readonly length: number;
}
/** Nothing. */
export type NoPayload = Readonly<Record<never, never>>;
export type Payload = StructPayload | TextPayload | NoPayload;

/** What the bytes of an action are: nothing, a text, or a FlatBuffers struct with these fields in this order. */
export type PayloadSchema = 'none' | 'text' | Readonly<Record<string, FieldType>>;
// Of a schema that is not known (`any`, as in a module's table of all its actions) anything is taken, not only what all
// three have in common: else no action of a plain module could read a field.
// biome-ignore lint/suspicious/noExplicitAny: it is `any` that is told apart here
type PayloadOf<S> = 0 extends S & 1 ? any : KnownPayloadOf<S>;
type KnownPayloadOf<S> = S extends 'none'
  ? NoPayload
  : S extends 'text'
    ? TextPayload
    : StructPayload<keyof S & string>;

/** Something that a client may ask for. */
export interface ActionDefinition<S extends PayloadSchema = PayloadSchema, C extends string = string> {
  /** 1…0xFEFF, unique in the game. */
  readonly kind: number;
  readonly payload: S;
  /** @returns the outcome, 0 = applied; with anything else all that it has changed is undone */
  apply(world: World<C>, actor: Entity, payload: PayloadOf<S>): number;
}

/** A reliable message as the receiver, and later the asker, sees it. Reused; valid during the call. */
export interface Message {
  /** Ids, not entities. */
  readonly source: number;
  readonly target: number;
  /** Of a transfer of items; 255 and 0 in other messages. */
  readonly itemKind: number;
  readonly itemCount: number;
  /** Four numbers. */
  readonly args: Float64Array;
}

/** Something that entities ask of each other, wherever both are. */
export interface MessageDefinition<C extends string = string> {
  /** 1…0xFEFF, unique in the game; 0 is the transfer of items. */
  readonly kind: number;
  /** Runs where the target lives. @returns the answer, 0 = accepted */
  receive(world: World<C>, target: Entity, message: Message): number;
  /** Runs where the sender lives, once. */
  answered?(world: World<C>, source: Entity, message: Message, answer: number): void;
}

/** A tile to fill with natural content: a base tile's address and its edges in metres. */
export interface TileArea {
  readonly z: number;
  readonly x: number;
  readonly y: number;
  readonly west: number;
  readonly east: number;
  readonly south: number;
  readonly north: number;
}

/** What a game file exports by default. */
export interface GameModule<C extends string = string> {
  readonly name: string;
  /** At most 16; an item kind is an index. */
  readonly items: readonly string[];
  /** Kinds of entities; the first is 'player'. */
  readonly kinds: readonly string[];
  /** At most 88 bytes that only the server knows, and 8 bytes of public ones that every viewer is shown. */
  readonly components: Readonly<
    Record<C, ColumnType | { readonly type: ColumnType; readonly public?: boolean }>
  >;
  /** Name → kind of what `emit` tells. */
  readonly events?: Readonly<Record<string, number>>;
  /** Name → outcome code, 1000…65535. */
  readonly rejections?: Readonly<Record<string, number>>;
  // biome-ignore lint/suspicious/noExplicitAny: every action has its own payload type, checked where it is defined
  readonly actions: Readonly<Record<string, ActionDefinition<any, C>>>;
  readonly messages?: Readonly<Record<string, MessageDefinition<C>>>;
  /** Run in the thread pool: pure functions of a cloneable input. */
  readonly jobs?: Readonly<Record<string, (input: unknown) => unknown>>;
  /** Once in each thread of a shard, before it has any entity: prepares what the module keeps. Nothing can be written yet. */
  setup?(world: World<C>): void;
  /** Once for each new player; if it throws, again with the player's next session. */
  spawnPlayer?(world: World<C>, player: Entity): void;
  /**
   * Natural content of a base tile, each time that it wakes: the same calls, whatever they answer; if it throws, again when
   * the tile wakes. `random` is seeded by world and tile.
   */
  populate?(world: World<C>, tile: TileArea, random: Random): void;
  /** Whether an entity takes what is given to it: 0 accepts, an outcome refuses. Without it everything accepts. */
  mayReceive?(world: World<C>, target: Entity, itemKind: number, count: number, fromId: number): number;
  /** Told once items that were given are in the target's bag. */
  received?(
    world: World<C>,
    target: Entity,
    itemKind: number,
    count: number,
    fromId: number,
    note: number,
  ): void;
  /** Told once items that were on the way are back in the giver's bag, refused with `outcome`. */
  returned?(
    world: World<C>,
    giver: Entity,
    itemKind: number,
    count: number,
    toId: number,
    outcome: number,
  ): void;
  /** Advances one entity by `world.dt`. */
  step(world: World<C>, entity: Entity): void;
  jobDone?(world: World<C>, entity: Entity, job: string, result: unknown): void;
}

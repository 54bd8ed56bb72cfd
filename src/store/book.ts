/**
 * The facts about a world that stand beside its entities: whose it is, up to where it is durable, what may never be used
 * twice. Read once at the start, written with each cut or by itself; all writes go through the engine's transactions.
 */
import { Builder, ByteBuffer } from 'flatbuffers';
import { BlueMarbleError } from '../base/errors.js';
import type { Engine, Write } from './engine.js';
import { FORMAT_VERSION, frame, sealNumbers, seal, unframe, unseal, unsealNumbers } from './frame.js';
import { Column } from './generated/blue-marble-store/column.js';
import { Record as Kind } from './generated/blue-marble-store/record.js';
import { Stored } from './generated/blue-marble-store/stored.js';
import { World } from './generated/blue-marble-store/world.js';
import { checkIdentity, Names, type StoredWorld } from './names.js';
import type { StoreFacts, WorldIdentity } from './types.js';

/** Keys of the table `meta`. */
export const META = {
  format: 'format',
  world: 'world',
  durableTick: 'durableTick',
  secret: 'secret',
  idLease: 'idLease',
  incarnation: 'incarnation',
  created: 'created',
  consumed: 'consumed',
  /** Name and tick of the snapshot that the data went back to last. */
  restored: 'restored',
  /** Number of who may write (hold.ts), written and read by lmdb-engine.ts. */
  holder: 'holder',
} as const;
type MetaName = keyof typeof META;

export interface Book {
  readonly names: Names;
  readonly durableTick: number;
  readonly idLease: number;
  readonly incarnation: number;
  readonly secret: Uint8Array;
  /** By stored item number, of all processes before this one. */
  readonly created: readonly number[];
  readonly consumed: readonly number[];
}

/**
 * Reads the book, or begins one; what is new (the world, names of its game) is durable when this returns.
 * @param makeSecret 32 random bytes for a new world
 * @throws BlueMarbleError DATA_VERSION, DATA_OTHER_WORLD, DATA_CORRUPT; what the disk says, as it is
 */
export function openBook(
  engine: Engine,
  identity: WorldIdentity,
  makeSecret: () => Uint8Array,
  where: string,
): Book {
  if (engine.get('meta', META.format) === undefined) {
    // who holds the data may have said so already
    const known = engine.count('meta') - (engine.get('meta', META.holder) === undefined ? 0 : 1);
    if (known + engine.count('entities') > 0) throw corrupt(where, 'has no format');
    return beginBook(engine, identity, makeSecret());
  }
  const stored = readWorld(engine, where);
  checkIdentity(stored, identity, where);
  const names = new Names(identity.game, stored);
  const secret = unseal(need(engine, 'secret', where));
  if (secret === null) throw corrupt(where, "'secret' has a wrong checksum");
  if (names.grown) commitNow(engine, [worldWrite(identity, names)]);
  // An older server must not take up what this one writes from here on.
  if (numbers(engine, 'format', where)[0] < FORMAT_VERSION)
    commitNow(engine, [metaWrite('format', [FORMAT_VERSION])]);
  return {
    names,
    durableTick: numbers(engine, 'durableTick', where)[0],
    idLease: numbers(engine, 'idLease', where)[0],
    incarnation: numbers(engine, 'incarnation', where)[0],
    secret,
    created: numbers(engine, 'created', where),
    consumed: numbers(engine, 'consumed', where),
  };
}

/** The world's identity as it stands in the data. @throws BlueMarbleError DATA_VERSION, DATA_CORRUPT */
export function readWorld(engine: Engine, where: string): StoredWorld {
  const [format] = numbers(engine, 'format', where);
  if (format > FORMAT_VERSION)
    throw new BlueMarbleError(
      'DATA_VERSION',
      `${where} has format ${format}, this server reads up to ${FORMAT_VERSION}: use the newer server`,
    );
  const table = unframe(need(engine, 'world', where));
  if (typeof table === 'string') throw corrupt(where, `'world': ${table}`);
  const root = Stored.getRootAsStored(new ByteBuffer(table));
  if (root.recordType() !== Kind.World) throw corrupt(where, "'world' is none");
  const world = root.record(new World()) as World;
  const list = (count: number, at: (i: number) => string) => Array.from({ length: count }, (_, i) => at(i));
  return {
    seed: world.seed(),
    baseLevel: world.baseLevel(),
    game: world.game()!,
    kinds: list(world.kindsLength(), (i) => world.kinds(i)),
    items: list(world.itemsLength(), (i) => world.items(i)),
    columns: Array.from({ length: world.columnsLength() }, (_, i) => {
      const column = world.columns(i)!;
      return { name: column.name()!, type: column.type()! };
    }),
  };
}

/** A fact as a write; `values` are whole numbers or sums. */
export function metaWrite(name: MetaName, values: readonly number[]): Write {
  return { table: 'meta', key: META[name], value: sealNumbers(values) };
}

/** What may never be used twice, of data that may be damaged. */
export interface Bounds {
  readonly idLease: number;
  readonly incarnation: number;
}

/**
 * What a copy has to be told before it takes the place of `newer`: ids and incarnations that were granted after it was
 * made are not granted again. @param newer null = it cannot be read
 */
export function bookRestored(engine: Engine, name: string, newer: Bounds | null, where: string): void {
  const bound = (key: 'idLease' | 'incarnation', beyond: number) => {
    const own = numbers(engine, key, where)[0];
    return newer === null ? own + beyond : Math.max(own, newer[key]);
  };
  const mark = new TextEncoder().encode(`${name} ${numbers(engine, 'durableTick', where)[0]}`);
  commitNow(engine, [
    metaWrite('idLease', [bound('idLease', UNREADABLE.idLease)]),
    metaWrite('incarnation', [bound('incarnation', UNREADABLE.incarnation)]),
    { table: 'meta', key: META.restored, value: seal(mark) },
  ]);
}

/** Far more than one process takes in a year: of 2^31 either way. */
const UNREADABLE: Bounds = { idLease: 2 ** 22, incarnation: 2 ** 24 };

/** @throws BlueMarbleError DATA_CORRUPT */
export function readBounds(engine: Engine, where: string): Bounds {
  const [idLease] = numbers(engine, 'idLease', where);
  const [incarnation] = numbers(engine, 'incarnation', where);
  return { idLease, incarnation };
}

/** A snapshot that data went back to. */
export interface Restored {
  readonly name: string;
  readonly tick: number;
}

/** The snapshot that the data went back to last, and on from there. */
export function restoredFrom(engine: Engine): Restored | null {
  const bytes = engine.get('meta', META.restored);
  const mark = bytes === undefined ? null : unseal(bytes);
  if (mark === null) return null;
  const [name, tick] = new TextDecoder().decode(mark).split(' ');
  return { name, tick: Number(tick) };
}

/** Numbers of a fact. @throws BlueMarbleError DATA_CORRUPT */
export function numbers(engine: Engine, name: MetaName, where: string): number[] {
  const values = unsealNumbers(need(engine, name, where));
  if (values === null) throw corrupt(where, `'${name}' has a wrong checksum`);
  return values;
}

function need(engine: Engine, name: MetaName, where: string): Uint8Array {
  const bytes = engine.get('meta', META[name]);
  if (bytes === undefined) throw corrupt(where, `has no '${name}'`);
  return bytes;
}

function corrupt(where: string, what: string): BlueMarbleError {
  return new BlueMarbleError('DATA_CORRUPT', `${where}: ${what}; restore a snapshot (--restore NAME)`);
}

function beginBook(engine: Engine, identity: WorldIdentity, secret: Uint8Array): Book {
  const names = new Names(identity.game);
  commitNow(engine, [
    worldWrite(identity, names),
    { table: 'meta', key: META.secret, value: seal(secret) },
    metaWrite('durableTick', [0]),
    metaWrite('idLease', [0]),
    metaWrite('incarnation', [0]),
    metaWrite('created', []),
    metaWrite('consumed', []),
    metaWrite('format', [FORMAT_VERSION]),
  ]);
  return { names, durableTick: 0, idLease: 0, incarnation: 0, secret, created: [], consumed: [] };
}

function commitNow(engine: Engine, writes: readonly Write[]): void {
  engine.commit(writes, (trouble) => {
    if (trouble !== null) throw trouble;
  });
}

/** What the node has to know of the data before any other thread runs. One look at the tables of tiles and players. */
export function readFacts(engine: Engine, book: Book): StoreFacts {
  const { durableTick, idLease, incarnation, secret, names } = book;
  const generated: number[] = [];
  for (const [tile, bytes] of engine.entries('tiles')) {
    // Of a damaged mark so much is known: the content was made. It must not be made again.
    generated.push(tile as number, unsealNumbers(bytes)?.[0] ?? Math.max(1, durableTick));
  }
  const guests = [...engine.entries('players')]
    .filter(([, bytes]) => unsealNumbers(bytes)?.[0] === 0)
    .map(([id]) => id as number);
  const here = (sums: readonly number[]) => names.itemStored.map((stored) => sums[stored] ?? 0);
  return {
    durableTick,
    idLease,
    incarnation,
    secret,
    entities: engine.count('entities'),
    itemsCreated: here(book.created),
    itemsConsumed: here(book.consumed),
    generated: Int32Array.from(generated),
    touched: Float64Array.from([...engine.entries('touched')].map(([origin]) => origin as number)),
    guests: Float64Array.from(guests),
  };
}

function worldWrite(identity: WorldIdentity, { stored }: Names): Write {
  const b = new Builder(1024);
  const texts = (names: readonly string[]) => names.map((name) => b.createString(name));
  const kinds = World.createKindsVector(b, texts(stored.kinds));
  const items = World.createItemsVector(b, texts(stored.items));
  const columns = World.createColumnsVector(
    b,
    stored.columns.map(({ name, type }) =>
      Column.createColumn(b, b.createString(name), b.createString(type)),
    ),
  );
  const game = b.createString(identity.game.name);
  World.startWorld(b);
  World.addSeed(b, identity.seed);
  World.addBaseLevel(b, identity.baseLevel);
  World.addGame(b, game);
  World.addKinds(b, kinds);
  World.addItems(b, items);
  World.addColumns(b, columns);
  const world = World.endWorld(b);
  b.finish(Stored.createStored(b, Kind.World, world));
  return { table: 'meta', key: META.world, value: frame(b.asUint8Array()) };
}

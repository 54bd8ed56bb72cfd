/**
 * Looks at a whole data directory: every checksum, every table by the schema's verifier, ids, places, item totals.
 * Reads only; may be given an engine that somebody else writes (it sees one state of each table).
 */
import { LIMITS } from '../base/limits.js';
import { tileIndex } from '../geo/tile.js';
import { numbers, readWorld } from './book.js';
import { entityOf } from './codec.js';
import type { Engine, Key, TableName } from './engine.js';
import { unsealNumbers } from './frame.js';
import type { Entity } from './generated/blue-marble-store/entity.js';
import type { Letter } from './generated/blue-marble-store/letter.js';

export interface Verdict {
  /** What is wrong, one sentence each, the first 100. Empty: everything is as it should be. */
  readonly faults: string[];
  readonly faultCount: number;
  /**
   * Accounts and entities that have lost each other, one sentence each, the first 100. The data are what was written, so
   * a copy of them is a good copy; who has lost what has to be decided by people.
   */
  readonly orphans: string[];
  readonly orphanCount: number;
  readonly tick: number;
  readonly entities: number;
  readonly players: number;
  readonly accounts: number;
  /** By item kind: carried by entities or under way, against created − consumed. */
  readonly items: { name: string; held: number; expected: number }[];
}

/** Of each kind of sentence. */
const SHOWN = 100;
const SLICE = 2_000;

/** Adds what an entity carries, and what it has sent that nobody has taken. @param held by stored item number */
function count(entity: Entity, engine: Engine, held: number[]): void {
  for (let i = 0; i < entity.itemsLength(); i++) {
    const stack = entity.items(i)!;
    held[stack.item()] = (held[stack.item()] ?? Number.NaN) + stack.count();
  }
  for (let i = 0; i < entity.lettersLength(); i++) {
    const letter = entity.letters(i)!;
    if (letter.item() === 0 || isTaken(engine, entity.id(), letter)) continue;
    held[letter.item() - 1] += letter.count();
  }
}

/** Whether the target keeps the answer "accepted" to a letter whose sender has not learnt it yet. */
function isTaken(engine: Engine, source: bigint, letter: Letter): boolean {
  const id = Number(letter.target());
  const bytes = isFound(engine, 'entities', id) ? engine.get('entities', id) : undefined;
  const target = bytes === undefined ? 'gone' : entityOf(bytes);
  if (typeof target === 'string') return false;
  for (let i = 0; i < target.answersLength(); i++) {
    const answer = target.answers(i)!;
    if (answer.source() === source && answer.counter() === letter.counter()) return answer.answer() === 0;
  }
  return false;
}

/** Sentences, the first of them kept. */
class Findings {
  readonly shown: string[] = [];
  count = 0;

  add(text: string): void {
    if (++this.count <= SHOWN) this.shown.push(text);
  }
}

/** Entries as far as they can be read; whoever is missing is told of. */
function* readable(
  engine: Engine,
  table: TableName,
  fault: (text: string) => void,
): Iterable<readonly [Key, Uint8Array]> {
  let read = 0;
  try {
    for (const entry of engine.entries(table)) {
      read++;
      yield entry;
    }
  } catch (error) {
    fault(`${table}: ${(error as Error).message}`);
  }
  const there = engine.count(table);
  if (read !== there) fault(`${table}: ${there} entries are there, ${read} can be read`);
}

/** Whether it stands where it is looked for; behind a damaged page it does not. */
function isFound(engine: Engine, table: TableName, key: Key): boolean {
  try {
    return engine.get(table, key) !== undefined;
  } catch {
    return false;
  }
}

/** Every account has an entity, every entity that is an account's has one account. @returns whom they have lost */
async function findOrphans(
  engine: Engine,
  pause: () => Promise<unknown>,
  fault: (text: string) => void,
): Promise<Findings> {
  const orphans = new Findings();
  const holders = new Map<number, string>();
  for (const [key, bytes] of readable(engine, 'accounts', fault)) {
    await pause();
    const entity = unsealNumbers(bytes)?.[0];
    if (entity === undefined) continue; // its checksum is told of elsewhere
    const player = JSON.stringify(key);
    const other = holders.get(entity);
    if (other !== undefined) orphans.add(`accounts ${other} and ${player} play the same entity ${entity}`);
    holders.set(entity, player);
    if (!isFound(engine, 'entities', entity))
      orphans.add(`account ${player}: its entity ${entity} is not there`);
  }
  for (const [key, bytes] of readable(engine, 'players', fault)) {
    await pause();
    if (unsealNumbers(bytes)?.[0] === 1 && !holders.has(key as number))
      orphans.add(`entity ${key}: it is an account's, but no account plays it`);
  }
  return orphans;
}

/** @param pause awaited after every 2 000 records, for threads with other work @throws BlueMarbleError DATA_… */
export async function verifyData(
  engine: Engine,
  where: string,
  pause: (done: number, of: number) => Promise<unknown> = async () => {},
): Promise<Verdict> {
  const world = readWorld(engine, where);
  const [tick] = numbers(engine, 'durableTick', where);
  const created = numbers(engine, 'created', where);
  const consumed = numbers(engine, 'consumed', where);
  const found = new Findings();
  const fault = (text: string) => found.add(text);
  const held = world.items.map(() => 0);
  let entities = 0;
  const players = engine.count('players');
  const small = ['players', 'tiles', 'touched', 'accounts', 'journal'] as const;
  const records = small.reduce(
    (sum, table) => sum + engine.count(table),
    engine.count('entities') + engine.count('places'),
  );
  // Accounts and players are looked at twice: for their checksums, and for each other.
  const all = records + engine.count('accounts') + players;
  let done = 0;
  const look = async () => {
    if (++done % SLICE === 0) await pause(done, all);
  };
  for (const [id, bytes] of readable(engine, 'entities', fault)) {
    entities++;
    await look();
    const entity = entityOf(bytes);
    if (typeof entity === 'string') {
      fault(`entity ${id}: ${entity}`);
      continue;
    }
    if (Number(entity.id()) !== id) fault(`entity ${id}: says that it is ${entity.id()}`);
    if (entity.kind() >= world.kinds.length) fault(`entity ${id}: kind ${entity.kind()} has no name`);
    count(entity, engine, held);
    const isPlayer = isFound(engine, 'players', id as number);
    const tile = tileIndex(entity.x(), entity.y(), LIMITS.baseTileLevel);
    if (!isPlayer && !isFound(engine, 'places', [tile, id as number]))
      fault(`entity ${id}: is not in the list of its tile ${tile}`);
  }
  for (const _ of readable(engine, 'places', fault)) await look();
  const places = engine.count('places');
  if (places + players !== entities)
    fault(`${entities} entities, but ${places} places and ${players} players: some stand for nobody`);
  for (const table of small) {
    for (const [key, bytes] of readable(engine, table, fault)) {
      await look();
      if (unsealNumbers(bytes) === null) fault(`${table} ${key}: its checksum is wrong`);
    }
  }
  const items = world.items.map((name, item) => ({
    name,
    held: held[item],
    expected: (created[item] ?? 0) - (consumed[item] ?? 0),
  }));
  for (const { name, held: there, expected } of items) {
    if (there !== expected) fault(`item '${name}': ${there} are there, created less consumed is ${expected}`);
  }
  const orphans = await findOrphans(engine, look, () => {}); // of both tables their faults are told above
  const counts = { tick, entities, players, accounts: engine.count('accounts') };
  return {
    ...{ faults: found.shown, faultCount: found.count },
    ...{ orphans: orphans.shown, orphanCount: orphans.count },
    ...counts,
    items,
  };
}

/**
 * The numbers that stored records use for a game's kinds, items and components, and what they are in the game that runs
 * now. Pure. The stored lists only grow; a name that the game dropped keeps its number, a new one gets the next.
 */
import { BlueMarbleError } from '../base/errors.js';
import type { GameNames, WorldIdentity } from './types.js';

/** The names as they stand in the data. */
export interface StoredNames {
  readonly kinds: readonly string[];
  readonly items: readonly string[];
  readonly columns: readonly { readonly name: string; readonly type: string }[];
}

export interface StoredWorld extends StoredNames {
  readonly seed: number;
  readonly baseLevel: number;
  readonly game: string;
}

/** A component of the running game: where it lies in a record's component bytes. */
export interface Place {
  readonly type: string;
  readonly offset: number;
}

/** −1 in these tables: the game has no such thing now. */
export class Names {
  /** Everything known, the running game's included: what the data is to hold from now on. */
  readonly stored: StoredNames;
  /** By stored number: the game's. */
  readonly kindHere: readonly number[];
  readonly itemHere: readonly number[];
  readonly columnHere: readonly (Place | undefined)[];
  /** By the game's number: the stored one. */
  readonly kindStored: readonly number[];
  readonly itemStored: readonly number[];
  readonly columnsStored: readonly { readonly number: number; readonly place: Place }[];
  /** Whether the running game brought names that the data did not have. */
  readonly grown: boolean;

  constructor(game: GameNames, known: StoredNames = { kinds: [], items: [], columns: [] }) {
    const key = (column: { name: string; type: string }) => `${column.name}:${column.type}`;
    const kinds = grow(known.kinds, game.kinds);
    const items = grow(known.items, game.items);
    const knownKeys = new Set(known.columns.map(key));
    const columns = [...known.columns];
    for (const column of game.columns) {
      // the same name with another type is another component: its old values are not read as the new type
      if (!knownKeys.has(key(column))) columns.push({ name: column.name, type: column.type });
    }
    this.stored = { kinds, items, columns };
    this.grown =
      kinds.length > known.kinds.length ||
      items.length > known.items.length ||
      columns.length > known.columns.length;
    this.kindHere = kinds.map((name) => game.kinds.indexOf(name));
    this.itemHere = items.map((name) => game.items.indexOf(name));
    this.kindStored = game.kinds.map((name) => kinds.indexOf(name));
    this.itemStored = game.items.map((name) => items.indexOf(name));
    const placeOf = new Map(game.columns.map((column) => [key(column), column]));
    this.columnHere = columns.map((column) => placeOf.get(key(column)));
    this.columnsStored = game.columns.map((place) => ({
      number: columns.findIndex((column) => key(column) === key(place)),
      place,
    }));
  }
}

function grow(known: readonly string[], now: readonly string[]): string[] {
  return [...known, ...now.filter((name) => !known.includes(name))];
}

/** @throws BlueMarbleError DATA_OTHER_WORLD with a sentence that says what differs */
export function checkIdentity(stored: StoredWorld, mine: WorldIdentity, where: string): void {
  const differs = (what: string, there: unknown, here: unknown) => {
    throw new BlueMarbleError(
      'DATA_OTHER_WORLD',
      `${where} holds another world: its ${what} is ${there}, this server's is ${here}`,
    );
  };
  if (stored.game !== mine.game.name) differs('game', `'${stored.game}'`, `'${mine.game.name}'`);
  if (stored.seed !== mine.seed) differs('seed (--seed)', stored.seed, mine.seed);
  if (stored.baseLevel !== mine.baseLevel) differs('level of base tiles', stored.baseLevel, mine.baseLevel);
}

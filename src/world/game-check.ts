/**
 * Checks of untyped values that a game file declares. Each returns the value with its type, or throws BAD_GAME with one
 * sentence: the file, the field, what it is, what would be right.
 */
import { BlueMarbleError } from '../base/errors.js';

export type Fields = Record<string, unknown>;

export class GameCheck {
  constructor(private readonly source: string) {}

  fail(sentence: string): never {
    throw new BlueMarbleError('BAD_GAME', `${this.source}: ${sentence}`);
  }

  object(value: unknown, at: string, right = 'an object'): Fields {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) this.wrong(value, at, right);
    return value as Fields;
  }

  /** The same; what is not declared is empty. */
  optionalObject(value: unknown, at: string): Fields {
    return value === undefined ? {} : this.object(value, at);
  }

  /** No field but these: a misspelt handler would never run. */
  known(object: Fields, names: readonly string[], prefix: string): void {
    for (const name of Object.keys(object)) {
      if (!names.includes(name))
        this.fail(`${prefix}${name} is not a field of a game; known here: ${names.join(', ')}`);
    }
  }

  text(value: unknown, at: string): string {
    if (typeof value !== 'string' || value === '') this.wrong(value, at, 'a text that is not empty');
    return value as string;
  }

  boolean(value: unknown, at: string): void {
    if (typeof value !== 'boolean') this.wrong(value, at, 'true or false');
  }

  /** A list of different names. */
  names(value: unknown, at: string, least: number, most: number): readonly string[] {
    if (!Array.isArray(value)) return this.wrong(value, at, 'an array of names');
    if (value.length < least || value.length > most)
      this.fail(`${at} has ${value.length} entries; ${least}…${most} are right`);
    value.forEach((name, i) => {
      this.text(name, `${at}[${i}]`);
      if (value.indexOf(name) !== i) this.fail(`${at}[${i}] is '${name}' again; every name stands once`);
    });
    return value;
  }

  oneOf(value: unknown, choices: readonly string[], at: string): void {
    if (!choices.includes(value as string)) this.wrong(value, at, `one of ${choices.join(', ')}`);
  }

  integer(value: unknown, low: number, high: number, at: string): number {
    if (!Number.isInteger(value) || (value as number) < low || (value as number) > high) {
      this.wrong(value, at, `an integer from ${low} to ${high}`);
    }
    return value as number;
  }

  /** Notes that a number is taken; `seen` belongs to one table. */
  once(seen: Map<number, string>, number: number, at: string): void {
    const other = seen.get(number);
    if (other !== undefined)
      this.fail(`${at} is ${number}, which ${other} has already; every one needs its own`);
    seen.set(number, at);
  }

  callable(value: unknown, at: string): void {
    if (typeof value !== 'function') this.wrong(value, at, 'a function');
  }

  /** A function that the tick calls. */
  handler(value: unknown, at: string): void {
    this.callable(value, at);
    const type = (value as () => void).constructor.name;
    if (type !== 'Function')
      this.fail(`${at} is of type ${type}; a handler is synchronous, slow work goes through world.defer`);
  }

  private wrong(value: unknown, at: string, right: string): never {
    this.fail(`${at} is ${describe(value)}; it must be ${right}`);
  }
}

function describe(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return `'${value}'`;
  if (typeof value === 'function') return 'a function';
  if (Array.isArray(value)) return 'an array';
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

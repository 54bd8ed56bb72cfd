/**
 * Command lines of the tools: one table of flags for each command, one sentence for every mistake, one form of help.
 *
 * Contract: pure. Throws `BlueMarbleError` BAD_FLAG; the sentence names what was wrong and, where one is near, what may
 * have been meant. Flags are `--name value` or `--name=value`; a value may begin with a minus and a digit.
 */
import { BlueMarbleError } from './errors.js';

export interface Flag {
  readonly name: string;
  /** What the help shows after the name; '' = a switch. */
  readonly argument: string;
  readonly help: string;
  /** May be given more than once. */
  readonly isList?: boolean;
}

export interface Command {
  /** As it is typed: "npm run bots". */
  readonly name: string;
  /** What it does, one or two sentences. */
  readonly about: string;
  /** Behind the flags' separator: "-- NAME [flags]". */
  readonly usage: string;
  readonly flags: readonly Flag[];
  /** Names of words without a flag; the command line may hold that many. */
  readonly words?: readonly string[];
  readonly examples: readonly (readonly [line: string, meaning: string])[];
  /** Besides 0, 1 and 12, which mean the same everywhere. */
  readonly exits?: readonly string[];
  /** Sentences at the end. */
  readonly notes?: readonly string[];
}

export class Flags {
  constructor(
    private readonly values: ReadonlyMap<string, readonly string[]>,
    readonly words: readonly string[],
  ) {}

  has(name: string): boolean {
    return this.values.has(name);
  }
  all(name: string): readonly string[] {
    return this.values.get(name) ?? [];
  }
  text(name: string, fallback: string): string {
    return this.all(name).at(-1) ?? fallback;
  }
  /** @throws BAD_FLAG outside of min … max */
  number(name: string, fallback: number, min: number, max: number): number {
    const text = this.all(name).at(-1);
    if (text === undefined) return fallback;
    const value = Number(text);
    if (text.trim() === '' || !(value >= min && value <= max))
      refuse(name, `a number from ${min} to ${max}`, text);
    return value;
  }
  /** @throws BAD_FLAG when it is not whole */
  whole(name: string, fallback: number, min: number, max: number): number {
    const value = this.number(name, fallback, min, max);
    if (!Number.isInteger(value)) refuse(name, `a whole number from ${min} to ${max}`, this.text(name, ''));
    return value;
  }
  choice<T extends string>(name: string, known: readonly T[], fallback: T): T {
    const text = this.text(name, fallback);
    return known.find((one) => one === text) ?? refuse(name, `one of ${known.join(', ')}`, text);
  }
  /** An http:// or https:// address without a slash at its end. */
  http(name: string, fallback: string): string {
    const text = this.text(name, fallback);
    if (!/^https?:\/\/[^/\s]/.test(text)) refuse(name, 'an address that begins with http://', text);
    return text.replace(/\/+$/, '');
  }
}

export function refuse(name: string, must: string, was: string): never {
  throw new BlueMarbleError(
    'BAD_FLAG',
    `--${name} must be ${must}, but was ${JSON.stringify(was.slice(0, 80))}`,
  );
}

/** @returns what was given, or 'help' when `--help` (or -h) is among it */
export function readFlags(argv: readonly string[], command: Command): Flags | 'help' {
  const values = new Map<string, string[]>();
  const words: string[] = [];
  const bad = (text: string) => new BlueMarbleError('BAD_FLAG', `${text}, see ${command.name} -- --help`);
  for (let i = 0; i < argv.length; i++) {
    const word = argv[i]!;
    if (word === '--help' || word === '-h') return 'help';
    if (word === '--') continue;
    if (!word.startsWith('-')) {
      words.push(word);
      if (words.length > (command.words?.length ?? 0))
        throw bad(`"${word}" is not a flag: flags begin with --`);
      continue;
    }
    const equals = word.indexOf('=');
    const name = word.slice(2, equals < 0 ? undefined : equals);
    const flag = word.startsWith('--') ? command.flags.find((one) => one.name === name) : undefined;
    if (flag === undefined) throw bad(unknown(equals < 0 ? word : word.slice(0, equals), command));
    let value = equals < 0 ? undefined : word.slice(equals + 1);
    if (flag.argument === '') {
      if (value !== undefined) throw bad(`--${name} takes no value`);
      value = 'true';
    } else if (value === undefined) {
      const next = argv[i + 1];
      if (next === undefined || (next.startsWith('-') && !/^-[\d.]/.test(next)))
        throw bad(`--${name} needs a value (${flag.argument})`);
      value = argv[++i];
    }
    const before = values.get(name);
    if (before !== undefined && flag.isList !== true) throw bad(`--${name} was given twice`);
    values.set(name, [...(before ?? []), value!]);
  }
  return new Flags(values, words);
}

function unknown(word: string, command: Command): string {
  const nearest = nearestName(
    word,
    command.flags.map(({ name }) => `--${name}`),
  );
  return `${word} is not a flag of ${command.name}${nearest === null ? '' : `; did you mean ${nearest}?`}`;
}

export function helpOf(command: Command): string {
  const { name, about, usage, flags, examples, exits = [], notes = [] } = command;
  const width = Math.max(...flags.map((flag) => flag.name.length + flag.argument.length), 4) + 5;
  const lines = flags.map((flag) => `  ${`--${flag.name} ${flag.argument}`.padEnd(width)}${flag.help}`);
  const shown = Math.max(...examples.map(([line]) => line.length)) + 2;
  return [
    about,
    '',
    `Usage: ${name} ${usage}`,
    '',
    ...lines,
    `  ${'--help'.padEnd(width)}this text`,
    '',
    'Examples:',
    ...examples.map(([line, meaning]) => `  ${line.padEnd(shown)}${meaning}`),
    '',
    ...notes,
    `Exit codes: ${['0 done', ...exits, '12 a flag is wrong'].join(' · ')}`,
    '',
  ].join('\n');
}

/** Prints a refusal as one line on standard error. @returns the exit code */
export function tellRefusal(error: unknown): number {
  if (error instanceof BlueMarbleError) {
    process.stderr.write(`${error.message} (${error.code})\n`);
    return error.entry.kind === 'startup' ? error.entry.number : 1;
  }
  process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
  return 1;
}

/** The known name with the fewest edits, or null when none is near (more than a third of it would change). */
export function nearestName(name: string, known: readonly string[]): string | null {
  let best: string | null = null;
  let fewest = Number.POSITIVE_INFINITY;
  for (const candidate of known) {
    const edits = editDistance(name, candidate);
    if (edits < fewest) [best, fewest] = [candidate, edits];
  }
  return best !== null && fewest <= Math.max(2, Math.floor(best.length / 3)) ? best : null;
}

/** Levenshtein distance, one row at a time. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next.push(Math.min(row[j] + 1, next[j - 1] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1)));
    }
    row = next;
  }
  return row[b.length];
}

/**
 * Options from a command line, the environment and a JSON file: one table, three sources, one sentence for every
 * mistake.
 *
 * Contract: `readOptions` is pure but for `readText` (the config file). Precedence: flag, then environment, then config
 * file, then the table's default. It throws `BlueMarbleError` with BAD_FLAG (command line, environment) or BAD_CONFIG
 * (config file); the sentence says what was wrong and what would be right.
 */
import { parseArgs } from 'node:util';
import { z } from 'zod';
import { BlueMarbleError } from './base/errors.js';
import { nearestName } from './base/flags.js';

export type Value = string | number | boolean;

export interface Option {
  readonly name: string;
  /** What the help shows after the name; '' = a switch. */
  readonly argument: string;
  readonly schema: z.ZodType<Value>;
  /** Completes "must be …". */
  readonly must: string;
  readonly help: string;
  readonly fallback: Value | null;
  /** Never repeated in a message. */
  readonly isSecret?: boolean;
}

/** Switches are true when given without a value. */
const SWITCH = z.union([
  z.boolean(),
  z.enum(['true', 'false', '1', '0']).transform((v) => v !== 'false' && v !== '0'),
]);

export function whole(name: string, min: number, max: number, fallback: number | null, help: string): Option {
  const text = z
    .string()
    .regex(/^[+-]?\d+$/)
    .transform(Number);
  const schema = z.union([z.number(), text]).pipe(z.number().int().min(min).max(max));
  return { name, argument: 'N', schema, must: `a whole number from ${min} to ${max}`, help, fallback };
}

export function text(
  name: string,
  argument: string,
  must: string,
  fallback: string | null,
  help: string,
  min = 1,
): Option {
  return { name, argument, schema: z.string().trim().min(min).max(4096), must, help, fallback };
}

/** A text that nobody may see. @param min characters */
export function secret(name: string, min: number, help: string): Option {
  return { ...text(name, 'TEXT', `a text of at least ${min} characters`, null, help, min), isSecret: true };
}

export function choice(
  name: string,
  values: readonly [string, ...string[]],
  fallback: string,
  help: string,
): Option {
  return {
    name,
    argument: 'NAME',
    schema: z.enum(values),
    must: `one of ${values.join(', ')}`,
    help,
    fallback,
  };
}

export function onOff(name: string, help: string): Option {
  return { name, argument: '', schema: SWITCH, must: 'true or false', help, fallback: false };
}

/** One value and where it came from, in the words of that source ("--port", "BLUEMARBLE_PORT", "port in FILE"). */
interface Given {
  readonly value: unknown;
  readonly origin: string;
  readonly code: 'BAD_FLAG' | 'BAD_CONFIG';
}
type Source = Map<string, Given>;

export interface OptionInput {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Reads the config file; throws when it cannot. */
  readonly readText: (path: string) => string;
}

/** What was given, checked, and defaults for the rest. */
export class Settings {
  readonly warnings: string[] = [];
  /** Names of options whose variable is there and empty: it counts as unset. */
  readonly empty = new Map<string, string>();
  private readonly values = new Map<string, Value>();
  private readonly origins = new Map<string, string>();

  constructor(private readonly options: readonly Option[]) {}

  put(option: Option, given: Given): void {
    this.values.set(option.name, check(option, given));
    this.origins.set(option.name, given.origin);
  }

  has(name: string): boolean {
    return this.values.has(name);
  }

  get<T extends Value | null>(name: string): T {
    return (this.values.get(name) ?? this.options.find((o) => o.name === name)?.fallback ?? null) as T;
  }

  /** An error that blames the source which the option's value came from. */
  refuse(name: string, text: string): BlueMarbleError {
    const origin = this.origins.get(name) ?? `--${name}`;
    return new BlueMarbleError(
      origin.includes('config file') ? 'BAD_CONFIG' : 'BAD_FLAG',
      `${origin} ${text}`,
    );
  }
}

/** Reads all sources; 'help' when `--help` was asked for. */
export function readOptions(options: readonly Option[], input: OptionInput): Settings | 'help' {
  const flags = readFlags(input.argv, options);
  if (flags === 'help') return 'help';
  const settings = new Settings(options);
  const env = readEnvironment(input.env, options, settings);
  for (const { name, isSecret } of options)
    if (isSecret === true && flags.has(name))
      settings.warnings.push(
        `--${name} stands on the command line, which other users of the machine can read: give it as ${variableOf(name)} or in the config file`,
      );
  const path = flags.get('config') ?? env.get('config');
  const file =
    path === undefined ? new Map() : readConfigFile(checkedPath(path, options), options, input.readText);
  for (const option of options) {
    // Every source is checked, not only the winning one: a wrong value must not wait for the day it wins.
    for (const source of [file, env, flags]) {
      const given = source.get(option.name);
      if (given !== undefined) settings.put(option, given);
    }
  }
  return settings;
}

function checkedPath(given: Given, options: readonly Option[]): string {
  return String(check(options.find((o) => o.name === 'config') as Option, given));
}

function check(option: Option, given: Given): Value {
  const result = option.schema.safeParse(given.value);
  if (result.success) return result.data;
  throw new BlueMarbleError(
    given.code,
    // What was given for a secret is one, right or wrong: it is not repeated.
    `${given.origin} must be ${option.must}${option.isSecret === true ? '' : `, but was ${show(given.value)}`}`,
  );
}

function show(value: unknown): string {
  return value === undefined ? 'given without a value' : String(JSON.stringify(value)).slice(0, 80);
}

function readFlags(argv: readonly string[], options: readonly Option[]): Source | 'help' {
  const known = Object.fromEntries(
    options.map((o) => [o.name, { type: o.argument === '' ? 'boolean' : 'string' } as const]),
  );
  // strict: false, tokens: true: parseArgs only cuts the words, so that every refusal is one of our sentences.
  const { tokens } = parseArgs({
    args: [...argv],
    options: { ...known, help: { type: 'boolean', short: 'h' } },
    strict: false,
    tokens: true,
  });
  const found: Source = new Map();
  for (const token of tokens) {
    if (token.kind === 'option-terminator') continue;
    if (token.kind === 'positional')
      throw new BlueMarbleError(
        'BAD_FLAG',
        `"${token.value}" is not a flag: flags begin with --, see --help`,
      );
    if (token.name === 'help') return 'help';
    if (found.has(token.name))
      throw new BlueMarbleError('BAD_FLAG', `${token.rawName} was given twice: give it once`);
    const option = options.find((o) => o.name === token.name);
    if (option === undefined)
      throw new BlueMarbleError(
        'BAD_FLAG',
        unknownName(
          token.rawName,
          options.map((o) => `--${o.name}`),
        ),
      );
    const given: Given = { value: flagValue(option, token), origin: `--${token.name}`, code: 'BAD_FLAG' };
    if (given.value === undefined) check(option, given); // now: the words that follow are cut wrongly
    found.set(token.name, given);
  }
  return found;
}

function flagValue(
  option: Option,
  token: { value?: string | undefined; inlineValue?: boolean | undefined },
): unknown {
  if (option.argument === '') return token.value ?? true;
  // "--port --shards 2": the next flag is not the value of this one.
  return token.inlineValue === false && token.value?.startsWith('--') === true ? undefined : token.value;
}

const variableOf = (name: string) => `BLUEMARBLE_${name.toUpperCase().replaceAll('-', '_')}`;

/**
 * What Kubernetes sets in every pod for each service of the namespace, here of one whose name begins with "bluemarble":
 * NAME_SERVICE_HOST, NAME_SERVICE_PORT and, as container links did, NAME_PORT = tcp://10.0.0.1:7777 and its parts.
 */
const SERVICE_NAME =
  /^BLUEMARBLE_(.*_)?(SERVICE_HOST|SERVICE_PORT(_.*)?|PORT_\d+_(TCP|UDP|SCTP)(_(PROTO|PORT|ADDR))?)$/;
const SERVICE_VALUE = /^(tcp|udp|sctp):\/\//;

function readEnvironment(env: OptionInput['env'], options: readonly Option[], settings: Settings): Source {
  const names = new Map(options.map((o) => [variableOf(o.name), o.name]));
  const found: Source = new Map();
  const services: string[] = [];
  for (const [key, value] of Object.entries(env)) {
    if (!key.startsWith('BLUEMARBLE_') || value === undefined) continue;
    const name = names.get(key);
    const isService = key.endsWith('_PORT') && SERVICE_VALUE.test(value);
    if (isService && name !== undefined) services.push(`${key}=${value}`);
    else if (isService || (name === undefined && SERVICE_NAME.test(key))) continue;
    else if (name === undefined) settings.warnings.push(unknownName(key, [...names.keys()]));
    else if (value === '') settings.empty.set(name, key);
    else found.set(name, { value, origin: key, code: 'BAD_FLAG' });
  }
  if (services.length > 0)
    settings.warnings.push(
      `${services.join(' and ')} names a service (Kubernetes sets it) and counts as unset: enableServiceLinks: false keeps such variables out`,
    );
  if (settings.empty.size > 0)
    settings.warnings.push(`${[...settings.empty.values()].join(', ')}: empty, which counts as unset`);
  return found;
}

function readConfigFile(
  path: string,
  options: readonly Option[],
  readText: (path: string) => string,
): Source {
  const refuse = (text: string) => new BlueMarbleError('BAD_CONFIG', text);
  let content: unknown;
  try {
    content = JSON.parse(readText(path));
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw refuse(`the config file ${path} must be a readable JSON file: ${why}`);
  }
  const object = z.record(z.string(), z.unknown()).safeParse(content);
  if (!object.success)
    throw refuse(`the config file ${path} must hold one JSON object, such as {"port": 7777}`);
  const names = options.map((o) => o.name).filter((n) => n !== 'config');
  const found: Source = new Map();
  for (const [name, value] of Object.entries(object.data)) {
    if (!names.includes(name)) throw refuse(`${unknownName(`"${name}"`, names)} (config file ${path})`);
    found.set(name, { value, origin: `"${name}" in the config file ${path}`, code: 'BAD_CONFIG' });
  }
  return found;
}

function unknownName(name: string, known: readonly string[]): string {
  const nearest = nearestName(name.replaceAll('"', ''), known);
  return `${name} is not an option of BlueMarble${nearest === null ? '' : `; did you mean ${nearest}?`}`;
}

/** One line per option for a help text. */
export function optionLines(options: readonly Option[]): string[] {
  return options.map((o) => {
    const fallback = o.fallback === null || o.argument === '' ? '' : ` [${o.fallback}]`;
    return `  ${`--${o.name} ${o.argument}`.padEnd(24)}${o.help}${fallback}`;
  });
}

/**
 * A game module, checked and made ready: tables by kind, decoders, column layout. Pure; made once per shard start.
 * Everything that a game declares is looked at here; later stages trust it.
 */
import { PayloadDecoder, structLayout } from '../base/payload.js';
import { LIMITS } from '../base/limits.js';
import { BlueMarbleError, FIRST_GAME_OUTCOME } from '../base/errors.js';
import {
  COLUMN_BYTES,
  columnBytes,
  type ColumnDeclaration,
  type ColumnLayout,
  layoutColumns,
  PRIVATE_BYTES,
} from './columns.js';
import type { Entity, GameModule, MessageDefinition, World } from './facade.js';
import { type Fields, GameCheck } from './game-check.js';

/** Kinds from here on are the server's own. */
const FIRST_RESERVED_KIND = 0xff00;
const FIELD_TYPES = ['f32', 'f64', 'u8', 'u16', 'u32', 'i32', 'id'] as const;
const MODULE_FIELDS = [
  'name',
  'items',
  'kinds',
  'components',
  'events',
  'rejections',
  'actions',
  'messages',
  'jobs',
  'setup',
  'spawnPlayer',
  'populate',
  'mayReceive',
  'received',
  'returned',
  'step',
  'jobDone',
];

export interface NamedKind {
  readonly name: string;
  readonly kind: number;
}

/** What a log calls the two handlers of a message. */
export interface HandlerNames {
  readonly receive: string;
  readonly answered: string;
}

const TRANSFER_NAMES = handlerNames('a transfer of items');

function handlerNames(of: string): HandlerNames {
  return { receive: `receive of ${of}`, answered: `answered of ${of}` };
}

/** An action by its kind. */
export interface CompiledAction extends NamedKind {
  readonly decoder: PayloadDecoder;
  /** Call with `decoder.payload` after a successful `decoder.decode`. @returns the outcome */
  apply(world: World, actor: Entity, payload: object): number;
}

export class CompiledGame {
  readonly name: string;
  readonly items: readonly string[];
  readonly kinds: readonly string[];
  /** Where each component lies, in the order of declaration. */
  readonly columns: readonly ColumnLayout[];
  readonly publicColumns: readonly ColumnLayout[];
  readonly actions: readonly CompiledAction[];
  readonly events: readonly NamedKind[];
  private readonly eventKinds: ReadonlySet<number>;
  readonly rejections: readonly NamedKind[];
  private readonly actionsByKind: ReadonlyMap<number, CompiledAction>;
  private readonly messagesByKind: ReadonlyMap<number, MessageDefinition>;
  private readonly messageNames: ReadonlyMap<number, HandlerNames>;

  /** For `compileGame`, which has checked the module. */
  constructor(
    readonly module: GameModule,
    readonly source: string,
  ) {
    this.name = module.name;
    this.items = module.items;
    this.kinds = module.kinds;
    this.columns = layoutColumns(declarations(module.components));
    this.publicColumns = this.columns.filter((column) => column.public);
    this.actions = Object.entries(module.actions).map(([name, definition]) => ({
      name,
      kind: definition.kind,
      decoder: new PayloadDecoder(definition.payload),
      apply: (world, actor, payload) => definition.apply(world, actor, payload),
    }));
    this.actionsByKind = new Map(this.actions.map((action) => [action.kind, action]));
    this.messagesByKind = new Map(
      Object.values(module.messages ?? {}).map((message) => [message.kind, message]),
    );
    this.messageNames = new Map(
      Object.entries(module.messages ?? {}).map(([name, { kind }]) => [
        kind,
        handlerNames(`message '${name}'`),
      ]),
    );
    this.events = namedKinds(module.events);
    this.eventKinds = new Set(Object.values(module.events ?? {}));
    this.rejections = namedKinds(module.rejections);
  }

  action(kind: number): CompiledAction | undefined {
    return this.actionsByKind.get(kind);
  }

  message(kind: number): MessageDefinition | undefined {
    return this.messagesByKind.get(kind);
  }

  /** What a log calls the handlers of a message; kind 0 is the transfer of items. */
  handlersOf(kind: number): HandlerNames {
    return this.messageNames.get(kind) ?? TRANSFER_NAMES;
  }

  /** What records, clients and other shards take for granted of the game, by field: a text to compare. */
  get declared(): string {
    const { name, items, kinds, components, events, rejections, actions, messages } = this.module;
    const payloads = Object.entries(actions).map(([action, { kind, payload }]) => [action, kind, payload]);
    const letters = Object.entries(messages ?? {}).map(([message, { kind }]) => [message, kind]);
    const lists = { name, items, kinds, components, events, rejections };
    return JSON.stringify({ ...lists, actions: payloads, messages: letters });
  }

  /**
   * A thread that loads the file later than the others has to find the same in it.
   * @param declared of the game that runs
   * @throws BlueMarbleError BAD_GAME names the fields that are not the same
   */
  checkSame(declared: string): void {
    const [old, now] = [JSON.parse(declared), JSON.parse(this.declared)] as [Fields, Fields];
    const fields = new Set([...Object.keys(old), ...Object.keys(now)]);
    const other = [...fields].filter((field) => JSON.stringify(old[field]) !== JSON.stringify(now[field]));
    if (other.length === 0) return;
    const words = `${other.join(', ')} ${other.length === 1 ? 'is' : 'are'} not what the running server has loaded`;
    throw new BlueMarbleError(
      'BAD_GAME',
      `${this.source}: ${words}; put the file back or start the server anew`,
    );
  }

  hasEvent(kind: number): boolean {
    return this.eventKinds.has(kind);
  }
}

/**
 * @param module the default export of a game file
 * @param source what errors call it: the file's name
 * @throws BlueMarbleError BAD_GAME with a sentence that names the file, the field and what would be right
 */
export function compileGame(module: unknown, source: string): CompiledGame {
  const check = new GameCheck(source);
  if (module === undefined)
    check.fail('it has no default export; export a game module by `export default { … }`');
  const game = check.object(module, 'default export');
  check.known(game, MODULE_FIELDS, '');
  check.text(game.name, 'name');
  check.names(game.items, 'items', 0, LIMITS.itemKinds);
  const kinds = check.names(game.kinds, 'kinds', 1, 0x10000);
  if (kinds[0] !== 'player') check.fail(`kinds[0] is '${kinds[0]}'; the first kind must be 'player'`);
  checkComponents(check, check.object(game.components, 'components'));
  checkNumbers(check, game.events, 'events', 0, 0xffff);
  checkNumbers(check, game.rejections, 'rejections', FIRST_GAME_OUTCOME, 0xffff);
  checkActions(check, check.object(game.actions, 'actions'));
  checkMessages(check, check.optionalObject(game.messages, 'messages'));
  for (const [name, job] of Object.entries(check.optionalObject(game.jobs, 'jobs')))
    check.callable(job, `jobs.${name}`);
  check.handler(game.step, 'step');
  for (const name of ['setup', 'spawnPlayer', 'populate', 'mayReceive', 'received', 'returned', 'jobDone']) {
    if (game[name] !== undefined) check.handler(game[name], name);
  }
  return new CompiledGame(module as GameModule, source);
}

function checkComponents(check: GameCheck, components: Fields): void {
  const types = Object.keys(COLUMN_BYTES);
  for (const [name, declared] of Object.entries(components)) {
    const at = `components.${name}`;
    if (typeof declared === 'string') {
      check.oneOf(declared, types, at);
      continue;
    }
    const fields = check.object(declared, at, `a type (${types.join(', ')}) or { type, public }`);
    check.known(fields, ['type', 'public'], `${at}.`);
    check.oneOf(fields.type, types, `${at}.type`);
    if (fields.public !== undefined) check.boolean(fields.public, `${at}.public`);
  }
  const columns = declarations(components as GameModule['components']);
  const shown = columnBytes(columns.filter((column) => column.public));
  const hidden = columnBytes(columns.filter((column) => !column.public));
  if (shown > LIMITS.publicBytes) {
    check.fail(`components: the public ones take ${shown} bytes; all of them must fit ${LIMITS.publicBytes}`);
  }
  if (hidden > PRIVATE_BYTES) {
    check.fail(
      `components: the private ones take ${hidden} bytes; all of them must fit ${PRIVATE_BYTES} ` +
        `(${LIMITS.componentBytes} less ${LIMITS.publicBytes} for public ones)`,
    );
  }
}

function declarations(components: GameModule['components']): ColumnDeclaration[] {
  return Object.entries(components).map(([name, declared]) =>
    typeof declared === 'string'
      ? { name, type: declared, public: false }
      : { name, type: declared.type, public: declared.public === true },
  );
}

/** A table of name → number, each number once. */
function checkNumbers(check: GameCheck, table: unknown, at: string, low: number, high: number): void {
  const seen = new Map<number, string>();
  for (const [name, value] of Object.entries(check.optionalObject(table, at))) {
    const number = check.integer(value, low, high, `${at}.${name}`);
    check.once(seen, number, `${at}.${name}`);
  }
}

function checkActions(check: GameCheck, actions: Fields): void {
  const seen = new Map<number, string>();
  for (const [name, value] of Object.entries(actions)) {
    const at = `actions.${name}`;
    const action = check.object(value, at);
    check.known(action, ['kind', 'payload', 'apply'], `${at}.`);
    check.once(seen, check.integer(action.kind, 1, FIRST_RESERVED_KIND - 1, `${at}.kind`), `${at}.kind`);
    checkPayload(check, action.payload, `${at}.payload`);
    check.handler(action.apply, `${at}.apply`);
  }
}

function checkPayload(check: GameCheck, payload: unknown, at: string): void {
  if (payload === 'none' || payload === 'text') return;
  const fields = check.object(payload, at, `'none', 'text' or an object of fields`);
  if (Object.keys(fields).length === 0)
    check.fail(`${at} has no fields; an action without a payload says 'none'`);
  for (const [name, type] of Object.entries(fields)) check.oneOf(type, FIELD_TYPES, `${at}.${name}`);
  const { bytes } = structLayout(fields as Record<string, (typeof FIELD_TYPES)[number]>);
  if (bytes > LIMITS.actionPayloadBytes) {
    check.fail(`${at} takes ${bytes} bytes; a payload has at most ${LIMITS.actionPayloadBytes}`);
  }
}

function checkMessages(check: GameCheck, messages: Fields): void {
  const seen = new Map<number, string>();
  for (const [name, value] of Object.entries(messages)) {
    const at = `messages.${name}`;
    const message = check.object(value, at);
    check.known(message, ['kind', 'receive', 'answered'], `${at}.`);
    check.once(seen, check.integer(message.kind, 1, FIRST_RESERVED_KIND - 1, `${at}.kind`), `${at}.kind`);
    check.handler(message.receive, `${at}.receive`);
    if (message.answered !== undefined) check.handler(message.answered, `${at}.answered`);
  }
}

function namedKinds(table: Readonly<Record<string, number>> = {}): NamedKind[] {
  return Object.entries(table).map(([name, kind]) => ({ name, kind }));
}

/**
 * Looks at a data directory that no server uses: lists, shows, verifies, copies. Reads only, but for --snapshot.
 *
 * Exit codes: 0 all is well, 1 something is wrong with the data, those of the registry for what cannot be looked at.
 */
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../base/clock.js';
import { BlueMarbleError } from '../base/errors.js';
import { type Command, helpOf, readFlags } from '../base/flags.js';
import { numbers, readWorld } from './book.js';
import { entityOf } from './codec.js';
import { openDataFolder, openReadOnly } from './data-folder.js';
import type { Engine } from './engine.js';
import { unsealNumbers } from './frame.js';
import type { StoredWorld } from './names.js';
import { SNAPSHOTS } from './snapshot-names.js';
import { takeSnapshot } from './snapshots.js';
import { verifyData } from './verify.js';

export const INSPECT_COMMAND: Command = {
  name: 'npm run inspect',
  about:
    'Looks at a data directory while no server uses it; without a question it says what the directory holds.',
  usage: '-- --data DIR [flags]',
  flags: [
    { name: 'data', argument: 'DIR', help: 'the data directory, or DIR/snapshots/NAME' },
    { name: 'list', argument: '', help: 'every entity, one a line: id, kind, place, items' },
    {
      name: 'entity',
      argument: 'ID',
      help: 'one entity with everything that is stored of it, and the journal of what it gave and took',
    },
    {
      name: 'verify',
      argument: '',
      help: 'every checksum and table, ids and places, accounts and their entities, item totals against created less consumed',
    },
    {
      name: 'snapshot',
      argument: 'NAME',
      help: 'a verified copy in DIR/snapshots/NAME; start with --restore NAME to go back to it',
    },
  ],
  examples: [
    ['npm run inspect -- --data world', 'what is in it'],
    ['npm run inspect -- --data world --verify', 'is all of it sound?'],
    ['npm run inspect -- --data world --entity 4097', 'one entity and its journal'],
  ],
  exits: ['1 something is wrong with the data', '17 and up: it cannot be looked at, see README'],
};

type Print = (line: string) => void;
/** A verification that takes longer says every so often how far it is. */
const PROGRESS_MS = 2000;

/** @param tell where progress goes @returns the exit code */
export async function inspect(
  argv: readonly string[],
  print: Print,
  tell: Print,
  clock: Clock,
): Promise<number> {
  const flags = readFlags(argv, INSPECT_COMMAND);
  if (flags === 'help') {
    print(helpOf(INSPECT_COMMAND).trimEnd());
    return 0;
  }
  const folder = flags.text('data', '');
  if (folder === '') throw new BlueMarbleError('BAD_FLAG', '--data DIR is needed: see --help');
  if (flags.has('snapshot')) return copy(folder, flags.text('snapshot', ''), print);
  const engine = openReadOnly(folder);
  try {
    const world = readWorld(engine, folder);
    if (flags.has('entity')) {
      const id = flags.whole('entity', 0, 1, Number.MAX_SAFE_INTEGER);
      return showEntity(engine, world, id, print);
    }
    if (flags.has('list')) return list(engine, world, print);
    if (flags.has('verify')) return await verify(engine, folder, print, progress(tell, clock));
    return overview(engine, world, folder, print);
  } finally {
    await engine.close();
  }
}

async function copy(folder: string, name: string, print: Print): Promise<number> {
  const { engine, release } = await openDataFolder(folder);
  try {
    const { tick, entities, bytes, orphans } = await takeSnapshot(engine, folder, {
      name,
      keep: Number.POSITIVE_INFINITY,
    });
    print(`snapshot '${name}': tick ${tick}, ${entities} entities, ${bytes} bytes, verified`);
    if (orphans > 0) print(`${orphans} accounts and entities have lost each other: see --verify`);
    return 0;
  } finally {
    await engine.close();
    release();
  }
}

function overview(engine: Engine, world: StoredWorld, folder: string, print: Print): number {
  const snapshots = join(folder, SNAPSHOTS);
  print(`game        ${world.game}, seed ${world.seed}, base tiles of level ${world.baseLevel}`);
  print(`durable     tick ${numbers(engine, 'durableTick', folder)[0]}`);
  for (const table of ['entities', 'players', 'accounts', 'tiles', 'journal'] as const) {
    print(`${table.padEnd(11)} ${engine.count(table)}`);
  }
  print(`kinds       ${world.kinds.join(', ')}`);
  print(`items       ${world.items.join(', ')}`);
  print(`components  ${world.columns.map(({ name, type }) => `${name} ${type}`).join(', ')}`);
  print(`snapshots   ${existsSync(snapshots) ? readdirSync(snapshots).join(', ') || 'none' : 'none'}`);
  return 0;
}

function list(engine: Engine, world: StoredWorld, print: Print): number {
  let refused = 0;
  for (const [id, bytes] of engine.entries('entities')) {
    const entity = entityOf(bytes);
    if (typeof entity === 'string') {
      refused++;
      print(`${id}  refused: ${entity}`);
      continue;
    }
    const items = Array.from({ length: entity.itemsLength() }, (_, i) => {
      const stack = entity.items(i)!;
      return `${stack.count()} ${world.items[stack.item()]}`;
    });
    const place = `${entity.x().toFixed(1)} ${entity.y().toFixed(1)}`;
    print(`${id}  ${world.kinds[entity.kind()]}  ${place}  ${items.join(', ') || '-'}`);
  }
  return refused > 0 ? 1 : 0;
}

/** @returns what a verification calls now and then */
function progress(tell: Print, clock: Clock): (done: number, of: number) => Promise<void> {
  let toldMs = clock.now();
  return async (done, of) => {
    if (clock.now() - toldMs < PROGRESS_MS) return;
    toldMs = clock.now();
    tell(`${done} of ${of} records looked at (${Math.floor((100 * done) / of)} %)`);
  };
}

async function verify(
  engine: Engine,
  folder: string,
  print: Print,
  looked: (done: number, of: number) => Promise<void>,
): Promise<number> {
  const verdict = await verifyData(engine, folder, looked);
  const found = verdict.faultCount + verdict.orphanCount;
  for (const sentence of [...verdict.faults, ...verdict.orphans]) print(sentence);
  const more = found - verdict.faults.length - verdict.orphans.length;
  if (more > 0) print(`… and ${more} more`);
  for (const { name, held, expected } of verdict.items) print(`${name}: ${held} of ${expected}`);
  const { tick, entities, players, accounts, faultCount, orphanCount } = verdict;
  print(
    `tick ${tick}: ${entities} entities, ${players} players, ${accounts} accounts, ${faultCount} faults, ${orphanCount} orphans`,
  );
  return found > 0 ? 1 : 0;
}

function showEntity(engine: Engine, world: StoredWorld, id: number, print: Print): number {
  const bytes = engine.get('entities', id);
  const entity = bytes === undefined ? 'there is no such entity now' : entityOf(bytes);
  if (typeof entity === 'string') print(`entity ${id}: ${entity}`);
  else {
    print(
      `entity ${id}: ${world.kinds[entity.kind()]} at ${entity.x()} ${entity.y()}, as of tick ${entity.tick()}`,
    );
    const session = entity.session();
    if (session !== null)
      print(
        `session ${session.id()}: ${session.lastAction()} actions, ${session.applied()} applied, ${session.rejected()} rejected`,
      );
    for (let i = 0; i < entity.itemsLength(); i++) {
      const stack = entity.items(i)!;
      print(`item ${world.items[stack.item()]}: ${stack.count()}`);
    }
    for (let i = 0; i < entity.columnsLength(); i++) {
      const column = entity.columns(i)!;
      print(`${world.columns[column.column()]?.name}: ${column.value()}`);
    }
    for (let i = 0; i < entity.lettersLength(); i++) {
      const letter = entity.letters(i)!;
      const what = letter.item() === 0 ? 'no items' : `${letter.count()} ${world.items[letter.item() - 1]}`;
      print(`under way to ${letter.target()}: message ${letter.counter()}, ${what}`);
    }
  }
  const lines = [...engine.entries('journal', id)];
  for (const [, value] of lines) printLine(unsealNumbers(value), world, id, print);
  if (lines.length === 0) print('journal: empty');
  return typeof entity === 'string' && bytes !== undefined ? 1 : 0;
}

function printLine(line: number[] | null, world: StoredWorld, id: number, print: Print): void {
  if (line === null) return print('journal: a line with a wrong checksum');
  const [source, counter, from, to, item, count, tick, how] = line;
  const what = `${count} ${world.items[item]}`;
  const whom = from === id ? `gave ${what} to ${to || 'nobody'}` : `took ${what} from ${from || 'nobody'}`;
  print(`journal: tick ${tick}  ${whom}  transfer ${source}/${counter}, kind ${how}`);
}

/** What is committed as generated belongs to the schemas, and what is laid out by hand agrees with it. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { structLayout } from '../../src/base/payload.js';
import game from '../../src/game/game.js';
import { CLIENT_ENTRY } from '../../src/wire/client-message.js';
import { ClientBody } from '../../src/wire/generated/client_generated.js';
import {
  CLIENT_SCHEMA,
  CLIENT_STRUCTS,
  GAME_STRUCTS,
  SERVER_SCHEMA,
  SERVER_STRUCTS,
} from '../../src/wire/generated/schema.js';
import { ColumnType, ServerBody } from '../../src/wire/generated/server_generated.js';
import { CLIENT, COLUMN_TYPES, SERVER } from '../../src/wire/protocol.js';
import { Verifier } from '../../src/base/verifier.js';

const root = fileURLToPath(new URL('../../..', import.meta.url));

t.test('the generated folder is what the schemas give', async (t) => {
  const output = execFileSync(process.execPath, ['dist/schemas/generate.js', '--check'], {
    cwd: root,
    encoding: 'utf8',
  });
  t.match(output, 'is what the schemas give');
});

/** HELLO and 'hello' and 'Hello' are one. */
const plain = (names: Iterable<[string, unknown]>) =>
  Object.fromEntries([...names].map(([name, value]) => [name.replaceAll('_', '').toLowerCase(), value]));

/** The numbers of a TypeScript enum, without its reverse mapping. */
const numbers = (e: object) => Object.entries(e).filter(([, value]) => typeof value === 'number');

t.test('message and column types are those of the schemas', async (t) => {
  t.same(plain(Object.entries(CLIENT)), plain(numbers(ClientBody)));
  t.same(plain(Object.entries(SERVER)), plain(numbers(ServerBody)));
  t.same(plain(COLUMN_TYPES.map((name, i) => [name, i])), plain(numbers(ColumnType)));
});

t.test('the vtable entries of the reader of client messages are those of the schema', async (t) => {
  const entries = (table: string) =>
    plain(CLIENT_SCHEMA.tables[table].map((f) => [f.name.replace('resume_', ''), 4 + f.slot * 2]));
  const { action, ping, keyRequest, hello, ...message } = CLIENT_ENTRY;
  t.same(plain(Object.entries(message)), { ...entries('ClientMessage'), bodytype: CLIENT_ENTRY.body - 2 });
  t.same(plain(Object.entries(action)), entries('Action'));
  t.same(plain(Object.entries(ping)), entries('Ping'));
  t.same(plain(Object.entries(keyRequest)), entries('KeyRequest'));
  t.same(plain(Object.entries(hello)), entries('Hello'));
});

t.test('structs keep the sizes that the protocol promises', async (t) => {
  t.equal(SERVER_STRUCTS.EntityState.size, 32);
  t.equal(SERVER_STRUCTS.EntityMove.size, 16);
  t.equal(SERVER_STRUCTS.Removal.size, 24);
  t.equal(SERVER_STRUCTS.Outcome.size, 8);
  t.equal(CLIENT_STRUCTS.CellRef.size, 12);
});

t.test('the structs of game.fbs lie where the built-in game reads and writes', async (t) => {
  const read = new Set(['TradeState']);
  for (const [action, { payload }] of Object.entries(game.actions)) {
    if (typeof payload === 'string') continue;
    const layout = structLayout(payload);
    const name = `${action[0]!.toUpperCase()}${action.slice(1)}`;
    read.add(name);
    t.equal(layout.bytes, GAME_STRUCTS[name]?.size, name);
    t.same(Object.fromEntries(layout.fields.map((f) => [f.name, f.offset])), GAME_STRUCTS[name]?.offsets);
  }
  t.ok(read.size > 8);
  t.same(Object.keys(GAME_STRUCTS).sort(), [...read].sort());
  const { asker, asked, version, state, accepted, ...items } = GAME_STRUCTS.TradeState.offsets;
  t.same(
    { asker, asked, version, state, accepted },
    { asker: 0, asked: 8, version: 16, state: 18, accepted: 19 },
  );
  t.same(
    Object.values(items),
    game.items.concat(game.items).map((_, i) => 20 + i * 2),
    'two bytes each item and party',
  );
  t.equal(GAME_STRUCTS.TradeState.size, 40);
});

t.test('a schema that names a missing table is refused when it is compiled', async (t) => {
  const tables = { ...SERVER_SCHEMA.tables, Event: undefined };
  const { Event: _, ...rest } = tables;
  const broken = { root: 'ServerMessage', tables: rest } as typeof SERVER_SCHEMA;
  t.throws(() => new Verifier(broken, { maxBytes: 1, maxTables: 1, maxDepth: 1 }), /no table Event/);
});

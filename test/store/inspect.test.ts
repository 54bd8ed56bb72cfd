/** inspect on a directory that a planet filled: overview, list, one entity with its journal, verify, a flipped bit. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { LIMITS } from '../../src/base/limits.js';
import { boundsOf, tileAt } from '../../src/geo/address.js';
import { ITEM } from '../../src/game/constants.js';
import game from '../../src/game/game.js';
import { FLAG } from '../../src/memory/player.js';
import { pushTransfer } from '../../src/memory/store-ring.js';
import type { Write } from '../../src/store/engine.js';
import { sealNumbers } from '../../src/store/frame.js';
import { openDataFolder } from '../../src/store/data-folder.js';
import { inspect } from '../../src/store/inspect.js';
import { DATA_FILE } from '../../src/store/lmdb-engine.js';
import { keep, run } from './keeper.js';

/** @param tickMs by which the clock goes on with every look at it */
async function timed(tickMs: number, ...argv: string[]) {
  const lines: string[] = [];
  const told: string[] = [];
  let now = 0;
  const code = await inspect(
    argv,
    (line) => lines.push(line),
    (line) => told.push(line),
    { now: () => (now += tickMs) },
  );
  return { code, text: lines.join('\n'), told };
}
const look = (...argv: string[]) => timed(0, ...argv);

t.test('what a planet left in its data directory', async (t) => {
  const dir = t.testdir();
  const folder = await openDataFolder(dir);
  const kept = keep(game, folder.engine);
  const { planet } = kept;
  const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
  planet.assign(tile.east - 50, tile.south + 500, 0);
  const a = planet.join(tile.east - 20, tile.south + 500, FLAG.NEW | FLAG.ACCOUNT);
  const b = planet.join(tile.east - 21, tile.south + 500, FLAG.NEW | FLAG.ACCOUNT);
  run(kept, 5);
  planet.act(a, 'give', { target: b.id, item: ITEM.coin, count: 3 });
  kept.store.bindAccount('ada', 0, a.id);
  kept.store.bindAccount('bob', 0, b.id);
  const line = { source: a.id, counter: 1, from: a.id, to: b.id, itemKind: ITEM.coin, count: 3, how: 1 };
  pushTransfer(planet.world.stored[0]!, { ...line, tick: planet.tick });
  run(kept, 20);
  await folder.engine.close();
  folder.release();

  t.match((await look('--data', dir)).text, /game {8}[\s\S]*players {5}2/);
  const listed = await look('--data', dir, '--list');
  t.match(listed.text, new RegExp(`${a.id} {2}player .* 7 coin`));
  const one = await look('--data', dir, '--entity', String(b.id));
  t.match(one.text, /item coin: 13/);
  t.match(one.text, new RegExp(`took 3 coin from ${a.id} {2}transfer ${a.id}/1`));
  const verdict = await look('--data', dir, '--verify');
  t.match(verdict.text, /2 accounts, 0 faults, 0 orphans/);
  t.equal(verdict.code, 0);
  t.match((await look('--data', dir, '--snapshot', 'friday')).text, /verified/);
  t.equal((await look('--data', join(dir, 'snapshots', 'friday'), '--verify')).code, 0);

  // One bit of one entity, wherever LMDB has put it: its id as a little-endian u64, in the last place it was written to. Behind the two pages about the file.
  const file = join(dir, DATA_FILE);
  const bytes = readFileSync(file);
  const id = Buffer.alloc(8);
  id.writeBigUInt64LE(BigInt(b.id));
  let flipped = 0;
  for (let at = bytes.indexOf(id, 2 * 4096); at >= 0; at = bytes.indexOf(id, at + 1)) {
    bytes[at + 7] ^= 1;
    flipped++;
  }
  t.ok(flipped > 0);
  writeFileSync(file, bytes);
  const bad = await look('--data', dir, '--verify');
  t.equal(bad.code, 1);
  t.match(bad.text, new RegExp(`entity ${b.id}: its checksum is wrong`));
  t.match((await look('--data', dir, '--entity', String(b.id))).text, /its checksum is wrong/);
});

t.test('accounts and entities that have lost each other are found, and copied all the same', async (t) => {
  const binding = (key: string, entity: number | null): Write => ({
    ...{ table: 'accounts', key },
    value: entity === null ? null : sealNumbers([entity]),
  });
  const cases = [
    { name: 'as it is', write: () => binding('nobody', null), orphans: [] },
    {
      name: 'an entity without its account',
      write: () => binding('bob', null),
      orphans: [/^entity \d+: it is an account's, but no account plays it$/m],
    },
    {
      name: 'an account without its entity',
      write: () => binding('carl', 999_999),
      orphans: [/^account "carl": its entity 999999 is not there$/m],
    },
    {
      name: 'two accounts with one entity',
      write: (ada: number) => binding('bob', ada),
      orphans: [
        /^accounts "ada" and "bob" play the same entity \d+$/m,
        /^entity \d+: it is an account's, but no account plays it$/m,
      ],
    },
  ];
  for (const { name, write, orphans } of cases) {
    const dir = join(t.testdir(), name);
    const { engine, release } = await openDataFolder(dir);
    const kept = keep(game, engine);
    const tile = boundsOf(tileAt(10_000, 10_000, LIMITS.baseTileLevel));
    kept.planet.assign(tile.east - 50, tile.south + 500, 0);
    const players = [-20, -21].map((dx) =>
      kept.planet.join(tile.east + dx, tile.south + 500, FLAG.NEW | FLAG.ACCOUNT),
    );
    ['ada', 'bob'].forEach((player, i) => {
      kept.store.bindAccount(player, 0, players[i]!.id);
    });
    run(kept, 10);
    engine.commit([write(players[0]!.id)], (trouble) => t.equal(trouble, null));
    await engine.close();
    release();
    const { code, text } = await look('--data', dir, '--verify');
    t.equal(code, orphans.length > 0 ? 1 : 0, name);
    t.match(text, new RegExp(`0 faults, ${orphans.length} orphans`), name);
    for (const orphan of orphans) t.match(text, orphan, name);
    const copied = await look('--data', dir, '--snapshot', 'friday');
    t.equal(copied.code, 0, `${name}: the copy is a good copy`);
    t.equal(/have lost each other/.test(copied.text), orphans.length > 0, name);
  }
});

t.test('a verification that takes long says how far it is', async (t) => {
  const dir = t.testdir();
  const folder = await openDataFolder(dir);
  const kept = keep(game, folder.engine);
  run(kept, 5);
  const journal: Write[] = Array.from({ length: 4100 }, (_, i) => ({
    table: 'journal',
    key: [9, i],
    value: sealNumbers([1, 2, 3]),
  }));
  await new Promise<void>((resolve, reject) =>
    folder.engine.commit(journal, (trouble) => (trouble === null ? resolve() : reject(trouble))),
  );
  await folder.engine.close();
  folder.release();
  t.same((await look('--data', dir, '--verify')).told, [], 'a quick one says nothing');
  const slow = await timed(1500, '--data', dir, '--verify');
  t.match(slow.told, [/^4000 of \d+ records looked at \(\d+ %\)$/]);
  t.equal(slow.told.length, 1, 'not with every slice');
});

t.test('what cannot be looked at is said', async (t) => {
  await t.rejects(look('--data', join(t.testdir(), 'nowhere')), { code: 'BAD_FLAG', message: /holds no/ });
  await t.rejects(look(), { code: 'BAD_FLAG', message: /--data DIR is needed/ });
  t.match((await look('--help')).text, /Examples/);
});

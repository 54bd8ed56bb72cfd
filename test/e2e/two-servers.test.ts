/** Two servers on one data directory, each the first process of a PID namespace of its own, as in two containers. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { hasNoNamespaces } from '../store/namespaces.js';
import { Server, within } from './server.js';

const SMALL = ['--shards', '1', '--max-entities', '256'];

t.test('two servers that are PID 1 each, on one directory', { skip: hasNoNamespaces }, async (t) => {
  const data = join(t.testdir({}), 'data');
  const first = await Server.start(t, [...SMALL, '--data', data], { mayLog: [/./], isPid1: true });
  await t.rejects(
    Server.start(t, [...SMALL, '--data', data], { isPid1: true }),
    /process 1 on \S+ uses .*DATA_LOCKED/,
  );
  t.equal((await fetch(`${first.admin}/readyz`)).status, 200);
  // As on a file system without locks: the second is let in, and the first stops by itself.
  writeFileSync(join(data, 'another'), '');
  renameSync(join(data, 'another'), join(data, 'lock'));
  const second = await Server.start(t, [...SMALL, '--data', data], { mayLog: [/./], isPid1: true });
  t.equal((await within('the first one ends', first.ended, 12_000)).code, ERRORS.DATA_TAKEN.number);
  t.match(
    first.log.find(({ level }) => level === 'fatal'),
    { reason: /has taken over the data directory/, code: 'DATA_TAKEN' },
  );
  t.equal((await fetch(`${second.admin}/readyz`)).status, 200);
  await second.stop();
});

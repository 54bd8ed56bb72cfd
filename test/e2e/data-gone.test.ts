/** A server whose data directory is taken from it says so: alarm, closed door, exit code; what comes back goes on. */
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { ERRORS } from '../../src/base/errors.js';
import { mountsNot } from '../store/small-disk.js';
import { eventually, Server, within } from './server.js';

const SMALL = ['--shards', '1', '--max-entities', '256'];
const any = { mayLog: [/./] };

const isReady = async (server: Server) => (await fetch(`${server.admin}/readyz`)).status === 200;

/** Stops it, and tells the exit code. */
async function stop(server: Server): Promise<number | null> {
  server.signal('SIGTERM');
  return (await within('the server ends', server.ended, 12_000)).code;
}

interface Case {
  readonly what: string;
  readonly change: (data: string) => void;
  /** Puts it right again; without one it stays so until the stop. */
  readonly undo?: (data: string) => void;
}

const CASES: readonly Case[] = [
  { what: 'the directory is removed', change: (data) => rmSync(data, { recursive: true }) },
  { what: 'its file is removed', change: (data) => rmSync(join(data, 'world.mdb')) },
  {
    what: 'the directory is moved away',
    change: (data) => renameSync(data, `${data}.away`),
    undo: (data) => renameSync(`${data}.away`, data),
  },
  {
    what: 'another one stands in its place',
    change: (data) => {
      renameSync(data, `${data}.away`);
      mkdirSync(data);
      cpSync(`${data}.away`, data, { recursive: true });
    },
    undo: (data) => {
      rmSync(data, { recursive: true });
      renameSync(`${data}.away`, data);
    },
  },
  {
    what: 'its file is replaced by a copy',
    change: (data) => {
      cpSync(join(data, 'world.mdb'), join(data, 'copy'));
      renameSync(join(data, 'copy'), join(data, 'world.mdb'));
    },
  },
];

for (const { what, change, undo } of CASES) {
  t.test(what, async (t) => {
    const data = join(t.testdir({}), 'data');
    const server = await Server.start(t, [...SMALL, '--data', data], any);
    change(data);
    await eventually('the door is closed', async () => !(await isReady(server)));
    await eventually('it is told', async () => (await server.status()).alarms.length > 0);
    const { store, alarms } = await server.status();
    t.match(store, { state: 'failing', trouble: /is gone or was replaced/ });
    t.match(JSON.stringify(alarms), /is gone or was replaced/);
    const { durableTick } = await server.status();
    await eventually('time goes on', async () => (await server.status()).tick > durableTick + 20);
    t.equal((await server.status()).durableTick, durableTick, 'nothing is called durable');
    if (undo === undefined) {
      t.equal(await stop(server), ERRORS.NOT_SAVED.number);
      t.match(
        server.log.find(({ msg }) => /did not take the last/.test(msg)),
        { level: 'error', durableTick, reason: /is gone or was replaced/ },
      );
      return;
    }
    undo(data);
    await eventually('the door is open again', () => isReady(server));
    t.ok((await server.status()).durableTick > durableTick);
    t.equal(await stop(server), 0);
  });
}

for (const gone of ['lock', 'snapshots'])
  t.test(`without ${gone} the server goes on`, async (t) => {
    const data = join(t.testdir({}), 'data');
    const server = await Server.start(t, [...SMALL, '--data', data]);
    t.equal(await server.command('snapshot', { name: 'one' }), 200);
    const { durableTick } = await server.status();
    rmSync(join(data, gone), { recursive: true });
    await eventually('it writes', async () => (await server.status()).durableTick > durableTick + 40);
    t.equal(await server.command('snapshot', { name: 'two' }), 200);
    await t.rejects(Server.start(t, [...SMALL, '--data', data]), /DATA_LOCKED/);
    await server.stop();
  });

async function onFullDisk(t: Test, work: (server: Server, free: () => void) => Promise<void>): Promise<void> {
  const disk = join(t.testdir({ disk: {} }), 'disk');
  t.equal(spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=8m', 'tmpfs', disk]).status, 0);
  try {
    const server = await Server.start(t, [...SMALL, '--data', join(disk, 'data'), '--bots', '40'], any);
    const { bavail, bsize } = statfsSync(disk);
    writeFileSync(join(disk, 'ballast'), new Uint8Array(bavail * bsize));
    await eventually('the disk is full', async () => !(await isReady(server)), 60_000);
    await work(server, () => rmSync(join(disk, 'ballast')));
  } finally {
    spawnSync('umount', ['-l', disk]);
  }
}

t.test('a stop while the disk is full is no orderly one', { skip: mountsNot() }, (t) =>
  onFullDisk(t, async (server) => {
    t.equal(await stop(server), ERRORS.NOT_SAVED.number);
    t.match(server.errors, /"level":"error".*"lostMs":[1-9].*space.*did not take the last/i);
  }),
);

t.test('with room again it is one, whatever was tried in vain', { skip: mountsNot() }, (t) =>
  onFullDisk(t, async (server, free) => {
    free();
    t.equal(await stop(server), 0);
    t.notMatch(server.errors, /did not take the last/);
  }),
);

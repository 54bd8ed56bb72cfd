/**
 * An operator puts the world back to a snapshot while clients know of more: one on the SDK, one written from the manual
 * alone in another language, and one that keeps neither to the rule of echoes nor says what it keeps. Nobody is closed
 * for good, and whoever was in the snapshot plays the same entity.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import t, { type Test } from 'tap';
import { freePort } from '../../bench/kills.js';
import { seededRandom } from '../../src/base/random.js';
import { connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import { ROOT } from '../house/source.js';
import { CUT, RawClient } from './raw.js';
import { eventually, Server, within } from './server.js';

const STAND = { heading: 0, speed: 0, seconds: 0 };

/** The client in Python: its lines as they come. */
class Foreigner {
  readonly lines: Record<string, unknown>[] = [];
  private readonly child;
  constructor(t: Test, url: string) {
    const flags = [join(ROOT, 'test/native/client.py'), '--url', url, '--outlive'];
    this.child = spawn('python3', flags, { stdio: ['pipe', 'pipe', 'inherit'] });
    t.teardown(() => this.child.kill('SIGKILL'));
    createInterface({ input: this.child.stdout }).on('line', (line) => this.lines.push(JSON.parse(line)));
  }
  /** @param meanwhile is called at each look */
  async tells(count: number, meanwhile = () => {}): Promise<Record<string, unknown>> {
    const isSo = () => {
      meanwhile();
      return this.lines.length >= count;
    };
    await eventually(`the foreign client tells its line ${count}`, isSo, 60_000);
    return this.lines[count - 1]!;
  }
  goOn(): void {
    this.child.stdin.write('\n');
  }
}

async function players(t: Test, server: Server) {
  let sessions = 0;
  let durable = 0;
  const sdk = connect({
    url: server.url,
    socket: nodeSockets,
    handlers: {
      session: () => sessions++,
      durable: ({ id }) => {
        durable = id;
      },
    },
  });
  t.teardown(() => sdk.abandon());
  await within('the Welcome', sdk.ready);
  const raw = await RawClient.play(server.port);
  return {
    sdk,
    raw,
    foreign: new Foreigner(t, server.url),
    sessions: () => sessions,
    durable: () => durable,
  };
}

t.test('clients outlive a restore', async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-restore-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const port = await freePort(seededRandom(process.pid));
  const flags = ['--data', folder, '--port', `${port}`, '--admin-port', '0'];
  const first = await Server.start(t, flags);
  const { sdk, raw, foreign, sessions, durable } = await players(t, first);
  const deeds = async (n: number) => {
    const acts = Array.from({ length: n }, () => sdk.act('walk', STAND));
    raw.send(...acts.map((_, i) => raw.action(raw.applied + 1 + i)));
    const last = raw.applied + n;
    await Promise.all(acts);
    await raw.until('decided', () => raw.applied === last);
    await eventually('durable', () => durable() === sdk.lastActionId, 60_000);
  };
  await deeds(5);
  const echo = () => void raw.send(raw.writer.ping(raw.newestTick, 1)); // answers nothing by itself, and is not slow
  t.match(await foreign.tells(1, echo), { durable: 10 });
  t.equal(await first.command('snapshot', { name: 'then' }), 200);
  foreign.goOn();
  await deeds(5);
  t.match(await foreign.tells(2, echo), { durable: 20 });
  foreign.goOn();
  const { entity } = sdk;
  const { newestTick } = raw;
  first.signal('SIGKILL');
  await first.ended;
  t.equal(await within('the raw client is cut', raw.ended), CUT);

  const second = await Server.start(t, [...flags, '--restore', 'then']);
  const stubborn = (await RawClient.open(second.port)).hello(raw.resumption);
  await stubborn.until('the Welcome', () => stubborn.welcome !== undefined);
  t.match(stubborn.welcome, { resumed: true, applied: 5 }, 'it does not say that it keeps nothing below 11');
  stubborn.send(stubborn.writer.ping(newestTick + 1_000_000, 7));
  await stubborn.until('a Pong for an echo from ahead of the clock', () => stubborn.nonce === 7);
  stubborn.send(stubborn.action(11));
  await within('it is told to begin anew', stubborn.ended);
  t.equal(stubborn.closing, 'SESSION_EXPIRED');
  await eventually('the SDK is online again', () => sdk.state === 'online', 30_000);
  t.match(sdk.welcome, { resumed: false, entity, applied: 0 }, 'a new session for the same entity');
  t.equal(sessions(), 1);
  t.match(await within('an outcome', sdk.act('walk', STAND)), { id: 1, code: 0 });
  const report = await foreign.tells(3);
  t.match(report, { ok: true, failures: [], resumes: 1, renewals: 1, actions: 3, applied: 3 });

  await within('goodbye', sdk.goodbye());
  await second.stop();
});

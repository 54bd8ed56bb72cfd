/**
 * A debugger at a game's breakpoint holds a shard's thread for seconds: nobody is disconnected, nothing is lost, no thread
 * is ended, nothing is blamed. The debugger here is a client of Node's inspector that does what an editor does.
 */
import { SourceMap, type SourceMapPayload } from 'node:module';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import t, { type Test } from 'tap';
import WebSocket from 'ws';
import { connect } from '../../src/client/client.js';
import { nodeSockets } from '../../src/client/node-socket.js';
import { WATCH } from '../../src/control/watch-times.js';
import { ROOT } from '../house/source.js';
import { eventually, pause, Server, within } from './server.js';

t.setTimeout(120_000);

const GAME = join(ROOT, 'test/fixtures/games/fragile.ts');
const PAYLOADS = { count: 'none', stall: 'none' } as const;
/** Longer than any thread may be silent that uses no CPU time. */
const HELD_MS = WATCH.asleepMs + 1_000;

interface Message {
  readonly id?: number;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: Record<string, unknown>;
}

/** An inspector client that attaches to the threads of a process, by the domain NodeWorker of Node's inspector. */
class Debugger {
  /** Threads that stand at a breakpoint, by their sessions: file and line (from 0) of the author's source. */
  readonly stopped = new Map<string, { file: string; line: number }>();
  private ids = 0;
  private readonly answers = new Map<number, (result: Record<string, unknown>) => void>();
  private readonly sessions: string[] = [];
  private readonly maps = new Map<string, SourceMap>();
  private constructor(
    private readonly socket: WebSocket,
    private readonly file: string,
    private readonly line: number,
  ) {
    socket.on('message', (data) => this.heard('', JSON.parse(String(data)) as Message));
  }

  /** Attaches, and sets a breakpoint in every thread that has loaded the file. */
  static async attach(t: Test, url: string, file: string, line: number): Promise<Debugger> {
    const socket = new WebSocket(url);
    t.teardown(() => socket.terminate());
    await within('the inspector', new Promise((resolve) => void socket.once('open', resolve)));
    const made = new Debugger(socket, file, line);
    await made.ask('', 'NodeWorker.enable', { waitForDebuggerOnStart: false });
    return made;
  }

  /** How many threads have the breakpoint. */
  breakpoints = 0;

  async goOn(): Promise<void> {
    for (const session of [...this.stopped.keys()]) {
      this.stopped.delete(session);
      await this.ask(session, 'Debugger.resume');
    }
  }

  /** Takes the breakpoints away, and lets go. */
  async detach(): Promise<void> {
    for (const session of this.sessions) await this.ask(session, 'Debugger.disable');
    await this.ask('', 'NodeWorker.disable');
    this.socket.close();
    await within('the inspector lets go', new Promise((resolve) => void this.socket.once('close', resolve)));
  }

  /** @param session '' = the main thread's */
  private ask(session: string, method: string, params: object = {}): Promise<Record<string, unknown>> {
    const id = ++this.ids;
    const message = JSON.stringify({ id, method, params });
    const answered = new Promise<Record<string, unknown>>((resolve) => void this.answers.set(id, resolve));
    const inner = { sessionId: session, message };
    this.socket.send(
      session === ''
        ? message
        : JSON.stringify({ id: ++this.ids, method: 'NodeWorker.sendMessageToWorker', params: inner }),
    );
    return within(method, answered);
  }

  private heard(session: string, { id, method, params = {}, result = {} }: Message): void {
    if (id !== undefined) this.answers.get(id)?.(result);
    else if (method === 'NodeWorker.receivedMessageFromWorker')
      this.heard(String(params.sessionId), JSON.parse(String(params.message)) as Message);
    else if (method === 'NodeWorker.attachedToWorker') {
      this.sessions.push(String(params.sessionId));
      void this.ask(String(params.sessionId), 'Debugger.enable');
    } else if (method === 'Debugger.scriptParsed') this.parsed(session, params);
    else if (method === 'Debugger.paused') {
      const [frame] = params.callFrames as {
        location: { scriptId: string; lineNumber: number; columnNumber: number };
      }[];
      const { scriptId, lineNumber, columnNumber } = frame!.location;
      const entry = this.maps.get(session + scriptId)?.findEntry(lineNumber, columnNumber);
      const at = entry !== undefined && 'originalLine' in entry ? entry : null;
      this.stopped.set(session, { file: at?.originalSource ?? '', line: at?.originalLine ?? -1 });
    }
  }

  /** As an editor does: the script's map says where the author's line is. */
  private parsed(session: string, { scriptId, sourceMapURL, endLine }: Record<string, unknown>): void {
    const [, base64] = /^data:application\/json;base64,(.*)$/s.exec(String(sourceMapURL ?? '')) ?? [];
    if (base64 === undefined) return;
    const payload = JSON.parse(Buffer.from(base64, 'base64').toString()) as SourceMapPayload;
    const sources = payload.sources.map((source) => new URL(source, payload.sourceRoot).href);
    const map = new SourceMap({ ...payload, sources, sourceRoot: '' });
    this.maps.set(session + String(scriptId), map);
    for (let lineNumber = 0; lineNumber < Number(endLine); lineNumber++) {
      const entry = map.findEntry(lineNumber, 1_000);
      if (
        !('originalLine' in entry) ||
        entry.originalLine !== this.line ||
        entry.originalSource !== this.file
      )
        continue;
      void this.ask(session, 'Debugger.setBreakpoint', { location: { scriptId, lineNumber } }).then(() => {
        this.breakpoints++;
      });
      return;
    }
  }
}

async function enter(t: Test, server: Server) {
  const closes: number[] = [];
  const client = connect({
    url: server.url,
    socket: nodeSockets,
    payloads: PAYLOADS,
    handlers: { disconnected: (code) => closes.push(code) },
  });
  t.teardown(() => client.abandon());
  await within('Welcome', client.ready);
  return { client, closes };
}

t.test('a shard stands at a breakpoint in an action, twice', async (t) => {
  const server = await Server.start(t, ['--shards', '1', '--game', GAME], { isInspected: true });
  const [{ client, closes }, other] = [await enter(t, server), await enter(t, server)];
  const lines = readFileSync(GAME, 'utf8').split('\n');
  const line = lines.findIndex((text) => text.includes('columns.count.get(actor) + 1'));
  const file = pathToFileURL(GAME).href;
  const { shards } = await server.status();
  const session = await Debugger.attach(t, server.inspector, file, line);
  await eventually('the shard has the breakpoint', () => session.breakpoints > 0);
  const outcomes = [client.act('count'), client.act('count'), other.client.act('count')];
  for (let n = 0; n < 2; n++) {
    await eventually('the thread stands', () => session.stopped.size > 0);
    t.same([...session.stopped.values()], [{ file, line }], "at the author's line");
    await pause(HELD_MS);
    t.equal(session.stopped.size, 1, 'and stands');
    outcomes.push(client.act('count'));
    await session.goOn();
  }
  await session.detach();
  const codes = await within('outcomes', Promise.all(outcomes));
  t.same(
    codes.map(({ code }) => code),
    [0, 0, 0, 0, 0],
    'nothing is lost',
  );
  t.match(await client.requestLog(), { lastAction: 4, applied: 4, rejected: 0 }, 'each action was done once');
  t.same([closes, other.closes], [[], []], 'nobody was disconnected');
  const after = await server.status();
  t.equal(after.totals.shardRestarts, 0);
  t.equal(after.shards[0].incarnation, shards[0].incarnation, 'the same thread');
  t.same(
    after.alarms.filter((alarm: string) => !alarm.startsWith('the machine is full')),
    [],
  );
  t.match(after.totals, { gameFaults: 0 });
  const told = server.log.map(({ msg }) => msg).filter((msg) => /^shard (stands still|goes on)/.test(msg));
  t.match([told[0], told.at(-1)], [/^shard stands still/, 'shard goes on'], 'the log says so');
  await Promise.all([client.goodbye(), other.client.goodbye()]);
  await server.stop();
});

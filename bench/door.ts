/**
 * Can somebody fill the planet? Guests appear on corners where nobody was, and leave; ghosts are cut right after their
 * Hello. Beside them two players lay down and trade, a newcomer knocks every half second, and somebody asks whether
 * the server is ready. Three ways: `open`, from an address without limits; `one`, from one that has them; `many`, each
 * from an address of its own.
 *
 * Flags: --attackers --ghosts --places --how --seconds (after the wave)
 */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { monotonicClock, systemTimers } from '../src/base/clock.js';
import { ERRORS } from '../src/base/errors.js';
import type { Status } from '../src/control/status.js';
import type { BenchArgs } from './benches.js';
import { send } from './door/crowd.js';
import { Honest, knock } from './door/honest.js';
import { RealServer } from './real.js';

export const name = 'door';
export const describe =
  'Guests on corners and ghosts try to fill the planet: who may still come in, lay down and trade.';
export const flags = ['attackers', 'ghosts', 'places', 'how', 'seconds'];

const HOWS = ['open', 'one', 'many'] as const;
type How = (typeof HOWS)[number];

const LOOK_MS = 500;
/** The tests' own addresses of RFC 5737 and RFC 6598: whoever asks, nobody there is meant. */
const ATTACKER = '203.0.113.7';
const numbered = (block: number) => (i: number) => `100.${block}.${i >> 8}.${i & 255}`;

const clock = monotonicClock();
const timers = systemTimers();
const pause = (ms: number) => new Promise<void>((resolve) => timers.after(ms, resolve));

/** What the looks beside the attack saw. */
class Watch {
  mostEntities = 0;
  looks = 0;
  /** Looks at which /readyz said no; newcomers who were refused for want of room while it said yes. */
  notReady = 0;
  lies = 0;
  readonly alarms = new Set<string>();
  readonly knocks: number[] = [];
  readonly refused: Record<string, number> = {};
  private readonly asked: Promise<void>[] = [];
  private isOver = false;
  private readonly work: Promise<void>;

  constructor(private readonly server: RealServer) {
    this.work = this.run();
  }

  private async run(): Promise<void> {
    for (let i = 0; !this.isOver; i++) {
      await this.isReady();
      this.looks++;
      const ms = await knock(this.server.game, numbered(127)(i), clock, timers, (code) => this.refuse(code));
      if (ms >= 0) this.knocks.push(Math.round(ms));
      const { entities, alarms } = await this.server.status<Status>();
      this.mostEntities = Math.max(this.mostEntities, entities);
      for (const alarm of alarms) this.alarms.add(alarm.replace(/^\d+ /, '').replace(/\d+ of/, 'so many of'));
      await pause(LOOK_MS);
    }
    await Promise.all(this.asked);
  }

  /** There may be room again a moment later; whoever says yes all the same has not known it. */
  private refuse(code: number): void {
    this.refused[code] = (this.refused[code] ?? 0) + 1;
    if (code !== ERRORS.WORLD_FULL.number) return;
    this.asked.push(
      this.isReady().then((saysYes) => {
        if (saysYes) this.lies++;
      }),
    );
  }

  private async isReady(): Promise<boolean> {
    const { ok } = await fetch(`${this.server.admin}/readyz`);
    if (!ok) this.notReady++;
    return ok;
  }

  async stop(): Promise<void> {
    this.isOver = true;
    await this.work;
  }

  get figures() {
    const { mostEntities, looks, notReady, lies, refused, knocks } = this;
    const newcomers = { knocked: looks, letIn: knocks.length, slowestMs: Math.max(0, ...knocks), refused };
    return { mostEntities, notReady, lies, alarms: [...this.alarms].sort(), newcomers };
  }
}

export async function run({ values }: BenchArgs): Promise<Record<string, unknown>> {
  const attackers = Number(values.attackers ?? 1100);
  const ghosts = Number(values.ghosts ?? 500);
  const places = Number(values.places ?? 65_536);
  const afterS = Number(values.seconds ?? 15);
  const chosen = HOWS.filter((how) => values.how === undefined || values.how === how);
  if (chosen.length === 0) throw new Error(`--how must be one of ${HOWS.join(', ')}`);
  const rows: object[] = [];
  for (const how of chosen) rows.push({ how, ...(await attack(how, attackers, ghosts, places, afterS)) });
  return { attackers, ghosts, places, rows };
}

async function attack(how: How, attackers: number, ghosts: number, places: number, afterS: number) {
  const folder = mkdtempSync(join(tmpdir(), 'bluemarble-door-'));
  const limits = how === 'open' ? [] : ['--trusted-proxies', '127.0.0.1'];
  const flags = ['--data', folder, '--max-entities', String(places), '--shards', '2', ...limits];
  const server = await RealServer.start(flags);
  const addressOf = how === 'many' ? numbered(64) : () => ATTACKER;
  try {
    const honest = new Honest(server.game, timers);
    const watch = new Watch(server);
    const begun = clock.now();
    const guests = await send(server.game, attackers, addressOf, false);
    const guestsS = (clock.now() - begun) / 1000;
    const ghostsOf = (i: number) => (how === 'many' ? numbered(80)(i) : ATTACKER);
    const cut = await send(server.game, ghosts, ghostsOf, true, attackers);
    await pause(afterS * 1000);
    await watch.stop();
    await honest.stop();
    const { entities, players } = await server.status<Status>();
    await server.stop();
    const after = { entities, players, dataMb: sizeOf(folder) };
    return { guestsS: Math.round(guestsS), guests, cut, ...watch.figures, honest: honest.outcomes, after };
  } finally {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Megabytes that the files of a folder take on the disk. */
function sizeOf(folder: string): number {
  const files = readdirSync(folder).map((file) => statSync(join(folder, file)));
  return Math.round((files.reduce((sum, { blocks }) => sum + blocks * 512, 0) / 1e6) * 10) / 10;
}

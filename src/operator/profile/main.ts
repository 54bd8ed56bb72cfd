/**
 * `npm run profile -- doctor|flame|heap`: loads a server with bots, records every one of its threads, and leaves a report
 * that a browser opens without a network. Progress goes to standard error, the summary and the file's name to standard
 * output; exit code 0 when there is a report, 1 when not, 12 for a wrong flag.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus, release } from 'node:os';
import { join, relative } from 'node:path';
import { monotonicClock, systemTimers } from '../../base/clock.js';
import { BlueMarbleError } from '../../base/errors.js';
import { type Flags, helpOf, readFlags, tellRefusal } from '../../base/flags.js';
import { PROFILE_COMMAND, PROFILE_KINDS, type ProfileKind } from './command.js';
import { findings } from './findings.js';
import { htmlReport, type Report, textReport } from './report.js';
import { Session } from './session.js';
import { type CpuProfile, type HeapProfile, type Profile, readCpuProfile, readHeapProfile } from './tree.js';

const RECORDS = { doctor: null, flame: 'cpu', heap: 'heap' } as const;

async function run(kind: ProfileKind, flags: Flags): Promise<number> {
  const bots = flags.whole('bots', 100, 1, 20_000);
  const seconds = flags.number('seconds', 15, 1, 3_600);
  const scenario = flags.text('scenario', 'roam');
  const folder = flags.text('out', '.profile');
  mkdirSync(folder, { recursive: true });
  const server = ['shards', 'gateways', 'game'].flatMap((name) =>
    flags.has(name) ? [`--${name}`, flags.text(name, '')] : [],
  );
  if (flags.has('pin-shards')) server.push('--pin-shards');
  const what = RECORDS[kind];
  const session = new Session(
    { bots, seconds, scenario, server, what, folder },
    {
      clock: monotonicClock(),
      timers: systemTimers(),
      tell: (text) => process.stderr.write(`${text}\n`),
    },
  );
  const recorded = await session.run();
  const profiles = recorded.files.map(({ thread, file }) => ({ thread, profile: readProfile(kind, file) }));
  profiles.sort((a, b) => b.profile.root.total - a.profile.root.total);
  const tickMs = 1000 / (recorded.statuses[0]?.status.tickRate ?? 20);
  const report: Report = {
    title: `BlueMarble profile: ${kind}`,
    conditions: `${bots} bots (${scenario}) for ${seconds} s on the same machine; ${cpus().length} cores (${cpus()[0]?.model ?? 'unknown'}), Linux ${release()}, Node ${process.version}`,
    recorded,
    findings: findings(recorded, tickMs),
    profiles,
    unit: kind === 'heap' ? 'bytes' : 'time',
  };
  const file = join(folder, `${kind}.html`);
  writeFileSync(file, htmlReport(report));
  process.stdout.write(`${textReport(report)}\nreport: ${relative('.', file)}\n`);
  return 0;
}

function readProfile(kind: ProfileKind, file: string): Profile {
  const text = readFileSync(file, 'utf8');
  return kind === 'heap'
    ? readHeapProfile(JSON.parse(text) as HeapProfile)
    : readCpuProfile(JSON.parse(text) as CpuProfile);
}

async function main(): Promise<number> {
  try {
    const flags = readFlags(process.argv.slice(2), PROFILE_COMMAND);
    if (flags === 'help') {
      process.stdout.write(helpOf(PROFILE_COMMAND));
      return 0;
    }
    const kind = PROFILE_KINDS.find((one) => one === flags.words[0]);
    if (kind === undefined)
      throw new BlueMarbleError(
        'BAD_FLAG',
        `say what to profile: ${PROFILE_KINDS.join(', ')}${flags.words.length > 0 ? `, not "${flags.words[0]}"` : ''}`,
      );
    return await run(kind, flags);
  } catch (error) {
    return tellRefusal(error);
  }
}

process.exit(await main());

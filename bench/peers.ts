/**
 * BlueMarble beside what people use today: the same number of clients, each with the same number of moving neighbours,
 * the same intents, ten frames a second, real sockets. Each server runs alone with a load generator of its own; all take
 * part in every round, so that what slows the machine for a while slows them all.
 *
 * BlueMarble takes part twice: in the open field, where the near view moves with its player over one crowd without seams
 * and far rings come on top, and in groups, each alone in its cell: what a room is.
 *
 * What is spared the peers: neighbours are fixed groups (no search for who is near), nobody crosses anything, nothing is
 * acknowledged. Their packages stand in bench/peers/package.json and are installed at the first run.
 *
 * Flags: --clients --seconds --rounds --neighbours --actions --warm
 */
import { BlueMarbleError } from '../src/base/errors.js';
import { execFileSync, fork } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { FANOUT_DEFAULTS, FRAMES_PER_S, type FanoutOptions, measure, serverFlags } from './fanout.js';
import { startFloor, startServer, type Target, target } from './fanout/children.js';
import { type Field, makeField } from './fanout/field.js';
import { floorOptions, median, perClientFrame, type Run, round, usPerClientFrame } from './fanout/figures.js';
import { latenessAt } from './fanout/lateness.js';
import type { BenchArgs } from './benches.js';
import { bars } from './plot.js';
import { type Peer, PEERS, type PeerListens, type PeerOptions } from './peers/talk.js';

export const name = 'peers';
export const describe =
  'CPU for each client and frame beside Colyseus, a plain ws server, and the bare sockets.';
export const flags = ['clients', 'seconds', 'rounds', 'neighbours', 'actions', 'warm'];

const TICK_RATE = 20;
const ROUNDS = 2;

type Name = 'floor' | 'bluemarble' | 'bluemarble-groups' | Peer;

/** Installs the peers beside the built copy of their package file, once. */
function install(): void {
  const folder = fileURLToPath(new URL('./peers', import.meta.url));
  if (existsSync(`${folder}/node_modules/@colyseus/core`)) return;
  console.error('Installing the peers of bench/peers/package.json, once …');
  execFileSync('npm', ['ci', '--ignore-scripts', '--no-fund', '--no-audit'], {
    cwd: folder,
    stdio: 'ignore',
  });
}

async function startPeer(peer: Peer, field: Field): Promise<Target> {
  const child = fork(fileURLToPath(new URL('./peers/server.js', import.meta.url)), {
    execArgv: [],
    env: { ...process.env, NODE_ENV: 'production' },
  });
  child.send({ peer, field, framesPerSecond: FRAMES_PER_S, tickRate: TICK_RATE } satisfies PeerOptions);
  const told = await Promise.race([
    once(child, 'message').then(([message]) => message as PeerListens),
    once(child, 'exit').then(() => null),
  ]);
  if (told === null) throw new Error(`${peer} did not start; its reason stands above`);
  return target(child, told.urls, peer === 'ws-json' ? 'json' : 'colyseus');
}

/** @throws Error when clients were lost or a server sent nothing */
export async function peers(options: FanoutOptions, rounds: number): Promise<Record<string, unknown>> {
  install();
  const field = makeField(options.layout, options.clients, options.neighbours);
  const groups = makeField('cell', options.clients, options.neighbours);
  const runs = new Map<Name, Run[]>();
  const keep = (name: Name, run: Run) => {
    if (run.active.frames.messages === 0) throw new Error(`${name} sent no frames: no result`);
    runs.set(name, [...(runs.get(name) ?? []), run]);
    console.error(`  ${name}: ${round(usPerClientFrame(run.active, FRAMES_PER_S))} µs a client and frame`);
  };
  for (let turn = 0; turn < rounds; turn++) {
    console.error(`Round ${turn + 1} of ${rounds}, ${options.clients} clients …`);
    const server = await measure(await startServer(field, serverFlags(options), []), field, options);
    keep('bluemarble', server);
    keep(
      'bluemarble-groups',
      await measure(await startServer(groups, serverFlags(options), []), groups, options),
    );
    const floor = floorOptions(field, server.active, FRAMES_PER_S);
    keep('floor', await measure(await startFloor(floor), field, options));
    for (const peer of PEERS) keep(peer, await measure(await startPeer(peer, field), field, options));
  }
  const { clients, neighbours, actionsPerSecond, seconds } = options;
  return {
    clients,
    neighbours,
    framesPerSecond: FRAMES_PER_S,
    actionsPerClientPerSecond: actionsPerSecond,
    seconds,
    rounds,
    peers: { rows: [...runs].map(([name, all]) => row(name, all, runs)) },
  };
}

function row(name: Name, runs: readonly Run[], all: ReadonlyMap<Name, readonly Run[]>) {
  const us = (run: Run) => usPerClientFrame(run.active, FRAMES_PER_S);
  const times = (ours: Name) => round(median(runs.map((run, i) => us(run) / us(all.get(ours)![i]!))));
  const of = (figure: (run: Run) => number) => round(median(runs.map(figure)));
  return {
    name,
    usPerClientFrame: of(us),
    timesBlueMarble: times('bluemarble'),
    timesGroups: times('bluemarble-groups'),
    bytesPerClientPerSecond: of((run) => perClientFrame(run.active, FRAMES_PER_S).bytes * FRAMES_PER_S),
    neighbours: of((run) => perClientFrame(run.active, FRAMES_PER_S).neighbours),
    p99LatenessMs: of((run) => latenessAt(run.active.lateness, 0.99)),
  };
}

/** @returns conditions and `peers {rows: [{name, usPerClientFrame, timesBlueMarble, timesGroups, bytesPerClientPerSecond, …}]}` */
export async function run({ json, values }: BenchArgs): Promise<Record<string, unknown>> {
  const number = (flag: string, fallback: number): number => {
    const value = values[flag] === undefined ? fallback : Number(values[flag]);
    if (!(value >= 0))
      throw new BlueMarbleError('BAD_FLAG', `--${flag} must be a number, not ${values[flag]}`);
    return value;
  };
  const d = FANOUT_DEFAULTS;
  const figures = await peers(
    {
      ...d,
      clients: number('clients', d.clients),
      seconds: number('seconds', d.seconds),
      neighbours: number('neighbours', d.neighbours),
      actionsPerSecond: number('actions', d.actionsPerSecond),
      warmSeconds: number('warm', d.warmSeconds),
    },
    number('rounds', ROUNDS),
  );
  if (!json) {
    const { rows } = figures['peers'] as { rows: { name: string; usPerClientFrame: number }[] };
    const byCost = [...rows].sort((a, b) => a.usPerClientFrame - b.usPerClientFrame);
    const bar = ({ name, usPerClientFrame: value }: (typeof rows)[number]) => ({
      label: name,
      value,
      text: `${value}`,
    });
    console.log(bars('µs of CPU a client and frame', byCost.map(bar)));
  }
  return figures;
}

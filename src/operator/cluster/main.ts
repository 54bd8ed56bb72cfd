/**
 * `npm run cluster`: a node and routers on this machine, as processes. One line on standard output when clients are accepted
 * (by the first router), everything else on standard error. The ports of links and of further routers are free ones, chosen
 * before the first start, so that who is started again is where it was.
 */
import { randomBytes } from 'node:crypto';
import { systemTimers } from '../../base/clock.js';
import { helpOf, readFlags, tellRefusal } from '../../base/flags.js';
import { probePort } from '../../gateway/build.js';
import { Child } from './child.js';
import { CLUSTER_COMMAND, type ClusterOptions, clusterOptions } from './command.js';

/** The promise of a node. */
const STOP_MS = 12_000;
const KEY_BYTES = 32;

const say = (text: string) => process.stderr.write(`cluster: ${text}\n`);

async function run(options: ClusterOptions): Promise<number> {
  const env = { ...process.env };
  env['BLUEMARBLE_CLUSTER_KEY'] ??= randomBytes(KEY_BYTES).toString('hex');
  const [port, adminPort, linkPort] = [
    await probePort(options.port),
    await probePort(options.adminPort),
    await probePort(0, '127.0.0.1'),
  ];
  const timers = systemTimers();
  const { respawn } = options;
  let end: (code: number) => void = () => {};
  const over = new Promise<number>((resolve) => (end = resolve));
  // The others go on: an operator decides. But with nobody left there is nothing to wait for.
  let alive = 1 + options.routers;
  const lost = () => {
    if (--alive === 0) end(1);
  };
  const child = (name: string, flags: readonly string[]) =>
    new Child({ name, flags: ['--node', name, ...flags], env, respawn, timers, say, lost });
  const at = ['--host', '127.0.0.1', '--port', '0'];
  const node = child('node-1', [...at, '--link-port', String(linkPort), ...options.node]);
  const routers: Child[] = [];
  for (let i = 0; i < options.routers; i++) {
    const ports = i === 0 ? [port, adminPort] : [await probePort(0), await probePort(0)];
    const own = ['--port', String(ports[0]), '--admin-port', String(ports[1])];
    const upstream = ['--router', '--upstream', `127.0.0.1:${linkPort}`];
    routers.push(child(`router-${i + 1}`, [...upstream, ...own, ...options.router]));
  }
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => end(0));
  const isUp = await Promise.race([up(node, routers), over.then(() => false)]);
  if (isUp === false) end(1);
  const code = await over;
  // Routers first: their clients are told before their world is gone.
  const codes = await Promise.all(routers.map((router) => router.stop(STOP_MS)));
  codes.push(await node.stop(STOP_MS));
  return code !== 0 || codes.some((one) => one !== 0) ? 1 : 0;
}

/** @returns whether clients are accepted */
async function up(node: Child, routers: readonly Child[]): Promise<boolean> {
  if ((await node.start()) === null) return false;
  const addresses = await Promise.all(routers.map((router) => router.start()));
  const [first] = addresses;
  if (first === undefined || addresses.some((one) => one === null)) return false;
  process.stdout.write(`BlueMarble accepts clients at ${first?.game} (status: ${first?.admin})\n`);
  return true;
}

async function main(): Promise<number> {
  const argv = process.argv.slice(2);
  try {
    const flags = readFlags(argv, CLUSTER_COMMAND);
    if (flags !== 'help') return await run(clusterOptions(flags));
    process.stdout.write(helpOf(CLUSTER_COMMAND));
    return 0;
  } catch (error) {
    return tellRefusal(error);
  }
}

process.exit(await main());

/** Variables that somebody else sets, that are empty, and values that must not stand where others read them: all flags. */
import { generateKeyPairSync } from 'node:crypto';
import t from 'tap';
import { type Config, type ConfigInput, readConfig } from '../../src/config.js';

function read(argv: string[], env: ConfigInput['env'] = {}, file = '{}'): Config {
  const config = readConfig({ argv, env, cores: 4, readText: () => file });
  if ('help' in config) throw new Error('help was not asked for');
  return config;
}

const help = readConfig({ argv: ['--help'], env: {}, cores: 4, readText: () => '' }) as { help: string };
const FLAGS = [...help.help.matchAll(/^ {2}--([a-z-]+)/gm)]
  .map(([, name]) => name!)
  .filter((name) => name !== 'help');
const variable = (name: string) => `BLUEMARBLE_${name.toUpperCase().replaceAll('-', '_')}`;
const told = ({ warnings: _, ...config }: Config) => config;

t.test('an empty variable counts as unset, and is told: every flag', (t) => {
  t.ok(FLAGS.length > 25);
  const plain = told(read([]));
  for (const name of FLAGS.filter((one) => one !== 'ticket-key')) {
    const config = read([], { [variable(name)]: '' });
    t.strictSame(told(config), plain, name);
    t.match(config.warnings, [new RegExp(`${variable(name)}: empty, which counts as unset`)]);
  }
  t.end();
});

t.test('an empty key of tickets never makes everybody a guest', (t) => {
  const key = 'k'.repeat(32);
  const empty = { BLUEMARBLE_TICKET_KEY: '' };
  t.throws(() => read([], empty), {
    code: 'BAD_FLAG',
    message: /BLUEMARBLE_TICKET_KEY\), and without a key/,
  });
  t.throws(() => read(['--ticket-key', '']), { code: 'BAD_FLAG' });
  t.throws(() => read(['--config', 'x'], {}, '{"ticket-key": ""}'), { code: 'BAD_CONFIG' });
  t.equal(read(['--config', 'x'], empty, JSON.stringify({ 'ticket-key': key })).ticketKey, key);
  t.end();
});

t.test('an empty value of a switch is none', (t) => {
  t.throws(() => read(['--test-faults=']), { code: 'BAD_FLAG', message: /true or false/ });
  t.throws(() => read(['--config', 'x'], {}, '{"test-faults": ""}'), { code: 'BAD_CONFIG' });
  t.end();
});

/** As Kubernetes has them for the services bluemarble and bluemarble-admin, with a named port. */
const SERVICES = {
  BLUEMARBLE_SERVICE_HOST: '10.0.0.1',
  BLUEMARBLE_SERVICE_PORT: '7777',
  BLUEMARBLE_SERVICE_PORT_GAME: '7777',
  BLUEMARBLE_PORT: 'tcp://10.0.0.1:7777',
  BLUEMARBLE_PORT_7777_TCP: 'tcp://10.0.0.1:7777',
  BLUEMARBLE_PORT_7777_TCP_PROTO: 'tcp',
  BLUEMARBLE_PORT_7777_TCP_PORT: '7777',
  BLUEMARBLE_PORT_7777_TCP_ADDR: '10.0.0.1',
  BLUEMARBLE_ADMIN_SERVICE_HOST: '10.0.0.2',
  BLUEMARBLE_ADMIN_PORT: 'tcp://10.0.0.2:7778',
  BLUEMARBLE_ADMIN_PORT_7778_TCP_ADDR: '10.0.0.2',
  BLUEMARBLE_METRICS_PORT: 'udp://10.0.0.3:80',
};

t.test('variables of services count as unset, with and without the flag', (t) => {
  for (const argv of [[], ['--port', '9000', '--admin-port', '9100']]) {
    const config = read(argv, SERVICES);
    t.strictSame(told(config), told(read(argv)));
    t.equal(config.warnings.length, 1, 'one warning');
    t.match(
      config.warnings[0],
      /BLUEMARBLE_PORT=tcp:\/\/10\.0\.0\.1:7777 and BLUEMARBLE_ADMIN_PORT=.*counts as unset/,
    );
  }
  t.throws(() => read([], { BLUEMARBLE_PORT: 'tcp' }), { code: 'BAD_FLAG' }, 'what is no service is wrong');
  t.throws(() => read(['--port', 'tcp://10.0.0.1:7777']), { code: 'BAD_FLAG' }, 'nobody else sets a flag');
  t.end();
});

t.test('a secret on the command line is warned about, elsewhere not', (t) => {
  const text = 's'.repeat(40);
  for (const name of ['admin-token', 'ticket-key']) {
    const { warnings } = read([`--${name}`, text]);
    t.match(warnings, [new RegExp(`--${name} stands on the command line.*${variable(name)}`)]);
    t.notOk(warnings.join().includes(text));
    t.strictSame(read([], { [variable(name)]: text }).warnings, []);
  }
  t.end();
});

t.test('a PEM that verifies no ticket is told at the start', (t) => {
  const pem = (kind: 'ed25519' | 'rsa', half: 'publicKey' | 'privateKey') => {
    const keys =
      kind === 'rsa' ? generateKeyPairSync('rsa', { modulusLength: 2048 }) : generateKeyPairSync('ed25519');
    return half === 'publicKey'
      ? keys.publicKey.export({ type: 'spki', format: 'pem' }).toString()
      : keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  };
  const right = pem('ed25519', 'publicKey');
  t.equal(read([], { BLUEMARBLE_TICKET_KEY: right }).ticketKey, right.trim());
  const wrong: [string, RegExp][] = [
    [pem('rsa', 'publicKey'), /but is one of rsa/],
    [pem('ed25519', 'privateKey'), /another PEM/],
    [right.replaceAll('\n', '\\n'), /line ends/],
    [right.slice(0, 60), /cannot be read/],
    ['-----BEGIN CERTIFICATE-----\nabc\n-----END CERTIFICATE-----', /another PEM/],
  ];
  for (const [key, message] of wrong) {
    t.throws(() => read([], { BLUEMARBLE_TICKET_KEY: key }), { code: 'BAD_FLAG', message });
  }
  t.end();
});

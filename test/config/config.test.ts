/** Options: precedence, and for each mistake the exact code and a sentence that names it. */
import t from 'tap';
import { BlueMarbleError } from '../../src/base/errors.js';
import { type Config, type ConfigInput, readConfig } from '../../src/config.js';
import { nearestName } from '../../src/base/flags.js';

const FILE = 'planet.json';

function read(argv: string[], env: ConfigInput['env'] = {}, file?: string): Config {
  const config = readConfig({
    argv,
    env,
    cores: 4,
    readText: (path) => {
      if (file === undefined || path !== FILE)
        throw new Error(`ENOENT: no such file or directory, open '${path}'`);
      return file;
    },
  });
  if ('help' in config) throw new Error('help was not asked for');
  return config;
}

t.test('the defaults are those of the table', async (t) => {
  const config = read([]);
  t.match(config, {
    port: 7777,
    adminPort: 7778,
    adminHost: '127.0.0.1',
    adminHosts: [],
    adminToken: null,
    gateways: 1,
    shards: 3,
    pinShards: false,
    shardNice: 0,
    memory: true,
    capacity: 5000,
    tickRate: 20,
    frameRate: 10,
    bots: 0,
    game: null,
    testFaults: false,
    ticketKey: null,
    tlsCert: null,
    tlsKey: null,
    logLevel: 'info',
    warnings: [],
  });
  t.ok(Object.isFrozen(config));
});

t.test('a single core still gets a shard', async (t) => {
  const config = readConfig({ argv: [], env: {}, cores: 1, readText: () => '' });
  t.match(config, { shards: 1 });
});

t.test('flag wins over environment, environment over file, file over default', async (t) => {
  const file = JSON.stringify({ port: 1000, shards: 2, capacity: 70, 'pin-shards': true });
  const env = { BLUEMARBLE_PORT: '2000', BLUEMARBLE_SHARDS: '3', BLUEMARBLE_CONFIG: FILE, PATH: '/bin' };
  const config = read(['--port', '3000'], env, file);
  t.match(config, { port: 3000, shards: 3, capacity: 70, pinShards: true, adminPort: 3001, tickRate: 20 });
});

t.test('port 0 makes the admin port 0 as well', async (t) =>
  t.match(read(['--port=0']), { port: 0, adminPort: 0 }),
);

t.test('switches', async (t) => {
  t.equal(read(['--test-faults']).testFaults, true);
  t.equal(read(['--test-faults=false']).testFaults, false);
  t.equal(read([], { BLUEMARBLE_TEST_FAULTS: '1' }).testFaults, true);
  t.equal(read([], { BLUEMARBLE_TEST_FAULTS: '0' }).testFaults, false);
  t.equal(read(['--memory']).memory, true);
  t.match(read(['--data', 'dir']), { memory: false, data: 'dir' });
  t.match(read([]), { memory: true, data: null });
});

t.test('limit - 1, limit, limit + 1', async (t) => {
  t.equal(read(['--port', '0']).port, 0);
  t.equal(read(['--port', '65535', '--admin-port', '1']).port, 65535);
  t.throws(() => read(['--port', '65536', '--admin-port', '1']), { code: 'BAD_FLAG' });
  t.equal(read(['--shards', '64']).shards, 64);
  t.throws(() => read(['--shards', '65']), { code: 'BAD_FLAG' });
  t.throws(() => read(['--shards', '0']), { code: 'BAD_FLAG' });
});

const WRONG: [
  name: string,
  argv: string[],
  env: Record<string, string>,
  file: string | undefined,
  code: string,
  words: RegExp,
][] = [
  ['unknown flag', ['--prot', '1'], {}, undefined, 'BAD_FLAG', /--prot .*did you mean --port\?/],
  [
    'unknown flag, nothing near',
    ['--zzzzzzzzzz'],
    {},
    undefined,
    'BAD_FLAG',
    /--zzzzzzzzzz is not an option of BlueMarble$/,
  ],
  ['a word', ['7777'], {}, undefined, 'BAD_FLAG', /"7777" is not a flag/],
  [
    'text for a number',
    ['--port', 'abc'],
    {},
    undefined,
    'BAD_FLAG',
    /--port must be a whole number from 0 to 65535, but was "abc"/,
  ],
  [
    'fraction',
    ['--shards', '1.5'],
    {},
    undefined,
    'BAD_FLAG',
    /--shards must be a whole number from 1 to 64, but was "1.5"/,
  ],
  ['negative', ['--bots', '-5'], {}, undefined, 'BAD_FLAG', /--bots must be .*but was "-5"/],
  ['hexadecimal', ['--seed', '0x10'], {}, undefined, 'BAD_FLAG', /--seed must be/],
  [
    'value missing at the end',
    ['--port'],
    {},
    undefined,
    'BAD_FLAG',
    /--port must be .*given without a value/,
  ],
  [
    'value missing before a flag',
    ['--port', '--shards', '2'],
    {},
    undefined,
    'BAD_FLAG',
    /--port must be .*given without a value/,
  ],
  ['given twice', ['--port', '1', '--port', '2'], {}, undefined, 'BAD_FLAG', /--port was given twice/],
  ['switch with a word', ['--memory=maybe'], {}, undefined, 'BAD_FLAG', /--memory must be true or false/],
  ['empty text', ['--game', ''], {}, undefined, 'BAD_FLAG', /--game must be the path/],
  [
    'log level',
    ['--log-level', 'loud'],
    {},
    undefined,
    'BAD_FLAG',
    /--log-level must be one of trace, .*but was "loud"/,
  ],
  [
    'short ticket key',
    ['--ticket-key', 'short'],
    {},
    undefined,
    'BAD_FLAG',
    /--ticket-key must be a text of at least 32/,
  ],
  ['certificate alone', ['--tls-cert', 'a.pem'], {}, undefined, 'BAD_FLAG', /--tls-cert needs --tls-key/],
  ['key alone', ['--tls-key', 'a.pem'], {}, undefined, 'BAD_FLAG', /--tls-key needs --tls-cert/],
  [
    'frame rate',
    ['--frame-rate', '7'],
    {},
    undefined,
    'BAD_FLAG',
    /--frame-rate must divide the tick rate 20: one of 1, 2, 4, 5, 10, 20, but was 7/,
  ],
  [
    'one port for both',
    ['--port', '9', '--admin-port', '9'],
    {},
    undefined,
    'BAD_FLAG',
    /--admin-port must differ/,
  ],
  [
    'no room for the admin port',
    ['--port', '65535'],
    {},
    undefined,
    'BAD_FLAG',
    /--port must be at most 65534/,
  ],
  [
    'storage',
    ['--data', 'dir', '--memory'],
    {},
    undefined,
    'BAD_FLAG',
    /--data is refused together with --memory/,
  ],
  [
    'storage by environment',
    [],
    { BLUEMARBLE_DATA: 'dir', BLUEMARBLE_MEMORY: 'true' },
    undefined,
    'BAD_FLAG',
    /BLUEMARBLE_DATA is refused/,
  ],
  [
    'environment value',
    [],
    { BLUEMARBLE_TICK_RATE: 'fast' },
    undefined,
    'BAD_FLAG',
    /BLUEMARBLE_TICK_RATE must be .*"fast"/,
  ],
  [
    'wrong value below a good flag',
    ['--port', '1'],
    { BLUEMARBLE_PORT: 'x' },
    undefined,
    'BAD_FLAG',
    /BLUEMARBLE_PORT/,
  ],
  [
    'no config file',
    ['--config', 'nowhere.json'],
    {},
    undefined,
    'BAD_CONFIG',
    /nowhere\.json must be a readable JSON file: ENOENT/,
  ],
  [
    'config is not JSON',
    ['--config', FILE],
    {},
    '{port: 1}',
    'BAD_CONFIG',
    /planet\.json must be a readable JSON file/,
  ],
  ['config is a list', ['--config', FILE], {}, '[1]', 'BAD_CONFIG', /must hold one JSON object/],
  [
    'config key',
    ['--config', FILE],
    {},
    '{"tickrate": 20}',
    'BAD_CONFIG',
    /"tickrate" .*did you mean tick-rate\?/,
  ],
  [
    'config value',
    ['--config', FILE],
    {},
    '{"port": "high"}',
    'BAD_CONFIG',
    /"port" in the config file planet\.json must be .*"high"/,
  ],
  ['config null', ['--config', FILE], {}, '{"game": null}', 'BAD_CONFIG', /"game" .*but was null/],
  [
    'config combination',
    ['--config', FILE],
    {},
    '{"frame-rate": 3}',
    'BAD_CONFIG',
    /"frame-rate" in the config file .*must divide/,
  ],
  [
    'config in config',
    ['--config', FILE],
    {},
    '{"config": "other.json"}',
    'BAD_CONFIG',
    /"config" is not an option/,
  ],
];

for (const [name, argv, env, file, code, words] of WRONG) {
  t.test(`refused: ${name}`, async (t) => {
    try {
      read(argv, env, file);
      t.fail('was accepted');
    } catch (error) {
      t.ok(error instanceof BlueMarbleError, 'a registered error');
      t.equal((error as BlueMarbleError).code, code);
      t.match((error as Error).message, words);
      t.notMatch((error as Error).message, /\n/, 'one line');
    }
  });
}

t.test('a misspelt environment variable is warned about, not refused', async (t) => {
  t.match(read([], { BLUEMARBLE_PROT: '1' }).warnings, [/BLUEMARBLE_PROT .*did you mean BLUEMARBLE_PORT\?/]);
});

t.test('an admin port open to others is warned about', async (t) => {
  t.match(read(['--admin-host', '0.0.0.0']).warnings, [/open to other machines/]);
});

t.test('with bots there is something to see, unless it was said otherwise', async (t) => {
  const two = (argv: string[], env = {}) => readConfig({ argv, env, cores: 2, readText: () => '' }) as Config;
  t.match(two([]), { shards: 1, capacity: 5000 });
  t.match(two(['--bots', '500']), { shards: 2, capacity: 250 });
  t.match(two(['--bots', '10']), { shards: 2, capacity: 50 });
  t.match(two([], { BLUEMARBLE_BOTS: '5000' }), { shards: 2, capacity: 2500 });
  t.match(two(['--bots', '500', '--shards', '1', '--capacity', '5000']), { shards: 1, capacity: 5000 });
  t.match(read(['--bots', '500']), { shards: 3 }, 'never fewer than without');
});

t.test('names of the admin port come in one spelling', async (t) => {
  t.same(read(['--admin-hosts', 'Planet.example., 10.0.0.5,fd00::0:1,[::FFFF:10.0.0.6]']).adminHosts, [
    'planet.example',
    '10.0.0.5',
    'fd00::1',
    '10.0.0.6',
  ]);
  for (const wrong of [
    'planet.example:443',
    'https://planet.example',
    'a,,b',
    '*.example',
    '10.0.0.5/8',
    'a b',
  ])
    t.throws(
      () => read(['--admin-hosts', wrong]),
      { code: 'BAD_FLAG', message: /without scheme and port/ },
      wrong,
    );
});

t.test('--help lists every flag and shows examples, wherever it stands', async (t) => {
  const help = readConfig({ argv: ['--port', '1', '--help'], env: {}, cores: 4, readText: () => '' });
  t.ok('help' in help);
  const text = 'help' in help ? help.help : '';
  for (const name of [
    'port',
    'admin-port',
    'gateways',
    'shards',
    'pin-shards',
    'shard-nice',
    'data',
    'memory',
    'capacity',
    'tick-rate',
    'frame-rate',
    'bots',
    'game',
    'tls-cert',
    'tls-key',
    'config',
    'test-faults',
    'ticket-key',
    'max-entities',
    'client-bytes',
    'seed',
    'log-level',
    'admin-host',
    'admin-hosts',
    'admin-token',
  ])
    t.match(text, `--${name} `);
  t.match(text, /Examples:\n {2}npm start/);
});

t.test('nearestName', async (t) => {
  t.equal(nearestName('--shard', ['--shards', '--seed']), '--shards');
  t.equal(nearestName('--adminport', ['--admin-port', '--admin-host']), '--admin-port');
  t.equal(nearestName('--completely-else', ['--port']), null);
});

t.test('lists of addresses', async (t) => {
  const lists = [
    '--trusted-proxies',
    '10.0.0.0/8, ::1',
    '--free-addresses',
    '192.0.2.1',
    '--address-tiles',
    '7',
  ];
  t.strictSame(read(lists).addresses, {
    trusted: ['10.0.0.0/8', '::1'],
    free: ['192.0.2.1'],
    connections: 256,
    newcomersPerS: 10,
    tilesPerMinute: 7,
  });
  for (const flag of ['--trusted-proxies', '--free-addresses'])
    t.throws(() => read([flag, '10.0.0.0/8,proxy.example']), {
      code: 'BAD_FLAG',
      message: /CIDR blocks.*"proxy\.example"/,
    });
});

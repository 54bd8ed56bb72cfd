import t from 'tap';
import { BlueMarbleError } from '../../src/base/errors.js';
import { compileGame } from '../../src/world/game.js';

const apply = () => 0;
/** The least that is a game. */
const least = (changes: Record<string, unknown> = {}) => ({
  name: 'least',
  items: [],
  kinds: ['player'],
  components: {},
  actions: {},
  step() {},
  ...changes,
});
const actions = (action: Record<string, unknown>) => ({
  actions: { act: { kind: 1, payload: 'none', apply, ...action } },
});
const messages = (message: Record<string, unknown>) => ({
  messages: { ask: { kind: 1, receive: apply, ...message } },
});
const bytes = (count: number, type = 'u8', shown = false) =>
  Object.fromEntries(Array.from({ length: count }, (_, i) => [`c${i}`, { type, public: shown }]));

t.test('the least game compiles', async (t) => {
  const game = compileGame(least(), 'least.mjs');
  t.equal(game.name, 'least');
  t.equal(game.source, 'least.mjs');
  t.equal(game.action(1), undefined);
  t.equal(game.message(1), undefined);
});

t.test('actions, messages and names are found by kind', async (t) => {
  const module = least({
    items: ['coin'],
    events: { boom: 3 },
    rejections: { TIRED: 1000 },
    actions: {
      one: { kind: 1, payload: { n: 'u16' }, apply: () => 7 },
      last: { kind: 0xfeff, payload: 'text', apply },
    },
    messages: { ask: { kind: 5, receive: apply } },
  });
  const game = compileGame(module, 'g');
  const one = game.action(1)!;
  t.equal(one.name, 'one');
  t.equal(one.decoder.decode(Uint8Array.of(3, 1), 0, 2), 0);
  t.strictSame({ ...one.decoder.payload }, { n: 259 });
  t.equal(one.apply({} as never, 0, one.decoder.payload), 7);
  t.equal(game.action(0xfeff)?.name, 'last');
  t.equal(game.action(2), undefined);
  t.equal(game.message(5)?.receive, apply);
  t.strictSame(game.events, [{ name: 'boom', kind: 3 }]);
  t.strictSame(game.rejections, [{ name: 'TIRED', kind: 1000 }]);
});

t.test('an action may be an object with a memory of its own', async (t) => {
  const action = {
    kind: 1,
    payload: 'none',
    answer: 42,
    apply() {
      return this.answer;
    },
  };
  const act = compileGame(
    least({ actions: { act: Object.create(action, { kind: { value: 2, enumerable: true } }) } }),
    'g',
  ).action(2)!;
  t.equal(act.apply({} as never, 0, act.decoder.payload), 42);
});

t.test('columns lie aligned, public ones in the first 8 bytes, private ones never there', async (t) => {
  const components = {
    hunger: 'u8',
    mood: { type: 'u8', public: true },
    age: 'f64',
    team: { type: 'u32', public: true },
    name: 'i16',
    level: { type: 'u16', public: true },
  };
  const { columns, publicColumns } = compileGame(least({ components }), 'g');
  t.strictSame(columns, [
    { name: 'hunger', type: 'u8', public: false, offset: 18 },
    { name: 'mood', type: 'u8', public: true, offset: 6 },
    { name: 'age', type: 'f64', public: false, offset: 8 },
    { name: 'team', type: 'u32', public: true, offset: 0 },
    { name: 'name', type: 'i16', public: false, offset: 16 },
    { name: 'level', type: 'u16', public: true, offset: 4 },
  ]);
  t.strictSame(
    publicColumns.map((c) => c.name),
    ['mood', 'team', 'level'],
  );
  const full = compileGame(
    least({ components: { ...bytes(88), shown: { type: 'f64', public: true } } }),
    'g',
  );
  t.equal(Math.max(...full.columns.map((c) => c.offset)), 95);
});

const FAULTS: [string, unknown, RegExp][] = [
  ['no default export', undefined, /bad\.mjs: it has no default export/],
  ['a function for a module', () => least(), /default export is a function; it must be an object/],
  [
    'an unknown field',
    least({ spawnplayer() {} }),
    /spawnplayer is not a field of a game; known here: .*spawnPlayer/,
  ],
  ['no name', least({ name: undefined }), /name is missing; it must be a text/],
  ['an empty name', least({ name: '' }), /name is ''; it must be a text that is not empty/],
  ['items that are no list', least({ items: 'coin' }), /items is 'coin'; it must be an array of names/],
  [
    '17 items',
    least({ items: Array.from({ length: 17 }, (_, i) => `i${i}`) }),
    /items has 17 entries; 0…16 are right/,
  ],
  ['an item twice', least({ items: ['coin', 'coin'] }), /items\[1\] is 'coin' again/],
  ['an item that is no text', least({ items: [1] }), /items\[0\] is 1; it must be a text/],
  ['no kinds', least({ kinds: [] }), /kinds has 0 entries; 1…/],
  [
    'kinds without the player',
    least({ kinds: ['orc'] }),
    /kinds\[0\] is 'orc'; the first kind must be 'player'/,
  ],
  ['no components', least({ components: undefined }), /components is missing; it must be an object/],
  [
    'an unknown column type',
    least({ components: { c: 'f16' } }),
    /components\.c is 'f16'; it must be one of f64, f32/,
  ],
  [
    'an unknown column type, in full',
    least({ components: { c: { type: 'x' } } }),
    /components\.c\.type is 'x'; it must be one of/,
  ],
  [
    'a column that is a number',
    least({ components: { c: 4 } }),
    /components\.c is 4; it must be a type \(f64, .*\) or \{ type, public \}/,
  ],
  [
    'a column option',
    least({ components: { c: { type: 'u8', shown: true } } }),
    /components\.c\.shown is not a field/,
  ],
  [
    'public that is no boolean',
    least({ components: { c: { type: 'u8', public: 1 } } }),
    /components\.c\.public is 1; it must be true or false/,
  ],
  [
    '9 public bytes',
    least({ components: bytes(9, 'u8', true) }),
    /public ones take 9 bytes; all of them must fit 8/,
  ],
  [
    '89 private bytes',
    least({ components: bytes(89) }),
    /private ones take 89 bytes; all of them must fit 88/,
  ],
  ['no actions', least({ actions: [] }), /actions is an array; it must be an object/],
  [
    'an action that is a function',
    least({ actions: { act: apply } }),
    /actions\.act is a function; it must be an object/,
  ],
  [
    'action kind 0',
    least(actions({ kind: 0 })),
    /actions\.act\.kind is 0; it must be an integer from 1 to 65279/,
  ],
  [
    'a reserved action kind',
    least(actions({ kind: 0xff00 })),
    /actions\.act\.kind is 65280; it must be an integer from 1 to 65279/,
  ],
  ['a fractional action kind', least(actions({ kind: 1.5 })), /actions\.act\.kind is 1\.5/],
  [
    'an action kind twice',
    least({ actions: { a: { kind: 1, payload: 'none', apply }, b: { kind: 1, payload: 'none', apply } } }),
    /actions\.b\.kind is 1, which actions\.a\.kind has already/,
  ],
  [
    'an unknown payload',
    least(actions({ payload: 'blob' })),
    /actions\.act\.payload is 'blob'; it must be 'none', 'text' or an object/,
  ],
  [
    'an unknown payload field type',
    least(actions({ payload: { n: 'i64' } })),
    /actions\.act\.payload\.n is 'i64'; it must be one of f32/,
  ],
  ['an empty payload', least(actions({ payload: {} })), /actions\.act\.payload has no fields/],
  [
    'a payload of 184 bytes',
    least(actions({ payload: Object.fromEntries(Array.from({ length: 23 }, (_, i) => [`f${i}`, 'f64'])) })),
    /actions\.act\.payload takes 184 bytes; a payload has at most 176/,
  ],
  [
    'an action without apply',
    least(actions({ apply: undefined })),
    /actions\.act\.apply is missing; it must be a function/,
  ],
  [
    'an asynchronous action',
    least(actions({ apply: async () => 0 })),
    /actions\.act\.apply is of type AsyncFunction; a handler is synchronous/,
  ],
  ['an unknown action field', least(actions({ cooldown: 1 })), /actions\.act\.cooldown is not a field/],
  ['messages that are a list', least({ messages: [] }), /messages is an array/],
  ['message kind 0', least(messages({ kind: 0 })), /messages\.ask\.kind is 0; it must be an integer from 1/],
  [
    'a message kind twice',
    least({ messages: { a: { kind: 1, receive: apply }, b: { kind: 1, receive: apply } } }),
    /messages\.b\.kind is 1, which messages\.a\.kind has/,
  ],
  ['a message without receive', least(messages({ receive: undefined })), /messages\.ask\.receive is missing/],
  [
    'answered that is no function',
    least(messages({ answered: 1 })),
    /messages\.ask\.answered is 1; it must be a function/,
  ],
  [
    'an event kind too great',
    least({ events: { boom: 0x10000 } }),
    /events\.boom is 65536; it must be an integer from 0 to 65535/,
  ],
  ['an event kind twice', least({ events: { a: 1, b: 1 } }), /events\.b is 1, which events\.a has already/],
  [
    'a rejection of the server',
    least({ rejections: { NO: 999 } }),
    /rejections\.NO is 999; it must be an integer from 1000 to 65535/,
  ],
  [
    'a rejection twice',
    least({ rejections: { A: 1000, B: 1000 } }),
    /rejections\.B is 1000, which rejections\.A has/,
  ],
  ['a job that is no function', least({ jobs: { dig: 1 } }), /jobs\.dig is 1; it must be a function/],
  ['no step', least({ step: undefined }), /step is missing; it must be a function/],
  ['an asynchronous step', least({ async step() {} }), /step is of type AsyncFunction/],
  ['a generator', least({ *populate() {} }), /populate is of type GeneratorFunction/],
  ...['setup', 'spawnPlayer', 'populate', 'mayReceive', 'jobDone'].map((name): [string, unknown, RegExp] => [
    `${name} that is no function`,
    least({ [name]: 1 }),
    new RegExp(`${name} is 1; it must be a function`),
  ]),
];

for (const [fault, module, sentence] of FAULTS) {
  t.test(`BAD_GAME: ${fault}`, async (t) => {
    const error = t.throws(() => compileGame(module, 'bad.mjs'), { code: 'BAD_GAME', message: sentence });
    t.ok(
      error instanceof BlueMarbleError && error.message.startsWith('bad.mjs: '),
      'the sentence names the file',
    );
  });
}

t.test('what is just within the limits compiles', async () => {
  compileGame(
    least({
      items: Array.from({ length: 16 }, (_, i) => `i${i}`),
      components: {
        ...bytes(88),
        ...Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`p${i}`, { type: 'u8', public: true }])),
      },
      ...actions({
        kind: 0xfeff,
        payload: Object.fromEntries(Array.from({ length: 22 }, (_, i) => [`f${i}`, 'f64'])),
      }),
      rejections: { A: 1000, B: 65535 },
      jobs: { dig: async () => 1 },
    }),
    'g',
  );
});

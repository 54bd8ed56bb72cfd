/** Two processes agree on a link, or are told by a code why not. */
import t from 'tap';
import type { LinkName } from '../../../src/base/errors.js';
import { linkCrypto } from '../../../src/gateway/link-crypto.js';
import {
  Doorkeeper,
  Greeter,
  type LinkPeer,
  type LinkWorld,
  type Step,
} from '../../../src/wire/link/handshake.js';
import { LINK } from '../../../src/wire/link/types.js';

const KEY = new TextEncoder().encode('a key of the cluster that is long enough');
const OTHER = new TextEncoder().encode('another key of a cluster, as long as it');
const WORLD: LinkWorld = { seed: 1, baseLevel: 11, deepestLevel: 13, cellLevel: 17, game: 'BlueMarble' };
const NODE: LinkPeer = { name: 'node', life: 'n1', program: '0.1.0', world: WORLD };
const ROUTER: LinkPeer = { name: 'router', life: 'r1', program: '0.1.0', world: null };
const NONE = new Uint8Array(0);

interface Ends {
  node?: LinkPeer;
  router?: LinkPeer;
  nodeKey?: Uint8Array;
  routerKey?: Uint8Array;
  nodeBinding?: Uint8Array;
  routerBinding?: Uint8Array;
  /** Refusals of the other end by what it is. */
  byRouter?: (peer: LinkPeer) => LinkName | null;
  byNode?: (peer: LinkPeer) => LinkName | null;
  /** Changes a record on its way. */
  between?: (type: number, body: Uint8Array) => Uint8Array;
}

/** Lets the two talk until one has an answer. */
function agree(ends: Ends): { router: Step | null; node: Step | null; said: number[] } {
  const greeter = new Greeter(
    ends.router ?? ROUTER,
    ends.routerKey ?? KEY,
    ends.routerBinding ?? NONE,
    linkCrypto,
  );
  const keeper = new Doorkeeper(ends.node ?? NODE, ends.nodeKey ?? KEY, ends.nodeBinding ?? NONE, linkCrypto);
  const result = { router: null as Step | null, node: null as Step | null, said: [] as number[] };
  const note = (who: 'router' | 'node', step: Step) => {
    if (step.peer !== undefined || step.refused !== undefined) result[who] ??= step;
  };
  let up = [...greeter.begin().say];
  for (let round = 0; round < 4 && up.length > 0; round++) {
    const down: Step['say'][number][] = [];
    for (const { type, body } of up) {
      result.said.push(type);
      const step = keeper.hear(type, ends.between?.(type, body) ?? body, ends.byNode ?? (() => null));
      note('node', step);
      down.push(...step.say);
    }
    up = [];
    for (const { type, body } of down) {
      result.said.push(type);
      const step = greeter.hear(type, ends.between?.(type, body) ?? body, ends.byRouter ?? (() => null));
      note('router', step);
      up.push(...step.say);
    }
  }
  return result;
}

t.test('both prove the key, and know each other', async (t) => {
  const { router, node, said } = agree({});
  t.same(router?.peer, NODE);
  t.same(node?.peer, ROUTER);
  t.same(said, [LINK.HELLO, LINK.CHALLENGE, LINK.PROOF, LINK.ACCEPT]);
  const binding = Uint8Array.of(1, 2, 3);
  t.same(agree({ nodeBinding: binding, routerBinding: binding }).node?.peer, ROUTER, 'over TLS, bound to it');
});

t.test('each refusal has its code, at both ends', async (t) => {
  const worlds = [{ seed: 2 }, { baseLevel: 10 }, { deepestLevel: 12 }, { cellLevel: 16 }, { game: 'chess' }];
  const known = (world: Partial<LinkWorld>) => ({ ...ROUTER, world: { ...WORLD, ...world } });
  const hello = (change: object) => (type: number, body: Uint8Array) =>
    type !== LINK.HELLO
      ? body
      : new TextEncoder().encode(
          JSON.stringify({ ...JSON.parse(new TextDecoder().decode(body)), ...change }),
        );
  const cases: [string, Ends, LinkName][] = [
    ['the router has another key', { routerKey: OTHER }, 'LINK_KEY'],
    ['the node has another key', { nodeKey: OTHER }, 'LINK_KEY'],
    [
      'a stream within another stream',
      { nodeBinding: Uint8Array.of(1), routerBinding: Uint8Array.of(2) },
      'LINK_KEY',
    ],
    ...worlds.map((world): [string, Ends, LinkName] => [
      `the router is of ${JSON.stringify(world)}`,
      { router: known(world) },
      'LINK_WORLD',
    ]),
    ['a newer version alone', { between: hello({ versions: [2, 3] }) }, 'LINK_VERSION'],
    ['an older version alone', { between: hello({ versions: [0, 0] }) }, 'LINK_VERSION'],
    ['no range of versions', { between: hello({ versions: [1] }) }, 'LINK_NONSENSE'],
    ['a name of a kilobyte', { between: hello({ name: 'x'.repeat(1000) }) }, 'LINK_NONSENSE'],
    ['no nonce to speak of', { between: hello({ nonce: 'aa' }) }, 'LINK_NONSENSE'],
    ['an older life of the node', { byRouter: () => 'LINK_LIFE' }, 'LINK_LIFE'],
    ['an older life of the router', { byNode: () => 'LINK_LIFE' }, 'LINK_LIFE'],
    [
      'bytes that are no JSON',
      { between: (type, body) => (type === LINK.HELLO ? Uint8Array.of(1) : body) },
      'LINK_NONSENSE',
    ],
  ];
  for (const [what, ends, code] of cases) {
    const { router, node } = agree(ends);
    t.same(
      [router?.refused, node?.refused, router?.peer, node?.peer],
      [code, code, undefined, undefined],
      what,
    );
  }
});

t.test('a life, a nonce or a name that was changed on the way is not believed', async (t) => {
  for (const field of ['life', 'nonce', 'name', 'program', 'world'])
    for (const which of [LINK.HELLO, LINK.CHALLENGE]) {
      const between = (type: number, body: Uint8Array) => {
        if (type !== which) return body;
        const proof = which === LINK.CHALLENGE ? 32 : 0;
        const told = JSON.parse(new TextDecoder().decode(body.subarray(proof))) as Record<string, unknown>;
        const other = field === 'world' ? { ...WORLD, seed: 1 } : `${told[field]}`.replace(/.$/, '~');
        const text = new TextEncoder().encode(JSON.stringify({ ...told, [field]: other, more: 1 }));
        return Uint8Array.from([...body.subarray(0, proof), ...text]);
      };
      const { router, node } = agree({ between });
      t.same([router?.refused, node?.refused], ['LINK_KEY', 'LINK_KEY'], `${field} of ${which}`);
    }
});

t.test('a proof of one end is none of the other', async (t) => {
  const keeper = new Doorkeeper(NODE, KEY, NONE, linkCrypto);
  const greeter = new Greeter(ROUTER, OTHER, NONE, linkCrypto);
  const challenge = keeper.hear(LINK.HELLO, greeter.begin().say[0]!.body, () => null).say[0]!;
  const step = keeper.hear(LINK.PROOF, challenge.body.slice(0, 32), () => null);
  t.equal(step.refused, 'LINK_KEY');
});

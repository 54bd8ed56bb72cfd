/**
 * How two processes agree on a link: both prove that they know the cluster's key before either believes a word, over both
 * nonces, both lives, the world, and what binds the proof to this stream. Pure: bytes and randomness are handed in.
 *
 * ```
 *  router                                                        node
 *    HELLO      {versions, program, name, life, nonce, world?} ──▶
 *               ◀── CHALLENGE {version, program, name, life, nonce, world}  HMAC(key, "node"   · HELLO · CHALLENGE · binding)
 *    PROOF      HMAC(key, "router" · HELLO · CHALLENGE · binding) ──▶
 *               ◀── ACCEPT   or, at any point from either end,  REFUSE {code}
 * ```
 * The node proves first: a router tells nothing but its name to who cannot. The two proofs differ by their first word, so
 * that neither can be sent back as the other.
 */
import type { LinkName } from '../../base/errors.js';
import { ERRORS } from '../../base/errors.js';
import type { LinkStream } from './stream.js';
import type { TurnWriter } from './turn.js';
import { LINK, LINK_VERSIONS } from './types.js';

/** What makes two processes of one world: all of it must agree. */
export interface LinkWorld {
  readonly seed: number;
  readonly baseLevel: number;
  readonly deepestLevel: number;
  readonly cellLevel: number;
  readonly game: string;
}

/** One process, as the other end learns of it. */
export interface LinkPeer {
  readonly name: string;
  /** Number of one start of one process, never used again. */
  readonly life: string;
  /** Version of the program, for people. */
  readonly program: string;
  /** Of a router: null until it has learnt it. */
  readonly world: LinkWorld | null;
}

export interface LinkCrypto {
  /** HMAC-SHA256. */
  hmac(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array;
  /** In constant time. */
  isSame(a: Uint8Array, b: Uint8Array): boolean;
  /** 32 random bytes, hex. */
  nonce(): string;
}

/** What follows from a message of the handshake. */
export interface Step {
  /** Records to send, in order. */
  readonly say: readonly { type: number; body: Uint8Array }[];
  /** The other end, once the link stands. */
  readonly peer?: LinkPeer;
  /** It will not come about: the code of this end, or the one that was told. */
  readonly refused?: LinkName;
}

const PROOF_BYTES = 32;
const MOST_WORDS = 128;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

interface Opening {
  readonly versions: readonly [number, number];
  readonly nonce: string;
  readonly peer: LinkPeer;
}

abstract class Handshake {
  protected hello: Uint8Array = new Uint8Array(0);
  protected challenge: Uint8Array = new Uint8Array(0);
  protected peer: LinkPeer | null = null;

  constructor(
    protected readonly me: LinkPeer,
    protected readonly key: Uint8Array,
    protected readonly binding: Uint8Array,
    protected readonly crypto: LinkCrypto,
  ) {}

  protected proof(who: 'node' | 'router'): Uint8Array {
    // Lengths first: what lies between two parts cannot be moved from one to the other.
    const lengths = Uint32Array.of(this.hello.length, this.challenge.length, this.binding.length);
    const parts = [encoder.encode(who), new Uint8Array(lengths.buffer)];
    return this.crypto.hmac(this.key, [...parts, this.hello, this.challenge, this.binding]);
  }

  protected refuse(code: LinkName): Step {
    const body = encoder.encode(JSON.stringify({ code, text: ERRORS[code].text }));
    return { say: [{ type: LINK.REFUSE, body }], refused: code };
  }

  protected opening(extra: object = {}): Uint8Array {
    const { name, life, program, world } = this.me;
    const opening = { versions: LINK_VERSIONS, nonce: this.crypto.nonce(), name, life, program, world };
    return encoder.encode(JSON.stringify({ ...opening, ...extra }));
  }
}

/** The router's side. */
export class Greeter extends Handshake {
  private isProved = false;

  /** The first record. */
  begin(): Step {
    this.hello = this.opening();
    return { say: [{ type: LINK.HELLO, body: this.hello }] };
  }

  /** @param isKnown refuses the node's life or world: a code, or null */
  hear(type: number, body: Uint8Array, isKnown: (peer: LinkPeer) => LinkName | null): Step {
    if (type === LINK.REFUSE) return { say: [], refused: readRefusal(body) };
    if (type === LINK.CHALLENGE && !this.isProved) return this.answer(body, isKnown);
    if (type === LINK.ACCEPT && this.peer !== null) return { say: [], peer: this.peer };
    return this.refuse('LINK_NONSENSE');
  }

  private answer(body: Uint8Array, isKnown: (peer: LinkPeer) => LinkName | null): Step {
    if (body.length <= PROOF_BYTES) return this.refuse('LINK_NONSENSE');
    this.challenge = body.slice(PROOF_BYTES);
    const opening = readOpening(this.challenge);
    if (opening === null) return this.refuse('LINK_NONSENSE');
    if (!this.crypto.isSame(body.subarray(0, PROOF_BYTES), this.proof('node')))
      return this.refuse('LINK_KEY');
    const code = isSpoken(opening.versions) ? isKnown(opening.peer) : 'LINK_VERSION';
    if (code !== null) return this.refuse(code);
    this.isProved = true;
    this.peer = opening.peer;
    return { say: [{ type: LINK.PROOF, body: this.proof('router') }] };
  }
}

/** The node's side. */
export class Doorkeeper extends Handshake {
  private greeted: LinkPeer | null = null;

  /** @param isKnown refuses a router that has proved itself: a code, or null */
  hear(type: number, body: Uint8Array, isKnown: (peer: LinkPeer) => LinkName | null): Step {
    if (type === LINK.REFUSE) return { say: [], refused: readRefusal(body) };
    if (type === LINK.HELLO && this.greeted === null) return this.greet(body);
    if (type !== LINK.PROOF || this.greeted === null) return this.refuse('LINK_NONSENSE');
    if (!this.crypto.isSame(body, this.proof('router'))) return this.refuse('LINK_KEY');
    const code = isKnown(this.greeted);
    if (code !== null) return this.refuse(code);
    return { say: [{ type: LINK.ACCEPT, body: encoder.encode('{}') }], peer: this.greeted };
  }

  private greet(body: Uint8Array): Step {
    const opening = readOpening(body);
    if (opening === null) return this.refuse('LINK_NONSENSE');
    if (!isSpoken(opening.versions)) return this.refuse('LINK_VERSION');
    const { world } = opening.peer;
    if (world !== null && !isSameWorld(world, this.me.world)) return this.refuse('LINK_WORLD');
    this.greeted = opening.peer;
    this.hello = body.slice();
    this.challenge = this.opening({ version: LINK_VERSIONS[1] });
    const proof = this.proof('node');
    const both = new Uint8Array(proof.length + this.challenge.length);
    both.set(proof);
    both.set(this.challenge, proof.length);
    return { say: [{ type: LINK.CHALLENGE, body: both }] };
  }
}

/** Writes what a step has to say, as one turn. */
export function say(stream: LinkStream, out: TurnWriter, step: Step): void {
  if (step.say.length === 0) return;
  for (const { type, body } of step.say) out.put(type, 0, body);
  const turn = out.take(0, 0);
  stream.write(turn, () => out.giveBack(turn));
}

export function isSameWorld(a: LinkWorld, b: LinkWorld | null): boolean {
  if (b === null) return true;
  const isSame = (name: keyof LinkWorld) => a[name] === b[name];
  return (['seed', 'baseLevel', 'deepestLevel', 'cellLevel', 'game'] as const).every(isSame);
}

/** Whether the two ranges of versions have one in common. */
function isSpoken([least, most]: readonly [number, number]): boolean {
  return least <= LINK_VERSIONS[1] && most >= LINK_VERSIONS[0];
}

function readOpening(bytes: Uint8Array): Opening | null {
  const told = parsed(bytes) as Record<string, unknown> | null;
  if (told === null) return null;
  const { versions, nonce, name, life, program } = told;
  const isRange = Array.isArray(versions) && versions.length === 2 && versions.every(Number.isInteger);
  const areWords = [nonce, name, life, program].every(
    (words) => typeof words === 'string' && words.length <= MOST_WORDS,
  );
  const world = readWorld(told.world);
  if (!isRange || !areWords || world === undefined || (nonce as string).length < 32) return null;
  const peer = { name: name as string, life: life as string, program: program as string, world };
  return { versions: versions as [number, number], nonce: nonce as string, peer };
}

/** @returns undefined = it is not one */
function readWorld(told: unknown): LinkWorld | null | undefined {
  if (told === null) return null;
  if (typeof told !== 'object') return undefined;
  const { seed, baseLevel, deepestLevel, cellLevel, game } = told as Record<string, unknown>;
  const numbers = [seed, baseLevel, deepestLevel, cellLevel];
  if (!numbers.every(Number.isInteger) || typeof game !== 'string') return undefined;
  return told as LinkWorld;
}

function readRefusal(body: Uint8Array): LinkName {
  const code = (parsed(body) as { code?: unknown } | null)?.code;
  const isCode = typeof code === 'string' && code in ERRORS && code.startsWith('LINK_');
  return isCode ? (code as LinkName) : 'LINK_NONSENSE';
}

function parsed(bytes: Uint8Array): unknown {
  try {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    return typeof value === 'object' ? value : null;
  } catch {
    return null;
  }
}

/**
 * Whose a socket is, and what one address may have: sockets, newcomers, tiles woken. Local to a gateway's thread; of
 * several gateways each grants its share. The transport counts sockets here, the entrance asks for newcomers.
 *
 * The address is the peer's, unless the peer is a trusted proxy: then what that one says, by PROXY protocol v2 or by the
 * last entry of X-Forwarded-For that is no trusted proxy itself. Nobody else is believed. Of IPv6 the first 64 bits
 * count: so many one customer has by himself.
 */
import { BlockList, isIP, SocketAddress } from 'node:net';
import { TokenBucket } from './session-rules.js';

/** Plain data: it crosses a thread border. 0 = no limit. */
export interface AddressOptions {
  /** CIDR blocks of proxies that are believed, and of addresses without limits. */
  readonly trusted: readonly string[];
  readonly free: readonly string[];
  /** Open sockets of one address. */
  readonly connections: number;
  /** Newcomers a second, ten times as many at once. */
  readonly newcomersPerS: number;
  /** Sleeping base tiles that its newcomers wake in a minute, and at once. */
  readonly tilesPerMinute: number;
}

/** Sockets beyond the limit that are still told so, instead of being cut before they say a word. */
const TOLD = 32;
/** Addresses remembered; beyond it those without a socket are forgotten. */
const REMEMBERED = 50_000;

interface Entry {
  /** TCP connections that are no WebSockets (yet), and WebSockets. */
  raw: number;
  sockets: number;
  readonly newcomers: TokenBucket;
  readonly tiles: TokenBucket;
}

export class Addresses {
  private readonly trusted: BlockList;
  private readonly free: BlockList;
  private readonly entries = new Map<string, Entry>();
  /** Entries at which the idle ones are forgotten: twice those that stayed last time, so that a look costs little. */
  private forgetAt = REMEMBERED;
  /** TCP connections that were cut without a word, since `takeCut`. */
  private cut = 0;

  constructor(private readonly options: AddressOptions) {
    this.trusted = blocksOf(options.trusted);
    this.free = blocksOf(options.free);
  }

  /**
   * @param peer of the TCP connection @param proxied what a PROXY header said, '' = none
   * @param forwarded the header X-Forwarded-For, '' = none
   */
  clientOf(peer: string, proxied: string, forwarded: string): string {
    let client = plain(peer);
    if (!isIn(this.trusted, client)) return client;
    const chain = [...forwarded.split(',').map((part) => part.trim()), proxied].filter((part) => part !== '');
    for (let at = chain.length - 1; at >= 0; at--) {
      const next = plain(chain[at]!);
      if (isIP(next) === 0) break; // nonsense: whoever passed it on is the last one known
      client = next;
      if (!isIn(this.trusted, client)) break;
    }
    return client;
  }

  /** A TCP connection came. @returns false when it must be cut: then it was not counted */
  came(peer: string): boolean {
    const address = plain(peer);
    const entry = this.isLimited(address) && !isIn(this.trusted, address) ? this.entry(address) : undefined;
    if (entry === undefined) return true;
    const { connections } = this.options;
    if (connections > 0 && entry.raw + entry.sockets >= connections + TOLD) {
      this.cut++;
      return false;
    }
    entry.raw++;
    return true;
  }
  /** It ended, or became a WebSocket. */
  went(peer: string): void {
    const entry = this.entries.get(keyOf(plain(peer)));
    if (entry !== undefined && entry.raw > 0) entry.raw--;
  }

  /** A WebSocket of a client opens. @returns whether the address may have it; it is counted in any case */
  opened(address: string): boolean {
    if (!this.isLimited(address)) return true;
    const entry = this.entry(address);
    entry.sockets++;
    return this.options.connections === 0 || entry.sockets <= this.options.connections;
  }
  closed(address: string): void {
    const entry = this.entries.get(keyOf(address));
    if (entry !== undefined && entry.sockets > 0) entry.sockets--;
  }

  /** A new session of an address. @param tiles sleeping ones that it wakes @returns whether it may begin now */
  admits(address: string, tiles: number, now: number): boolean {
    if (!this.isLimited(address)) return true;
    const { newcomersPerS, tilesPerMinute } = this.options;
    const entry = this.entry(address, now);
    if (newcomersPerS > 0 && !entry.newcomers.take(1, now)) return false;
    return tilesPerMinute === 0 || tiles === 0 || entry.tiles.take(Math.min(tiles, tilesPerMinute), now);
  }

  /** How many TCP connections were cut without a word since the last call. */
  takeCut(): number {
    const { cut } = this;
    this.cut = 0;
    return cut;
  }

  private isLimited(address: string): boolean {
    return address !== '' && !isIn(this.free, address);
  }

  private entry(address: string, now = 0): Entry {
    const key = keyOf(address);
    const known = this.entries.get(key);
    if (known !== undefined) return known;
    if (this.entries.size >= this.forgetAt) this.forget();
    const { newcomersPerS, tilesPerMinute } = this.options;
    const entry = {
      raw: 0,
      sockets: 0,
      newcomers: new TokenBucket(newcomersPerS, 10 * newcomersPerS, now),
      tiles: new TokenBucket(tilesPerMinute / 60, tilesPerMinute, now),
    };
    this.entries.set(key, entry);
    return entry;
  }

  private forget(): void {
    for (const [key, { raw, sockets }] of this.entries) if (raw + sockets === 0) this.entries.delete(key);
    this.forgetAt = Math.max(REMEMBERED, 2 * this.entries.size);
  }
}

/**
 * Blocks of a list such as "10.0.0.0/8, ::1".
 * @throws Error with what is wrong with the first bad part
 */
export function blocksOf(parts: readonly string[]): BlockList {
  const list = new BlockList();
  for (const part of parts) {
    const [address = '', prefix, ...rest] = part.split('/');
    const family = isIP(address);
    const bits = prefix === undefined ? (family === 4 ? 32 : 128) : Number(prefix);
    if (family === 0) throw new Error(`"${part}" is no IP address and no CIDR block`);
    const isWhole = Number.isInteger(bits) && bits >= 0 && bits <= (family === 4 ? 32 : 128);
    if (rest.length > 0 || prefix === '' || !isWhole)
      throw new Error(`"${part}" has no prefix length from 0 to ${family === 4 ? 32 : 128}`);
    list.addSubnet(address, bits, family === 4 ? 'ipv4' : 'ipv6');
  }
  return list;
}

function isIn(list: BlockList, address: string): boolean {
  const family = isIP(address);
  return family !== 0 && list.check(address, family === 4 ? 'ipv4' : 'ipv6');
}

/** One way of writing each address: IPv4 as such, also where it comes in an IPv6 one; no brackets, port or zone. */
export function plain(text: string): string {
  const bare =
    /^\[(.*)\](?::\d+)?$/.exec(text)?.[1] ?? (/^[\d.]+:\d+$/.test(text) ? text.split(':')[0]! : text);
  if (isIP(bare) !== 6) return bare;
  const groups = groupsOf(bare);
  const isMapped = groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff;
  if (!isMapped) return new SocketAddress({ address: bare.split('%')[0]!, family: 'ipv6' }).address;
  return [groups[6]! >> 8, groups[6]! & 255, groups[7]! >> 8, groups[7]! & 255].join('.');
}

/** The eight numbers of an IPv6 address. */
function groupsOf(text: string): number[] {
  const dotted = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(text.split('%')[0]!);
  const hex = (a: string, b: string) => (Number(a) * 256 + Number(b)).toString(16);
  const whole =
    dotted === null
      ? text.split('%')[0]!
      : `${dotted[1]}${hex(dotted[2]!, dotted[3]!)}:${hex(dotted[4]!, dotted[5]!)}`;
  const [head = '', tail] = whole.split('::');
  const numbers = (part: string) =>
    part === '' ? [] : part.split(':').map((group) => Number.parseInt(group, 16));
  const [first, last] = [numbers(head), numbers(tail ?? '')];
  return [...first, ...Array.from({ length: 8 - first.length - last.length }, () => 0), ...last];
}

/** What limits are counted by. */
function keyOf(address: string): string {
  return isIP(address) === 6 ? groupsOf(address).slice(0, 4).join(':') : address;
}

/**
 * By which names the admin port is spoken to, and from which pages: what keeps other sites' pages out of it.
 *
 * A page of anybody's can make a browser ask any address. By a name of its own that it lets point here (DNS rebinding) it
 * would even read the answers: so only known names are answered. From its own origin it can send, though not read: so
 * nothing that it sends is taken. Programs send neither `Origin` nor `Sec-Fetch-Site`, and need only the right name. Pure.
 */
import { BlockList, isIP } from 'node:net';

/** A Host header: a name or an address, IPv6 in brackets; a port or none. */
const HOST = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/i;
const MOST_NAME = 253; // of DNS

const LOOPBACK = new BlockList();
LOOPBACK.addSubnet('127.0.0.0', 8, 'ipv4');
LOOPBACK.addAddress('::1', 'ipv6');

/** Whether it names this machine alone, whatever any DNS says: `localhost`, 127.0.0.0/8, ::1. @param name without brackets */
export function isLoopback(name: string): boolean {
  const family = isIP(name);
  return family === 0 ? name === 'localhost' : LOOPBACK.check(name, family === 4 ? 'ipv4' : 'ipv6');
}

/** @returns the name or address of a Host header in one spelling, without port and brackets; null = it is none */
export function nameOf(host: string): string | null {
  const [, inBrackets, plain] = HOST.exec(host) ?? [];
  if (inBrackets !== undefined) return isIP(inBrackets) === 6 ? plainAddress(inBrackets) : null;
  if (plain === undefined || plain.length > MOST_NAME) return null;
  const name = plain.toLowerCase().replace(/\.$/, ''); // "name." is the same name, written in full
  return name === '' ? null : name;
}

/** An address in one spelling: IPv6 compressed, one that only wraps an IPv4 unwrapped, without a zone. */
export function plainAddress(address: string): string {
  const bare = address.split('%', 1)[0].toLowerCase();
  if (isIP(bare) !== 6) return bare;
  const short = new URL(`http://[${bare}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(short);
  if (mapped === null) return short;
  const [high, low] = [Number.parseInt(mapped[1], 16), Number.parseInt(mapped[2], 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}

/** @returns the names of a list `a, b`, each as `nameOf` gives it; null = one of them is no name (a port, a scheme) */
export function namesOf(list: string): string[] | null {
  const names = list.split(',').map((text) => {
    const bare = text.trim();
    const isAddress = isIP(bare) === 6;
    return isAddress || !/:\d+$/.test(bare) ? nameOf(isAddress ? `[${bare}]` : bare) : null;
  });
  return names.includes(null) ? null : (names as string[]);
}

/** The names that this port answers to, beside loopback and the address at which a request arrived. */
export class Hosts {
  private readonly names: ReadonlySet<string>;

  /** @param adminHost what the port is bound to @param listed further names, as `namesOf` gives them */
  constructor(adminHost: string, listed: readonly string[]) {
    this.names = new Set([plainAddress(adminHost), ...listed]);
  }

  /**
   * @param given all Host headers of the request @param arrived address of this machine that the connection came to:
   * whoever writes it as a Host did not come by a name
   */
  serves(given: readonly string[], arrived: string): boolean {
    const name = given.length === 1 ? nameOf(given[0]) : null;
    if (name === null) return false;
    return isLoopback(name) || this.names.has(name) || (isIP(name) !== 0 && name === plainAddress(arrived));
  }
}

/** What a browser says of where a request comes from; undefined = it says nothing, or is none. */
export interface Sender {
  readonly host?: string | undefined;
  readonly origin?: string | undefined;
  /** The three headers of Fetch Metadata, which no script can set. */
  readonly site?: string | undefined;
  readonly mode?: string | undefined;
  readonly dest?: string | undefined;
}

/**
 * Whether another site's page sent this. `Sec-Fetch-Site` is believed first, as it stays true behind a proxy; browsers
 * send it to https and loopback only, so elsewhere the origin's host must be the very Host that was asked.
 */
export function isFromElsewhere({ host, origin, site }: Sender): boolean {
  if (site !== undefined) return site !== 'same-origin' && site !== 'none';
  if (origin === undefined) return false;
  return !URL.canParse(origin) || new URL(origin).host !== host?.toLowerCase();
}

/** Whether somebody followed a link to here: the page that held the link sees nothing of the answer. */
export function isFollowedLink({ mode, dest }: Sender): boolean {
  return mode === 'navigate' && dest === 'document';
}

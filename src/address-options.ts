/** The options of what one address may have: the table, and the limits that they make. */
import { LIMITS } from './base/limits.js';
import { type AddressOptions, blocksOf } from './gateway/addresses.js';
import { type Option, type Settings, text, whole } from './options.js';

const BLOCKS = 'IP addresses and CIDR blocks, separated by commas';

export const ADDRESS_OPTIONS: readonly Option[] = [
  text('trusted-proxies', 'LIST', BLOCKS, null, 'proxies that are believed whose address a client has'),
  text('free-addresses', 'LIST', BLOCKS, '127.0.0.0/8,::1', 'addresses that have none of these limits'),
  whole(
    'address-connections',
    0,
    1_000_000,
    LIMITS.addressConnections,
    'open connections of one address, 0: any number',
  ),
  whole(
    'address-newcomers',
    0,
    100_000,
    LIMITS.addressNewcomersPerS,
    'sessions a second that one address begins, ten times as many at once; 0: any number',
  ),
  whole(
    'address-tiles',
    0,
    1_000_000,
    LIMITS.addressTilesPerMinute,
    'sleeping tiles a minute that newcomers of one address wake; 0: any number',
  ),
];

/** @throws BlueMarbleError BAD_FLAG, BAD_CONFIG: a list that is none */
export function addressLimits(s: Settings): AddressOptions {
  return {
    trusted: blockList(s, 'trusted-proxies'),
    free: blockList(s, 'free-addresses'),
    connections: s.get<number>('address-connections'),
    newcomersPerS: s.get<number>('address-newcomers'),
    tilesPerMinute: s.get<number>('address-tiles'),
  };
}

function blockList(s: Settings, name: string): string[] {
  const parts = (s.get<string | null>(name) ?? '').split(',').map((part) => part.trim());
  const given = parts.filter((part) => part !== '');
  try {
    blocksOf(given);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw s.refuse(name, `must be IP addresses and CIDR blocks such as 10.0.0.0/8,::1, but ${why}`);
  }
  return given;
}

/**
 * How much of what comes in bulk one tick takes on; the rest is carried on in the next ones. A tile with tens of
 * thousands of entities that goes to rest, a store that brings them back, a layout that changes: each would fill many
 * ticks, and nobody else in the shard would be stepped meanwhile (I10).
 *
 * A unit of each takes 1 to 10 µs, so that none of these alone takes longer than about 20 ms.
 */
type Kind = 'parked' | 'woken' | 'populated' | 'arrivals' | 'letters' | 'offered';

export const BULK: Readonly<Record<Kind, number>> = Object.freeze({
  /** Entities put to rest, and taken back. */
  parked: 1024,
  woken: 2048,
  /** Base tiles whose natural content is made. */
  populated: 64,
  /** Entries taken from the rings of all who send here. */
  arrivals: 8192,
  letters: 8192,
  /** Entities offered to other shards. */
  offered: 8192,
});

/**
 * The ladder down which an overloaded tile is served, and back: far cells' rate, near cells' rate, then time itself.
 *
 * One rung at a time. Down while the tile, or the shard for which it is one of the heaviest, needs a whole tick budget
 * (on a full machine from the split threshold on, since no split will come). Players beyond the capacity alone ask
 * for lower rates, not for slower time: leaving out steps saves CPU, and does not make the crowd smaller.
 *
 * Only what relieves: a shard that waits for a core gets one sooner if this server asks for less, but only as far as it
 * is this server that fills the machine. What other programs take no tile of it can give back, so of the waiting the
 * server's own share of the machine counts, and only for the tiles that are the heaviest on the machine: beside a noisy
 * neighbour a planet that costs little runs in full, and beside a crowd a lonely tile does, whichever shards have them.
 * Back when what the rung above would cost stays below the split threshold.
 */
import { formatTile } from '../../geo/address.js';
import type { Draft } from './draft.js';
import { LAST_RATE, type Rung, rungOf, rungs } from './ladder.js';
import { tileKey } from './squares.js';
import type { TileMemory, TileSample } from './types.js';

/** A tile shares the trouble of its shard, or of the machine, when it costs this share of what the heaviest tile there costs. */
const HEAVY_SHARE = 0.5;

/** Loads as they are now, on the present rungs; a step counts at once, before any measure shows it. */
class Pressure {
  /** By shard: share of the tick budget that it uses, and that it waits for because this server has filled the machine. */
  private readonly busy: number[];
  private readonly waiting: number[];
  /** By shard: what the heaviest of its tiles costs. */
  private readonly heaviest: number[];
  private readonly heaviestOfAll: number;

  constructor(
    private readonly draft: Draft,
    private readonly ladder: readonly Rung[],
  ) {
    const { shards, saturated, sample } = draft;
    this.busy = shards.map(({ busy }) => busy);
    this.waiting = shards.map(({ waiting }) => (saturated ? waiting * sample.ownShare : 0));
    this.heaviest = shards.map(() => 0);
    for (const [key, { shard }] of draft.leaves) {
      if (shard < 0) continue;
      const memory = draft.tiles.get(key)!;
      this.add(shard, memory, 0, memory.rung);
      this.heaviest[shard] = Math.max(this.heaviest[shard], this.ofTile(memory, memory.rung));
    }
    this.heaviestOfAll = this.heaviest.reduce((most, cost) => Math.max(most, cost), 0);
  }

  /** What a tile costs on a rung. */
  ofTile(memory: TileMemory, rung: number): number {
    return memory.busy * this.ladder[rung].dilation;
  }

  /** The load that a tile answers for: its own, its shard's if it is heavy there, the wait for a core if on the machine. */
  on(shard: number, memory: TileMemory): number {
    const cost = this.ofTile(memory, memory.rung);
    if (!this.draft.isAlive(shard) || cost <= 0 || cost < this.heaviest[shard] * HEAVY_SHARE) return cost;
    const isCause = cost >= this.heaviestOfAll * HEAVY_SHARE;
    return Math.max(cost, this.busy[shard] + (isCause ? this.waiting[shard] : 0));
  }

  /** Counts a step of a tile from one rung to another. */
  add(shard: number, memory: TileMemory, from: number, to: number): void {
    if (shard >= 0) this.busy[shard] += this.ofTile(memory, to) - this.ofTile(memory, from);
  }
}

/** Moves each tile that needs it one rung down or back. */
export function degrade(draft: Draft): void {
  const ladder = rungs(draft.limits);
  const pressure = new Pressure(draft, ladder);
  for (const [key, leaf] of draft.leaves) {
    const { shard } = leaf;
    const memory = draft.tiles.get(key)!;
    const busy = pressure.on(shard, memory);
    const players = Math.max(memory.players, leaf.players / draft.limits.capacityPlayers);
    const down = wantsDown(draft, memory, busy, players, ladder.length - 1);
    if (!down && !wantsBack(draft, leaf, memory, pressure, players, ladder)) continue;
    const rung = memory.rung + (down ? 1 : -1);
    pressure.add(shard, memory, memory.rung, rung);
    step(draft, leaf, memory, rung, { busy, players });
  }
}

function threshold(draft: Draft): number {
  return draft.saturated ? draft.limits.splitLoadShare : draft.limits.emergencyLoadShare;
}

function wantsDown(
  draft: Draft,
  memory: TileMemory,
  busy: number,
  players: number,
  deepest: number,
): boolean {
  if (draft.timeS - memory.rungS < draft.limits.degradeStepS || memory.rung >= deepest) return false;
  if (busy >= threshold(draft)) return true;
  return players >= draft.limits.emergencyLoadShare && memory.rung < LAST_RATE;
}

function wantsBack(
  draft: Draft,
  { shard }: TileSample,
  memory: TileMemory,
  pressure: Pressure,
  players: number,
  ladder: readonly Rung[],
): boolean {
  const { limits } = draft;
  const { rung } = memory;
  if (rung === 0 || draft.timeS - memory.rungS < limits.degradeBackS) return false;
  const [own, after] = [pressure.ofTile(memory, rung), pressure.ofTile(memory, rung - 1)];
  const busy = Math.max(after, pressure.on(shard, memory) + after - own);
  if ((busy * ladder[rung - 1].cost) / ladder[rung].cost >= threshold(draft) * limits.splitLoadShare)
    return false;
  return rung > LAST_RATE || players < limits.splitLoadShare;
}

function step(
  draft: Draft,
  leaf: TileSample,
  memory: TileMemory,
  rung: number,
  numbers: { busy: number; players: number },
): void {
  const to = rungOf(rung, draft.limits);
  draft.tiles.set(tileKey(leaf.tile), { ...memory, rung, rungS: draft.timeS });
  const bound = threshold(draft);
  const down = rung > memory.rung;
  const atDeepest = leaf.tile.z === draft.limits.deepestTileLevel ? ' and cannot be split further' : '';
  const needs = `it needs ${numbers.busy.toFixed(2)} of its tick budget`;
  const why = draft.saturated ? `the machine is full and ${needs}` : needs;
  const said = `carries ${numbers.players.toFixed(2)} of its capacity, ${why}${down ? atDeepest : ''}`;
  const isFull = to.farRate === 1 && to.nearRate === 1 && to.dilation === 1;
  const served = isFull
    ? 'served in full again'
    : `far cells at ${to.farRate}, near cells at ${to.nearRate}, time at ${to.dilation}`;
  draft.decisions.push({
    kind: 'degrade',
    tile: leaf.tile,
    degrade: to,
    timeS: draft.timeS,
    numbers: { ...numbers, threshold: bound, rung, saturated: draft.saturated ? 1 : 0 },
    reason: `${formatTile(leaf.tile)} ${said}: ${served}.`,
  });
}

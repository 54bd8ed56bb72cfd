/** What must hold: after every tick (safety), and in the end when faults have stopped (liveness). Throw on a breach. */
import { LIMITS } from '../../src/base/limits.js';
import { isInHand } from '../../src/control/census.js';
import { cellNumber, cellSize, cellsAround, columnOfCell, rowOfCell } from '../../src/geo/cell.js';
import { tileNorth, tileWest } from '../../src/geo/tile.js';
import { dx } from '../../src/geo/world.js';
import { PLAYER_KIND } from '../../src/memory/player.js';
import {
  ANSWER,
  ANSWER_BYTES,
  COLD,
  HEADER,
  HOT,
  OUTBOX,
  OUTBOX_BYTES,
  OWNER,
  ownerOf,
  ownerState,
} from '../../src/memory/record.js';
import { ownerAt } from '../../src/world/layout.js';
import { STORED_RECORD } from '../../src/memory/store-ring.js';
import { fail } from './fail.js';
import type { SimPlayer } from './player.js';
import type { Simulation } from './simulation.js';

/** The one kind that moves by itself in the end: what is seen of it may be a frame old. */
const CREATURE = 1;

/** The far rings follow a client when it has gone so far beyond the border of a cell. */
const FAR_LAG_M = 12;
const LAG_CORNERS = [
  [-1, -1],
  [-1, 1],
  [1, -1],
  [1, 1],
] as const;

/** After each tick. */
export function checkTick(sim: Simulation): void {
  const { node } = sim;
  checkOwners(sim);
  // What a dead shard has written of a tick that it did not commit is taken back by its replacement.
  if (!node.isRecovering) checkItems(sim);
  if (node.counter('ticksMissed') > 0) fail('I1', `${node.counter('ticksMissed')} ticks were missed`);
  if (node.counter('ticksDoubled') > 0) fail('I1', `${node.counter('ticksDoubled')} ticks were doubled`);
}

/** I1: every owner word of a live entity names a shard that has it in its list, and no other has; ids are unique. */
function checkOwners(sim: Simulation): void {
  const { world, shards } = sim.node;
  const ids = new Set<number>();
  for (let slot = 0; slot < world.arena.capacity; slot++) {
    const word = Atomics.load(world.arena.owner, slot);
    const state = ownerState(word);
    for (let s = 0; s < shards.length; s++) {
      if (sim.node.isAbsent(s)) continue; // what it had waits for its replacement: watch.ts
      const has = shards[s]!.core.owned.has(slot);
      const named = state === OWNER.OWNED && ownerOf(word) === s;
      if (has !== named)
        fail(
          'I1',
          `slot ${slot}: state ${state} of ${ownerOf(word)}, but shard ${s} ${has ? 'has' : 'lacks'} it`,
        );
    }
    if (state === OWNER.FREE || state === OWNER.RESERVED) continue;
    if (state === OWNER.OWNED && sim.node.isAbsent(ownerOf(word))) continue;
    const id = world.arena.f64[(world.arena.header(slot) + HEADER.id) >> 3]!;
    if (ids.has(id)) fail('I4', `two entities have the id ${id}`);
    ids.add(id);
    if (world.ids.lookup(id) !== slot) fail('I1', `the id table has lost ${id}`);
    sim.log(slot, Math.round(world.arena.f64[(world.arena.hot(slot) + HOT.x) >> 3]! * 100));
  }
}

/** I2: bags, escrow and the store hold what was created less what was consumed, restarts included. */
function checkItems(sim: Simulation): void {
  const { world, facts } = sim.node;
  const found = countItems(sim);
  const created = new Float64Array(LIMITS.itemKinds);
  const consumed = new Float64Array(LIMITS.itemKinds);
  const books = new Float64Array(LIMITS.itemKinds);
  for (const block of world.shardBlocks) {
    block.totals(created, consumed);
    for (let k = 0; k < books.length; k++) books[k]! += created[k]! - consumed[k]!;
  }
  for (let k = 0; k < books.length; k++) {
    const known = books[k]! + (facts.itemsCreated[k] ?? 0) - (facts.itemsConsumed[k] ?? 0);
    const there = found[k]! + world.cut.resting[k]!;
    if (there !== known) fail('I2', `item kind ${k}: ${there} found, ${known} in the books`);
  }
}

function countItems(sim: Simulation): Float64Array {
  const { arena } = sim.node.world;
  const sum = new Float64Array(LIMITS.itemKinds);
  for (let slot = 0; slot < arena.capacity; slot++) {
    const word = Atomics.load(arena.owner, slot);
    const state = ownerState(word);
    const isThere = state === OWNER.OWNED || state === OWNER.TRANSIT || state === OWNER.PARKED;
    if (!isThere && !isInHand(sim.node.world, slot, word)) continue;
    const cold = arena.cold(slot);
    for (let k = 0; k < LIMITS.itemKinds; k++) sum[k]! += arena.u32[(cold + COLD.items + k * 4) >> 2]!;
    for (let p = 0; p < LIMITS.outboxPlaces; p++) {
      const at = cold + COLD.outbox + p * OUTBOX_BYTES;
      const kind = arena.u8[at + OUTBOX.itemKind]!;
      if (arena.u8[at + OUTBOX.state] === 0 || kind === 255 || wasTaken(sim, slot, at)) continue;
      sum[kind]! += arena.u32[(at + OUTBOX.itemCount) >> 2]!;
    }
  }
  return sum;
}

/** Whether the target of an outbox place has accepted it already: then its bag holds the items. */
function wasTaken({ node }: Simulation, source: number, at: number): boolean {
  const { arena, ids } = node.world;
  const id = arena.f64[(at + OUTBOX.target) >> 3]!;
  const target = ids.lookup(id);
  const words = target < 0 ? node.stored(id) : arena;
  if (words === null) return false;
  const cold = target < 0 ? STORED_RECORD.cold : arena.cold(target);
  const sourceId = arena.f64[(arena.header(source) + HEADER.id) >> 3]!;
  for (let p = 0; p < LIMITS.answerPlaces; p++) {
    const place = cold + COLD.answers + p * ANSWER_BYTES;
    if (words.u8[place + ANSWER.used] === 0 || words.f64[(place + ANSWER.source) >> 3] !== sourceId) continue;
    if (words.u32[(place + ANSWER.counter) >> 2] !== arena.u32[(at + OUTBOX.counter) >> 2]) continue;
    return words.u16[(place + ANSWER.answer) >> 1] === 0;
  }
  return false;
}

/** In the end: everybody is in, every action has its outcome once and in order, every view is the truth. */
export function checkEnd(sim: Simulation): void {
  checkLayout(sim);
  for (const player of sim.players) {
    const { client } = player;
    if (client.state !== 'online') fail('I5', `player ${player.index} is ${client.state}`);
    if (client.undecided > 0) fail('I3', `player ${player.index} waits for ${client.undecided} outcomes`);
    const verdict = player.verdict();
    if (verdict.lost + verdict.duplicated + verdict.outOfOrder > 0) {
      fail('I3', `player ${player.index}: ${JSON.stringify(verdict)} against ${JSON.stringify(player.log)}`);
    }
    checkView(sim, player);
  }
}

/** In the end everybody is owned by the shard of the place where it stands, or stands within the margin of its tile. */
function checkLayout(sim: Simulation): void {
  const { world } = sim.node;
  const { arena, directory } = world;
  const m = LIMITS.borderMarginM + 0.5;
  for (let slot = 0; slot < arena.capacity; slot++) {
    const word = Atomics.load(arena.owner, slot);
    if (ownerState(word) !== OWNER.OWNED) continue;
    const x = arena.f64[(arena.hot(slot) + HOT.x) >> 3]!;
    const y = arena.f64[(arena.hot(slot) + HOT.y) >> 3]!;
    const near = [0, -m, m].flatMap((i) => [0, -m, m].map((j) => ownerAt(directory, x + i, y + j)));
    if (!near.includes(ownerOf(word)))
      fail('I9', `slot ${slot} is owned by ${ownerOf(word)}, the place by ${near[0]}`);
  }
}

/** The near view, and of the far rings what the budget allows: with a full one all of them, else what the client was told. */
function cellsShown(sim: Simulation, { client }: SimPlayer): Set<number> {
  const { x, y } = client.self;
  const around = new Float64Array(LIMITS.mostFarCells ** 2);
  const centre = cellNumber(x, y);
  const near = new Set(around.subarray(0, cellsAround(centre, LIMITS.viewCells, around)));
  let all = [...around.subarray(0, cellsAround(centre, client.welcome!.farCells, around))];
  for (const [east, north] of LAG_CORNERS) {
    const other = cellNumber(x + east * FAR_LAG_M, y + north * FAR_LAG_M);
    const seen = around.subarray(0, cellsAround(other, client.welcome!.farCells, around));
    all = all.filter((cell) => near.has(cell) || seen.includes(cell));
  }
  if (sim.budget === LIMITS.clientBytesPerS) return new Set(all);
  const isTold = (cell: number) => {
    const west = tileWest(columnOfCell(cell), LIMITS.cellLevel);
    const north = tileNorth(rowOfCell(cell), LIMITS.cellLevel);
    return client.scene.intervalAt(west + cellSize() / 2, north - cellSize() / 2) > 0;
  };
  return new Set(all.filter((cell) => near.has(cell) || isTold(cell)));
}

/** A view whose square is shown anew may hold what is gone: a second, and two between its slow frames. */
const HELD_TICKS = 60;
/** A removal is told within this, beside the frames that its square waits for. */
const TOLD_TICKS = 10;

/**
 * I6: the view shows exactly who stands in the cells around the player, far rings included, each once, where it is. Who
 * is just handed over (a merge that was decided a tick ago, say) stands there like anybody.
 */
function checkView(sim: Simulation, player: SimPlayer): void {
  const { world } = sim.node;
  const { client } = player;
  if (client.view!.doubles > 0) fail('I6', `player ${player.index} saw ${client.view!.doubles} doubles`);
  if (client.view!.orphans > 0)
    fail(
      'I6',
      `player ${player.index} heard ${client.view!.orphans} moves of entities that nobody had shown`,
    );
  const cells = cellsShown(sim, player);
  const shown = new Map([...client.view!].map((e) => [e.id, e]));
  for (let slot = 0; slot < world.arena.capacity; slot++) {
    const state = ownerState(Atomics.load(world.arena.owner, slot));
    if (state !== OWNER.OWNED && state !== OWNER.TRANSIT) continue;
    const hot = world.arena.hot(slot);
    const x = world.arena.f64[(hot + HOT.x) >> 3]!;
    const y = world.arena.f64[(hot + HOT.y) >> 3]!;
    if (!cells.has(cellNumber(x, y))) continue;
    const kind = world.arena.u16[(hot + HOT.kind) >> 1]!;
    if (kind === PLAYER_KIND && world.arena.u16[(hot + HOT.flags) >> 1]! & 4) continue; // offline
    const id = world.arena.f64[(world.arena.header(slot) + HEADER.id) >> 3]!;
    const entity = shown.get(id);
    if (entity === undefined && kind === CREATURE) continue; // it may have come in since the last frame
    if (entity === undefined) fail('I6', `player ${player.index} does not see ${id} (kind ${kind})`);
    if (kind !== CREATURE && (Math.abs(dx(entity.x, x)) > 0.01 || Math.abs(entity.y - y) > 0.01)) {
      fail('I6', `player ${player.index} sees ${id} at ${entity.x}, ${entity.y} instead of ${x}, ${y}`);
    }
    shown.delete(id);
  }
  for (const [id, entity] of shown) {
    const sinceGone = sim.tick - (sim.watch.gone.get(id) ?? -Infinity);
    // Told at the next of its frames but one; or held in doubt.
    if (sinceGone < (entity.leavingMs >= 0 ? HELD_TICKS : TOLD_TICKS + 2 * entity.slowTicks)) continue;
    if (cells.has(entity.cell) && !(entity.kind === CREATURE && world.ids.lookup(id) >= 0))
      fail('I6', `player ${player.index} sees ${id}, which is not there`);
  }
}

/**
 * Publishes the shard's view: its entities of this tick grouped by cell, for frames, neighbours and gateways. Counting
 * sort in two passes over the owned entities; no allocation.
 */
import { cellNumber } from '../geo/cell.js';
import { HOT } from '../memory/record.js';
import type { ViewWriter } from '../memory/view.js';
import { FLAG, PLAYER_KIND } from '../memory/player.js';
import type { Streams } from './streams.js';
import type { Core } from './core.js';
import { PRESENCE_STATE } from '../memory/inbox.js';

/** Bit of a row's flags: a player without a connection at the moment (schemas/server.fbs). */
const AWAY = 1;

/**
 * @param unclosed cells with streams of dead predecessors: they stand in the view, so that the next replacement, too,
 *   would find them
 * @param scratch one Int32 for each slot of the arena: the cell's place in the view, by position in the owned list */
export function publishView(
  core: Core,
  view: ViewWriter,
  streams: Streams,
  unclosed: ReadonlySet<number>,
  scratch: Int32Array,
): void {
  const { arena, owned } = core;
  view.begin(core.tick, core.options.incarnation);
  for (let i = 0; i < owned.count; i++) {
    const hot = arena.hot(owned.slots[i]!);
    if (arena.u16[(hot + HOT.flags) >> 1]! & FLAG.OFFLINE) {
      scratch[i] = -1;
      continue;
    }
    const cell = view.cell(cellNumber(arena.f64[(hot + HOT.x) >> 3]!, arena.f64[(hot + HOT.y) >> 3]!));
    scratch[i] = cell;
    if (cell >= 0) view.addRow(cell);
  }
  view.place();
  for (let i = 0; i < owned.count; i++)
    if (scratch[i]! >= 0) writeRow(core, view, owned.slots[i]!, scratch[i]!);
  // Cells with a stream but nobody in them stand in the view, too: a new subscriber gets their (empty) key frame.
  for (let i = 0; i < streams.count; i++) {
    const place = streams.at(i);
    const cell = view.cell(streams.cell[place]!);
    if (cell >= 0) view.setLastSeq(cell, streams.lastTick[place]!);
  }
  for (const cell of unclosed) view.cell(cell);
  view.publish();
}

function writeRow(core: Core, view: ViewWriter, slot: number, cell: number): void {
  const { arena } = core;
  const hot = arena.hot(slot);
  const kind = arena.u16[(hot + HOT.kind) >> 1]!;
  const away =
    kind === PLAYER_KIND && core.world.inboxes.presence(slot) !== PRESENCE_STATE.CONNECTED ? AWAY : 0;
  const pub = (hot + HOT.components) >> 2;
  view.row(
    cell,
    core.id(slot),
    arena.f64[(hot + HOT.x) >> 3]!,
    arena.f64[(hot + HOT.y) >> 3]!,
    arena.f32[(hot + HOT.vx) >> 2]!,
    arena.f32[(hot + HOT.vy) >> 2]!,
    arena.u32[pub]!,
    arena.u32[pub + 1]!,
    slot,
    core.epoch(slot),
    kind,
    away,
  );
}

/**
 * Copies the rare messages of the server out of their bytes: Welcome, LogReply, Closing. Frames and self updates have
 * readers of their own that allocate nothing.
 */
import {
  ColumnType,
  type Closing,
  type LogReply,
  type Welcome as WireWelcome,
} from '../wire/generated/server_generated.js';
import type { ColumnInfo, SessionLog, Welcome } from './types.js';

export function copyWelcome(w: WireWelcome): Welcome {
  return {
    protocol: w.protocol(),
    session: Number(w.session()),
    entity: Number(w.entity()),
    token: w.token() ?? '',
    resumed: w.resumed(),
    applied: w.applied(),
    durable: w.durable(),
    window: w.window(),
    tick: w.tick(),
    tickRate: w.tickRate(),
    frameRate: w.frameRate(),
    viewCells: w.viewCells(),
    cellLevel: w.cellLevel(),
    tileLevel: w.tileLevel(),
    x: w.x(),
    y: w.y(),
    game: w.game() ?? '',
    actions: new Map(list(w.actionsLength(), (i) => [w.actions(i)!.name()!, w.actions(i)!.kind()] as const)),
    kinds: list(w.kindsLength(), (i) => w.kinds(i)),
    items: list(w.itemsLength(), (i) => w.items(i)),
    columns: list(w.columnsLength(), (i) => column(w, i)),
    events: new Map(list(w.eventsLength(), (i) => [w.events(i)!.kind(), w.events(i)!.name()!] as const)),
  };
}

function column(w: WireWelcome, i: number): ColumnInfo {
  const c = w.columns(i)!;
  return {
    name: c.name()!,
    type: ColumnType[c.type()].toLowerCase() as ColumnInfo['type'],
    offset: c.offset(),
  };
}

function list<T>(length: number, at: (i: number) => T): T[] {
  return Array.from({ length }, (_, i) => at(i));
}

export function copyLog(reply: LogReply): SessionLog {
  return {
    session: Number(reply.session()),
    lastAction: reply.lastAction(),
    applied: reply.applied(),
    rejected: reply.rejected(),
    hash: reply.hash(),
  };
}

export function copyClosing(closing: Closing): { code: number; text: string } {
  return { code: closing.code(), text: closing.text() ?? '' };
}

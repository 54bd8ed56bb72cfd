/** The Welcome of the fake server: the built-in game's names, and what a test changes. */
import type { Builder } from 'flatbuffers';
import * as Down from '../../src/wire/generated/server_generated.js';

export const ACTIONS = { walk: 1, gather: 2, drop: 3, pick: 4, give: 5, say: 6, forage: 7 };

export interface FakeWelcome {
  session: number;
  entity: number;
  resumed: boolean;
  applied: number;
  durable: number;
  window: number;
  tick: number;
  x: number;
  y: number;
}

/** @returns the Welcome's table in the builder */
export function buildWelcome(b: Builder, w: FakeWelcome): number {
  const token = b.createString('token');
  const game = b.createString('fake');
  const named = (name: string, kind: number) => {
    const at = b.createString(name);
    return Down.NamedKind.createNamedKind(b, at, kind);
  };
  const actions = Down.Welcome.createActionsVector(
    b,
    Object.entries(ACTIONS).map(([n, k]) => named(n, k)),
  );
  const kinds = Down.Welcome.createKindsVector(
    b,
    ['player', 'creature', 'node', 'pile'].map((k) => b.createString(k)),
  );
  const items = Down.Welcome.createItemsVector(
    b,
    ['coin', 'berry', 'wood', 'stone'].map((k) => b.createString(k)),
  );
  const events = Down.Welcome.createEventsVector(b, [named('say', 1)]);
  const W = Down.Welcome;
  W.startWelcome(b);
  W.addProtocol(b, 2);
  W.addSession(b, BigInt(w.session));
  W.addEntity(b, BigInt(w.entity));
  W.addToken(b, token);
  W.addResumed(b, w.resumed);
  W.addApplied(b, w.applied);
  W.addDurable(b, w.durable);
  W.addWindow(b, w.window);
  W.addTick(b, w.tick);
  W.addTickRate(b, 20);
  W.addFrameRate(b, 10);
  W.addViewCells(b, 3);
  W.addCellLevel(b, 17);
  W.addTileLevel(b, 11);
  W.addX(b, w.x);
  W.addY(b, w.y);
  W.addGame(b, game);
  W.addActions(b, actions);
  W.addKinds(b, kinds);
  W.addItems(b, items);
  W.addEvents(b, events);
  return W.endWelcome(b);
}

/** What a trade told last, read from the bytes of its event as a client reads them. */
import { ByteBuffer } from 'flatbuffers';
import { EVENT } from '../../src/game/constants.js';
import { TradeState } from '../../src/wire/generated/blue-marble/trade-state.js';
import type { FakePlanet } from './fake-planet.js';

export interface Told {
  asker: number;
  asked: number;
  version: number;
  state: number;
  accepted: number;
  askerItems: number[];
  askedItems: number[];
}

export function readTold(bytes: Uint8Array): Told {
  const s = new TradeState().__init(0, new ByteBuffer(bytes));
  return {
    asker: Number(s.asker()),
    asked: Number(s.asked()),
    version: s.version(),
    state: s.state(),
    accepted: s.accepted(),
    askerItems: [s.askerItem0(), s.askerItem1(), s.askerItem2(), s.askerItem3()],
    askedItems: [s.askedItem0(), s.askedItem1(), s.askedItem2(), s.askedItem3()],
  };
}

/** @param id of the trade's entity */
export function lastTold(planet: FakePlanet, id: number): Told {
  const event = planet.emitted.findLast((e) => e.id === id && e.kind === EVENT.trade);
  if (event === undefined) throw new Error('the trade has told nothing');
  if (event.bytes.length !== TradeState.sizeOf()) throw new Error(`${event.bytes.length} bytes`);
  return readTold(event.bytes);
}

/** The payloads of the built-in game are the structs of schemas/game.fbs, which clients in other languages read. */
import { ByteBuffer } from 'flatbuffers';
import t from 'tap';
import { encodePayload, structLayout } from '../../src/base/payload.js';
import game from '../../src/game/game.js';
import { Drop } from '../../src/wire/generated/blue-marble/drop.js';
import { Gather } from '../../src/wire/generated/blue-marble/gather.js';
import { Give } from '../../src/wire/generated/blue-marble/give.js';
import { Pick } from '../../src/wire/generated/blue-marble/pick.js';
import { TradeAbort } from '../../src/wire/generated/blue-marble/trade-abort.js';
import { TradeAccept } from '../../src/wire/generated/blue-marble/trade-accept.js';
import { TradeOffer } from '../../src/wire/generated/blue-marble/trade-offer.js';
import { TradePut } from '../../src/wire/generated/blue-marble/trade-put.js';
import { TradeTake } from '../../src/wire/generated/blue-marble/trade-take.js';
import { Walk } from '../../src/wire/generated/blue-marble/walk.js';

const STRUCTS = {
  walk: Walk,
  gather: Gather,
  drop: Drop,
  pick: Pick,
  give: Give,
  tradeOffer: TradeOffer,
  tradePut: TradePut,
  tradeTake: TradeTake,
  tradeAccept: TradeAccept,
  tradeAbort: TradeAbort,
};
const VALUES: Record<string, number> = {
  heading: -1.5,
  speed: 6,
  seconds: 0.25,
  target: 2 ** 53 - 1,
  item: 3,
  count: 40_000,
  trade: 2 ** 53 - 1,
  version: 65_535,
};

for (const [name, Struct] of Object.entries(STRUCTS)) {
  t.test(name, async (t) => {
    const shape = game.actions[name]!.payload;
    t.equal(structLayout(shape).bytes, Struct.sizeOf());
    const fields = Object.keys(shape);
    const struct = new Struct().__init(0, new ByteBuffer(encodePayload(shape, VALUES))) as unknown as Record<
      string,
      () => unknown
    >;
    for (const field of fields) t.equal(Number(struct[field]!()), VALUES[field], field);
  });
}

t.test('every struct has its action', async (t) => {
  const structured = Object.entries(game.actions).filter(([, action]) => typeof action.payload === 'object');
  t.strictSame(structured.map(([name]) => name).sort(), Object.keys(STRUCTS).sort());
});

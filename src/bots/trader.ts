/**
 * A bot's part in two-sided trades: it hears what trades tell (event `trade`), knows the newest one that it is a party
 * of, and makes up its mind about it. Counts how trades ended, each once: the asker's bot does.
 */
import { encodePayload, PayloadDecoder } from '../base/payload.js';
import type { Random } from '../base/random.js';
import { BUILT_IN_EVENTS, BUILT_IN_PAYLOADS, type TradeState } from '../client/payload.js';
import type { CellFrameView } from '../wire/cell-frame-view.js';
import type { Deed } from './doings.js';
import { someItem } from './doings.js';
import type { Measures } from './measures.js';

/** A trade that has not told anything for so long is over (it does so once a second). */
const SILENT_MS = 3000;
const STATE = { open: 0, settled: 1, aborted: 2 } as const;

interface Known {
  id: number;
  heardMs: number;
  version: number;
  /** This bot has accepted what it last heard of. */
  hasAccepted: boolean;
  mine: number[];
  theirs: number[];
}

const sum = (items: readonly number[]) => items.reduce((a, b) => a + b, 0);

export class Trader {
  private trade: Known | null = null;
  private lastOver = 0;
  private readonly words = new PayloadDecoder(BUILT_IN_EVENTS.trade);

  constructor(private readonly measures: Pick<Measures, 'trades' | 'tradesAborted'>) {}

  /** @param kind of the event `trade`, −1 = the game has none */
  hear(frame: CellFrameView, kind: number, own: number, now: number): void {
    const { words } = this;
    for (let i = 0; i < frame.eventCount; i++) {
      if (frame.eventKind(i) !== kind) continue;
      if (words.decode(frame.bytes, frame.eventPayload(i), frame.eventPayloadLength(i)) !== 0) continue;
      this.told(frame.eventSource(i), words.payload as TradeState, own, now);
    }
  }

  private told(id: number, told: TradeState, own: number, now: number): void {
    const party = [told.asker, told.asked].indexOf(own);
    if (party < 0) return;
    if (told.state !== STATE.open) return this.over(id, told.state, party === 0);
    const sides = [
      [told.askerItem0, told.askerItem1, told.askerItem2, told.askerItem3],
      [told.askedItem0, told.askedItem1, told.askedItem2, told.askedItem3],
    ];
    this.trade = {
      id,
      heardMs: now,
      version: told.version,
      hasAccepted: (told.accepted & (1 << party)) !== 0,
      mine: sides[party],
      theirs: sides[1 - party],
    };
  }

  private over(id: number, state: number, isAsker: boolean): void {
    if (this.trade?.id === id) this.trade = null;
    if (id === this.lastOver) return;
    this.lastOver = id;
    if (!isAsker) return;
    if (state === STATE.settled) this.measures.trades++;
    else this.measures.tradesAborted++;
  }

  /** What to do next about the trade; null: nothing now. @param near a player within reach, 0 = nobody */
  next(items: readonly number[], near: number, random: Random, now: number): Deed | null {
    const { trade } = this;
    if (trade === null || now - trade.heardMs > SILENT_MS)
      return near !== 0 && random.next() < 0.4 ? made('tradeOffer', { target: near }) : null;
    const wish = random.next();
    if (wish < 0.04) return made('tradeAbort', { trade: trade.id });
    if (wish < 0.1) return this.takeOut(trade);
    if (sum(trade.mine) === 0 || wish < 0.15) {
      const item = someItem(items, random);
      return item < 0 ? null : made('tradePut', { trade: trade.id, item, count: 1 });
    }
    if (trade.hasAccepted || (sum(trade.theirs) === 0 && wish < 0.7)) return null;
    return made('tradeAccept', { trade: trade.id, version: trade.version });
  }

  private takeOut({ id, mine }: Known): Deed | null {
    const item = mine.findIndex((n) => n > 0);
    return item < 0 ? null : made('tradeTake', { trade: id, item, count: 1 });
  }
}

function made(name: string, values: Record<string, number>): Deed {
  return { name, payload: encodePayload(BUILT_IN_PAYLOADS[name], values) };
}

/**
 * Errors of the game, told by the shards (shard/faults.ts): each kind of them is one line of the log at once, and then one
 * line a minute with their count, however many there are. Frozen entities are alarms while they are frozen.
 *
 * Contract: main thread only. A kind is what ran and the place in the author's source. Bounded: of more kinds than
 * `MOST` the oldest is forgotten, and is told as new when it comes again.
 */
import type { Timers } from '../base/clock.js';
import { BlueMarbleError } from '../base/errors.js';
import type { FaultReport, FrozenEntity, GameFault } from '../shard/faults.js';
import { SETUP } from '../shard/set-up.js';
import type { Log } from './log.js';

const MOST = 256;
/** From one line about a kind to the next. */
const AGAIN_MS = 60_000;

interface Kind {
  readonly what: string;
  readonly place: string;
  /** Since the last line. */
  count: number;
  shard: number;
  message: string;
  entity: number;
}

interface Frozen {
  readonly count: number;
  readonly examples: readonly FrozenEntity[];
}

export class GameFaults {
  private readonly kinds = new Map<string, Kind>();
  private readonly frozen = new Map<number, Frozen>();
  /** By shard: why the game's setup has failed in its thread. */
  private readonly unset = new Map<number, GameFault>();
  private cancel: (() => void) | null = null;

  constructor(
    private readonly timers: Timers,
    private readonly log: Pick<Log, 'error' | 'info'>,
  ) {}

  /** A shard's report. */
  take(shard: number, { faults, frozen, examples }: FaultReport): void {
    for (const fault of faults) {
      this.note(shard, fault);
      if (fault.what === SETUP) this.unset.set(shard, fault);
    }
    const before = this.frozen.get(shard)?.count ?? 0;
    if (frozen === 0) this.frozen.delete(shard);
    else this.frozen.set(shard, { count: frozen, examples });
    if (frozen > before)
      this.log.error({ shard, frozen, examples, alarm: true }, 'frozen: the steps of these entities throw');
    if (frozen === 0 && before > 0)
      this.log.info({ shard }, 'no entity is frozen any more: their steps go well, or they are gone');
  }

  /** The thread of a shard has ended: who takes over its entities tries them anew. */
  ended(shard: number): void {
    this.frozen.delete(shard);
    this.unset.delete(shard);
  }

  /** A server does not begin with a game that is not set up. @throws BlueMarbleError BAD_GAME @param source of the game */
  checkSetUp(source: string): void {
    for (const fault of this.unset.values())
      throw new BlueMarbleError('BAD_GAME', `${source}: its setup fails: ${sentenceOf(fault)}`);
  }

  /** One sentence for each shard that has frozen entities, or in which the game is not set up. */
  alarms(): string[] {
    const unset = [...this.unset].map(
      ([shard, fault]) => `shard ${shard} runs without the game's setup, which fails: ${sentenceOf(fault)}`,
    );
    const frozen = [...this.frozen].map(([shard, { count, examples }]) => {
      const some = examples.map(({ kind, entity, place }) => `'${kind}' ${entity}${place && ` (${place})`}`);
      const more = count > some.length ? ' and others' : '';
      const are = count === 1 ? 'entity of the game is' : 'entities of the game are';
      return `shard ${shard}: ${count} ${are} frozen, their steps throw: ${some.join(', ')}${more}`;
    });
    return [...unset, ...frozen];
  }

  /** Nothing more is told. */
  close(): void {
    this.cancel?.();
    this.cancel = null;
  }

  private note(shard: number, fault: GameFault): void {
    const key = `${fault.what} ${fault.place}`;
    const known = this.kinds.get(key);
    const { what, place, message, entity, count } = fault;
    if (known !== undefined) {
      Object.assign(known, { shard, message, entity, count: known.count + count });
      return;
    }
    if (this.kinds.size === MOST) this.kinds.delete(this.kinds.keys().next().value as string);
    this.kinds.set(key, { what, place, count: 0, shard, message, entity });
    const { stack } = fault;
    this.log.error(
      { shard, what, place, entity, reason: message, count, stack },
      'error in the game, undone',
    );
    this.cancel ??= this.timers.after(AGAIN_MS, () => this.again());
  }

  /** Tells how often it has happened since; what has not is forgotten. */
  private again(): void {
    this.cancel = null;
    for (const [key, kind] of this.kinds) {
      const { what, place, count, shard, message: reason, entity } = kind;
      if (count === 0) {
        this.kinds.delete(key);
        continue;
      }
      this.log.error({ shard, what, place, entity, reason, count }, 'error in the game, again, undone');
      kind.count = 0;
    }
    if (this.kinds.size > 0) this.cancel = this.timers.after(AGAIN_MS, () => this.again());
  }
}

function sentenceOf({ message, place }: GameFault): string {
  return place === '' ? message : `${message} (${place})`;
}

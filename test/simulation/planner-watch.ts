/**
 * What must hold of the production planner's decisions, judged by what is counted here beside it:
 *
 * ```
 *  P1 dwell     a tile that was split, merged, moved or born of a split rests for its dwell; a newborn one in need may go on
 *  P2 whole     when everybody has left, base tiles are whole, everything is served in full, idle threads have ended
 *  P3 relief    a tile over its capacity, or that asks for more than a tick, is about to be split, or is served less
 *  P4 cause     a decision carries the numbers that caused it, and they are true
 *  P5 full      a full machine is found to be full; nothing is split there for CPU time, and no thread starts
 *  P6 innocent  where ticks cost little, in full and with nobody left out, time is not slowed, whoever takes the cores
 *  I9           changes under way touch no tile twice
 * ```
 * It sees the load tables before the planner does, in the same instant.
 */
import { LIMITS } from '../../src/base/limits.js';
import type { Breathing } from '../../src/control/breathing.js';
import type { DecisionRecord } from '../../src/control/elastic.js';
import { covers, overlaps } from '../../src/control/planner/squares.js';
import { type Outcome, type Reshape, entryOf } from '../../src/control/reshape.js';
import { type TileAddress, childrenOf, formatTile } from '../../src/geo/address.js';
import { tileColumns } from '../../src/geo/tile.js';
import { SHARD_STATE } from '../../src/memory/shard-block.js';
import { dilation, farRate } from '../../src/memory/service.js';
import { checkCause } from './causes.js';
import { fail } from './fail.js';
import { Demand } from './demand.js';
import { Fullness } from './fullness.js';
import type { Planned } from './planned.js';
import type { Simulation } from './simulation.js';

const COLUMNS = tileColumns(LIMITS.deepestTileLevel);
const KINDS = ['split', 'merge', 'move', 'degrade', 'start', 'stop', 'saturated'];
/** Turns of the planner that are remembered: what a smoothed load may still come from. */
const REMEMBERED = 24;
/** Turns after which relief must have come: players are counted, CPU time is smoothed and the ladder has steps. */
const RELIEF_TURNS = 6;
const BUSY_TURNS = 20;
/** Share of a tick budget that is too much beyond doubt. */
const BUSY = 1.3;
/** Until a layout is whole that nobody needs: dwells, ladders, packing, and starts that fail. */
const EMPTY_TICKS = 2000;

/** Ticks in which entities follow a change of layout. */
const FOLLOW_TICKS = 20;

interface Rest {
  readonly sinceS: number;
  readonly isBorn: boolean;
}

export class PlannerWatch {
  decided = 0;
  /** Decisions by kind: what the seeds reach. */
  readonly kinds: Record<string, number> = {};
  /** As drawn; what the planner goes by may have a bug. */
  private readonly limits: Planned['limits'];
  private breathing!: Breathing;
  private readonly fullness: Fullness;
  private readonly demand: Demand;
  private readonly rests = new Map<string, Rest>();
  private readonly running = new Map<string, Reshape>();
  /** Players by square, a turn each, oldest first. */
  private readonly history: Map<number, number>[] = [];
  /** By address of a leaf: turns in which it was over its capacity, and in which it asked for too much. */
  private over = new Map<string, number>();
  private busy = new Map<string, number>();
  /** How fast time went a turn ago, %, leaf by leaf. */
  private time: { readonly tile: TileAddress; readonly time: number }[] = [];
  private seen = new WeakSet<DecisionRecord>();
  private startedMs = 0;
  private changedTick = -Infinity;
  private isAsked = false;
  private wasSaturated = false;
  private trouble: Error | null = null;

  constructor(
    private readonly sim: Simulation,
    /** What the planner goes by: a planted bug changes its limits. */
    readonly planned: Planned,
  ) {
    const { node } = sim;
    this.limits = { ...planned.limits };
    this.fullness = new Fullness(node.machine!);
    this.demand = new Demand(node.machine!);
    node.onPlanner = (breathing) => this.follow(breathing);
    node.onError = (text, fields) => {
      if (text === 'load could not be planned')
        this.trouble ??= new Error(`I9: the planner broke off: ${JSON.stringify(fields)}`);
    };
    this.follow(node.breathing!);
  }

  /** A process begins. */
  private follow(breathing: Breathing): void {
    const { elastic, reshaper } = breathing;
    this.breathing = breathing;
    this.startedMs = this.sim.node.time.now();
    for (const kept of [this.rests, this.running, this.over, this.busy]) kept.clear();
    this.time = [];
    this.history.length = 0;
    this.fullness.reset();
    this.demand.reset();
    const step = elastic.step.bind(elastic);
    elastic.step = () => {
      this.look();
      step();
      this.judge();
    };
    const carryOut = reshaper.carryOut.bind(reshaper);
    reshaper.carryOut = (decision) => {
      this.begins(decision);
      const address = formatTile(decision.tile);
      this.running.set(address, decision);
      const isBegun = carryOut(decision);
      if (!isBegun) this.ended(address, 'failed');
      return isBegun;
    };
    const settled = reshaper.onSettled;
    reshaper.onSettled = (address, outcome) => {
      this.ended(address, outcome);
      settled(address, outcome);
    };
  }

  /** Whether a change of layout is under way, or over so lately that entities still follow it. */
  get isChanging(): boolean {
    return this.running.size > 0 || this.sim.tick - this.changedTick < FOLLOW_TICKS;
  }

  /** After each tick. */
  check(): void {
    if (this.trouble !== null) throw this.trouble;
  }

  /** Once a tick: now and then a person asks for something. */
  play(withFaults: boolean): void {
    const { sim, planned } = this;
    const { random } = planned;
    if (!withFaults || random.next() >= planned.asks) return;
    const { elastic } = this.breathing;
    const choice = random.int(3);
    const address = sim.layout.someTile(choice === 1);
    this.isAsked = true;
    if (choice === 0) elastic.split(address);
    else if (choice === 1) elastic.merge(address);
    else elastic.move(address, random.int(sim.node.world.shardBlocks.length));
    this.isAsked = false;
    for (const decision of elastic.decisions) this.seen.add(decision);
  }

  /** No machine is too small any more. */
  relieve(): void {
    this.planned.costs.playerMs = 0.05;
  }

  /** Everybody leaves: P2. */
  async empty(step: () => Promise<void>): Promise<void> {
    const { players } = this.sim;
    for (const player of players) player.leave();
    for (let i = 0; i < EMPTY_TICKS && this.unrest() !== null; i++) await step();
    const unrest = this.unrest();
    if (unrest !== null) fail('P2', `nobody is there, and ${unrest}`);
  }

  private unrest(): string | null {
    const { world } = this.sim.node;
    const { directory, admission, shardBlocks } = world;
    if (this.sim.players.some(({ client }) => client.state !== 'ended')) return 'somebody has not left';
    let split = -1;
    directory.forEachTaken((tile) => {
      if (directory.isSplit(tile)) split = tile;
    });
    if (split >= 0) return `base tile ${split} is in parts`;
    if (this.running.size > 0) return `${[...this.running.keys()][0]} is still being changed`;
    if (directory.anyService > 0) return `${directory.anyService} leaves are not served in full`;
    if (!admission.isOpen) return 'newcomers would have to wait';
    const running = shardBlocks.filter(({ state }) => state !== SHARD_STATE.NONE).length;
    return running > 1 && !this.limits.pinShards ? `${running} shards run` : null;
  }

  /** Before a turn of the planner. */
  private look(): void {
    const { world } = this.sim.node;
    const players = new Map<number, number>();
    const rows: number[] = [];
    for (const [s, block] of world.shardBlocks.entries()) {
      if (block.state !== SHARD_STATE.RUNNING || world.loadTables[s]!.read(rows) === 0) continue;
      for (let i = 0; i < rows.length; i += 4)
        players.set(rows[i]!, (players.get(rows[i]!) ?? 0) + rows[i + 1]!);
    }
    this.history.push(players);
    if (this.history.length > REMEMBERED) this.history.shift();
    this.fullness.look(world.shardBlocks.length);
    this.demand.look(world.shardBlocks.length);
    this.wasSaturated = this.breathing.elastic.saturated;
  }

  /** After it. */
  private judge(): void {
    const { elastic } = this.breathing;
    for (const decision of elastic.decisions) {
      if (this.seen.has(decision)) continue;
      this.seen.add(decision);
      this.decided++;
      this.kinds[decision.kind] = (this.kinds[decision.kind] ?? 0) + 1;
      this.sim.log(
        KINDS.indexOf(decision.kind),
        decision.decision.length + Math.round(decision.timeS * 1000),
      );
      checkCause(decision, this.limits);
      if (decision.kind === 'start' && (elastic.saturated || this.fullness.isCertain))
        fail('P5', `${decision.decision} though the machine is full`);
    }
    if (this.fullness.isCertain && !elastic.saturated) fail('P5', 'the machine is full, and nobody says so');
    this.checkRelief();
  }

  private nowS(): number {
    return (this.sim.node.time.now() - this.startedMs) / 1000;
  }

  /** A change of layout was decided and is about to begin. Never throws: production would take it for its own. */
  private begins(decision: Reshape): void {
    try {
      for (const other of this.running.values())
        if (overlaps(other.tile, decision.tile))
          fail(
            'I9',
            `${decision.kind} ${formatTile(decision.tile)} during ${other.kind} ${formatTile(other.tile)}`,
          );
      if (this.running.size >= this.limits.reshapesAtOnce) fail('I7', 'too many changes at once');
      if (this.isAsked) return;
      this.checkDwell(decision);
      if (decision.kind === 'split') this.checkSplit(decision);
      if (decision.kind === 'merge') this.checkMerge(decision);
    } catch (error) {
      this.trouble ??= error as Error;
    }
  }

  private ended(address: string, outcome: Outcome): void {
    const decision = this.running.get(address);
    if (decision === undefined) return;
    this.running.delete(address);
    this.changedTick = this.sim.tick;
    const sinceS = this.nowS();
    this.rests.set(address, { sinceS, isBorn: false });
    if (outcome === 'failed' || decision.kind !== 'split') return;
    for (const { tile } of decision.children) this.rests.set(formatTile(tile), { sinceS, isBorn: true });
  }

  private checkDwell(decision: Reshape): void {
    const { tile, kind, numbers } = decision;
    const own = this.rests.get(formatTile(tile));
    const goesOn =
      kind === 'split' && own?.isBorn === true && numbers.load! >= this.limits.emergencyLoadShare;
    const tiles = kind === 'merge' ? [tile, ...childrenOf(tile)] : goesOn ? [] : [tile];
    for (const one of tiles) {
      const rest = this.rests.get(formatTile(one));
      const restedS = rest === undefined ? Infinity : this.nowS() - rest.sinceS;
      if (restedS < this.limits.dwellS - 1e-6)
        fail('P1', `${kind} ${formatTile(tile)}: ${formatTile(one)} has rested for ${restedS.toFixed(2)} s`);
    }
  }

  /** Its load is that of players who stand, or have just stood, there; on a full machine there is no other reason. */
  private checkSplit({ tile, numbers }: Reshape): void {
    const { capacityPlayers } = this.limits;
    const now = this.playersIn(tile, this.history[this.history.length - 1]!);
    if (numbers.players !== now)
      fail('P4', `split of ${formatTile(tile)} tells ${numbers.players} of ${now} players`);
    if (numbers.capacity !== capacityPlayers) fail('P4', `a capacity of ${numbers.capacity}`);
    if (!this.wasSaturated || !this.breathing.elastic.saturated) return;
    const base = this.baseOf(tile);
    const most = Math.max(...this.history.map((turn) => this.playersIn(base, turn)));
    if (numbers.load! > most / capacityPlayers + 1e-6)
      fail('P5', `split of ${formatTile(tile)} at load ${numbers.load} by ${most} players on a full machine`);
  }

  private checkMerge({ tile }: Reshape): void {
    const { capacityPlayers, mergeLoadShare } = this.limits;
    const now = this.playersIn(tile, this.history[this.history.length - 1]!);
    if (now / capacityPlayers >= mergeLoadShare)
      fail('P4', `merge of ${formatTile(tile)}, in which ${now} of ${capacityPlayers} players are`);
  }

  /** P3, leaf by leaf. */
  private checkRelief(): void {
    const { world } = this.sim.node;
    const newest = this.history[this.history.length - 1]!;
    const [over, busy] = [new Map<string, number>(), new Map<string, number>()];
    const times: typeof this.time = [];
    for (const leaf of this.breathing.load.latest.tiles) {
      const address = formatTile(leaf.tile);
      const { tile, path } = entryOf(address)!;
      const word = world.directory.serviceOf(tile, path);
      const time = dilation(word);
      times.push({ tile: leaf.tile, time });
      if (world.shardBlocks[leaf.shard]?.state !== SHARD_STATE.RUNNING) continue;
      const isAwaited = [...this.running.values()].some((other) => overlaps(other.tile, leaf.tile));
      if (
        this.playersIn(leaf.tile, newest) >= this.limits.capacityPlayers &&
        !isAwaited &&
        farRate(word) === 100
      )
        over.set(address, (this.over.get(address) ?? 0) + 1);
      if (time < this.timeBefore(leaf.tile) && this.demand.isLittle(leaf.shard))
        fail('P6', `time goes at ${time} % in ${address}, whose shard asks for little`);
      if (leaf.busy >= BUSY && !isAwaited && time === 100)
        busy.set(address, (this.busy.get(address) ?? 0) + 1);
    }
    for (const [address, turns] of over)
      if (turns > RELIEF_TURNS) fail('P3', `${address} is over its capacity, and nothing is done`);
    for (const [address, turns] of busy)
      if (turns > BUSY_TURNS) fail('P3', `${address} asks for more than a tick, and nothing is done`);
    this.over = over;
    this.time = times;
    this.busy = busy;
  }

  /** How fast time went there a turn ago, %; of a tile that was split or merged since, the slowest of what it was. */
  private timeBefore(tile: TileAddress): number {
    let slowest = 100;
    for (const before of this.time) if (overlaps(before.tile, tile)) slowest = Math.min(slowest, before.time);
    return slowest;
  }

  private playersIn(tile: TileAddress, players: ReadonlyMap<number, number>): number {
    let sum = 0;
    for (const [square, count] of players) {
      const x = square % COLUMNS;
      const at = { z: LIMITS.deepestTileLevel, x, y: (square - x) / COLUMNS };
      if (covers(tile, at)) sum += count;
    }
    return sum;
  }

  private baseOf({ z, x, y }: TileAddress): TileAddress {
    const up = z - LIMITS.baseTileLevel;
    return { z: LIMITS.baseTileLevel, x: x >> up, y: y >> up };
  }
}

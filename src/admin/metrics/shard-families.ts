/** Metrics of shards: one family for each counter and gauge of a shard's block, and its histograms. */
import { SHARD_COUNTER, SHARD_GAUGE, SHARD_STATE } from '../../memory/shard-block.js';
import { HistogramCopy } from '../../memory/histogram.js';
import type { ShardBlock } from '../../memory/shard-block.js';
import { LIMITS } from '../../base/limits.js';
import type { Family, MetricSource, Sample } from './source.js';

/** Every counter of a shard's block: name (without prefix) and help. A new counter needs its line here. */
const COUNTERS: Record<keyof typeof SHARD_COUNTER, readonly [name: string, help: string]> = {
  handoversIn: ['handovers_total', 'Entities taken over from another shard.'],
  handoversOut: ['handovers_sent_total', 'Entities handed over to another shard.'],
  handoversRefused: ['handovers_refused_total', 'Handovers put off because the target had no room.'],
  crossings: ['crossings_total', 'Borders crossed between two tiles of one shard.'],
  actionsApplied: ['actions_applied_total', 'Actions of clients that were applied.'],
  actionsRejected: ['actions_rejected_total', 'Actions of clients that were rejected with a code.'],
  ticksMissed: ['entity_ticks_missed_total', 'Ticks that an entity was not stepped in; stays 0.'],
  ticksDoubled: ['entity_ticks_doubled_total', 'Ticks that an entity was stepped in twice; stays 0.'],
  ticksFrozen: ['entity_ticks_frozen_total', 'Ticks that entities stood still because their shard was dead.'],
  ticksDilated: ['entity_ticks_dilated_total', 'Ticks that entities were left out by time dilation.'],
  ignoredArrivals: ['arrivals_ignored_total', 'Arrivals that did not match their owner word.'],
  ringFull: ['gateway_ring_full_total', 'Times that a ring to a gateway was full.'],
  skippedEntries: ['inbox_entries_skipped_total', 'Inbox entries of another session that were skipped.'],
  frameOverflows: ['frame_overflows_total', 'Cell frames that did not hold all that was to be shown.'],
  streamOverflows: ['stream_overflows_total', 'Cells that got no stream because there were too many.'],
  eventsDropped: ['events_dropped_total', 'Events that found no room in their frame.'],
  eventsThinned: ['events_thinned_total', 'Events left out of far squares of a crowd.'],
  messagesSent: ['messages_sent_total', 'Messages between entities of different shards.'],
  messagesForwarded: ['messages_forwarded_total', 'Messages that followed an entity to another shard.'],
  messagesDropped: ['messages_dropped_total', 'Messages that a game marked as lossy and that were lost.'],
  framesSent: ['cell_frames_total', 'Cell frames and other records given to gateways.'],
  frameBytes: ['cell_frame_bytes_total', 'Bytes of these records.'],
  slotsExhausted: ['slots_exhausted_total', 'Entities not created because all places were taken.'],
  jobsDropped: ['jobs_dropped_total', 'Jobs that found no room on their way to the pool.'],
  tickErrors: ['tick_errors_total', 'Ticks that ended with an error.'],
  ticks: ['ticks_total', 'Ticks run.'],
  collections: ['gc_collections_total', 'Garbage collections of the thread.'],
  gameFaults: ['game_faults_total', "Errors of the game's code, each undone."],
  itemDifferences: [
    'item_differences_total',
    'Bags that held something else than their shard had noted; stays 0.',
  ],
};

/** Every gauge: name, help, and what to multiply with for base units. */
const GAUGES: Record<keyof typeof SHARD_GAUGE, readonly [name: string, help: string, scale?: number]> = {
  entities: ['entities', 'Entities that the shard simulates.'],
  players: ['players', 'Players among them.'],
  tiles: ['tiles_held', 'Tiles that are awake on the shard.'],
  gcMaxMs: ['gc_max_seconds', 'Longest garbage collection of the present thread.', 1e-3],
  busyShare: ['busy_ratio', 'CPU time over tick budget as the shard tells it, 0 where it does not.'],
  dilation: ['dilation_ratio', 'Time dilation of the slowest tile of the shard, 1 = none, 0 = not told.'],
  threadId: ['thread_id', 'Number of the thread in the kernel, 0 = unknown.'],
  frozen: ['frozen_entities', 'Entities whose step is left out because it throws.'],
  nice: ['nice', 'Nice value of the thread: below 0 it runs before others.'],
  layoutSeen: ['layout_version', 'Version of the layout of tiles that the shard goes by.'],
  leaving: ['leaving_entities', 'Entities still to be handed over because of a change of layout.'],
  arrivalsHigh: [
    'arrivals_ring_high_ratio',
    'Greatest filling so far of a ring of entities coming in, 1 = full.',
  ],
  messagesHigh: [
    'messages_ring_high_ratio',
    "Greatest filling so far of a ring of other shards' messages, 1 = full.",
  ],
  framesHigh: ['frames_ring_high_ratio', 'Greatest filling so far of a ring to a gateway, 1 = full.'],
};

/** One sample a shard. */
function perShard(value: (block: ShardBlock, shard: number) => number): (source: MetricSource) => Sample[] {
  return ({ world }) =>
    world.shardBlocks.map((block, s) => ({ labels: { shard: String(s) }, value: value(block, s) }));
}

function perShardHistogram(pick: (block: ShardBlock) => { addTo(copy: HistogramCopy): void }) {
  return ({ world }: MetricSource) =>
    world.shardBlocks.map((block, s) => {
      const copy = new HistogramCopy();
      pick(block).addTo(copy);
      return { labels: { shard: String(s) }, copy };
    });
}

const labels = ['shard'] as const;

const counters: Family[] = Object.entries(COUNTERS).map(([key, [name, help]]) => ({
  name: `bluemarble_shard_${name}`,
  help,
  kind: 'counter',
  labels,
  read: perShard((block) => block.counter(SHARD_COUNTER[key as keyof typeof SHARD_COUNTER])),
}));

const gauges: Family[] = Object.entries(GAUGES).map(([key, [name, help, scale = 1]]) => ({
  name: `bluemarble_shard_${name}`,
  help,
  kind: 'gauge',
  labels,
  read: perShard((block) => block.gauge(SHARD_GAUGE[key as keyof typeof SHARD_GAUGE]) * scale),
}));

/** Items created or consumed, by kind, over all shards: each shard at its newest committed tick. */
function items(which: 'created' | 'consumed'): (source: MetricSource) => Sample[] {
  return ({ world }) => {
    const sums = new Float64Array(LIMITS.itemKinds);
    const totals = { created: new Float64Array(sums.length), consumed: new Float64Array(sums.length) };
    for (const block of world.shardBlocks) {
      block.totals(totals.created, totals.consumed);
      for (let kind = 0; kind < sums.length; kind++) sums[kind] += totals[which][kind];
    }
    return [...sums].map((value, kind) => ({ labels: { item: String(kind) }, value }));
  };
}

export const SHARD_FAMILIES: readonly Family[] = [
  ...counters,
  ...gauges,
  {
    name: 'bluemarble_shard_up',
    help: '1 while the shard runs ticks.',
    kind: 'gauge',
    labels,
    read: perShard((block) => (block.state === SHARD_STATE.RUNNING ? 1 : 0)),
  },
  {
    name: 'bluemarble_shard_committed_tick',
    help: 'Newest tick that the shard has committed.',
    kind: 'gauge',
    labels,
    read: perShard((block) => block.committedTick),
  },
  {
    name: 'bluemarble_shard_tiles',
    help: 'Tiles placed on the shard.',
    kind: 'gauge',
    labels,
    read: perShard((block) => block.tiles),
  },
  {
    name: 'bluemarble_shard_restarts_total',
    help: 'Deaths of the shard that were followed by a replacement.',
    kind: 'counter',
    labels,
    read: (source) =>
      source.shards().map(({ shard, restarts }) => ({ labels: { shard: String(shard) }, value: restarts })),
  },
  {
    name: 'bluemarble_shard_tick_duration_seconds',
    help: 'Wall time of a tick.',
    kind: 'histogram',
    labels,
    read: perShardHistogram((block) => block.tickMs),
  },
  {
    name: 'bluemarble_shard_handover_duration_seconds',
    help: "From the end of the source's tick to the first tick under the new owner, by new owner.",
    kind: 'histogram',
    labels,
    read: perShardHistogram((block) => block.handoverMs),
  },
  {
    name: 'bluemarble_items_created_total',
    help: 'Items created since the planet began.',
    kind: 'counter',
    labels: ['item'],
    read: items('created'),
  },
  {
    name: 'bluemarble_items_consumed_total',
    help: 'Items consumed since the planet began.',
    kind: 'counter',
    labels: ['item'],
    read: items('consumed'),
  },
];

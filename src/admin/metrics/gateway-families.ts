/** Metrics of gateways: one family for each counter and gauge of a gateway's block, and closes by code. */
import { ERRORS } from '../../base/errors.js';
import { GATEWAY_COUNTER, GATEWAY_GAUGE } from '../../memory/gateway-block.js';
import type { Family, MetricSource, Sample } from './source.js';

/** Every counter of a gateway's block: name (without prefix) and help. A new counter needs its line here. */
const COUNTERS: Record<keyof typeof GATEWAY_COUNTER, readonly [name: string, help: string]> = {
  accepted: ['connections_accepted_total', 'Sockets accepted.'],
  messagesIn: ['messages_received_total', 'Messages of clients.'],
  bytesIn: ['received_bytes_total', 'Bytes of these messages.'],
  framesOut: ['messages_sent_total', 'Messages sent to clients; several may share a packet.'],
  bytesOut: ['sent_bytes_total', 'Bytes of these messages.'],
  actionsIn: ['actions_received_total', 'Actions put into inboxes.'],
  badFrames: ['bad_messages_total', 'Messages that are not valid FlatBuffers of the schema.'],
  keyFrames: ['key_frames_total', 'Key frames asked of shards.'],
  resumes: ['resumes_total', 'Sessions that went on over another socket.'],
  staleRecords: ['stale_records_total', 'Records of shards for connections that were gone.'],
  droppedBatches: ['dropped_batches_total', 'Batches that a slow client did not take.'],
  arrivalsFull: ['arrivals_full_total', 'New players put off because a shard had no room.'],
  inboxFull: ['inbox_full_total', 'Inboxes found full within the window; stays 0.'],
  handlerErrors: ['handler_errors_total', 'Errors caught in handlers; each is in the log.'],
  addressCuts: [
    'address_cuts_total',
    'TCP connections cut without a word because their address held too many.',
  ],
};

const GAUGES: Record<keyof typeof GATEWAY_GAUGE, readonly [name: string, help: string]> = {
  connections: ['connections', 'Open sockets.'],
  sessions: ['sessions', 'Sessions with a player in the world.'],
  cells: ['watched_cells', 'Cells that at least one client watches.'],
  slow: ['slow_clients', 'Clients too far behind for cell frames.'],
  lateS: ['late_seconds', 'How late the thread has lately been to its turns; it fades within a second.'],
  full: ['full', '1 while the game port is closed because all sockets are taken.'],
  lobby: ['lobby', 'Newcomers who wait for their turn.'],
  threadId: ['thread_id', 'Number of the thread in the kernel, 0 = the main thread.'],
};

const labels = ['gateway'] as const;

const counters: Family[] = Object.entries(COUNTERS).map(([key, [name, help]]) => ({
  name: `bluemarble_gateway_${name}`,
  help,
  kind: 'counter',
  labels,
  read: ({ world }) =>
    world.gatewayBlocks.map((block, g) => ({
      labels: { gateway: String(g) },
      value: block.counter(GATEWAY_COUNTER[key as keyof typeof GATEWAY_COUNTER]),
    })),
}));

const gauges: Family[] = Object.entries(GAUGES).map(([key, [name, help]]) => ({
  name: `bluemarble_gateway_${name}`,
  help,
  kind: 'gauge',
  labels,
  read: ({ world }) =>
    world.gatewayBlocks.map((block, g) => ({
      labels: { gateway: String(g) },
      value: block.gauge(GATEWAY_GAUGE[key as keyof typeof GATEWAY_GAUGE]),
    })),
}));

const CLOSE_CODES = Object.entries(ERRORS).filter(([, entry]) => entry.kind === 'close');

/** By gateway and name of the registry: its length bounds the number of samples. */
function closes({ world }: MetricSource): Sample[] {
  return world.gatewayBlocks.flatMap((block, g) =>
    CLOSE_CODES.map(([code, entry]) => ({
      labels: { gateway: String(g), code },
      value: block.closes(entry.number),
    })),
  );
}

export const GATEWAY_FAMILIES: readonly Family[] = [
  ...counters,
  ...gauges,
  {
    name: 'bluemarble_gateway_closes_total',
    help: 'Connections that the server closed, by code.',
    kind: 'counter',
    labels: ['gateway', 'code'],
    read: closes,
  },
];

/**
 * Notices a gateway whose thread hangs: its heartbeat stands still. It cannot be ended (a thread with a live transport
 * takes the process down), so an operator is told: an alarm in the log, and a server that is not ready for new clients.
 *
 * Contract: main thread, `look` a few times a second. Time in which nobody looked is no silence.
 */
import type { Clock } from '../base/clock.js';
import { GATEWAY_STATE, type GatewayBlock } from '../memory/gateway-block.js';
import type { Log } from './log.js';

/** A gateway without clients looks up twice a second. */
export const GATEWAY_SILENT_MS = 3_000;
const LONGEST_GAP_MS = 1_000;

export class GatewayWatch {
  private readonly seen: { heartbeat: number; silentMs: number }[];
  private lookedAt: number;

  constructor(
    private readonly blocks: readonly GatewayBlock[],
    private readonly clock: Clock,
    private readonly log: Pick<Log, 'fatal' | 'info'>,
  ) {
    this.seen = blocks.map(() => ({ heartbeat: -1, silentMs: 0 }));
    this.lookedAt = clock.now();
  }

  look(): void {
    const now = this.clock.now();
    const gap = Math.min(now - this.lookedAt, LONGEST_GAP_MS);
    this.lookedAt = now;
    for (const [gateway, block] of this.blocks.entries()) {
      const seen = this.seen[gateway]!;
      const wasSilent = seen.silentMs >= GATEWAY_SILENT_MS;
      const beats = block.state !== GATEWAY_STATE.RUNNING || block.heartbeat !== seen.heartbeat;
      seen.heartbeat = block.heartbeat;
      seen.silentMs = beats ? 0 : seen.silentMs + gap;
      const isSilent = seen.silentMs >= GATEWAY_SILENT_MS;
      if (isSilent && !wasSilent)
        this.log.fatal({ gateway, silentMs: seen.silentMs, alarm: true }, 'a gateway thread hangs');
      if (wasSilent && !isSilent) this.log.info({ gateway }, 'the gateway thread goes on, alarm ends');
    }
  }

  /** Why the server is not ready. */
  get reasons(): string[] {
    const silent = this.seen.flatMap(({ silentMs }, g) => (silentMs >= GATEWAY_SILENT_MS ? [g] : []));
    return silent.map((g) => `gateway ${g} hangs: its clients get no news, restart the server`);
  }
}

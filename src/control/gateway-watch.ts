/**
 * Notices a gateway whose thread hangs: its heartbeat stands still. After three seconds an operator is told: an alarm in the
 * log, and a server that is not ready for new clients. After that much of the thread's own CPU time it hangs by its own
 * doing, and after half a minute whoever's doing it is: then `hung` is told, once. One that gets no core has that half minute.
 *
 * Contract: main thread, `look` a few times a second. Time in which nobody looked is no silence.
 */
import type { Clock } from '../base/clock.js';
import { GATEWAY_STATE, type GatewayBlock } from '../memory/gateway-block.js';
import type { Log } from './log.js';

/** A gateway without clients looks up twice a second. */
export const GATEWAY_SILENT_MS = 3_000;
/** Of silence, for a thread that does not use its CPU time, or of which the system tells nothing. */
export const GATEWAY_LOST_MS = 30_000;
const LONGEST_GAP_MS = 1_000;

export class GatewayWatch {
  private readonly seen: { heartbeat: number; silentMs: number; cpuMs: number; isOver: boolean }[];
  private lookedAt: number;

  constructor(
    private readonly blocks: readonly GatewayBlock[],
    private readonly clock: Clock,
    private readonly log: Pick<Log, 'fatal' | 'info'>,
    /** CPU time of its thread so far, ms; −1 = the system does not tell. */
    private readonly cpuMs: (gateway: number) => number = () => -1,
    /** @returns whether the gateway is given up; else it is watched on and told of again */
    private readonly hung: (gateway: number) => boolean = () => false,
  ) {
    this.seen = blocks.map(() => ({ heartbeat: -1, silentMs: 0, cpuMs: -1, isOver: false }));
    this.lookedAt = clock.now();
  }

  look(): void {
    const now = this.clock.now();
    const gap = Math.min(now - this.lookedAt, LONGEST_GAP_MS);
    this.lookedAt = now;
    for (const [gateway, block] of this.blocks.entries()) {
      const seen = this.seen[gateway]!;
      if (seen.isOver) continue;
      const wasSilent = seen.silentMs >= GATEWAY_SILENT_MS;
      const beats = block.state !== GATEWAY_STATE.RUNNING || block.heartbeat !== seen.heartbeat;
      seen.heartbeat = block.heartbeat;
      seen.silentMs = beats ? 0 : seen.silentMs + gap;
      if (beats) seen.cpuMs = this.cpuMs(gateway);
      const isSilent = seen.silentMs >= GATEWAY_SILENT_MS;
      if (isSilent && !wasSilent)
        this.log.fatal({ gateway, silentMs: seen.silentMs, alarm: true }, 'a gateway thread hangs');
      if (wasSilent && !isSilent) this.log.info({ gateway }, 'the gateway thread goes on, alarm ends');
      const used = seen.cpuMs < 0 ? 0 : this.cpuMs(gateway) - seen.cpuMs;
      if (!isSilent || (used < GATEWAY_SILENT_MS && seen.silentMs < GATEWAY_LOST_MS)) continue;
      seen.isOver = this.hung(gateway);
    }
  }

  /** Why the server is not ready. */
  get reasons(): string[] {
    const silent = this.seen.flatMap(({ silentMs }, g) => (silentMs >= GATEWAY_SILENT_MS ? [g] : []));
    return silent.map((g) => `gateway ${g} hangs: its clients get no news`);
  }
}

/** Which tile a place is in and which shard simulates it, by /api/tiles: asked every second, for people only. */
import { formatTile, tileAt } from '../../geo/address.js';

const ASK_MS = 1000;
const LEVELS = [13, 12, 11];

export class Ground {
  /** Leaves by address. */
  private shards = new Map<string, number>();
  private askedMs = Number.NEGATIVE_INFINITY;
  /** Address of the leaf, '' before it is known. */
  tile = '';
  shard = -1;
  /** Borders between tiles, and between shards, that the player has walked across. */
  crossed = 0;
  shardChanges = 0;

  follow(x: number, y: number, now: number): void {
    if (now - this.askedMs >= ASK_MS) {
      this.askedMs = now;
      void this.ask();
    }
    if (this.shards.size === 0) return;
    const names = LEVELS.map((level) => formatTile(tileAt(x, y, level)));
    const tile = names.find((name) => this.shards.has(name)) ?? names[2];
    const shard = this.shards.get(tile) ?? this.shard;
    if (this.tile !== '' && tile !== this.tile) this.crossed++;
    if (this.shard >= 0 && shard !== this.shard) this.shardChanges++;
    this.tile = tile;
    this.shard = shard;
  }

  private async ask(): Promise<void> {
    try {
      const { tiles } = (await (await fetch('/api/tiles')).json()) as {
        tiles: { tile: string; shard: number }[];
      };
      this.shards = new Map(tiles.map(({ tile, shard }) => [tile, shard]));
    } catch {
      // the connection's own state tells of a lost server
    }
  }
}

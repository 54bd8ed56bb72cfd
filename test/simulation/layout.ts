/** Changes of layout and of service as the seed draws them: stranger ones than a planner would ever decide. */
import { LIMITS } from '../../src/base/limits.js';
import { formatTile, parseTile, tileAt } from '../../src/geo/address.js';
import { tileColumns, tileIndex } from '../../src/geo/tile.js';
import { wrapX } from '../../src/geo/world.js';
import { packService } from '../../src/memory/service.js';
import { SQUARES, leafAt, pathAt } from '../../src/world/layout.js';
import { SPOT } from './player.js';
import type { Simulation } from './simulation.js';

export class RandomLayout {
  constructor(private readonly sim: Simulation) {}

  /** A leaf about the corner is split or moved, or merged with its siblings; refusals are part of it. */
  reshape(): void {
    const { random, node } = this.sim;
    const choice = random.int(3);
    const address = this.someTile(choice === 1);
    const before = node.world.directory.version;
    if (choice === 0) node.reshaper.split(address, 'seed');
    else if (choice === 1) node.reshaper.merge(address, 'seed');
    else node.reshaper.move(address, random.int(node.shards.length), 'seed');
    const { z, x, y } = parseTile(address)!;
    const up = z - LIMITS.baseTileLevel;
    if (node.world.directory.version !== before)
      this.sim.watch.began((y >> up) * tileColumns(LIMITS.baseTileLevel) + (x >> up));
  }

  /** A leaf about the corner, or its parent; now and then any tile, whatever it is. */
  someTile(parent: boolean): string {
    const { random, node } = this.sim;
    const at = () => (random.next() * 2 - 1) * 40;
    const [x, y] = [wrapX(SPOT.x + at()), SPOT.y + at()];
    const leaf = leafAt(node.world.directory, tileIndex(x, y, LIMITS.deepestTileLevel));
    let level = LIMITS.baseTileLevel + random.int(3);
    if (leaf !== null && random.next() < 0.8) level = leaf.address.z - (parent ? 1 : 0);
    return formatTile(tileAt(x, y, Math.max(level, LIMITS.baseTileLevel)));
  }

  /** The leaf at some place about the corner gets another share of time. */
  degrade(): void {
    const { random, node } = this.sim;
    const at = () => (random.next() * 2 - 1) * 40;
    const [x, y] = [wrapX(SPOT.x + at()), SPOT.y + at()];
    const percent = random.next() < 0.3 ? 100 : 10 + random.int(91);
    this.serve(tileIndex(x, y, LIMITS.baseTileLevel), pathAt(x, y), packService(percent, 100, 100));
    this.sim.log(percent, node.world.directory.anySlow);
  }

  private serve(tile: number, path: number, word: number): void {
    const { directory } = this.sim.node.world;
    directory.setService(tile, path, directory.depthOf(tile, path), word);
  }

  /** Relief: everything in full again. */
  speedUp(): void {
    this.sim.node.world.directory.forEachTaken((tile) => {
      for (let path = 0; path < SQUARES; path++) this.serve(tile, path, 0);
    });
  }
}

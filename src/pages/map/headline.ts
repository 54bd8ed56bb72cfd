/** The header: whether the planet is well, and its key figures; and the legend and ruler on the map. */
import { xyToLonLat } from '../../geo/world.js';
import { byId, h, setText } from '../look/dom.js';
import { count, metres, milliseconds, place } from '../look/format.js';
import { theme } from '../look/theme.js';
import type { Camera } from './camera.js';
import type { FeedState } from './feed.js';
import { LOAD_STEPS, loadColours, shardColour } from './palette.js';
import type { Layers } from './painter.js';
import type { Planet } from './planet.js';

export function showHeadline(planet: Planet, feed: FeedState): void {
  const { status } = planet;
  const pill = byId('state');
  const alarms = status?.alarms ?? [];
  const state = feed !== 'live' ? feed : alarms.length > 0 ? 'alarm' : 'live';
  pill.dataset.state = state;
  const texts = {
    live: 'All is well',
    alarm: alarms.length === 1 ? '1 alarm' : `${alarms.length} alarms`,
    lost: 'Connection lost, trying again',
    connecting: 'Connecting',
  };
  setText(pill.querySelector('span') ?? pill, texts[state]);
  const box = byId('alarms');
  box.hidden = alarms.length === 0;
  setText(box, alarms.join(' · '));
  if (status === null) return;
  setText(byId('n-players'), count(status.players));
  setText(byId('n-entities'), count(status.entities));
  setText(byId('n-tiles'), count(planet.leaves.size));
  setText(byId('n-shards'), String(status.shards.length));
  setText(byId('n-tick'), milliseconds(Math.max(0, ...status.shards.map(({ tickMs }) => tickMs.p99))));
  byId('n-tick').dataset.seen = String(Math.floor(status.uptimeSeconds));
  setText(byId('n-handover'), status.handoverMs.max > 0 ? milliseconds(status.handoverMs.p99) : '–');
}

export function showLegend(planet: Planet, layers: Layers): void {
  const legend = byId('legend');
  const key = `${layers.colour} ${theme()} ${planet.status?.shards.map(({ id }) => id).join()}`;
  if (legend.dataset.key === key) return;
  legend.dataset.key = key;
  const swatch = (fill: string, text: string, hatched = false) => {
    const box = h('i', { class: hatched ? 'swatch hatched' : 'swatch' });
    box.style.background = fill;
    return h('li', {}, box, text);
  };
  const items =
    layers.colour === 'load'
      ? LOAD_STEPS.map(({ label, from }, i) => swatch(loadColours(theme())[i], label, from >= 1))
      : (planet.status?.shards ?? [])
          .slice(0, 8)
          .map(({ id }) => swatch(shardColour(id, theme()), String(id)));
  const title = layers.colour === 'load' ? 'Load of a tile, % of capacity' : 'Shard of a tile';
  legend.replaceChildren(h('p', {}, title), h('ul', { class: layers.colour }, ...items));
}

/** A round length of about a hundred pixels, and the place in the middle. */
export function showRuler(camera: Camera): void {
  const most = camera.scale * 110;
  const power = 10 ** Math.floor(Math.log10(most));
  const round = [5, 2, 1].map((n) => n * power).find((n) => n <= most) ?? power;
  byId('ruler').style.width = `${round / camera.scale}px`;
  setText(byId('ruler-text'), metres(round));
  const { lon, lat } = xyToLonLat(camera.x, camera.y);
  const digits = camera.scale > 500 ? 0 : camera.scale > 20 ? 2 : 4;
  setText(byId('where'), place(lon, lat, digits));
}

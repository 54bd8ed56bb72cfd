/** Life on the planet while a page is looked at, and what the page is asked for again and again. */
import type { Page } from 'playwright-core';
import type { Test } from 'tap';
import { runBots } from '../e2e/bots.js';
import { Server, type StartOptions } from '../e2e/server.js';
import { until } from './browser.js';

/** A machine so busy that a shard gets no core for half a second has it replaced: no fault of the page. */
const STARVED = [/^shard is silent/, /^shard died/];

export function startServer(t: Test, flags: readonly string[], options: StartOptions = {}): Promise<Server> {
  return Server.start(t, flags, { mayLog: STARVED, ...options });
}

interface Tiles {
  tiles: { tile: string; shard: number; players: number; entities: number }[];
}

export async function tilesOf(server: Server): Promise<Tiles['tiles']> {
  return ((await (await fetch(`${server.admin}/api/tiles`)).json()) as Tiles).tiles;
}

/** Bots that stroll until `done`. */
export function bots(t: Test, server: Server, players: number, scenario: string) {
  let done = () => {};
  const ended = new Promise<void>((resolve) => {
    done = resolve;
  });
  const flags = ['--players', String(players), '--seconds', '0', '--scenario', scenario];
  const run = runBots(t, server, flags, { until: ended });
  run.catch(() => {}); // a test that has failed does not wait for them
  return { run, done: () => done() };
}
/** The figures of players and their places come in different events: pressed until there is a tile to go to. */
export const goToPlayers = (page: Page) =>
  until(page, `document.getElementById('busiest').click(), document.getElementById('tile-name') !== null`);
/** Players are counted at every look, tiles in samples of the load: the page knows of the ones before the others. */
export const knowsTiles = (page: Page, atLeast: number) =>
  until(page, `Number(document.getElementById('n-tiles').textContent) >= ${atLeast}`);
/** Waits until the header shows so many players. */
export const showsPlayers = (page: Page, players: number) =>
  until(page, `document.getElementById('n-players').textContent === '${players}'`);

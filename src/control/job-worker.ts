/**
 * The thread of the job pool: runs one named job of the game and returns what it returns. Loads the game once per
 * thread; throws what the job throws.
 */
import { loadGame } from '../shard/load-game.js';
import { placeOf } from '../shard/places.js';

export interface JobTask {
  /** null = the built-in game. */
  readonly gameFile: string | null;
  readonly name: string;
  readonly input: unknown;
}

const games = new Map<string, ReturnType<typeof loadGame>>();

export default async function runJob({ gameFile, name, input }: JobTask): Promise<unknown> {
  const key = gameFile ?? '';
  const loading = games.get(key) ?? loadGame(gameFile ?? undefined);
  games.set(key, loading);
  const { jobs } = (await loading).module;
  const job = jobs !== undefined && Object.hasOwn(jobs, name) ? jobs[name] : undefined;
  if (job === undefined) throw new Error(`the game has no job "${name}"`);
  // Through JSON, as it will go into the ring: what JSON cannot carry fails here, with the job's name in the log.
  try {
    return JSON.parse(JSON.stringify((await job(input)) ?? null)) as unknown;
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const place = placeOf(error);
    throw new Error(place === '' ? reason : `${reason} (${place})`, { cause: error });
  }
}

/** Game code that throws takes its shard down. This says whose code it was, on the way out. */
import type { CompiledGame } from '../world/game.js';

/** @param what "action 'walk' of entity 4097" @returns an error to throw on: the same stack below a sentence */
export function blamed(error: unknown, game: CompiledGame, what: string): Error {
  const reason = error instanceof Error ? error : new Error(String(error));
  const told = new Error(`the game '${game.name}' threw in ${what}: ${reason.message}`, { cause: reason });
  told.stack = `${told.message}\n${reason.stack ?? ''}`;
  return told;
}

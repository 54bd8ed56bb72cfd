/** A fault of ours that showed while game code ran takes the shard down. This says whose code ran, on the way out. */
import type { CompiledGame } from '../world/game.js';

/** Never taken for an error of the game, however many of its functions it passes through. */
export class OurFault extends Error {
  override readonly name = 'OurFault';
}

/** @param what "action 'walk' of entity 4097" @returns an error to throw on: the same stack below a sentence */
export function blamed(error: Error, game: CompiledGame, what: string): OurFault {
  const text = `the shard found itself at fault while the game '${game.name}' ran ${what}: ${error.message}`;
  const told = new OurFault(text, { cause: error });
  told.stack = `${told.message}\n${error.stack ?? ''}`;
  return told;
}

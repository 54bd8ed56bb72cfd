/**
 * Mutants of valid messages and plain noise at a running server, for a few seconds: each connection ends with a
 * documented code or goes on to serve, honest clients play on, nothing is logged as an error, memory stays bounded.
 * The seed is printed with every failure; FUZZ_SEED replays it, FUZZ_SECONDS makes it longer.
 */
import t from 'tap';
import { monotonicClock } from '../../src/base/clock.js';
import { errorName } from '../../src/base/errors.js';
import { hash2, type Random, seededRandom } from '../../src/base/random.js';
import { clientSamples } from '../wire/samples.js';
import { CUT, frame, OPCODE, RawClient } from './raw.js';
import { pause, Server } from './server.js';
import { Witness } from './witness.js';

t.setTimeout(120_000);

const SEED = Number(process.env['FUZZ_SEED'] ?? crypto.getRandomValues(new Uint32Array(1))[0]);
const SECONDS = Number(process.env['FUZZ_SECONDS'] ?? 5);
const AT_ONCE = 16;
const MESSAGES = 5;
const SENTINEL = 0x5eed;
const SILENCE_MS = 200;
const GROWTH_BYTES = 200 * 1024 * 1024;

const samples = clientSamples().map(({ bytes }) => bytes);

/** One valid message, damaged in one of the ways in which bytes get damaged. */
function mutant(random: Random): Uint8Array {
  const bytes = Uint8Array.from(samples[random.int(samples.length)]);
  switch (random.int(6)) {
    case 0: // bits
      for (let n = 1 + random.int(3); n > 0; n--) bytes[random.int(bytes.length)] ^= 1 << random.int(8);
      return bytes;
    case 1: // bytes
      for (let n = 1 + random.int(4); n > 0; n--) bytes[random.int(bytes.length)] = random.int(256);
      return bytes;
    case 2: // a word with a telling value
      new DataView(bytes.buffer).setUint32(
        4 * random.int(bytes.length >> 2),
        [0, 1, 4, 0x7fff_ffff, 0x8000_0000, 0xffff_fffc, 0xffff_ffff][random.int(7)],
        true,
      );
      return bytes;
    case 3: // the end
      return bytes.subarray(0, random.int(bytes.length + 1));
    case 4: // two halves
      return Uint8Array.from([
        ...bytes.subarray(0, random.int(bytes.length)),
        ...samples[random.int(samples.length)],
      ]);
    default: // noise
      return Uint8Array.from({ length: random.int(200) }, () => random.int(256));
  }
}

/** One connection of a case; says what became of it. */
async function attack(port: number, random: Random): Promise<string> {
  const client = await (random.int(2) === 0 ? RawClient.open(port) : RawClient.play(port));
  const messages = Array.from({ length: 1 + random.int(MESSAGES) }, () => mutant(random));
  const isNoise = random.int(8) === 0;
  if (isNoise) {
    const fields = { fin: random.int(2) === 0, reserved: random.int(8), masked: random.int(4) > 0 };
    const opcode = random.int(16);
    if (opcode === OPCODE.CLOSE) messages[0] = new Uint8Array(random.int(2)); // its code would be echoed
    client.write(frame(opcode, messages[0], fields));
  } else client.send(...messages);
  client.send(client.writer.ping(0, SENTINEL));
  // An end is an answer, too. After half a frame the server waits for its rest, and that is right.
  const answer = client.until('an answer', () => client.nonce === SENTINEL || client.code !== undefined);
  await Promise.race(isNoise ? [answer, pause(SILENCE_MS)] : [answer]);
  const { code, closing } = client;
  client.destroy();
  if (code === undefined || code === CUT) return code === undefined ? 'goes on' : 'cut';
  const known = errorName('close', code);
  return known === closing || code < 4000 ? `${code} ${closing}` : `${code}, but says ${closing}`;
}

t.test(`noise and mutants, seed ${SEED}`, async (t) => {
  const server = await Server.start(t, ['--shards', '2', '--gateways', '2']);
  const witnesses = await Promise.all([1, 2, 3].map(() => Witness.enter(t, server)));
  const clock = monotonicClock();
  const end = clock.now() + SECONDS * 1000;
  const before = server.residentBytes();
  const outcomes = new Map<string, number>();
  let cases = 0;
  const worker = async () => {
    while (clock.now() < end) {
      const outcome = await attack(server.port, seededRandom(hash2(SEED, cases++)));
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  t.comment(`${cases} connections: ${[...outcomes].map(([what, n]) => `${what} ${n}`).join(', ')}`);
  const odd = [...outcomes.keys()].filter((what) => /undefined|but says|INTERNAL|NOT_READY/.test(what));
  t.same(odd, [], `every end has a documented code (FUZZ_SEED=${SEED})`);
  t.ok(outcomes.size > 4, 'the mutants are of many kinds');
  const grown = server.residentBytes() - before;
  t.ok(grown < GROWTH_BYTES, `memory grew by ${Math.round(grown / 1024 ** 2)} MiB`);
  for (const witness of witnesses) await witness.finish(t);
  await server.stop();
});

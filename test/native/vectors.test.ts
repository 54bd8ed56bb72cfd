/**
 * The worked examples of README.md: the annotated bytes are those of the real encoders, the real verifier accepts them,
 * and the Python client, which shares no code with the server, reads what README.md says that they mean.
 */
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { FNV_BASIS, fnvAction } from '../../src/base/fnv.js';
import { CellFrameWriter } from '../../src/wire/cell-frame-writer.js';
import { ClientWriter } from '../../src/wire/client-writer.js';
import { verifyClientMessage, verifyServerMessage } from '../../src/wire/verify.js';
import { marked, section } from '../house/readme.js';
import { ROOT } from '../house/source.js';

/** Bytes of an annotated dump; each line's offset must be where the line before ended. */
function bytesOf(mark: string): Uint8Array {
  const bytes: number[] = [];
  for (const line of marked(mark).split('\n')) {
    const [, offset, hex] = /^([0-9a-f]{4}) {2}((?:[0-9a-f]{2} )*[0-9a-f]{2}) {2,}\S/.exec(line) ?? [];
    t.equal(Number.parseInt(offset, 16), bytes.length, `${mark}: place of "${line.slice(0, 40)}…"`);
    bytes.push(...hex.split(' ').map((pair) => Number.parseInt(pair, 16)));
  }
  return Uint8Array.from(bytes);
}

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

t.test('Hello', async (t) => {
  const bytes = bytesOf('vector:hello');
  const written = new ClientWriter().hello(0, { protocol: 2, client: 'py/1', spawn: { x: 1000, y: -2000 } });
  t.equal(hex(bytes), hex(written));
  t.equal(verifyClientMessage(bytes), 0);
  t.match(section('FlatBuffers by hand'), `${bytes.length} bytes`);
});

t.test('CellFrame', async (t) => {
  const bytes = bytesOf('vector:cell-frame');
  const writer = new CellFrameWriter(4096);
  writer.begin(131078, 65549, 3, 1206, 1204, 84);
  writer.state(4098, 2, 32768, 16384, 150, -20, 0, 0, 0, 0);
  writer.move(4099, 2050, 100, 200, -150, 0);
  writer.removal(8193, 5, 131079, 65549);
  writer.event(12290, 4098, 1, 32768, 16384, Buffer.from('Hi!'), 0, 3);
  t.equal(hex(bytes), hex(writer.view(writer.finish())));
  t.equal(verifyServerMessage(bytes), 0);
  t.match(section('FlatBuffers by hand'), `${bytes.length} bytes`);

  const python = spawnSync('python3', [join(ROOT, 'test/native/client.py'), '--decode'], {
    input: hex(bytes),
    encoding: 'utf8',
  });
  t.equal(python.status, 0, `python3 is there and reads it: ${python.error?.message ?? python.stderr}`);
  t.strictSame(JSON.parse(python.stdout), {
    type: 2,
    body: {
      cell_x: 131078,
      cell_y: 65549,
      publisher: 3,
      tick: 1206,
      previous: 1204,
      closes: [],
      states: [
        { id: 4098, epoch: 2, x: 32768, y: 16384, vx: 150, vy: -20, kind: 0, flags: 0, pub0: 0, pub1: 0 },
      ],
      square: 84,
      interval: 0,
      taken: 1206,
      moves: [{ id: 4099, epoch: 2, x: 100, y: 200, vx: -150, vy: 0 }],
      removals: [{ id: 8193, epoch: 5, to_x: 131079, to_y: 65549 }],
      events: [{ id: 12290, source: 4098, kind: 1, x: 32768, y: 16384, payload: 'Hi!' }],
    },
  });
});

t.test('the hash of the log', async (t) => {
  const text = section('Checking the log');
  const payload = Buffer.from('db0fc93f0000c03f00000040', 'hex');
  const one = fnvAction(FNV_BASIS, 1, 1, payload, 0, payload.length, 0);
  const two = fnvAction(one, 2, 7, payload, 0, 0, 7);
  t.match(text, 'db0fc93f 0000c03f 00000040');
  t.match(text, `0x${one.toString(16)}`);
  t.match(text, `0x${two.toString(16)}`);
  t.match(text, `0x${FNV_BASIS.toString(16)}`);
});

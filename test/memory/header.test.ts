/** The header line: what is written is checked; what does not fit is refused. */
import t from 'tap';
import {
  LAYOUT_VERSION,
  PARAMETERS,
  checkHeader,
  isPowerOfTwo,
  magicOf,
  roundUp,
  writeHeader,
} from '../../src/memory/header.js';

t.test('a header is recognised by magic and version', (t) => {
  const sab = new SharedArrayBuffer(64);
  writeHeader(new Int32Array(sab), magicOf('test'), [5, 6]);
  const i32 = checkHeader(sab, magicOf('test'), 'a test');
  t.strictSame([...i32.subarray(0, PARAMETERS + 2)], [magicOf('test'), LAYOUT_VERSION, 5, 6]);
  t.throws(() => checkHeader(sab, magicOf('tesT'), 'a test'), { message: 'a test: wrong magic' });
  i32[1]++;
  t.throws(() => checkHeader(sab, magicOf('test'), 'a test'), { message: 'a test: wrong layout version' });
  t.throws(() => checkHeader(new SharedArrayBuffer(63), 0, 'a test'), { message: /shorter/ });
  t.throws(() => magicOf('toolong'), { message: /four/ });
  t.throws(() => writeHeader(i32, 0, new Array(15).fill(0)), { message: /line/ });
  t.end();
});

t.test('rounding', (t) => {
  t.strictSame(
    [0, 1, 63, 64, 65].map((n) => roundUp(n, 64)),
    [0, 64, 64, 64, 128],
  );
  t.strictSame([-1, 0, 1, 2, 3, 4].map(isPowerOfTwo), [false, false, true, true, false, true]);
  t.end();
});

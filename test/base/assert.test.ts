import t from 'tap';
import { assert } from '../../src/base/assert.js';

t.test('a true condition passes, a false one throws with the invariant in the text', async (t) => {
  assert(true, 'I1 never shown');
  t.throws(() => assert(false, 'I1 one owner'), { name: 'AssertionError', message: 'I1 one owner' });
});

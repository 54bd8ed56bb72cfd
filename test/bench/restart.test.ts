/** The restart bench, small: the directory that it fills is one that the real server starts on. Timing is not judged. */
import t from 'tap';
import { run } from '../../bench/restart.js';

t.test('a filled directory is started on twice, an empty one too', async (t) => {
  const figures = await run({ json: true, values: { entities: '600', times: '2', guests: '20' } });
  t.match(figures, { entities: 600, restart: { readyMs: [Number, Number], emptyReadyMs: [Number, Number] } });
});

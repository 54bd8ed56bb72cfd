import t from 'tap';
import { createLog, levelFrom } from '../../src/base/log.js';

t.test('lines are JSON with level names, the facts of the thread, and the time for people', async (t) => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', facts: { thread: 'shard 3' }, write: (line) => lines.push(line) });
  log.debug('below the level');
  log.warn({ tick: 7 }, 'late');
  t.equal(lines.length, 1);
  const line = JSON.parse(lines[0]);
  t.match(line, { level: 'warn', thread: 'shard 3', tick: 7, msg: 'late', time: /^\d{4}-\d\d-\d\dT/ });
  t.notOk('pid' in line || 'hostname' in line);
});

t.test('the level comes from the environment, and is info when that names none', async (t) => {
  t.equal(levelFrom({ BLUEMARBLE_LOG_LEVEL: 'DEBUG' }), 'debug');
  t.equal(levelFrom({ BLUEMARBLE_LOG_LEVEL: 'loud' }), 'info');
  t.equal(levelFrom({}), 'info');
});

t.test('standard error has the line before the process ends', async (t) => {
  const { spawnSync } = await import('node:child_process');
  const module = new URL('../../src/base/log.js', import.meta.url);
  const code = `import { createLog } from ${JSON.stringify(module.href)}; createLog().fatal('last words'); process.exit(3);`;
  const child = spawnSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' });
  t.equal(child.status, 3);
  t.match(JSON.parse(child.stderr), { level: 'fatal', msg: 'last words' });
});

t.test('a secret that is logged by accident is not written', async (t) => {
  const lines: string[] = [];
  const log = createLog({ level: 'info', write: (line) => lines.push(line) });
  const hidden = 'not-to-be-seen';
  log.info(
    { token: hidden, ticket: hidden, hello: { resumeToken: hidden, authorization: hidden } },
    'by accident',
  );
  t.equal(lines.length, 1);
  t.notMatch(lines[0], hidden);
  t.match(JSON.parse(lines[0]), { token: '[secret]', hello: { resumeToken: '[secret]' } });
});

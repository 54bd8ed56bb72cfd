/** Code in the manuals is code: every block of JavaScript and TypeScript compiles under `strict`, as it stands there. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import ts from 'typescript';
import { ROOT } from './source.js';

const MANUALS = ['README.md', 'src/cluster/README.md'];
const DECLARED = /\/\*\* @type \{import\('([^']+)'\)\.(\w+)\} \*\/\nexport default (\{[\s\S]*\});/;

interface Block {
  readonly name: string;
  readonly text: string;
  readonly isTyped: boolean;
}

function blocksOf(manual: string): Block[] {
  const text = readFileSync(join(ROOT, manual), 'utf8');
  return [...text.matchAll(/^```(js|mjs|javascript|ts|mts|typescript)\n([\s\S]*?)\n```/gm)].map((found) => ({
    name: `${manual}:${text.slice(0, found.index).split('\n').length + 1}`,
    text: found[2],
    isTyped: found[1].includes('t'),
  }));
}

/** What the compiler says of a file that stands in the root of the repository, with the settings that a studio has. */
function complaints(text: string, isTyped: boolean): string[] {
  const file = join(ROOT, `block-of-a-manual.${isTyped ? 'mts' : 'mjs'}`);
  const options: ts.CompilerOptions = {
    strict: true,
    noEmit: true,
    allowJs: true,
    checkJs: true, // JavaScript says its types in comments
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    lib: ['lib.es2023.d.ts', 'lib.es2024.sharedmemory.d.ts'],
    types: ['node'],
    skipLibCheck: true, // of others
  };
  const host = ts.createCompilerHost(options);
  const { fileExists, readFile, getSourceFile } = host;
  host.fileExists = (path) => path === file || fileExists.call(host, path);
  host.readFile = (path) => (path === file ? text : readFile.call(host, path));
  host.getSourceFile = (path, version, ...rest) =>
    path === file
      ? ts.createSourceFile(path, text, version)
      : getSourceFile.call(host, path, version, ...rest);
  host.getCurrentDirectory = () => ROOT;
  const program = ts.createProgram([file], options, host);
  return ts
    .getPreEmitDiagnostics(program)
    .map(({ file: at, start, messageText }) =>
      [
        at === undefined ? '' : at.getLineAndCharacterOfPosition(start ?? 0).line + 1,
        ts.flattenDiagnosticMessageText(messageText, ' '),
      ].join(': '),
    );
}

t.test('every block compiles', async (t) => {
  const blocks = MANUALS.flatMap(blocksOf);
  t.ok(blocks.length >= 2, 'blocks are found');
  for (const { name, text, isTyped } of blocks) t.strictSame(complaints(text, isTyped), [], name);
});

t.test('a game compiles in TypeScript as well, declared by satisfies', async (t) => {
  const games = MANUALS.flatMap(blocksOf).filter(({ text }) => DECLARED.test(text));
  t.ok(games.length > 0, 'there is a game');
  for (const { name, text } of games) {
    const typed = text.replace(
      DECLARED,
      (_, from, type, game) =>
        `import type { ${type} } from '${from}';\nexport default ${game} satisfies ${type};`,
    );
    t.strictSame(complaints(typed, true), [], name);
    t.match(
      complaints(typed.replace('glow: {', 'glow: 7, shine: {'), true),
      [/glow|number/],
      'a fault is found',
    );
  }
});

/**
 * Generates src/wire/generated and src/store/generated from the schemas in this folder; run from the top of the
 * repository.
 *
 *   node dist/schemas/generate.js            writes the folders; needs flatc 2.0.8 (Debian: flatbuffers-compiler)
 *   node dist/schemas/generate.js --check    exit code 1 when a folder is not what the schemas give
 *
 * A folder holds flatc's readers and builders, and schema.ts: the tables of the verifier with a hash of the schemas
 * and of the files beside it. So the check finds a stale or edited folder without flatc, too; with the very flatc that
 * made it, it generates anew and compares byte by byte.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { reflect } from './reflect.js';

/** What is generated together: the protocol, and what the store keeps. */
const GROUPS = [
  { names: ['client', 'server', 'game'], target: join('src', 'wire', 'generated') },
  { names: ['store'], target: join('src', 'store', 'generated') },
];
type Group = (typeof GROUPS)[number];
const SUMMARY = 'schema.ts';
const COMPILER = 'flatc version 2.0.8';

/** The generated folder as path → content. */
type Files = Map<string, string>;

function compilerVersion(): string {
  try {
    return execFileSync('flatc', ['--version'], { encoding: 'utf8' }).trim();
  } catch {
    return '';
  }
}

function filesBelow(folder: string): Files {
  const paths = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((e) => e.isFile())
    .map((e) => join(e.parentPath ?? e.path, e.name).slice(folder.length + 1))
    .sort();
  return new Map(paths.map((path) => [path, readFileSync(join(folder, path), 'utf8')]));
}

/** Hash of names and contents; line by line, so that the order of the map matters and nothing else. */
function hash(files: Iterable<[string, string]>): string {
  const sum = createHash('sha256');
  for (const [path, text] of files) sum.update(`${path} ${text.length}\n${text}\n`);
  return sum.digest('hex');
}

const sourcesOf = (group: Group) => group.names.map((name) => join('schemas', `${name}.fbs`));
const sourceHash = (group: Group) => hash(sourcesOf(group).map((path) => [path, readFileSync(path, 'utf8')]));

/** The recorded hash of everything beside the summary. */
function filesHash(files: Files): string {
  return hash([...files].filter(([path]) => path !== SUMMARY).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** One line per entry: long enough to stay small, short enough for a readable diff. */
function lines(value: object): string {
  const entries = Object.entries(value).map(([name, entry]) =>
    Array.isArray(entry)
      ? `    ${name}: [\n${entry.map((e) => `      ${JSON.stringify(e)},\n`).join('')}    ],\n`
      : `    ${name}: ${JSON.stringify(entry)},\n`,
  );
  return `{\n${entries.join('')}  }`;
}

function summary(group: Group, work: string, files: Files): string {
  const parts = group.names.map((name) => {
    const { schema, structs } = reflect(readFileSync(join(work, `${name}.bfbs`)));
    return { name: name.toUpperCase(), schema, structs };
  });
  const bodies = parts.map(({ name, schema, structs }) => {
    const tables = `export const ${name}_SCHEMA: Schema = {\n  root: ${JSON.stringify(schema.root)},\n  tables: ${lines(schema.tables)},\n};\n\n`;
    const shapes = `export const ${name}_STRUCTS: Readonly<Record<string, StructShape>> = ${lines(structs)
      .replaceAll('\n    ', '\n  ')
      .replace(/ {2}}$/, '}')};\n`;
    return (schema.root === '' ? '' : tables) + shapes;
  });
  return `// automatically generated from schemas/*.fbs by schemas/generate.ts, do not modify

import type { Schema, StructShape } from '../../base/schema-shape.js';

/** sha256 of the schemas, and of the files beside this one. */
export const SOURCE_HASH = '${sourceHash(group)}';
export const FILES_HASH = '${filesHash(files)}';

${bodies.join('\n')}`;
}

/** Node wants the extension in imports, which flatc 2.0.8 leaves out; and it imports names that it does not use. */
function mended(text: string): string {
  return text
    .replace(/from '(\.{1,2}\/[^']+)';/g, "from '$1.js';")
    .replace(/^import \{ ([^}]+) \}/gm, (_, names: string) => {
      const used = names
        .split(', ')
        .filter((name) => (text.match(new RegExp(`\\b${name}\\b`, 'g'))?.length ?? 0) > 1);
      return `import { ${used.join(', ')} }`;
    });
}

function generate(group: Group): Files {
  const work = mkdtempSync(join(tmpdir(), 'schemas-'));
  try {
    execFileSync('flatc', ['--ts', '-o', join(work, 'ts'), ...sourcesOf(group)], { stdio: 'inherit' });
    execFileSync('flatc', ['--binary', '--schema', '-o', work, ...sourcesOf(group)], { stdio: 'inherit' });
    const files: Files = new Map();
    for (const [path, text] of filesBelow(join(work, 'ts'))) files.set(path, mended(text));
    return files.set(SUMMARY, summary(group, work, files));
  } finally {
    rmSync(work, { recursive: true });
  }
}

function write({ target }: Group, files: Files): void {
  rmSync(target, { recursive: true, force: true });
  for (const [path, text] of files) {
    mkdirSync(dirname(join(target, path)), { recursive: true });
    writeFileSync(join(target, path), text);
  }
}

/** @returns what is wrong with a committed folder; empty: nothing */
function faults(group: Group, version: string): string[] {
  const { target } = group;
  const committed = filesBelow(target);
  const text = committed.get(SUMMARY) ?? '';
  const recorded = (name: string) => new RegExp(`${name} = '([0-9a-f]+)'`).exec(text)?.[1];
  const found: string[] = [];
  if (recorded('SOURCE_HASH') !== sourceHash(group)) found.push(`${target}: the schemas have changed since`);
  if (recorded('FILES_HASH') !== filesHash(committed))
    found.push(`${target}: generated files were edited, added or lost`);
  if (version !== COMPILER) {
    console.log(
      `schemas: ${version || 'no flatc here'}, compared by hash only (${COMPILER} would generate anew)`,
    );
    return found;
  }
  const fresh = generate(group);
  for (const path of new Set([...fresh.keys(), ...committed.keys()])) {
    if (fresh.get(path) !== committed.get(path)) found.push(`${join(target, path)} differs`);
  }
  return found;
}

const version = compilerVersion();
if (process.argv.includes('--check')) {
  const found = GROUPS.flatMap((group) => faults(group, version));
  for (const fault of found) console.error(`schemas: ${fault}; run \`npm run generate\``);
  if (found.length > 0) process.exitCode = 1;
  else console.log('schemas: what is generated is what the schemas give');
} else if (version !== COMPILER) {
  console.error(`schemas: ${COMPILER} is needed (Debian: flatbuffers-compiler), found ${version || 'none'}`);
  process.exitCode = 1;
} else {
  for (const group of GROUPS) write(group, generate(group));
}

/**
 * The floors of src: a file imports from its own folder and from lower floors, never from a folder beside it.
 *
 *   6  main.ts node.ts config.ts …
 *   5  admin | operator | cluster   the admin port; the terminal's commands, which talk to it over HTTP; routers before nodes
 *   4  control
 *   3  gateway | shard          strangers: they meet in shared memory
 *   2  wire | world | store
 *   1  memory | geo
 *   0  base
 *   beside the tower: client and bots stand on wire, geo and base; pages (code of browsers) on client, geo and base;
 *   game stands on the facade of world alone
 */
import { dirname, join, normalize } from 'node:path/posix';
import ts from 'typescript';
import type { Finding, Source } from './source.js';

const FLOORS: readonly (readonly string[])[] = [
  ['base'],
  ['memory', 'geo'],
  ['wire', 'world', 'store'],
  ['gateway', 'shard'],
  ['control'],
  ['admin', 'operator', 'cluster'],
  ['(root)'],
];

/** Folders whose code also runs without Node (a browser, a simulation): nothing of it may be imported there. */
const WITHOUT_NODE = ['geo', 'memory', 'wire', 'world', 'game', 'pages'];

/** Files of world that are the facade a game is written against. */
const FACADE = /^src\/world\/(game|facade)\.ts$/;

/** What each folder may import, by the table above. */
export function allowedFolders(folder: string): readonly string[] {
  const lower = (floor: number) => FLOORS.slice(0, floor).flat();
  if (folder === 'client') return ['client', 'wire', 'geo', 'base'];
  if (folder === 'bots') return ['bots', 'client', 'wire', 'geo', 'base'];
  if (folder === 'pages') return ['pages', 'client', 'geo', 'base'];
  if (folder === 'game') return ['game'];
  const floor = FLOORS.findIndex((folders) => folders.includes(folder));
  if (floor < 0) return [];
  return folder === '(root)'
    ? [...lower(floor), '(root)', 'bots', 'client', 'game']
    : [...lower(floor), folder];
}

function folderOf(path: string): string {
  const parts = path.split('/');
  return parts.length === 2 ? '(root)' : parts[1];
}

/**
 * Everything that a file names as a module: import, export from, import(), a Worker's file. A path that it only
 * hands on (a program to start, a game to load) is data.
 */
export function importsOf(text: string): string[] {
  const found = ts.preProcessFile(text, true, true).importedFiles.map((file) => file.fileName);
  for (const match of text.matchAll(/new Worker\(\s*new URL\(\s*['"`]([^'"`]+)['"`]/g)) found.push(match[1]);
  return found;
}

export function checkFloors(source: Source): Finding[] {
  if (!source.path.startsWith('src/')) return [];
  const folder = folderOf(source.path);
  const allowed = allowedFolders(folder);
  if (allowed.length === 0)
    return [`${source.path}: src/${folder} is not on a floor: see test/house/floors.ts`];
  const findings: Finding[] = [];
  for (const name of importsOf(source.text)) {
    if (name.startsWith('node:') && WITHOUT_NODE.includes(folder)) {
      findings.push(
        `${source.path}: imports ${name}; src/${folder} runs without Node: let the caller hand it in`,
      );
    }
    if (!name.startsWith('.')) continue;
    const target = normalize(join(dirname(source.path), name)).replace(/\.js$/, '.ts');
    if (!target.startsWith('src/')) {
      if (/^(test|bench)\//.test(target))
        findings.push(`${source.path}: imports ${target}, which is not shipped`);
      continue;
    }
    if (folder === 'game' && FACADE.test(target)) continue;
    if (allowed.includes(folderOf(target))) continue;
    findings.push(`${source.path}: imports ${target}; src/${folder} may import ${allowed.join(', ')}`);
  }
  return findings;
}

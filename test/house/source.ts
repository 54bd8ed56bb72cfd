/** The sources as the house checks see them: path, text and syntax tree. A planted fixture is made the same way. */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';

export const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

export interface Source {
  /** From the root, with forward slashes: "src/base/clock.ts". */
  readonly path: string;
  readonly text: string;
  readonly tree: ts.SourceFile;
}

/** What a check reports: where, what, and what to do instead. */
export type Finding = string;

export function makeSource(path: string, text: string): Source {
  return { path, text, tree: ts.createSourceFile(path, text, ts.ScriptTarget.Latest, true) };
}

/** Paths of all files below a folder of the root, from the root; none if there is no such folder. */
export function filesBelow(folder: string, root = ROOT): string[] {
  const entries = readdirSync(join(root, folder), { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return files.map((file) => relative(root, file).split(sep).join('/')).sort();
}

/** Every hand-written source. Generated code is held to the schemas it comes from, not to this house. */
export function allSources(): Source[] {
  const present = new Set(readdirSync(ROOT));
  const paths = ['src', 'test', 'bench']
    .filter((folder) => present.has(folder))
    .flatMap((folder) => filesBelow(folder));
  return paths
    .filter((path) => /\.(ts|mts|mjs)$/.test(path) && !path.includes('/generated/'))
    .map((path) => makeSource(path, readFileSync(join(ROOT, path), 'utf8')));
}

export function lineOf(source: Source, node: ts.Node): number {
  return source.tree.getLineAndCharacterOfPosition(node.getStart(source.tree)).line + 1;
}

/** Calls visit for the node and everything below it. */
export function walk(node: ts.Node, visit: (node: ts.Node) => void): void {
  visit(node);
  ts.forEachChild(node, (child) => walk(child, visit));
}

/**
 * Whether the lines of a node, or the line before them, carry the mark "name: reason". A mark without a reason of
 * at least three letters does not count.
 */
export function isExcused(source: Source, node: ts.Node, mark: string): boolean {
  const first = lineOf(source, node) - 1;
  const last = source.tree.getLineAndCharacterOfPosition(node.getEnd()).line;
  const lines = source.text.split('\n').slice(Math.max(0, first - 1), last + 1);
  return lines.some((line) => new RegExp(`//.*\\b${mark}: .*\\w{3}`).test(line));
}

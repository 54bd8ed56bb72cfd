/** Room: no file over 400 lines, no function over 70, no name that says nothing about what is inside. */
import ts from 'typescript';
import { type Finding, lineOf, type Source, walk } from './source.js';

export const MAX_FILE_LINES = 400;
export const MAX_FUNCTION_LINES = 70;

const EMPTY_NAME = /(^|[-_.])(utils?|helpers?|common|managers?|misc)([-_.]|$)/i;
const EMPTY_CLASS = /(Utils?|Helpers?|Managers?)$/;

export function checkFileSize(source: Source): Finding[] {
  const lines = source.text.replace(/\n$/, '').split('\n').length;
  if (lines <= MAX_FILE_LINES) return [];
  return [
    `${source.path}: ${lines} lines; at most ${MAX_FILE_LINES}: give a part of it a file and a name of its own`,
  ];
}

export function checkFunctionSize(source: Source): Finding[] {
  const findings: Finding[] = [];
  walk(source.tree, (node) => {
    if (!ts.isFunctionLike(node) || !('body' in node) || node.body === undefined) return;
    const first = lineOf(source, node);
    const last = source.tree.getLineAndCharacterOfPosition(node.getEnd()).line + 1;
    const lines = last - first + 1;
    if (lines <= MAX_FUNCTION_LINES) return;
    const name = node.name?.getText(source.tree) ?? 'function';
    findings.push(
      `${source.path}:${first}: ${name} has ${lines} lines; at most ${MAX_FUNCTION_LINES}: name its steps`,
    );
  });
  return findings;
}

export function checkNames(source: Source): Finding[] {
  const findings: Finding[] = [];
  const empty = source.path.split('/').find((part) => EMPTY_NAME.test(part));
  if (empty !== undefined)
    findings.push(`${source.path}: "${empty}" says nothing: folder = noun, function = verb`);
  walk(source.tree, (node) => {
    if (!ts.isClassDeclaration(node) || node.name === undefined || !EMPTY_CLASS.test(node.name.text)) return;
    findings.push(
      `${source.path}:${lineOf(source, node)}: ${node.name.text} says nothing: name what it does`,
    );
  });
  return findings;
}

/**
 * What may not be called but in its one place, each with its replacement, and the subtraction of two x, which is
 * wrong at the antimeridian. A line with "// house-ok: reason" (or "// dx-ok: reason") is excused.
 */
import ts from 'typescript';
import { type Finding, isExcused, lineOf, type Source, walk } from './source.js';

interface Ban {
  /** As it is written: a global, or a member of one. */
  readonly name: string;
  readonly instead: string;
  readonly homes: readonly string[];
}

const CLOCK = 'take a Clock (src/base/clock.ts) as a parameter';
const TIMERS = 'take Timers (src/base/clock.ts) as a parameter';
const RANDOM = 'take a Random (src/base/random.ts) as a parameter';

/** The SDK takes time from whatever host it runs in, in one file; everything else from base. */
const CLOCKS = ['src/base/clock.ts', 'src/client/host.ts'];

export const BANS: readonly Ban[] = [
  { name: 'Date', instead: CLOCK, homes: ['src/base/clock.ts'] },
  { name: 'performance.now', instead: CLOCK, homes: CLOCKS },
  { name: 'process.hrtime', instead: CLOCK, homes: ['src/base/clock.ts'] },
  { name: 'setTimeout', instead: TIMERS, homes: ['src/base/clock.ts'] },
  { name: 'setInterval', instead: TIMERS, homes: ['src/base/clock.ts'] },
  { name: 'Math.random', instead: RANDOM, homes: ['src/base/random.ts'] },
];

/** The global, or member of a global, that an expression names: Date, Math.random, globalThis.setTimeout. */
function globalName(node: ts.Node): string | undefined {
  if (ts.isIdentifier(node)) {
    const { parent } = node;
    const isMember = ts.isPropertyAccessExpression(parent) && parent.name === node;
    const isImported = ts.isImportSpecifier(parent); // from node:timers, under whatever name
    if (isImported) return (parent.propertyName ?? parent.name).text === node.text ? node.text : undefined;
    const isDeclared = 'name' in parent && parent.name === node;
    return isMember || isDeclared || ts.isTypeReferenceNode(parent) ? undefined : node.text;
  }
  if (!ts.isPropertyAccessExpression(node) || !ts.isIdentifier(node.expression)) return undefined;
  const holder = node.expression.text;
  return holder === 'globalThis' || holder === 'window' ? node.name.text : `${holder}.${node.name.text}`;
}

export function checkBanned(source: Source): Finding[] {
  const findings: Finding[] = [];
  const report = (node: ts.Node, ban: Ban) => {
    if (ban.homes.includes(source.path) || isExcused(source, node, 'house-ok')) return;
    findings.push(
      `${source.path}:${lineOf(source, node)}: ${ban.name} belongs in ${ban.homes[0]}: ${ban.instead}`,
    );
  };
  walk(source.tree, (node) => {
    const name = globalName(node);
    const ban = name === undefined ? undefined : BANS.find((one) => one.name === name);
    if (ban !== undefined) report(node, ban);
  });
  return findings;
}

/** Names of a place's x: x, x0, fromX, ax, px; but not of a difference or a speed: dx, ex, vx. */
const X_NAME = /^x(\d+|[A-Z_]\w*)?$|[a-z\d]X$|^[abpqrst]x$/;

/** Whether an expression is, as far as its name tells, the x of a place. */
function isX(node: ts.Expression): boolean {
  if (ts.isParenthesizedExpression(node) || ts.isNonNullExpression(node) || ts.isAsExpression(node)) {
    return isX(node.expression);
  }
  if (ts.isIdentifier(node)) return X_NAME.test(node.text);
  if (ts.isPropertyAccessExpression(node)) return X_NAME.test(node.name.text);
  if (ts.isCallExpression(node))
    return ts.isPropertyAccessExpression(node.expression) && isX(node.expression);
  if (!ts.isElementAccessExpression(node)) return false;
  return /\b[A-Z]+\.x\b/.test(node.argumentExpression.getText()); // f64[(hot + HOT.x) >> 3]
}

export function checkDifferences(source: Source): Finding[] {
  if (source.path === 'src/geo/world.ts') return [];
  const findings: Finding[] = [];
  walk(source.tree, (node) => {
    if (!ts.isBinaryExpression(node)) return;
    const { kind } = node.operatorToken;
    if (kind !== ts.SyntaxKind.MinusToken && kind !== ts.SyntaxKind.MinusEqualsToken) return;
    if (!isX(node.left) || !isX(node.right) || isExcused(source, node, 'dx-ok')) return;
    const text = node.getText(source.tree).replace(/\s+/g, ' ');
    findings.push(
      `${source.path}:${lineOf(source, node)}: ${text} is wrong at the antimeridian: use dx() of src/geo/world.ts`,
    );
  });
  return findings;
}

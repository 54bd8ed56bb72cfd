/** README.md as its tests see it: sections, tables and marked code blocks. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT } from './source.js';

export const README = readFileSync(join(ROOT, 'README.md'), 'utf8');

/** The text from a heading (given without #) to the next one of its level or above. */
export function section(heading: string, text = README): string {
  const lines = withoutCode(text).split('\n');
  const from = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === heading);
  if (from < 0) throw new Error(`README.md has no section "${heading}"`);
  const level = (lines[from].match(/^#+/) as RegExpMatchArray)[0].length;
  const to = lines.findIndex((line, i) => i > from && new RegExp(`^#{1,${level}} `).test(line));
  return text
    .split('\n')
    .slice(from, to < 0 ? undefined : to)
    .join('\n');
}

/** The same lines with those of code blocks emptied: their # are no headings. */
function withoutCode(text: string): string {
  let isCode = false;
  const lines = text.split('\n').map((line) => {
    const fence = line.startsWith('```');
    if (fence) isCode = !isCode;
    return isCode || fence ? '' : line;
  });
  return lines.join('\n');
}

/** Rows of the first table of a text whose header is this; cells trimmed, without the header. */
export function table(text: string, header: readonly string[]): string[][] {
  const cells = (line: string) =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const lines = text.split('\n');
  const at = lines.findIndex((line) => line.startsWith('|') && cells(line).join('|') === header.join('|'));
  if (at < 0) throw new Error(`README.md has no table with the columns ${header.join(', ')} there`);
  const rows = lines.slice(at + 2);
  const end = rows.findIndex((line) => !line.startsWith('|'));
  return rows.slice(0, end < 0 ? undefined : end).map(cells);
}

/** The code block after `<!-- mark -->`. */
export function marked(mark: string): string {
  const block = new RegExp(`<!-- ${mark} -->\n\`\`\`\\w*\n([\\s\\S]*?)\n\`\`\``).exec(README)?.[1];
  if (block === undefined) throw new Error(`README.md has no code block marked ${mark}`);
  return block;
}

/** Text of `…` in a cell. */
export function ticked(cell: string): string {
  return /`([^`]*)`/.exec(cell)?.[1] ?? '';
}

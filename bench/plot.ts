/** Plots of a terminal: a bar for each figure, in proportion. Pure. */

const COLUMNS = 60;

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Behind the bar. */
  readonly text: string;
  /** Where a dot is set, in the unit of the value; what it says is the title's matter. */
  readonly dot?: number;
}

/** @param most what fills the width; default: the largest of all */
export function bars(title: string, rows: readonly Bar[], most = 0): string {
  const full = most > 0 ? most : Math.max(...rows.flatMap(({ value, dot }) => [value, dot ?? 0]));
  const width = Math.max(...rows.map(({ label }) => label.length));
  const column = (value: number) => Math.round((value / full) * COLUMNS);
  const lines = rows.map(({ label, value, text, dot }) => {
    const bar = '█'.repeat(Math.min(COLUMNS, Math.max(1, column(value)))).padEnd(COLUMNS + 1);
    const at = dot === undefined ? -1 : Math.min(COLUMNS, column(dot));
    const marked = at < 0 ? bar : `${bar.slice(0, at)}·${bar.slice(at + 1)}`;
    return `${label.padStart(width)} │${marked} ${text}`;
  });
  return `${title}\n${lines.join('\n')}`;
}

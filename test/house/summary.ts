/** Reads the counts out of the last summary line that tap prints: `# { total: 12, pass: 9, fail: 1, skip: 2 }`. */
export interface Summary {
  passed: number;
  failed: number;
}

/** The counts of the last summary in the output; none at all counts as one failure, since nothing is known. */
export function readSummary(output: string): Summary {
  const line = output.match(/^# \{ total: .*\}$/gm)?.at(-1);
  if (line === undefined) return { passed: 0, failed: 1 };
  const count = (name: string) => Number(line.match(new RegExp(`\\b${name}: (\\d+)`))?.[1] ?? 0);
  return { passed: count('pass'), failed: count('fail') };
}

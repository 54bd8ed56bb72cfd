/**
 * A strict reader of Prometheus' text format 0.0.4, and the rules of naming that `promtool check metrics` looks at.
 * Returns what it objects to, one sentence each; nothing = valid.
 */

export interface ReadSample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface ReadFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly samples: readonly ReadSample[];
}

export interface Exposition {
  readonly families: readonly ReadFamily[];
  readonly objections: readonly string[];
}

const METRIC = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;
const SAMPLE = /^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{(.*)\})? (\S+)$/;
const LABEL = /^([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"(?:,|$)/;
const VALUE = /^([+-]?(\d+(\.\d+)?([eE][+-]?\d+)?|Inf)|NaN)$/;
const TYPES = ['counter', 'gauge', 'histogram'];
/** Units that are no base units, and abbreviations of units: what promtool names "non-base units" and the like. */
const BAD_UNIT =
  /_(ms|us|ns|milliseconds|microseconds|nanoseconds|minutes|hours|days|kilobytes|megabytes|kb|mb|percent|sec|secs)(_|$)/;

interface Family {
  name: string;
  help: string;
  type: string;
  samples: ReadSample[];
}

export function readExposition(text: string): Exposition {
  const objections: string[] = [];
  const families: Family[] = [];
  if (!text.endsWith('\n')) objections.push('the last line has no line feed');
  let open: Family | undefined;
  for (const [i, line] of text.split('\n').entries()) {
    const object = (what: string) => objections.push(`line ${i + 1}: ${what}: ${line}`);
    if (line === '') continue;
    const header = /^# (HELP|TYPE) (\S+) (.*)$/.exec(line);
    if (header !== null) {
      open = readHeader(header, open, families, object);
      continue;
    }
    if (line.startsWith('#')) continue; // a comment
    const sample = readSample(line, object);
    if (sample === null) continue;
    if (open === undefined || !belongs(sample.name, open)) object('a sample outside of its family');
    else open.samples.push(sample);
  }
  for (const family of families) checkFamily(family, objections);
  return { families, objections };
}

function readHeader(
  [, what, name, rest]: RegExpExecArray,
  open: Family | undefined,
  families: Family[],
  object: (what: string) => void,
): Family {
  if (what === 'HELP') {
    if (families.some((known) => known.name === name)) object('a family that was there before');
    const family = { name, help: rest, type: '', samples: [] };
    families.push(family);
    return family;
  }
  if (open?.name !== name) {
    object('a TYPE without its HELP before it');
    const family = { name, help: '', type: rest, samples: [] };
    families.push(family);
    return family;
  }
  if (open.type !== '') object('a second TYPE');
  if (open.samples.length > 0) object('a TYPE behind its samples');
  if (!TYPES.includes(rest)) object('an unknown type');
  open.type = rest;
  return open;
}

function readSample(line: string, object: (what: string) => void): ReadSample | null {
  const match = SAMPLE.exec(line);
  if (match === null) {
    object('not a sample');
    return null;
  }
  const labels: Record<string, string> = {};
  for (let rest = match[2] ?? ''; rest !== ''; ) {
    const label = LABEL.exec(rest);
    if (label === null) {
      object('labels that cannot be read');
      return null;
    }
    if (label[1] in labels) object('a label twice');
    labels[label[1]] = label[2];
    rest = rest.slice(label[0].length);
  }
  if (!VALUE.test(match[3])) object('not a value');
  return { name: match[1], labels, value: Number(match[3].replace('Inf', 'Infinity')) };
}

function belongs(name: string, family: Family): boolean {
  if (family.type !== 'histogram') return name === family.name;
  return ['_bucket', '_sum', '_count'].some((ending) => name === family.name + ending);
}

function checkFamily(family: Family, objections: string[]): void {
  const { name, help, type, samples } = family;
  const object = (what: string) => objections.push(`${name}: ${what}`);
  if (!METRIC.test(name)) object('not a name');
  if (help.trim() === '') object('no help');
  if (type === '') object('no type');
  if (BAD_UNIT.test(name)) object('seconds and bytes are the units');
  if (type === 'counter' && !name.endsWith('_total')) object('a counter ends in _total');
  if (type !== 'counter' && name.endsWith('_total')) object('only a counter ends in _total');
  if (/_(bucket|sum|count)$/.test(name)) object('an ending that belongs to histograms');
  if (/(counter|gauge|histogram)/.test(name)) object('the type has no place in the name');
  if (/_(seconds|bytes)_(?!total$)/.test(name)) object('the unit comes last, before _total');
  const seen = new Set<string>();
  for (const sample of samples) {
    const key = `${sample.name}${JSON.stringify(Object.entries(sample.labels).sort())}`;
    if (seen.has(key)) object(`the same sample twice: ${key}`);
    seen.add(key);
    if (type === 'counter' && !(sample.value >= 0)) object('a counter below zero');
    if (type !== 'histogram' && ('le' in sample.labels || 'quantile' in sample.labels))
      object('a reserved label');
  }
  if (type === 'histogram') checkHistogram(family, object);
}

function checkHistogram({ name, samples }: Family, object: (what: string) => void): void {
  const groups = new Map<string, ReadSample[]>();
  for (const sample of samples) {
    const { le: _, ...others } = sample.labels;
    const key = JSON.stringify(Object.entries(others).sort());
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  for (const [key, group] of groups) {
    const buckets = group.filter((sample) => sample.name === `${name}_bucket`);
    const bounds = buckets.map(({ labels }) => Number((labels['le'] ?? '').replace('Inf', 'Infinity')));
    if (buckets.some(({ labels }) => labels['le'] === undefined)) object(`${key}: a bucket without a bound`);
    if (bounds.some((bound, i) => i > 0 && !(bound > bounds[i - 1]))) object(`${key}: bounds do not rise`);
    if (buckets.some(({ value }, i) => i > 0 && value < buckets[i - 1].value))
      object(`${key}: buckets are not cumulative`);
    if (bounds.at(-1) !== Number.POSITIVE_INFINITY) object(`${key}: no bucket +Inf`);
    const [count] = group.filter((sample) => sample.name === `${name}_count`);
    const [sum] = group.filter((sample) => sample.name === `${name}_sum`);
    if (count === undefined || sum === undefined) object(`${key}: no count or no sum`);
    if (count !== undefined && count.value !== buckets.at(-1)?.value) object(`${key}: +Inf is not the count`);
  }
}

/** The engine of `--memory`: the same tables in maps of this process. Durable for as long as the process is. */
import { type Engine, type Key, TABLES, type TableName, type Write } from './engine.js';

type Entry = readonly [Key, Uint8Array];

/** Entries by the text of their key, and of keys with parts by their first part as well. */
class Table {
  readonly all = new Map<Key, Entry>();
  readonly groups = new Map<number, Map<Key, Entry>>();

  put(key: Key, value: Uint8Array): void {
    const name = nameOf(key);
    const entry: Entry = [key, value];
    this.all.set(name, entry);
    if (typeof key !== 'object') return;
    let group = this.groups.get(key[0]);
    if (group === undefined) this.groups.set(key[0], (group = new Map()));
    group.set(name, entry);
  }

  remove(key: Key): void {
    const name = nameOf(key);
    this.all.delete(name);
    if (typeof key !== 'object') return;
    const group = this.groups.get(key[0]);
    group?.delete(name);
    if (group?.size === 0) this.groups.delete(key[0]);
  }
}

export class MapEngine implements Engine {
  readonly kind = 'memory';
  private readonly tables = new Map(TABLES.map((name) => [name, new Table()]));

  /** @param leastMs ms from one cut to the next at least */
  constructor(readonly leastMs?: number) {}

  get(table: TableName, key: Key): Uint8Array | undefined {
    return this.tables.get(table)!.all.get(nameOf(key))?.[1];
  }

  entries(table: TableName, first?: number): Iterable<Entry> {
    const { all, groups } = this.tables.get(table)!;
    const entries = first === undefined ? all : (groups.get(first) ?? new Map<Key, Entry>());
    return [...entries.values()].sort((a, b) => compare(a[0], b[0]));
  }

  count(table: TableName): number {
    return this.tables.get(table)!.all.size;
  }

  commit(writes: readonly Write[], done: (trouble: Error | null) => void): void {
    for (const { table, key, value } of writes) {
      if (value === null) this.tables.get(table)!.remove(key);
      else this.tables.get(table)!.put(key, value);
    }
    done(null);
  }

  copy(): Promise<number> {
    return Promise.reject(new Error('a world in memory has no folder for snapshots: start with --data'));
  }

  async close(): Promise<void> {}
}

function nameOf(key: Key): number | string {
  return typeof key === 'object' ? key.join(' ') : key;
}

function compare(a: Key, b: Key): number {
  if (typeof a === 'object' && typeof b === 'object') {
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return a[i] - b[i];
    return 0;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}

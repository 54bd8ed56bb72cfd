/**
 * The form in which the generated folder describes the schemas to the verifier: tables with their fields, structs
 * with their offsets. Types only.
 */

interface FieldHead {
  readonly name: string;
  /** number of the field in its table; its vtable entry is at 4 + 2 × slot */
  readonly slot: number;
  readonly required?: true;
}

/** One field of a table. Sizes and alignments in bytes. */
export type FieldShape = FieldHead &
  (
    | { readonly kind: 'inline' | 'vector'; readonly size: number; readonly align: number }
    | { readonly kind: 'string' | 'strings' }
    | { readonly kind: 'table' | 'tables'; readonly table: string }
    /** tables by tag, '' = no such tag; the tag is the byte field at slot − 1 */
    | { readonly kind: 'union'; readonly members: readonly string[] }
  );

export interface StructShape {
  readonly size: number;
  readonly align: number;
  readonly offsets: Readonly<Record<string, number>>;
}

export interface Schema {
  /** name of the table at the root */
  readonly root: string;
  readonly tables: Readonly<Record<string, readonly FieldShape[]>>;
}

/** What one kind of record looks like on the wire. */
export interface Layout {
  /** Fewest fields a record may have: what every stream of the kind has had since it exists. */
  readonly base: number;
  /** Widths that are documented or have been seen, the present one first. Wider ones are to come. */
  readonly widths: readonly number[];
  /** What the second field of every record looks like; with the code before it, the mark of a record's beginning. */
  readonly second: RegExp;
}

/** Where each field stands, by its name. */
export function fieldIndexes<Name extends string>(names: readonly Name[]): Readonly<Record<Name, number>> {
  return Object.fromEntries(names.map((name, index) => [name, index])) as Record<Name, number>;
}

/** Label values by label name. Names are declared with the metric and never change. */
export type Labels<Name extends string = string> = Readonly<Record<Name, string>>;

/** So many combinations of label values a metric may have. What comes after counts under `other`. */
export const MOST_SERIES = 100;
const OTHER = 'other';

/**
 * The combinations of label values of one metric. Bounded: a label whose values come from outside, such as a symbol, would
 * otherwise take the memory of this process and of whoever scrapes it.
 */
export class SeriesBook<Name extends string> {
  readonly #names: readonly Name[];
  readonly #known = new Map<string, Labels<Name>>();

  constructor(names: readonly Name[]) {
    for (const name of names) {
      if (!/^[a-z_][a-z0-9_]*$/.test(name) || name === 'le') throw new Error(`${name} cannot be the name of a label`);
    }
    this.#names = names;
  }

  /** The labels as they are exposed, always the same object for the same values. */
  admit(labels: Labels<Name>): Labels<Name> {
    const known = this.#known.get(this.#key(labels));
    if (known !== undefined) return known;
    if (this.#known.size >= MOST_SERIES) return this.#keep(this.#labelsOf(() => OTHER));
    return this.#keep(this.#labelsOf((name) => labels[name]));
  }

  #keep(labels: Labels<Name>): Labels<Name> {
    const key = this.#key(labels);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, labels);
    return labels;
  }

  #labelsOf(valueOf: (name: Name) => string): Labels<Name> {
    return Object.fromEntries(this.#names.map((name) => [name, valueOf(name)])) as Labels<Name>;
  }

  #key(labels: Labels<Name>): string {
    return JSON.stringify(this.#names.map((name) => labels[name]));
  }
}

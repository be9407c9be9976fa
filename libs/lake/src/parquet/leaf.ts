import type { SchemaElement } from 'hyparquet';
import type { EncodedValues } from './encoded-values.js';
import { FIRST_ROOM, grown } from './growing.js';

/** Where one kind of value is kept until its row group is written. */
export interface Values {
  encoded(): EncodedValues;
  clear(): void;
}

/** A leaf's part of the schema: the one kind of element that has a type. */
export type LeafElement = SchemaElement & Required<Pick<SchemaElement, 'type'>>;

/** A leaf of the schema, the one thing that Parquet stores, with what it has of the row group that fills. */
export interface Leaf {
  /** From the column's name on. */
  readonly path: readonly string[];
  readonly element: LeafElement;
  readonly values: Values;
  /** Absent when each row has exactly one value. */
  readonly levels?: Levels;
}

/**
 * How the values of a leaf belong to rows. Each entry is a value, or the absence of one; its definition level says which,
 * its repetition level whether it begins a row (0) or goes on with the list of the row before (1).
 */
export class Levels {
  readonly mostDefinition: number;
  readonly mostRepetition: number;
  #definition = new Uint8Array(FIRST_ROOM);
  #repetition: Uint8Array<ArrayBuffer>;
  #entries = 0;

  /** @param options.most the highest definition level: that of a value */
  constructor({ most, repeats }: { readonly most: number; readonly repeats: boolean }) {
    this.mostDefinition = most;
    this.mostRepetition = repeats ? 1 : 0;
    this.#repetition = new Uint8Array(repeats ? FIRST_ROOM : 0);
  }

  append(definition: number, repetition = 0): void {
    if (this.#entries === this.#definition.length) {
      this.#definition = grown(this.#definition);
      if (this.mostRepetition > 0) this.#repetition = grown(this.#repetition);
    }
    this.#definition[this.#entries] = definition;
    if (this.mostRepetition > 0) this.#repetition[this.#entries] = repetition;
    this.#entries += 1;
  }

  get entries(): number {
    return this.#entries;
  }

  get definition(): Uint8Array {
    return this.#definition.subarray(0, this.#entries);
  }

  get repetition(): Uint8Array {
    return this.#repetition.subarray(0, this.#entries);
  }

  clear(): void {
    this.#entries = 0;
  }
}

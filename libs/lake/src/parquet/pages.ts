import type { EncodedValues } from './encoded-values.js';
import type { Leaf } from './leaf.js';

/** Half open ranges of a leaf's entries, values and rows. Without nulls and lists the three are the same. */
export interface Page {
  readonly entries: readonly [begin: number, end: number];
  readonly values: readonly [begin: number, end: number];
  readonly rows: readonly [begin: number, end: number];
}

/** Before compression. */
const PAGE_BYTES = 1024 * 1024;

/** A row group's leaf in pages of about `PAGE_BYTES`. Each begins with a row, as readers expect. */
export function pagesOf({ levels }: Leaf, { bytesOf }: EncodedValues, rows: number): readonly Page[] {
  const definition = levels?.definition;
  const repetition = levels?.mostRepetition === 1 ? levels.repetition : undefined;
  const entries = definition?.length ?? rows;
  const pages: Page[] = [];
  let [entry, value, row] = [0, 0, 0];
  let begin = { entry, value, row };
  let bytes = 0;
  const close = () => {
    pages.push({ entries: [begin.entry, entry], values: [begin.value, value], rows: [begin.row, row] });
    begin = { entry, value, row };
    bytes = 0;
  };
  for (; entry < entries; entry += 1) {
    const beginsRow = repetition === undefined || repetition[entry] === 0;
    if (beginsRow && bytes >= PAGE_BYTES) close();
    if (beginsRow) row += 1;
    if (definition === undefined || definition[entry] === levels?.mostDefinition) {
      bytes += bytesOf(value);
      value += 1;
    }
  }
  close();
  return pages;
}

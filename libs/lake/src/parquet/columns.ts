import { Buffer } from 'node:buffer';
import type { Decimal, Level } from '@aipx/market-model';
import type { SchemaElement } from 'hyparquet';
import { ConstantValues } from './constant-values.js';
import { DECIMAL_BYTES, PRECISION, SCALE } from './decimal-limbs.js';
import { DecimalValues } from './decimal-values.js';
import type { Bound } from './encoded-values.js';
import { Int64Values } from './int64-values.js';
import { Levels, type Leaf, type LeafElement } from './leaf.js';
import { TextValues } from './text-values.js';

/** One column of a file in the making: its name and type, and what it has of the row group that fills. */
export interface Column<Row> {
  /** The column's part of the schema, its own element first. */
  readonly schema: readonly SchemaElement[];
  /** Takes what the column has of a row. */
  readonly append: (row: Row) => void;
  readonly leaves: readonly Leaf[];
}

/** Definition levels: nothing, or a value, in a column that may be empty. */
const NULL = 0;
const VALUE = 1;
/** And in a list: an empty list, a level without the number, a level with it. */
const NO_LEVEL = 0;
const NULL_IN_LEVEL = 1;
const VALUE_IN_LEVEL = 2;

/** Microseconds since the epoch, read as a timestamp in UTC. */
export function timestamp<Row>(name: string, value: (row: Row) => bigint): Column<Row> {
  return requiredInt64(timestampElement(name, 'REQUIRED'), value);
}

export function optionalTimestamp<Row>(name: string, value: (row: Row) => bigint | undefined): Column<Row> {
  const values = new Int64Values({ column: name, signed: true });
  return optional(timestampElement(name, 'OPTIONAL'), values, (row) => {
    const micros = value(row);
    if (micros !== undefined) values.append(micros);
    return micros !== undefined;
  });
}

export function int64<Row>(name: string, value: (row: Row) => bigint): Column<Row> {
  return requiredInt64({ name, type: 'INT64', repetition_type: 'REQUIRED' }, value);
}

export function uint64<Row>(name: string, value: (row: Row) => bigint): Column<Row> {
  // By the older name of the type only: the library spells the newer one so that readers refuse the file.
  const element = { name, type: 'INT64', repetition_type: 'REQUIRED', converted_type: 'UINT_64' } as const;
  return requiredInt64(element, value, { signed: false });
}

export function text<Row>(name: string, value: (row: Row) => string): Column<Row> {
  return requiredText(name, value, { distinct: false });
}

/** For texts that come once. */
export function distinctText<Row>(name: string, value: (row: Row) => string): Column<Row> {
  return requiredText(name, value, { distinct: true });
}

export function optionalText<Row>(name: string, value: (row: Row) => string | undefined): Column<Row> {
  const values = new TextValues({ distinct: false });
  return optional(textElement(name, 'OPTIONAL'), values, (row) => {
    const given = value(row);
    if (given !== undefined) values.append(given);
    return given !== undefined;
  });
}

/** A number that is the same in all rows. */
export function constantInt32(name: string, value: number): Column<unknown> {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32LE(value);
  return constant({ name, type: 'INT32', repetition_type: 'REQUIRED' }, bytes, value);
}

export function constantText(name: string, value: string): Column<unknown> {
  const inUtf8 = Buffer.from(value);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(inUtf8.byteLength);
  return constant(textElement(name, 'REQUIRED'), Buffer.concat([length, inUtf8]), inUtf8);
}

/** DECIMAL(38,12); null where there is no value or it does not fit. */
export function decimal<Row>(name: string, value: (row: Row) => Decimal | undefined): Column<Row> {
  const values = new DecimalValues();
  return optional(decimalElement(name), values, (row) => {
    const number = value(row);
    return number !== undefined && values.append(number);
  });
}

/** A list of struct(price, quantity) in the three-level form that all readers agree on. A number that does not fit is null. */
export function levels<Row>(name: string, side: (row: Row) => readonly Level[]): Column<Row> {
  const prices = new LevelNumbers(name, 'price');
  const quantities = new LevelNumbers(name, 'quantity');
  return {
    schema: [
      { name, repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', repetition_type: 'REQUIRED', num_children: 2 },
      prices.element,
      quantities.element,
    ],
    append: (row) => {
      let repetition = 0;
      for (const { price, quantity } of side(row)) {
        prices.append(price, repetition);
        quantities.append(quantity, repetition);
        repetition = 1;
      }
      if (repetition === 1) return;
      prices.appendEmptyList();
      quantities.appendEmptyList();
    },
    leaves: [prices, quantities],
  };
}

/** The prices, or the quantities, of one side of the books. */
class LevelNumbers implements Leaf {
  readonly path: readonly string[];
  readonly element: LeafElement;
  readonly values = new DecimalValues();
  readonly levels = new Levels({ most: VALUE_IN_LEVEL, repeats: true });

  constructor(column: string, name: string) {
    this.path = [column, 'list', 'element', name];
    this.element = decimalElement(name);
  }

  append(value: Decimal, repetition: number): void {
    this.levels.append(this.values.append(value) ? VALUE_IN_LEVEL : NULL_IN_LEVEL, repetition);
  }

  appendEmptyList(): void {
    this.levels.append(NO_LEVEL, 0);
  }
}

function requiredInt64<Row>(
  element: LeafElement,
  value: (row: Row) => bigint,
  { signed } = { signed: true },
): Column<Row> {
  const values = new Int64Values({ column: element.name, signed });
  const append = (row: Row) => values.append(value(row));
  return { schema: [element], append, leaves: [{ path: [element.name], element, values }] };
}

function requiredText<Row>(
  name: string,
  value: (row: Row) => string,
  options: ConstructorParameters<typeof TextValues>[0],
): Column<Row> {
  const values = new TextValues(options);
  const element = textElement(name, 'REQUIRED');
  const append = (row: Row) => values.append(value(row));
  return { schema: [element], append, leaves: [{ path: [name], element, values }] };
}

function constant(element: LeafElement, bytes: Uint8Array, bound: Bound): Column<unknown> {
  const values = new ConstantValues(bytes, bound);
  return { schema: [element], append: () => values.append(), leaves: [{ path: [element.name], element, values }] };
}

/** @param append whether the row has a value, which it then has appended */
function optional<Row>(element: LeafElement, values: Leaf['values'], append: (row: Row) => boolean): Column<Row> {
  const present = new Levels({ most: VALUE, repeats: false });
  return {
    schema: [element],
    append: (row) => present.append(append(row) ? VALUE : NULL),
    leaves: [{ path: [element.name], element, values, levels: present }],
  };
}

function timestampElement(name: string, repetition: 'REQUIRED' | 'OPTIONAL'): LeafElement {
  return {
    name,
    type: 'INT64',
    repetition_type: repetition,
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  };
}

function textElement(name: string, repetition: 'REQUIRED' | 'OPTIONAL'): LeafElement {
  return {
    name,
    type: 'BYTE_ARRAY',
    repetition_type: repetition,
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
  };
}

function decimalElement(name: string): LeafElement {
  return {
    name,
    type: 'FIXED_LEN_BYTE_ARRAY',
    type_length: DECIMAL_BYTES,
    repetition_type: 'OPTIONAL',
    converted_type: 'DECIMAL',
    scale: SCALE,
    precision: PRECISION,
    logical_type: { type: 'DECIMAL', scale: SCALE, precision: PRECISION },
  };
}

import type { Encoding, SchemaElement } from 'hyparquet';
import { DECIMAL_BYTES, PRECISION, SCALE } from './decimal-bytes.js';

/** One column of a file: its name, what readers see, and how a row of `Row` fills it. */
export interface Column<Row> {
  readonly name: string;
  /** The column's part of the schema, its own element first. */
  readonly schema: readonly SchemaElement[];
  readonly value: (row: Row) => unknown;
  readonly encoding?: Encoding;
  /** Without minimum and maximum. The writer would compare decimals as unsigned bytes, which is wrong below zero. */
  readonly withoutStatistics?: true;
}

/** Microseconds since the epoch, read as a timestamp in UTC. */
export function timestamp<Row>(name: string, value: (row: Row) => bigint): Column<Row> {
  return { name, schema: [timestampElement(name, 'REQUIRED')], value, encoding: 'DELTA_BINARY_PACKED' };
}

export function optionalTimestamp<Row>(name: string, value: (row: Row) => bigint | undefined): Column<Row> {
  return { name, schema: [timestampElement(name, 'OPTIONAL')], value };
}

export function int64<Row>(name: string, value: (row: Row) => bigint): Column<Row> {
  return {
    name,
    schema: [{ name, type: 'INT64', repetition_type: 'REQUIRED' }],
    value,
    encoding: 'DELTA_BINARY_PACKED',
  };
}

export function uint64<Row>(name: string, value: (row: Row) => bigint): Column<Row> {
  // By the older name of the type only: the writer spells the newer one so that readers refuse the file. Its bounds are
  // compared before they wrap, and those above 2^63 would not fit their own field.
  const element = { name, type: 'INT64', repetition_type: 'REQUIRED', converted_type: 'UINT_64' } as const;
  return { name, schema: [element], value, withoutStatistics: true };
}

export function int32<Row>(name: string, value: (row: Row) => number): Column<Row> {
  return { name, schema: [{ name, type: 'INT32', repetition_type: 'REQUIRED' }], value };
}

export function text<Row>(name: string, value: (row: Row) => string): Column<Row> {
  return { name, schema: [textElement(name, 'REQUIRED')], value };
}

export function optionalText<Row>(name: string, value: (row: Row) => string | undefined): Column<Row> {
  return { name, schema: [textElement(name, 'OPTIONAL')], value };
}

/** DECIMAL(38,12) from bytes; `null` where there is no value or it does not fit. */
export function decimal<Row>(name: string, value: (row: Row) => Uint8Array | null): Column<Row> {
  return { name, schema: [decimalElement(name)], value, withoutStatistics: true };
}

export interface EncodedLevel {
  readonly price: Uint8Array | null;
  readonly quantity: Uint8Array | null;
}

/** A list of struct(price, quantity) in the three-level form that all readers agree on. */
export function levels<Row>(name: string, value: (row: Row) => readonly EncodedLevel[]): Column<Row> {
  return {
    name,
    schema: [
      { name, repetition_type: 'REQUIRED', num_children: 1, converted_type: 'LIST', logical_type: { type: 'LIST' } },
      { name: 'list', repetition_type: 'REPEATED', num_children: 1 },
      { name: 'element', repetition_type: 'REQUIRED', num_children: 2 },
      decimalElement('price'),
      decimalElement('quantity'),
    ],
    value,
    withoutStatistics: true,
  };
}

function timestampElement(name: string, repetition: 'REQUIRED' | 'OPTIONAL'): SchemaElement {
  return {
    name,
    type: 'INT64',
    repetition_type: repetition,
    converted_type: 'TIMESTAMP_MICROS',
    logical_type: { type: 'TIMESTAMP', isAdjustedToUTC: true, unit: 'MICROS' },
  };
}

function textElement(name: string, repetition: 'REQUIRED' | 'OPTIONAL'): SchemaElement {
  return {
    name,
    type: 'BYTE_ARRAY',
    repetition_type: repetition,
    converted_type: 'UTF8',
    logical_type: { type: 'STRING' },
  };
}

function decimalElement(name: string): SchemaElement {
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

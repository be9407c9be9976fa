import { MarketDataError, type Decimal } from '@aipx/market-model';
import { WireReader, type WireDecimal } from './wire-reader.js';

/**
 * A message's fields as `read` finds them.
 *
 * @param schema full message name
 * @throws {MarketDataError} `VALIDATION_RECORD` for bytes that are not the message
 */
export function parse<Message>(
  schema: string,
  bytes: Uint8Array,
  read: (reader: WireReader, end: number) => Message,
): Message {
  try {
    return read(new WireReader(bytes), bytes.length);
  } catch (cause) {
    throw new MarketDataError('VALIDATION_RECORD', `${bytes.length} bytes are not a ${schema}`, { cause });
  }
}

/** What a decimal field is when the message lacks it. */
export const NO_DECIMAL: WireDecimal = { text: '' };

/** @throws {MarketDataError} `VALIDATION_RECORD` for what is not canonical decimal text */
export function decimal(field: string, read: WireDecimal): Decimal {
  if (typeof read === 'string') return read;
  throw badRecord(`${field} is ${shown(read.text)}; expected canonical decimal text`);
}

/** Empty is absent. @throws {MarketDataError} `VALIDATION_RECORD` for what is not canonical decimal text */
export function optionalDecimal(field: string, read: WireDecimal): Decimal | undefined {
  return typeof read !== 'string' && read.text === '' ? undefined : decimal(field, read);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}… (${text.length} characters)` : text);
}

/** @throws {MarketDataError} `VALIDATION_RECORD` for an empty text */
export function required(field: string, text: string): string {
  if (text === '') throw badRecord(`${field} is empty`);
  return text;
}

function badRecord(message: string): MarketDataError {
  return new MarketDataError('VALIDATION_RECORD', message);
}

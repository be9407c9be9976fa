import {
  asMarketDataError,
  MarketDataError,
  type Channel,
  type Nanoseconds,
  type OrderBook,
  type Tick,
} from '@aipx/market-model';
import type { BusinessDate } from './calendar/kst.js';
import { redactBytes } from './control/redact.js';
import type { CipherKey, Decipher } from './frame/cipher.js';
import { splitFrame, type Frame } from './frame/frame.js';
import { FieldBytes } from './frame/bytes.js';
import { PayloadFields } from './frame/payload-fields.js';
import { cutRecords, isCode, type Span } from './frame/spans.js';
import { BOOK } from './layout/order-book.js';
import { STREAMS, type Stream } from './layout/streams.js';
import { RecordFields } from './record/fields.js';
import { readMarketOperation, type MarketOperation } from './record/market-operation.js';
import { readOrderBook } from './record/order-book.js';
import { readTrade } from './record/trade.js';

/** What one connection's data frames are read with. */
export interface ReaderOptions {
  isSubscribed(trId: string, code: string): boolean;
  /** The business date of a book, which prints only its time (`HHMMSS`): `SessionCalendar.dateOfQuote`. */
  dateOfQuote(time: string, receivedAt: Nanoseconds): BusinessDate;
  /** Needed for encrypted frames only; without it they are rejected. */
  readonly decipher?: Decipher;
}

export type RecordReading =
  /** `notice`: what it says against itself. */
  | { readonly outcome: 'event'; readonly event: Tick | OrderBook; readonly notice?: string }
  | { readonly outcome: 'operation'; readonly operation: MarketOperation }
  /** Sound data of a symbol or stream that was not subscribed. */
  | { readonly outcome: 'ignored'; readonly symbol: string }
  | RejectedRecord;

/** Empty symbol and absent channel: not even those could be read. */
export interface RejectedRecord {
  readonly outcome: 'rejected';
  readonly symbol: string;
  readonly channel: Channel | undefined;
  readonly error: MarketDataError;
  /** The record as received; the whole frame where no record can be told apart. */
  readonly bytes: Uint8Array;
  /** Records that it stands for, where that is known: several that are announced and not there. */
  readonly records: number | undefined;
}

/** Records of a stream have another width than before. Each new width of a stream is reported once a connection. */
export interface WidthChange {
  readonly trId: string;
  /** The width before; for the first frame of a connection the documented one. */
  readonly from: number;
  readonly to: number;
}

export interface DataReading {
  readonly records: readonly RecordReading[];
  readonly widthChange: WidthChange | undefined;
}

/** A frame's payload while its records are read. */
interface Payload {
  readonly bytes: Uint8Array;
  /** Absent where the fields are not in the bytes: the frame is encrypted. */
  readonly fieldBytes: FieldBytes | undefined;
  readonly fields: PayloadFields;
  readonly stream: Stream;
  readonly receivedAt: Nanoseconds;
}

/** Reads the data frames of one connection. What it learns (widths, keys) ends with the connection. */
export class DataReader {
  readonly #options: ReaderOptions;
  readonly #keys = new Map<string, CipherKey>();
  readonly #widths = new Map<string, readonly number[]>();

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** Keys belong to one stream of one connection; each acknowledgement brings its stream's. */
  useKey(trId: string, key: CipherKey): void {
    if (STREAMS.has(trId)) this.#keys.set(trId, key);
  }

  /** Never throws: what cannot be read is a rejected record with its reason and its bytes. */
  read(bytes: Uint8Array, receivedAt: Nanoseconds): DataReading {
    let frame: Frame;
    try {
      frame = splitFrame(bytes);
    } catch (cause) {
      return rejectedFrame(asMarketDataError(cause, 'VALIDATION_FRAME'), redactBytes(bytes));
    }
    const stream = STREAMS.get(frame.trId);
    if (stream === undefined) return rejectedFrame(unknownStream(frame.trId), redactBytes(bytes));
    try {
      return this.#readRecords(bytes, this.#decrypted(frame), stream, receivedAt);
    } catch (cause) {
      return rejectedFrame(asMarketDataError(cause, 'VALIDATION_FRAME'), bytes, stream.channel);
    }
  }

  #decrypted(frame: Frame): Frame {
    if (!frame.encrypted) return frame;
    const key = this.#keys.get(frame.trId);
    const { decipher } = this.#options;
    if (key === undefined || decipher === undefined) {
      throw new MarketDataError('VALIDATION_FRAME', `encrypted frame of ${frame.trId}, for which there is no key`);
    }
    return { ...frame, payload: key.decrypt(frame.payload, decipher) };
  }

  #readRecords(bytes: Uint8Array, frame: Frame, stream: Stream, receivedAt: Nanoseconds): DataReading {
    const fields = new PayloadFields(frame.payload);
    const { spans, width } = cutRecords({
      fields,
      count: frame.count,
      layout: stream.layout,
      seenWidths: this.#widths.get(stream.trId) ?? [],
      isSubscribed: (code) => this.#options.isSubscribed(stream.trId, code),
    });
    const fieldBytes = frame.encrypted ? undefined : new FieldBytes(bytes);
    const payload: Payload = { bytes, fieldBytes, fields, stream, receivedAt };
    const records = spans.map((span, index) => this.#readSpan(payload, span, index + 1));
    // A record that cannot be read may owe its width to the same damage.
    const isSound = width !== undefined && records.every(({ outcome }) => outcome !== 'rejected');
    return { records, widthChange: isSound ? this.#noteWidth(stream, width) : undefined };
  }

  #readSpan(payload: Payload, span: Span, number: number): RecordReading {
    const { fields, stream, receivedAt } = payload;
    const code = span.from === span.to ? '' : fields.at(span.from);
    const symbol = this.#options.isSubscribed(stream.trId, code) ? code : '';
    try {
      if (span.fault !== undefined) throw new MarketDataError('VALIDATION_FRAME', span.fault);
      if (symbol === '') return ignored(code);
      return this.#readRecord(new RecordFields(fields, span.from), symbol, stream, receivedAt);
    } catch (cause) {
      return rejectedRecord(payload, span, number, symbol, cause);
    }
  }

  #readRecord(fields: RecordFields, symbol: string, stream: Stream, receivedAt: Nanoseconds): RecordReading {
    switch (stream.kind) {
      case 'trade': {
        const { trade, notice } = readTrade(fields, symbol, stream.segment, receivedAt);
        return { outcome: 'event', event: trade, ...(notice !== undefined && { notice }) };
      }
      case 'orderbook': {
        const date = this.#options.dateOfQuote(fields.text(BOOK.BSOP_HOUR), receivedAt);
        return { outcome: 'event', event: readOrderBook(fields, symbol, date, receivedAt) };
      }
      case 'operation':
        return { outcome: 'operation', operation: readMarketOperation(fields, symbol, stream.segment, receivedAt) };
    }
  }

  #noteWidth({ trId, layout }: Stream, to: number): WidthChange | undefined {
    const seen = this.#widths.get(trId) ?? [];
    if (seen[0] === to) return undefined;
    this.#widths.set(trId, [to, ...seen.filter((width) => width !== to)].slice(0, MAX_WIDTHS));
    const isKnown = seen.length === 0 ? layout.widths.includes(to) : seen.includes(to);
    return isKnown ? undefined : { trId, from: seen[0] ?? (layout.widths[0] as number), to };
  }
}

/** Widths of a stream that a connection remembers: more than any venue has in one day. */
const MAX_WIDTHS = 8;

function rejectedFrame(error: MarketDataError, bytes: Uint8Array, channel?: Channel): DataReading {
  return {
    records: [{ outcome: 'rejected', symbol: '', channel, error, bytes, records: undefined }],
    widthChange: undefined,
  };
}

function unknownStream(trId: string): MarketDataError {
  const known = [...STREAMS.keys()].join(', ');
  const shown = JSON.stringify(trId.slice(0, 60));
  return new MarketDataError('VALIDATION_FRAME', `frame of ${shown}, a stream that is not read; known: ${known}`);
}

/** @throws {MarketDataError} `VALIDATION_SYMBOL` when it is no code at all */
function ignored(code: string): RecordReading {
  if (isCode(code)) return { outcome: 'ignored', symbol: code };
  const shown = JSON.stringify(code.slice(0, 60));
  throw new MarketDataError('VALIDATION_SYMBOL', `begins with ${shown}; expected a code such as 005930`);
}

function rejectedRecord(payload: Payload, span: Span, number: number, symbol: string, cause: unknown): RejectedRecord {
  const { bytes, fieldBytes, stream } = payload;
  const { code, message } = asMarketDataError(cause, 'VALIDATION_FRAME');
  const about = `${stream.trId} record ${number}${symbol === '' ? '' : `, ${symbol}`}: ${message}`;
  return {
    outcome: 'rejected',
    symbol,
    channel: stream.channel,
    // The width in each error: fields that the venue puts in between are told from damage by it.
    error: new MarketDataError(code, about, { cause, context: { fields: span.to - span.from } }),
    bytes: fieldBytes === undefined || span.from === span.to ? bytes : fieldBytes.range(span.from, span.to),
    records: span.records ?? 1,
  };
}

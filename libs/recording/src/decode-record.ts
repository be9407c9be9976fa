import type { LogRecord } from '@aipx/event-log';
import { asMarketDataError, type MarketDataError, type MarketEvent } from '@aipx/market-model';
import { decodeEvent, kindOfTopic } from '@aipx/market-proto';

export type DecodedRecord = { readonly event: MarketEvent } | { readonly error: MarketDataError };

/**
 * The event of a record, or the reason why it has none. Only topic and value decide, so that both sinks, every
 * worker and a later re-reading of the same offset agree on what is undecodable.
 *
 * @throws {MarketDataError} `VALIDATION_RECORD` for a topic that carries no market events: that is a wrong setting,
 * not a bad record
 */
export function decodeRecord(record: Pick<LogRecord, 'topic' | 'value'>): DecodedRecord {
  const kind = kindOfTopic(record.topic);
  try {
    return { event: decodeEvent(kind, record.value) };
  } catch (cause) {
    return { error: asMarketDataError(cause, 'VALIDATION_RECORD') };
  }
}

import { isPadding, validOrderBook, type Level, type Nanoseconds, type OrderBook } from '@aipx/market-model';
import { kstInstant, secondOfDay, type BusinessDate } from '../calendar/kst.js';
import { BOOK, BOOK_FIELDS } from '../layout/order-book.js';
import { EXCHANGE } from './exchange.js';
import { unreadable, type RecordFields } from './fields.js';

/** Levels a side. */
export const BOOK_DEPTH = 10;

/**
 * One book of ten levels a side (KIS portal, real-time quotes; captured in the closing auction, cut in the middle):
 *
 * ```
 * 233740^152809^A^8960^8965^8970^0^0^0^0^0^0^0^8955^8950^8945^0^…^29^636^684^0^…^1070^14889^10942^0^…
 * ```
 *
 * Prices of 0 fill up a short side. The record has no date, so the caller gives it. Fields of expected executions are not
 * read: outside of auctions they hold leftovers.
 *
 * @throws {MarketDataError} `VALIDATION_*`, naming the field, the level and the value
 */
export function readOrderBook(
  fields: RecordFields,
  symbol: string,
  businessDate: BusinessDate,
  receivedAt: Nanoseconds,
): OrderBook {
  checkAlignment(fields);
  return validOrderBook({
    kind: 'orderbook',
    exchange: EXCHANGE,
    symbol,
    bids: readLevels(fields, BOOK.BIDP1, BOOK.BIDP_RSQN1),
    asks: readLevels(fields, BOOK.ASKP1, BOOK.ASKP_RSQN1),
    timestamp: kstInstant(businessDate, secondOfDay(fields.text(BOOK.BSOP_HOUR))),
    receivedTimestamp: receivedAt,
    streamType: 'REALTIME',
    // In the closing auction the totals are 0 although there are levels: as printed, not summed.
    totalBidQuantity: fields.optionalShares(BOOK.TOTAL_BIDP_RSQN, 'TOTAL_BIDP_RSQN'),
    totalAskQuantity: fields.optionalShares(BOOK.TOTAL_ASKP_RSQN, 'TOTAL_ASKP_RSQN'),
  });
}

function readLevels(fields: RecordFields, pricesAt: number, quantitiesAt: number): readonly Level[] {
  const levels: Level[] = [];
  for (let level = 0; level < BOOK_DEPTH; level += 1) {
    const price = fields.optionalDecimal(pricesAt + level, nameOf(pricesAt + level));
    const quantity = fields.optionalShares(quantitiesAt + level, nameOf(quantitiesAt + level));
    if (price === undefined || quantity === undefined || isPadding(price, quantity)) continue;
    levels.push({ price, quantity });
  }
  return levels;
}

function nameOf(index: number): string {
  return BOOK_FIELDS[index] as string;
}

/**
 * A record that lost or gained a field can still have a width that once was right, and sizes moved by one level would not
 * show. The codes in front of and behind the levels do: one character, and a sign code before a rate with a point.
 */
function checkAlignment(fields: RecordFields): void {
  const hourClass = fields.optionalText(BOOK.HOUR_CLS_CODE) ?? '0';
  if (!/^[0-9A-Z]$/.test(hourClass)) throw unreadable('HOUR_CLS_CODE', hourClass, 'one character such as 0 or A');
  const sign = fields.optionalText(BOOK.ANTC_CNTG_VRSS_SIGN) ?? '0';
  if (!/^[0-5]$/.test(sign)) throw unreadable('ANTC_CNTG_VRSS_SIGN', sign, '0 to 5: the record lost or gained a field');
  const rate = fields.optionalText(BOOK.ANTC_CNTG_PRDY_CTRT) ?? '0';
  if (rate !== '0' && !/^[-+]?\d+\.\d+$/.test(rate)) {
    throw unreadable('ANTC_CNTG_PRDY_CTRT', rate, 'a rate such as -0.14: the record lost or gained a field');
  }
}

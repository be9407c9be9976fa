import { compareDecimal, toIsoText, validTick, type Nanoseconds, type Side, type Tick } from '@aipx/market-model';
import { kstInstant, parseBusinessDate, secondOfDay, type BusinessDate } from '../calendar/kst.js';
import type { Segment } from '../layout/streams.js';
import { TRADE } from '../layout/trade.js';
import { EXCHANGE } from './exchange.js';
import { percentToRatio, signedChange } from './change.js';
import { unreadable, type RecordFields } from './fields.js';
import { tradeId } from './trade-id.js';

/** Nanoseconds. */
const DAY = 86_400_000_000_000n;

export interface TradeReading {
  readonly trade: Tick;
  /** What the record says against itself; price and size stand nevertheless. */
  readonly notice: string | undefined;
}

/**
 * One trade (KIS portal, real-time trade price; a captured record of 2023-06-12 up to the fields that are read):
 *
 * ```
 * 005930^093354^71900^5^-100^-0.14^72023.83^72100^72400^71700^71900^71800^1^3052507^219853241700^5105^6937^1832^84.90^
 * 1366314^1159996^1^0.39^20.28^090020^5^-200^090820^5^-500^092619^2^200^20230612^20^N^…
 * ```
 *
 * KIS prints no id: the cumulative volume behind the trade is unique within segment, symbol and business date. Times have
 * whole seconds; trades of one second keep the order of their frames.
 *
 * @throws {MarketDataError} `VALIDATION_*`, naming the field and the value
 */
export function readTrade(
  fields: RecordFields,
  symbol: string,
  segment: Segment,
  receivedAt: Nanoseconds,
): TradeReading {
  const businessDate = readDate(fields, receivedAt);
  const volume = fields.shares(TRADE.CNTG_VOL, 'CNTG_VOL');
  const cumulative = fields.shares(TRADE.ACML_VOL, 'ACML_VOL');
  if (compareDecimal(cumulative, volume) < 0) {
    throw unreadable('ACML_VOL', cumulative, `at least the ${volume} of this trade, which it includes`);
  }
  const { notice, ...changed } = readChange(fields, symbol);
  const trade = validTick({
    kind: 'tick',
    exchange: EXCHANGE,
    symbol,
    price: fields.decimal(TRADE.STCK_PRPR, 'STCK_PRPR'),
    volume,
    timestamp: kstInstant(businessDate, secondOfDay(fields.text(TRADE.STCK_CNTG_HOUR))),
    ...changed,
    side: readSide(fields.optionalText(TRADE.CCLD_DVSN)),
    tradeId: tradeId(segment, businessDate, cumulative),
    receivedTimestamp: receivedAt,
    // These streams begin with the next trade; KIS sends no picture of the past.
    streamType: 'REALTIME',
  });
  return { trade, notice };
}

/** A day that has not come would end the present one, and all that it knows; our clock may be a day behind, not more. */
function readDate(fields: RecordFields, receivedAt: Nanoseconds): BusinessDate {
  const date = parseBusinessDate(fields.text(TRADE.BSOP_DATE));
  if (kstInstant(date, 0) - receivedAt <= DAY) return date;
  throw unreadable('BSOP_DATE', date, `at most the day after its receipt at ${toIsoText(receivedAt)}`);
}

interface Change extends Pick<Tick, 'change' | 'changeRate'> {
  readonly notice: string | undefined;
}

function readChange(fields: RecordFields, symbol: string): Change {
  const signCode = fields.optionalText(TRADE.PRDY_VRSS_SIGN);
  const value = fields.optionalDecimal(TRADE.PRDY_VRSS, 'PRDY_VRSS');
  const percent = fields.optionalDecimal(TRADE.PRDY_CTRT, 'PRDY_CTRT');
  if (signCode === undefined) return { change: undefined, changeRate: undefined, notice: undefined };
  const change = value === undefined ? undefined : signedChange(value, signCode);
  const rate = percent === undefined ? undefined : signedChange(percent, signCode);
  if ((value !== undefined && change === undefined) || (percent !== undefined && rate === undefined)) {
    const notice = `changes of ${symbol} contradict their sign code: change and rate are left out, the trades are kept`;
    return { change: undefined, changeRate: undefined, notice };
  }
  return { change, changeRate: rate === undefined ? undefined : percentToRatio(rate), notice: undefined };
}

/**
 * 1: a buyer took the offer; 5: a seller took the bid; 3: before the opening, without a taker. What the after-market prints
 * is not known, so another code of one digit says nothing about the side; anything longer is another field's value.
 */
function readSide(code: string | undefined): Side | undefined {
  switch (code) {
    case '1':
      return 'BUY';
    case '5':
      return 'SELL';
    case undefined:
      return undefined;
    default:
      if (/^[0-9A-Z]$/.test(code)) return undefined;
      throw unreadable('CCLD_DVSN', code, 'one digit');
  }
}

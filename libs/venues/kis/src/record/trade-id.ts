import { MarketDataError, type Decimal } from '@aipx/market-model';
import { parseBusinessDate, type BusinessDate } from '../calendar/kst.js';
import type { Segment } from '../layout/streams.js';

/** What a trade id consists of. */
export interface TradePosition {
  readonly segment: Segment;
  readonly businessDate: BusinessDate;
  /** Shares traded on that day in that segment, this trade included. */
  readonly cumulativeVolume: bigint;
}

/** A 64-bit integer holds as many; a day has about a billion shares. */
const MAX_VOLUME_DIGITS = 18;
const ID = new RegExp(String.raw`^(KRX|NXT|UN)-(\d{8})-(\d{1,${MAX_VOLUME_DIGITS}})$`);

/** @throws {MarketDataError} `VALIDATION_RECORD` when the volume has more digits than `parseTradeId` takes */
export function tradeId(segment: Segment, businessDate: BusinessDate, cumulativeVolume: Decimal): string {
  if (cumulativeVolume.length > MAX_VOLUME_DIGITS) {
    throw new MarketDataError(
      'VALIDATION_RECORD',
      `cumulative volume of ${cumulativeVolume.length} digits; expected ${MAX_VOLUME_DIGITS} at most`,
    );
  }
  return `${segment}-${businessDate}-${cumulativeVolume}`;
}

/** The parts of an id that `tradeId` made. @throws {MarketDataError} `VALIDATION_RECORD` for any other text */
export function parseTradeId(id: string): TradePosition {
  const [, segment, date, cumulative] = ID.exec(id) ?? [];
  if (segment === undefined || date === undefined || cumulative === undefined) {
    throw new MarketDataError(
      'VALIDATION_RECORD',
      `${JSON.stringify(id.slice(0, 60))} is no trade id of KIS; expected <KRX, NXT or UN>-<YYYYMMDD>-<cumulative volume>`,
    );
  }
  return {
    segment: segment as Segment,
    businessDate: parseBusinessDate(date),
    cumulativeVolume: BigInt(cumulative),
  };
}

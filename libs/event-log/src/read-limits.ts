import { MarketDataError } from '@aipx/market-model';
import type { ConsumeOptions, ReadLimits } from './event-log.js';

/** @throws {MarketDataError} `CONFIG_INVALID` for limits that leave room for nothing */
export function checkLimits({ maxRecords, maxBytes }: ReadLimits): void {
  if (maxRecords >= 1 && maxBytes >= 1) return;
  throw new MarketDataError(
    'CONFIG_INVALID',
    `read limits are ${maxRecords} records and ${maxBytes} bytes; expected at least 1 of each`,
  );
}

/** @throws {MarketDataError} `CONFIG_INVALID` for limits, or a concurrency, that leave room for nothing */
export function checkConsumeOptions({ limits, concurrency = 1 }: ConsumeOptions): void {
  checkLimits(limits);
  if (Number.isSafeInteger(concurrency) && concurrency >= 1) return;
  throw new MarketDataError(
    'CONFIG_INVALID',
    `the handler is to run for ${concurrency} partitions at the same time; expected a whole number from 1 on`,
  );
}

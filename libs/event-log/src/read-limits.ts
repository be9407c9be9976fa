import { MarketDataError } from '@aipx/market-model';
import type { ReadLimits } from './event-log.js';

/** @throws {MarketDataError} `CONFIG_INVALID` for limits that leave room for nothing */
export function checkLimits({ maxRecords, maxBytes }: ReadLimits): void {
  if (maxRecords >= 1 && maxBytes >= 1) return;
  throw new MarketDataError(
    'CONFIG_INVALID',
    `read limits are ${maxRecords} records and ${maxBytes} bytes; expected at least 1 of each`,
  );
}

import { MarketDataError, validOrderBook, validTick, type Nanoseconds } from '@aipx/market-model';
import { expect } from 'vitest';
import type { FrameReading, FrameRecord, Subscription, TradingNews, VenueDriver, VenueSession } from '../driver.js';

/** Any receive time: the driver only passes it on. */
export const RECEIVED_AT: Nanoseconds = 1_787_728_554_900_000_000n;

export function openSession(driver: VenueDriver, subscriptions: readonly Subscription[]): VenueSession {
  const { bookDepth } = driver.defaults;
  return driver.openSession({
    subscriptions,
    bookDepth,
    connectionId: '79dd616e-ec66-44f4-8c6a-e9a3ada12235',
    secret: 'a key',
  });
}

export function recordsOf(reading: FrameReading): readonly FrameRecord[] {
  expect(reading.kind, `a frame of market data is read as ${reading.kind}`).toBe('data');
  return reading.kind === 'data' ? reading.records : [];
}

/** What every reading keeps, whatever the frame was. */
export function expectSound(reading: FrameReading, driver: VenueDriver, subscriptions: readonly Subscription[]): void {
  if (reading.kind !== 'refusal') {
    expectSoundNews(reading.trading ?? [], subscriptions);
    expect(reading.notices ?? []).not.toContain('');
  }
  switch (reading.kind) {
    case 'data':
      expect(reading.records.length, 'a data frame without a record vanishes from the counts').toBeGreaterThan(0);
      for (const record of reading.records) expectSoundRecord(record, driver, subscriptions);
      return;
    case 'refusal':
      expect(reading.error).toBeInstanceOf(MarketDataError);
      expect(reading.error.code).toBe('CONNECTION_REFUSED_BY_VENUE');
      return;
    case 'control':
      return;
    default:
      reading satisfies never;
      expect.unreachable(`no such reading: ${JSON.stringify(reading)}`);
  }
}

function expectSoundNews(trading: readonly TradingNews[], subscriptions: readonly Subscription[]): void {
  for (const { symbol, detail } of trading) {
    expect(subscriptions.map((subscription) => subscription.symbol)).toContain(symbol);
    expect(detail).not.toBe('');
  }
}

function expectSoundRecord(record: FrameRecord, driver: VenueDriver, subscriptions: readonly Subscription[]): void {
  switch (record.outcome) {
    case 'event': {
      const { event } = record;
      if (event.kind === 'tick') validTick(event);
      else validOrderBook(event);
      expect(event.exchange).toBe(driver.id);
      expect(event.receivedTimestamp).toBe(RECEIVED_AT);
      expect(subscriptions).toContainEqual({ symbol: event.symbol, channel: event.kind });
      return;
    }
    case 'rejected':
      expect(record.error).toBeInstanceOf(MarketDataError);
      expect(record.error.message).not.toBe('');
      return;
    case 'gap':
      expect(subscriptions).toContainEqual({ symbol: record.symbol, channel: record.channel });
      expect(record.detail).not.toBe('');
      return;
    case 'ignored':
    case 'repeated':
      return;
    default:
      record satisfies never;
      expect.unreachable(`no such record: ${JSON.stringify(record)}`);
  }
}

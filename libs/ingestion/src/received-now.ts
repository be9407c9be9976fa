import type { Nanoseconds } from '@aipx/market-model';
import type { FrameReading } from '@aipx/venue';

/** Of a replay too, the receive time is when this process received it. */
export function receivedNow(reading: FrameReading, receivedTimestamp: Nanoseconds): FrameReading {
  if (reading.kind !== 'data') return reading;
  const records = reading.records.map((record) =>
    record.outcome === 'event' ? { ...record, event: { ...record.event, receivedTimestamp } } : record,
  );
  return { ...reading, records };
}

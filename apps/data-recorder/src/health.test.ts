import { MarketDataError } from '@aipx/market-model';
import { describe, expect, it } from 'vitest';
import { consumerHealth, sinkHealth } from './health.js';
import type { SinkName, SinkStatus } from './sinks/sink.js';
import type { SinkStatuses } from './status.js';

const NOW = 1_714_571_998_000;
const MAX_LAG_MS = 60_000;
const AWAY = new MarketDataError('STORE_UNAVAILABLE', 'connection refused', { retryable: true });

function sink(name: SinkName, change: Partial<SinkStatus> = {}): SinkStatus {
  return {
    name,
    batchTimeoutMs: 5_000,
    recorder: recorder(),
    counts: undefined,
    fault: undefined,
    errors: 0,
    positions: [],
    ...change,
  };
}

function recorder(waitingMs?: number): NonNullable<SinkStatus['recorder']> {
  const waitingSince = waitingMs === undefined ? undefined : BigInt(NOW - waitingMs) * 1_000_000n;
  return {
    bufferedRecords: waitingMs === undefined ? 0 : 7,
    bufferedBytes: 0,
    waitingSince,
    newestStored: undefined,
    fault: undefined,
    pauses: 0,
  };
}

function both(hot: Partial<SinkStatus>, cold: Partial<SinkStatus> = {}): SinkStatuses {
  return { hot: sink('timescaledb', hot), cold: sink('s3', cold) } as SinkStatuses;
}

const waiting = { fault: { since: NOW - 12_000, error: AWAY, failures: 3 } };

describe('health of the consumer', () => {
  it('is degraded while Kafka is waited for at the start', () => {
    const log = { isOpen: false, fault: undefined, lastError: 'nothing listens there' };
    expect(consumerHealth({ log, sinks: both({}) })).toEqual({
      name: 'consumer',
      status: 'DEGRADED',
      detail: 'waiting for Kafka: nothing listens there',
    });
  });

  it('is degraded while Kafka does not answer', () => {
    const log = { isOpen: true, fault: AWAY, lastError: '' };
    expect(consumerHealth({ log, sinks: both({}) })).toMatchObject({
      status: 'DEGRADED',
      detail: 'Kafka does not answer: connection refused',
    });
  });

  it('says how many partitions each sink has here', () => {
    const log = { isOpen: true, fault: undefined, lastError: 'long ago' };
    const positions = [{ topic: 'market.tick', partition: 0, storedTo: 5n }];
    expect(consumerHealth({ log, sinks: both({ positions }) })).toMatchObject({
      status: 'HEALTHY',
      detail: 'partitions: 1 for timescaledb, 0 for s3',
    });
  });
});

describe('health of a sink', () => {
  it('is good while it stores', () => {
    expect(sinkHealth('timescaledb', both({}), MAX_LAG_MS, NOW)).toEqual({
      name: 'timescaledb',
      status: 'HEALTHY',
      detail: 'all that was read is stored',
    });
  });

  it('is bad before the log is open', () => {
    expect(sinkHealth('s3', { hot: undefined, cold: undefined }, MAX_LAG_MS, NOW).status).toBe('UNHEALTHY');
  });

  it('is degraded while its store is waited for and the other stores', () => {
    const sinks = both(waiting);
    expect(sinkHealth('timescaledb', sinks, MAX_LAG_MS, NOW)).toMatchObject({
      status: 'DEGRADED',
      detail: 'waiting for 12s: connection refused',
    });
    expect(sinkHealth('s3', sinks, MAX_LAG_MS, NOW).status).toBe('HEALTHY');
  });

  it('is bad when no sink can store, be it the only one', () => {
    const sinks = both(waiting, { recorder: undefined });
    expect(sinkHealth('timescaledb', sinks, MAX_LAG_MS, NOW).status).toBe('UNHEALTHY');
    expect(sinkHealth('s3', sinks, MAX_LAG_MS, NOW)).toMatchObject({ status: 'UNHEALTHY', detail: 'opening' });
    const alone = { ...both(waiting), cold: undefined };
    expect(sinkHealth('timescaledb', alone, MAX_LAG_MS, NOW).status).toBe('UNHEALTHY');
  });

  it('is degraded when its oldest record is older than a batch and SINK_MAX_LAG explain', () => {
    const at = (waitingMs: number, maxLagMs = MAX_LAG_MS) =>
      sinkHealth('timescaledb', both({ recorder: recorder(waitingMs) }), maxLagMs, NOW);
    expect(at(65_000)).toMatchObject({ status: 'HEALTHY', detail: '7 records wait, the oldest for 65s' });
    expect(at(65_001)).toMatchObject({
      status: 'DEGRADED',
      detail: '7 records wait, the oldest for 65s: a batch may take 5s to fill, and SINK_MAX_LAG is 1m',
    });
    expect(at(1e9, 0).status).toBe('HEALTHY');
  });
});

import { describe, expect, it } from 'vitest';
import { Metrics } from './metrics.ts';

const TEXT = `# HELP ingestion_dropped_total Records that were let go
# TYPE ingestion_dropped_total counter
ingestion_dropped_total{reason="expired"} 3
ingestion_dropped_total{reason="overflow"} 0
ingestion_messages_published_total{venue="upbit",kind="tick"} 60
ingestion_messages_published_total{venue="upbit",kind="orderbook"} 40
ingestion_buffer_messages 1e3
`;

describe('metrics', () => {
  it('are summed over their labels, or by one of them', () => {
    const metrics = new Metrics(TEXT);
    expect(metrics.sum('ingestion_messages_published_total')).toBe(100);
    expect(metrics.sum('ingestion_buffer_messages')).toBe(1000);
    expect(metrics.by('ingestion_dropped_total', 'reason')).toEqual({ expired: 3, overflow: 0 });
    expect(metrics.by('ingestion_messages_published_total', 'kind')).toEqual({ tick: 60, orderbook: 40 });
  });

  it('that are not there are no zero', () => {
    expect(() => new Metrics(TEXT).sum('ingestion_conflated_total')).toThrow('shows no ingestion_conflated_total');
  });
});
